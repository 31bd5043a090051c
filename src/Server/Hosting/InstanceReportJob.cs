using System.Reflection;
using System.Text.Json;

using FlashSale.Core;
using FlashSale.Core.Wire;
using FlashSale.Server.Edge;
using FlashSale.Server.Jobs;
using FlashSale.Server.Orders;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Hosting;

/// <summary>
/// Writes what this instance has counted into the ledger (<see cref="InstanceFigures"/>), at rest too: processor time, requests under way and breakers move without any
/// order, and nobody can tell a figure that did not change from one that is old.
/// </summary>
internal sealed class InstanceReportJob(
    ILedger ledger, IGate gate, LedgerClock clock, Instance instance, Settings settings, SaleMetrics metrics, InFlightLimit inFlight, LedgerWriter writer, Breakers breakers,
    Readiness readiness, TimeProvider time, ILogger<InstanceReportJob> log)
    : RepeatingJob(Limits.InstanceReportInterval, time, log)
{
    private static readonly string Version =
        typeof(InstanceReportJob).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    private readonly DateTimeOffset startedAt = time.GetUtcNow();

    protected override Task StepAsync(CancellationToken stopping) => ReportAsync(Read(), stopping);

    /// <summary>A last time, so that what was counted since is in the report of the sale, and that nobody looks for an instance that was ended.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await ReportAsync(Read() with { Stopped = true }, cancellationToken);
        }
        catch (Exception exception) when (exception is LedgerUnavailableException or LedgerBusyException or LedgerOutcomeUnknownException or OperationCanceledException)
        {
            // What the last moments counted is missing in the report; the ledger's rows are not.
        }
    }

    private Task ReportAsync(InstanceFigures figures, CancellationToken cancellation) =>
        ledger.ReportAsync(instance.Id, JsonSerializer.Serialize(figures, FiguresJson.Default.InstanceFigures), cancellation);

    private InstanceFigures Read() => new()
    {
        Machine = Environment.MachineName,
        ProcessId = Environment.ProcessId,
        Version = Version,
        Roles = settings.Roles.ToString().ToLowerInvariant(),
        StartedAt = startedAt,
        NotReady = readiness.Reasons(),
        CpuSeconds = Environment.CpuUsage.TotalTime.TotalSeconds,
        MemoryBytes = Environment.WorkingSet,
        GcPauseSeconds = GC.GetTotalPauseDuration().TotalSeconds,
        Collections = [.. Enumerable.Range(0, GC.MaxGeneration + 1).Select(GC.CollectionCount)],
        InFlight = inFlight.InFlight,
        InFlightLimit = inFlight.Limit,
        WriterQueue = writer.Waiting,
        ClockSkewMs = (long)clock.Correction.TotalMilliseconds,
        Pools = [.. ledger.Pools, .. gate.Pools],
        Breakers = breakers.Words(),
        Decisions = NotZero<OrderDecision>(metrics.Count),
        Sales = metrics.Sales.ToDictionary(sale => sale.Sale.ToString(), sale => Read(sale.Counts)),
    };

    private static SaleFigures Read(SaleCounts counts)
    {
        var latency = new long[LatencyCounts.Buckets];
        counts.Latency.AddTo(latency);
        return new SaleFigures
        {
            Decisions = NotZero<OrderDecision>(counts.Of),
            Steps = NotZero<SaleStep>(counts.Of),
            Asked = NotZero<ClientKind>(counts.Asked),
            Placed = NotZero<ClientKind>(counts.Placed),
            Latency = latency.Index().Where(bucket => bucket.Item > 0).ToDictionary(bucket => bucket.Index, bucket => bucket.Item),
        };
    }

    private static Dictionary<string, long> NotZero<T>(Func<T, long> count)
        where T : struct, Enum =>
        Words<T>.ByValue.Select(word => (Word: word.Value, Count: count(word.Key))).Where(word => word.Count > 0).ToDictionary(word => word.Word, word => word.Count);
}
