using FlashSale.Core.Sales;

namespace FlashSale.Core.Wire;

/// <summary>A sale at this moment, over all instances: the live board's figures, at most a second old.</summary>
/// <param name="At">When ledger and gate were read.</param>
/// <param name="OrdersPerSecond">Orders placed, over the last second or two; null before there are two readings.</param>
/// <param name="PaidPerSecond">Units that became sold.</param>
/// <param name="P50Ms">From the admission by the gate until the outcome was known, of the orders of the last ten seconds; null when there were none.</param>
/// <param name="ArrivalsPerSecond">Requests to order that named the sale, and those of all sales that were turned away before one was known.</param>
/// <param name="WriterQueue">Orders that wait for a ledger writer, in all instances and of all sales.</param>
/// <param name="Breakers">Of all instances, the worst state by what they guard.</param>
/// <param name="Events">What operators, and the program itself, did with the sale, newest first.</param>
public sealed record LiveDocument(
    string SaleId,
    DateTimeOffset At,
    string Phase,
    IReadOnlyList<LiveOfferDocument> Offers,
    long Placed,
    double? OrdersPerSecond,
    double? PaidPerSecond,
    double? P50Ms,
    double? P99Ms,
    double? ArrivalsPerSecond,
    double? AdmittedPerSecond,
    IReadOnlyList<LiveDecisionDocument> Decisions,
    int WriterQueue,
    IReadOnlyDictionary<string, string> Breakers,
    IReadOnlyList<LiveInstanceDocument> Instances,
    IReadOnlyList<LiveEventDocument> Events)
{
    /// <summary>Requests to order that were turned away before a sale was known, so that they are those of all sales.</summary>
    public IReadOnlyList<LiveDecisionDocument> BeforeSale { get; init; } = [];
}

/// <summary>The units of an offer.</summary>
/// <param name="Total">Initial stock and adjustments.</param>
/// <param name="GateStock">Null when the offer is not in the gate, or the gate did not answer.</param>
/// <param name="Drift">Gate stock + pending − ledger available.</param>
public sealed record LiveOfferDocument(
    string OfferId, LocalizedText Title, long Total, long Available, long Held, long Sold, long? GateStock, long? GatePending, long? Drift);

/// <summary>Requests to order that ended so.</summary>
/// <param name="Count">Since the start of the instances.</param>
/// <param name="PerSecond">Over the last second or two; null before there are two readings.</param>
public sealed record LiveDecisionDocument(string Layer, string Outcome, string Reason, long Count, double? PerSecond);

/// <param name="AgeMs">Since its last report.</param>
/// <param name="CpuPercent">Of one core, over the last second or two.</param>
/// <param name="GcPausePercent">Of the last second or two that the garbage collector had stopped it.</param>
public sealed record LiveInstanceDocument(
    string Instance,
    string Machine,
    int ProcessId,
    string Version,
    string Roles,
    DateTimeOffset StartedAt,
    long AgeMs,
    bool Gone,
    IReadOnlyList<string> NotReady,
    double? CpuPercent,
    long MemoryBytes,
    double? GcPausePercent,
    IReadOnlyList<int> Collections,
    int InFlight,
    int InFlightLimit,
    int WriterQueue)
{
    /// <summary>It was ended, and did not merely fall silent; it is <see cref="Gone"/> too.</summary>
    public bool Stopped { get; init; }

    /// <summary>The ledger's clock less its machine's.</summary>
    public long ClockSkewMs { get; init; }
}

public sealed record LiveEventDocument(DateTimeOffset At, string Actor, string Role, string Action, string? Reason);

/// <summary>One second of a sale, for the charts.</summary>
/// <param name="Refused">Requests refused or failed a second, by layer; <see cref="BeforeSale"/> for those that were turned away before a sale was known.</param>
public sealed record LiveMomentDocument(
    DateTimeOffset At,
    long Available,
    long Held,
    long Sold,
    long? GateStock,
    double? OrdersPerSecond,
    double? PaidPerSecond,
    double? P50Ms,
    double? P99Ms,
    double? ArrivalsPerSecond,
    double? AdmittedPerSecond,
    IReadOnlyDictionary<string, double> Refused)
{
    public const string BeforeSale = "beforeSale";

    /// <summary>The keys of <see cref="Refused"/>, outermost first.</summary>
    public static readonly IReadOnlyList<string> Layers = [BeforeSale, "edge", "checkout", "draw", "gate", "ledger"];
}
