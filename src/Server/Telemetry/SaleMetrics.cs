using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

using FlashSale.Core;
using FlashSale.Core.Orders;

namespace FlashSale.Server.Telemetry;

/// <summary>
/// The business metrics of the order path. What is counted for each request is a plain number that is read when somebody asks; only the
/// rarer things are recorded as they happen.
/// </summary>
public sealed class SaleMetrics : IDisposable
{
    public const string MeterName = "FlashSale";

    private static readonly int Decisions = Enum.GetValues<OrderDecision>().Length;
    private static readonly int States = Enum.GetValues<OrderStatus>().Length;

    private readonly Meter meter = new(MeterName);
    private readonly long[] decisions = new long[Decisions];
    private readonly ConcurrentDictionary<SaleId, long[]> decisionsOfSales = new();
    private readonly long[] orders = new long[States];
    private readonly Histogram<double> batchSize;
    private readonly Histogram<double> commitSeconds;
    private readonly Histogram<double> orderSeconds;

    public SaleMetrics()
    {
        meter.CreateObservableCounter("flashsale.decisions", ReadDecisions, description: "Requests to order by the layer that decided, outcome and reason");
        meter.CreateObservableCounter(
            "flashsale.sale.decisions", ReadDecisionsOfSales, description: "The same for each sale, of those that got so far as to name one");
        meter.CreateObservableCounter("flashsale.orders", ReadOrders, description: "Orders that came into a state, each counted once");
        batchSize = meter.CreateHistogram<double>("flashsale.ledger.batch.orders", description: "Orders in one transaction of the ledger writer");
        commitSeconds = meter.CreateHistogram<double>("flashsale.ledger.commit.duration", "s", "From handing a batch to the ledger until it is durable");
        orderSeconds = meter.CreateHistogram<double>("flashsale.order.duration", "s", "From admission by the gate until the outcome is known");
    }

    /// <summary>Once a request to order.</summary>
    /// <param name="decision">How it ended.</param>
    /// <param name="sale">Null for one that was turned away before its token was read.</param>
    public void Decide(OrderDecision decision, SaleId? sale = null)
    {
        Interlocked.Increment(ref decisions[(int)decision]);
        if (sale is { } id)
        {
            Interlocked.Increment(ref CountsOf(id)[(int)decision]);
        }
    }

    /// <summary>An order came into a state; never for a repeated answer.</summary>
    public void CountOrder(OrderStatus status) => Interlocked.Increment(ref orders[(int)status]);

    public void RecordBatch(int count, double seconds)
    {
        batchSize.Record(count);
        commitSeconds.Record(seconds);
    }

    public void RecordOrder(double seconds) => orderSeconds.Record(seconds);

    /// <summary>A value that is read when somebody asks.</summary>
    public void Observe(string name, string description, Func<IEnumerable<Measurement<long>>> read) =>
        meter.CreateObservableGauge(name, read, description: description);

    /// <summary>A count since the start that is read when somebody asks.</summary>
    public void ObserveCount(string name, string description, Func<IEnumerable<Measurement<long>>> read) =>
        meter.CreateObservableCounter(name, read, description: description);

    public void Dispose() => meter.Dispose();

    private long[] CountsOf(SaleId sale)
    {
        if (decisionsOfSales.TryGetValue(sale, out var counts))
        {
            return counts;
        }

        if (decisionsOfSales.Count >= Limits.SalesTracked)
        {
            // The oldest has the smallest number.
            decisionsOfSales.TryRemove(decisionsOfSales.Keys.MinBy(id => id.Value), out _);
        }

        return decisionsOfSales.GetOrAdd(sale, static _ => new long[Decisions]);
    }

    private IEnumerable<Measurement<long>> ReadDecisionsOfSales()
    {
        foreach (var (sale, counts) in decisionsOfSales)
        {
            for (var i = 0; i < Decisions; i++)
            {
                if (Interlocked.Read(ref counts[i]) is > 0 and var count)
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

    private IEnumerable<Measurement<long>> ReadOrders()
    {
        for (var i = 0; i < States; i++)
        {
            yield return new Measurement<long>(
                Interlocked.Read(ref orders[i]),
                new KeyValuePair<string, object?>("state", System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(((OrderStatus)i).ToString())));
        }
    }
}
