using System.Diagnostics;

using FlashSale.Core;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Orders;

/// <summary>
/// Turns waiting orders into one durable transaction and answers each shopper right after its commit (design section 7). The lanes are the ledger's: one for
/// the embedded ledger, one for each bucket where rows can be written side by side.
/// </summary>
public sealed class LedgerWriter : BackgroundService
{
    private readonly ILedger ledger;
    private readonly SaleCatalog catalog;
    private readonly TimeProvider time;
    private readonly WriterLane[] lanes;

    public LedgerWriter(
        ILedger ledger,
        SaleCatalog catalog,
        Settlements settlements,
        SaleMetrics metrics,
        LedgerWriterOptions options,
        Breakers breakers,
        TimeProvider time,
        ILogger<LedgerWriter> log)
    {
        this.ledger = ledger;
        this.catalog = catalog;
        this.time = time;
        lanes = [.. Enumerable.Range(0, ledger.WriterLanes).Select(_ => new WriterLane(ledger, settlements, metrics, options, breakers.Orders, time, log))];
        metrics.Observe("flashsale.writer.queue.orders", "Orders that wait for a ledger writer", () => lanes.Select((lane, i) =>
            new System.Diagnostics.Metrics.Measurement<long>(lane.Waiting, new KeyValuePair<string, object?>("lane", i))));
    }

    /// <summary>Orders that wait, in all lanes.</summary>
    public int Waiting => lanes.Sum(lane => lane.Waiting);

    /// <summary>What an order would wait for in the slowest lane.</summary>
    public TimeSpan ExpectedWait => lanes.Max(lane => lane.ExpectedWait);

    /// <param name="draft">What to place.</param>
    /// <param name="admitted">The gate took a unit for this request; it is given back when the order is not written.</param>
    /// <param name="deadline">A timestamp of the time provider, from which on it costs nothing more.</param>
    /// <param name="trace">The span of the request; null when it is not traced.</param>
    /// <returns>The answer comes after the commit, or when the deadline has passed; a queue that is full, or too slow for the operators' limit, answers at once.</returns>
    public Task<WriterAnswer> SubmitAsync(OrderDraft draft, bool admitted, long deadline, Activity? trace = null) => lanes[ledger.LaneOf(draft.OfferId)].SubmitAsync(
        draft, admitted, deadline, trace, TimeSpan.FromMilliseconds(catalog.Limits.Shedding.WriterWaitMs));

    /// <summary>Answers no more new orders, and ends when those that wait have their answer.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        foreach (var lane in lanes)
        {
            lane.Complete();
        }

        if (ExecuteTask is { } running)
        {
            await running.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await base.StopAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll([.. lanes.Select(lane => LaneThread.RunAsync("ledger writer", () => lane.RunAsync(stoppingToken))), WatchAsync(stoppingToken)]);

    /// <summary>A commit that hangs must not leave its shoppers, or those behind it, without an answer.</summary>
    private async Task WatchAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(Limits.SettleInterval, time);
        while (lanes.Any(lane => !lane.Stopped) && await timer.WaitForNextTickAsync(stopping))
        {
            foreach (var lane in lanes)
            {
                await lane.AnswerOverdueAsync();
            }
        }
    }
}
