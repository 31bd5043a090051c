using FlashSale.Core;
using FlashSale.Core.Wire;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Edge;

/// <summary>Adapts <see cref="InFlightLimit"/> ten times a second, and writes a line now and then about what was turned away.</summary>
internal sealed class LoadWatch : BackgroundService
{
    private static readonly TimeSpan LogInterval = TimeSpan.FromSeconds(10);
    private readonly InFlightLimit inFlight;
    private readonly EdgeCounts counts;
    private readonly SaleCatalog catalog;
    private readonly TimeProvider time;
    private readonly ILogger<LoadWatch> log;
    private readonly long[] shedBefore = new long[RequestKinds.Count];
    private readonly long[] shedAt = new long[RequestKinds.Count];
    private long[] loggedBefore = [];
    private long delayTicks;

    public LoadWatch(InFlightLimit inFlight, EdgeCounts counts, SaleCatalog catalog, SaleMetrics metrics, TimeProvider time, ILogger<LoadWatch> log)
    {
        (this.inFlight, this.counts, this.catalog, this.time, this.log) = (inFlight, counts, catalog, time, log);
        metrics.Observe("flashsale.requests.in_flight", "Requests under way", () => [new(inFlight.InFlight)]);
        metrics.Observe("flashsale.in_flight_limit", "The number that requests under way are kept to", () => [new(inFlight.Limit)]);
        metrics.Observe("flashsale.edge.latency", "s", "Nine of ten requests of the last 100 ms took less", () => [new(inFlight.Latency.TotalSeconds)]);
        metrics.Observe("flashsale.edge.scheduling_delay", "s", "How long work waits for a thread", () => [new(inFlight.SchedulingDelay.TotalSeconds)]);
    }

    /// <summary>The kinds that were shed within the last second.</summary>
    public IReadOnlyList<string> Shedding() =>
        [.. Enum.GetValues<RequestKind>().Where(kind => shedAt[(int)kind] != 0 && time.GetElapsedTime(shedAt[(int)kind]) < TimeSpan.FromSeconds(1)).Select(kind => kind.Word())];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Limits.SheddingInterval, time);
        var logged = time.GetTimestamp();
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            inFlight.Adapt(catalog.Limits.Shedding, SchedulingDelay());
            NoteShed();
            if (time.GetElapsedTime(logged) >= LogInterval)
            {
                logged = time.GetTimestamp();
                LogRefusals();
            }
        }
    }

    /// <summary>
    /// The delay of a piece of work that was queued an interval ago, or its age if it still waits: what requests wait before anything of ours sees them. Work for
    /// threads is done in its order, so that this waits like any request.
    /// </summary>
    private TimeSpan SchedulingDelay()
    {
        var delay = Interlocked.Read(ref delayTicks);
        if (delay >= 0)
        {
            var queued = time.GetTimestamp();
            Interlocked.Exchange(ref delayTicks, -queued);
            ThreadPool.UnsafeQueueUserWorkItem(
                static state => Interlocked.Exchange(ref state.Watch.delayTicks, Math.Max(0, state.Watch.time.GetTimestamp() - state.Queued)),
                (Watch: this, Queued: queued),
                preferLocal: false);
            return time.GetElapsedTime(0, delay);
        }

        return time.GetElapsedTime(-delay);
    }

    private void NoteShed()
    {
        for (var kind = 0; kind < RequestKinds.Count; kind++)
        {
            var shed = counts.Shed((RequestKind)kind);
            if (shed != shedBefore[kind])
            {
                shedBefore[kind] = shed;
                shedAt[kind] = time.GetTimestamp();
            }
        }
    }

    private void LogRefusals()
    {
        var refusals = counts.Refusals();
        for (var i = 0; i < refusals.Count; i++)
        {
            var (reason, count, example) = refusals[i];
            var since = count - (loggedBefore.Length > i ? loggedBefore[i] : 0);
            if (since > 0)
            {
                log.LogInformation("{Count} requests were turned away in {Seconds} s: {Reason}; one of them was {Example}", since, (int)LogInterval.TotalSeconds, reason, example);
            }
        }

        loggedBefore = [.. refusals.Select(refusal => refusal.Count)];
    }
}
