using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Wire;

namespace FlashSale.Server.Telemetry;

/// <summary>What an order passes, from its first byte until its answer is sent.</summary>
public enum OrderStage
{
    /// <summary>The gates of the edge: session, body, token, limits.</summary>
    Checks,
    Gate,

    /// <summary>Waiting for a ledger writer.</summary>
    Queue,

    /// <summary>With the ledger, until it is durable.</summary>
    Commit,
    Reply,
}

/// <summary>
/// The business metrics of the order path. What is counted for each request is a plain number that is read when somebody asks; only the
/// rarer things are recorded as they happen.
/// </summary>
public sealed class SaleMetrics : IDisposable
{
    public const string MeterName = "FlashSale";
    public const string OrderDuration = "flashsale.order.duration";
    public const string StageDuration = "flashsale.order.stage.duration";
    public const string CommitDuration = "flashsale.ledger.commit.duration";

    private static readonly int Decisions = Enum.GetValues<OrderDecision>().Length;
    private static readonly KeyValuePair<string, object?>[] StageTags =
        [.. Enum.GetValues<OrderStage>().Select(stage => new KeyValuePair<string, object?>("stage", stage.Word()))];

    private static readonly int States = Enum.GetValues<OrderStatus>().Length;

    private readonly Meter meter = new(MeterName);
    private readonly long[] decisions = new long[Decisions];
    private readonly ConcurrentDictionary<SaleId, SaleCounts> sales = new();
    private readonly long[] orders = new long[States];
    private readonly Histogram<double> batchSize;
    private readonly DurationHistogram commits;
    private readonly DurationHistogram orderDurations;
    private readonly DurationHistogram[] stages;

    // For those to whom metrics are pushed, who can only have what the SDK counts.
    private readonly Histogram<double> pushedCommits;
    private readonly Histogram<double> pushedOrders;
    private readonly Histogram<double> pushedStages;
    private long pushSecond;
    private int pushed;

    public SaleMetrics()
    {
        meter.CreateObservableCounter("flashsale.decisions", ReadDecisions, description: "Requests to order by the layer that decided, outcome and reason");
        meter.CreateObservableCounter(
            "flashsale.sale.decisions", ReadDecisionsOfSales, description: "The same for each sale, of those that got so far as to name one");
        meter.CreateObservableCounter("flashsale.orders", ReadOrders, description: "Orders that came into a state, each counted once");
        batchSize = meter.CreateHistogram<double>("flashsale.ledger.batch.orders", description: "Orders in one transaction of the ledger writer");
        const string CommitText = "From handing a batch to the ledger until it is durable";
        const string OrderText = "From admission by the gate until the outcome is known";
        const string StageText = "Of orders that a ledger writer answered, how long each stage took";
        pushedCommits = meter.CreateHistogram<double>(CommitDuration, "s", CommitText);
        commits = new DurationHistogram("flashsale_ledger_commit_duration_seconds", CommitText, "", Meters.DurationBounds);
        pushedOrders = meter.CreateHistogram<double>(OrderDuration, "s", OrderText);
        pushedStages = meter.CreateHistogram<double>(StageDuration, "s", StageText);
        orderDurations = new DurationHistogram("flashsale_order_duration_seconds", OrderText, "", Meters.DurationBounds);
        stages = [.. Enum.GetValues<OrderStage>().Select(stage =>
            new DurationHistogram("flashsale_order_stage_duration_seconds", StageText, $"stage=\"{stage.Word()}\"", Meters.StageBounds))];
        meter.CreateObservableCounter("flashsale.token.rejections", ReadTokenRejections, description: "Order tokens that were turned down, by the true reason, which only operators are told");
    }

    /// <summary>Once a request to order.</summary>
    /// <param name="decision">How it ended.</param>
    /// <param name="sale">Null for one that was turned away before its token was read.</param>
    public void Decide(OrderDecision decision, SaleId? sale = null)
    {
        Interlocked.Increment(ref decisions[(int)decision]);
        if (sale is { } id)
        {
            Of(id).Decide(decision);
        }
    }

    /// <summary>How many requests to order ended so, since the start.</summary>
    public long Count(OrderDecision decision) => Interlocked.Read(ref decisions[(int)decision]);

    /// <summary>Sales that anything was counted of; the oldest are forgotten beyond <see cref="Limits.SalesTracked"/>.</summary>
    public IReadOnlyList<(SaleId Sale, SaleCounts Counts)> Sales => [.. sales.Select(sale => (sale.Key, sale.Value))];

    /// <summary>An order came into a state; never for a repeated answer.</summary>
    public void CountOrder(OrderStatus status) => Interlocked.Increment(ref orders[(int)status]);

    /// <summary>Somebody collects the metrics: else nobody need look at the clock for the durations of each order.</summary>
    public bool IsCollected { get; set; }

    /// <summary>What the SDK does not count (<see cref="DurationHistogram"/>).</summary>
    public IReadOnlyList<DurationHistogram> Histograms => [commits, orderDurations, .. stages];

    /// <summary>
    /// Sales that requests come for now or soon: what was counted of them is said at 0 too. Whoever looks every few seconds would take a burst that comes with its series
    /// for something that was always there.
    /// </summary>
    public Func<IReadOnlySet<SaleId>> SalesAtZero { get; set; } = () => new HashSet<SaleId>();

    public void RecordBatch(int count, TimeSpan took)
    {
        batchSize.Record(count);
        commits.Record(took);
        pushedCommits.Record(took.TotalSeconds);
    }

    public void RecordOrder(SaleId sale, TimeSpan took)
    {
        Of(sale).Latency.Record(took);
        if (IsCollected)
        {
            orderDurations.Record(took);
        }
    }

    /// <param name="took">Of one order, the stages in their order; the last may be left out.</param>
    public void RecordStages(ReadOnlySpan<TimeSpan> took)
    {
        for (var stage = 0; stage < took.Length; stage++)
        {
            stages[stage].Record(took[stage]);
        }

        if (pushedStages.Enabled && IsPushed())
        {
            for (var stage = 0; stage < took.Length; stage++)
            {
                pushedStages.Record(took[stage].TotalSeconds, StageTags[stage]);
            }

            pushedOrders.Record((took[(int)OrderStage.Queue] + took[(int)OrderStage.Commit]).TotalSeconds);
        }
    }

    /// <summary>The first orders of a second, and of those behind them one in sixteen.</summary>
    private bool IsPushed()
    {
        var now = TimeProvider.System.GetTimestamp() / TimeProvider.System.TimestampFrequency;
        if (Volatile.Read(ref pushSecond) != now)
        {
            Volatile.Write(ref pushSecond, now);
            Volatile.Write(ref pushed, 0);
        }

        var count = Interlocked.Increment(ref pushed);
        return count <= Limits.OrdersPushedPerSecond || count % 16 == 0;
    }

    /// <summary>A value that is read when somebody asks.</summary>
    public void Observe(string name, string description, Func<IEnumerable<Measurement<long>>> read) =>
        meter.CreateObservableGauge(name, read, description: description);

    /// <summary>Likewise, with a unit of its own.</summary>
    /// <param name="unit">In UCUM: <c>s</c> for seconds. In Prometheus it ends the name.</param>
    public void Observe(string name, string unit, string description, Func<IEnumerable<Measurement<double>>> read) =>
        meter.CreateObservableGauge(name, read, unit, description);

    /// <summary>For what is recorded as it happens, because it is rare.</summary>
    public Histogram<double> CreateHistogram(string name, string description) => meter.CreateHistogram<double>(name, description: description);

    /// <summary>A count since the start that is read when somebody asks.</summary>
    public void ObserveCount(string name, string description, Func<IEnumerable<Measurement<long>>> read) =>
        meter.CreateObservableCounter(name, read, description: description);

    public void Dispose() => meter.Dispose();

    public SaleCounts Of(SaleId sale)
    {
        if (sales.TryGetValue(sale, out var counts))
        {
            return counts;
        }

        if (sales.Count >= Limits.SalesTracked)
        {
            // The oldest has the smallest number.
            sales.TryRemove(sales.Keys.MinBy(id => id.Value), out _);
        }

        return sales.GetOrAdd(sale, static _ => new SaleCounts());
    }

    private IEnumerable<Measurement<long>> ReadDecisionsOfSales()
    {
        var atZero = SalesAtZero();
        foreach (var sale in sales.Keys.Union(atZero))
        {
            var counts = sales.GetValueOrDefault(sale);
            for (var i = 0; i < Decisions; i++)
            {
                var count = counts?.Of((OrderDecision)i) ?? 0;
                if (count > 0 || atZero.Contains(sale))
                {
                    var kind = DecisionKind.Of((OrderDecision)i);
                    yield return new Measurement<long>(
                        count, new("sale", sale.ToString()), new("layer", kind.Layer), new("outcome", kind.Outcome), new("reason", kind.Reason));
                }
            }
        }
    }

    private IEnumerable<Measurement<long>> ReadDecisions()
    {
        for (var i = 0; i < Decisions; i++)
        {
            var kind = DecisionKind.Of((OrderDecision)i);
            yield return new Measurement<long>(
                Interlocked.Read(ref decisions[i]),
                new("layer", kind.Layer),
                new("outcome", kind.Outcome),
                new("reason", kind.Reason));
        }
    }

    private IEnumerable<Measurement<long>> ReadTokenRejections()
    {
        for (var i = 0; i < Decisions; i++)
        {
            if (DecisionKind.Of((OrderDecision)i) is { Layer: "checkout" } kind)
            {
                yield return new Measurement<long>(Interlocked.Read(ref decisions[i]), new KeyValuePair<string, object?>("reason", kind.Reason["token_".Length..]));
            }
        }
    }

    private IEnumerable<Measurement<long>> ReadOrders()
    {
        for (var i = 0; i < States; i++)
        {
            yield return new Measurement<long>(
                Interlocked.Read(ref orders[i]),
                new KeyValuePair<string, object?>("state", ((OrderStatus)i).Word()));
        }
    }
}
