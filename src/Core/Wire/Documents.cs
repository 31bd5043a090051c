using System.Text.Json.Serialization;

using FlashSale.Core.Coupons;
using FlashSale.Core.Orders;
using FlashSale.Core.RateLimits;
using FlashSale.Core.Reservations;
using FlashSale.Core.Sales;
using FlashSale.Core.Stock;

namespace FlashSale.Core.Wire;

/// <summary>RFC 9457. <paramref name="Errors"/> is there for 422, the times and <paramref name="RetryAfterMs"/> where they help.</summary>
public sealed record ProblemDocument(
    string Type,
    string Title,
    int Status,
    string Code,
    Effect Effect,
    string TraceId,
    string? Detail = null,
    DateTimeOffset? OpensAt = null,
    DateTimeOffset? ServerTime = null,
    long? RetryAfterMs = null,
    IReadOnlyDictionary<string, string[]>? Errors = null,
    ChallengeDocument? Challenge = null);

/// <summary>What comes with <c>challenge-required</c>. Solved by a nonce of at most 20 decimal digits such that the hash of <c>stamp:nonce</c> begins with
/// <paramref name="Bits"/> zero bits, or by the answer to the question in digits, from four seconds on.</summary>
/// <param name="Algorithm"><c>sha-256</c>.</param>
public sealed record ChallengeDocument(string Stamp, string Algorithm, int Bits, LocalizedText Question, DateTimeOffset ExpiresAt);

public sealed record Page<T>(
    IReadOnlyList<T> Items,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? NextCursor);

public sealed record TimeDocument(DateTimeOffset ServerTime, long EpochMs);

public sealed record SaleDocument(
    string Id,
    string Slug,
    LocalizedText Title,
    SalePhase Phase,
    DateTimeOffset? ReservationOpensAt,
    DateTimeOffset? ReservationClosesAt,
    DateTimeOffset OpensAt,
    DateTimeOffset ClosesAt,
    bool RequiresReservation,
    Ordering Ordering,
    Deduction Deduction,
    int PaymentWindowSeconds,
    IReadOnlyList<OfferDocument> Offers,
    int? RiskThreshold = null,
    int? WarmUpLeadSeconds = null,
    SaleDefences? Defences = null,
    long? Rev = null)
{
    /// <summary>True while the stock could not be confirmed for more than 2 s, absent otherwise.</summary>
    public bool? Stale { get; init; }

    /// <summary>Absent for a sale that serves in the order of arrival.</summary>
    public DrawTermsDocument? Draw { get; init; }
}

/// <param name="SoldPercent">0 to 100: units that are not available, held ones included.</param>
/// <param name="ValidFrom">Given to operators.</param>
public sealed record OfferDocument(
    string Id,
    string Sku,
    LocalizedText Title,
    Money FaceValue,
    Money Price,
    int Stock,
    int PerUserLimit,
    int SoldPercent,
    DateTimeOffset ValidFrom,
    DateTimeOffset ValidUntil)
{
    /// <summary>True when unpaid orders may still bring units back; absent while the stock is stale.</summary>
    public bool? Holds { get; init; }
}

/// <param name="Rev">Raised by every change of this document but those of <paramref name="ServerTime"/> and <paramref name="Stale"/>.</param>
/// <param name="ServerTime">When the document was made, in whole seconds: <c>/api/v1/time</c> is for clocks.</param>
/// <param name="NextPollMs">When to ask again: seldom far from the opening, often near it.</param>
/// <param name="Stale">True while the stock could not be confirmed for more than 2 s, absent otherwise.</param>
public sealed record SaleStateDocument(
    SalePhase Phase,
    long Rev,
    [property: JsonConverter(typeof(ShortUtcTimeConverter))] DateTimeOffset OpensAt,
    [property: JsonConverter(typeof(ShortUtcTimeConverter))] DateTimeOffset ClosesAt,
    [property: JsonConverter(typeof(ShortUtcTimeConverter))] DateTimeOffset ServerTime,
    IReadOnlyList<OfferStateDocument> Offers,
    int NextPollMs,
    bool? Stale = null);

/// <param name="Holds">True when unpaid orders may still bring units back; absent while the document is stale.</param>
public sealed record OfferStateDocument(string Id, int SoldPercent, bool SoldOut, bool? Holds);

public sealed record ReservationDocument(string Id, string SaleId, ReservationStatus Status);

/// <summary>What a request for a reservation or an order token may carry.</summary>
/// <param name="Visit">The stamp of the sale's page.</param>
public sealed record AskRequest(string? Visit = null, SolutionRequest? Solution = null);

/// <param name="Challenge">Its stamp.</param>
/// <param name="Nonce">Decimal digits; counts when there is an answer too.</param>
public sealed record SolutionRequest(string Challenge, string? Nonce = null, string? Answer = null);

/// <summary>Stamps to send with later requests: <paramref name="Device"/> as the header <c>X-Device</c>, <paramref name="Visit"/> in the body.</summary>
public sealed record VisitDocument(string Device, string Visit);

/// <summary>What the caller is in a sale. For a stranger only the time and no orders.</summary>
/// <param name="Visit">The stamp of this visit, for the calls that follow.</param>
/// <param name="Barred">True when the caller may not take part, absent otherwise. Looked at from 10 minutes before the opening.</param>
/// <param name="Orders">The caller's orders of this sale, newest first.</param>
public sealed record MeDocument(
    long EpochMs, string? UserId, string? Visit, ReservationStatus? Reservation, bool? Barred, IReadOnlyList<MyOrderDocument> Orders);

public sealed record MyOrderDocument(string Id, string OfferId, OrderStatus Status, DateTimeOffset PayBefore);

public sealed record OrderTokenDocument(string Token, DateTimeOffset UsableAt, DateTimeOffset ExpiresAt);

public sealed record PlaceOrderRequest(string Token);

public sealed record OrderDocument(
    string Id,
    string SaleId,
    string OfferId,
    string UserId,
    OrderStatus Status,
    Money Price,
    DateTimeOffset CreatedAt,
    DateTimeOffset PayBefore,
    OrderCoupon? Coupon = null);

[JsonConverter(typeof(WordEnumConverter<PaymentStatus>))]
public enum PaymentStatus
{
    Pending,
    Paid,
    Failed,
}

public sealed record PaymentDocument(string Id, PaymentStatus Status, string PayUrl);

/// <param name="Status"><c>paid</c> or <c>failed</c>.</param>
public sealed record PaymentCallback(string PaymentId, string OrderId, Money Amount, PaymentStatus Status);

public sealed record DemoSessionRequest(string UserId, IReadOnlyList<string>? Roles = null);

public sealed record DemoSessionDocument(string Token);

public sealed record CouponDocument(
    string Code,
    CouponStatus Status,
    string OrderId,
    string OfferId,
    Money FaceValue,
    DateTimeOffset ValidFrom,
    DateTimeOffset ValidUntil,
    DateTimeOffset? RedeemedAt,
    string? RedeemedBy);

/// <summary>What an operator sends to define a sale. The server reads the fields one by one, to name every invalid one at once.</summary>
public sealed record SaleRequest
{
    public required string Slug { get; init; }
    public required LocalizedText Title { get; init; }
    public DateTimeOffset? ReservationOpensAt { get; init; }
    public DateTimeOffset? ReservationClosesAt { get; init; }
    public required DateTimeOffset OpensAt { get; init; }
    public required DateTimeOffset ClosesAt { get; init; }
    public bool RequiresReservation { get; init; }
    public Ordering Ordering { get; init; }
    public Deduction Deduction { get; init; }
    public int PaymentWindowSeconds { get; init; }
    public int RiskThreshold { get; init; } = Limits.RiskScoreMax;

    /// <summary>How long before the opening the sale is loaded into a shared gate, 600 to 604,800 seconds.</summary>
    public int WarmUpLeadSeconds { get; init; } = (int)Limits.WarmUpLead.TotalSeconds;
    public SaleDefences Defences { get; init; } = SaleDefences.Default;
    public required IReadOnlyList<OfferRequest> Offers { get; init; }
}

public sealed record OfferRequest
{
    public required string Sku { get; init; }
    public required LocalizedText Title { get; init; }
    public required Money FaceValue { get; init; }
    public required Money Price { get; init; }
    public int Stock { get; init; }
    public int PerUserLimit { get; init; } = 1;
    public DateTimeOffset ValidFrom { get; init; }
    public DateTimeOffset ValidUntil { get; init; }
}

public sealed record ReasonRequest(string Reason);

public sealed record StockAdjustmentRequest(long Delta, string Reason, string Reference, long ExpectedAvailable);

/// <summary>The stock of a bucket as operators see it.</summary>
public sealed record StockDocument(string OfferId, int Bucket, long Initial, long Adjustments, long Available, long Held, long Sold, long Seq);

public sealed record BlacklistRequest(string Reason, string Source, DateTimeOffset? ExpiresAt);

public sealed record BlacklistDocument(string UserId, string Reason, string Source, string Actor, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt);

/// <param name="Before">JSON of what was there, null where there was nothing.</param>
/// <param name="After">JSON of what is there now.</param>
public sealed record AuditDocument(
    string Id,
    DateTimeOffset At,
    string Actor,
    string Role,
    string Action,
    string Subject,
    string? Reason,
    string? Before,
    string? After,
    string? TraceId)
{
    /// <summary>The same number as <see cref="Id"/>: from 1, without gaps.</summary>
    public long Seq { get; init; }

    /// <summary>SHA-256 over all of it and the hash before it (docs/audit.md); null for an entry that is not in the chain (yet).</summary>
    public string? Hash { get; init; }

    /// <summary>That of the entry before it; zeros for the first one.</summary>
    public string? PreviousHash { get; init; }
}

/// <summary>Where the audit log ends: who keeps it elsewhere finds out when the log is cut off or made anew.</summary>
/// <param name="Seq">0 and a hash of zeros while the log is empty.</param>
public sealed record AuditHeadDocument(long Seq, string Hash);

/// <summary>
/// One line of the export of the audit log: <c>head</c> (<c>seq, hash</c>), the first one and once, or <c>entry</c>, as in <see cref="AuditDocument"/>.
/// </summary>
public sealed record AuditLine
{
    public required string Type { get; init; }
    public long Seq { get; init; }
    public string? Hash { get; init; }
    public string? PreviousHash { get; init; }
    public DateTimeOffset? At { get; init; }
    public string? Actor { get; init; }
    public string? Role { get; init; }
    public string? Action { get; init; }
    public string? Subject { get; init; }
    public string? Reason { get; init; }
    public string? Before { get; init; }
    public string? After { get; init; }
    public string? TraceId { get; init; }
}

/// <param name="Reservations">Decided reservations that the gate has.</param>
/// <param name="ReservationsInLedger">How many it must have.</param>
/// <param name="At">When this instance last loaded the sale; null when it did not, or another one did.</param>
public sealed record WarmUpDocument(
    string SaleId, bool Warm, int OffersWarm, int Offers, long Reservations, long ReservationsInLedger, DateTimeOffset? At, string? Problem);

/// <param name="Ready">Everything below is as it should be.</param>
/// <param name="ClockSkewMs">The ledger's clock less an instance's: of those that are alive the greatest.</param>
/// <param name="Breakers">The worst of all instances that are alive. Name of a dependency to <c>closed</c>, <c>open</c> or <c>half_open</c>.</param>
public sealed record ReadinessDocument(
    string SaleId,
    bool Ready,
    IReadOnlyList<string> Reasons,
    WarmUpDocument WarmUp,
    IReadOnlyList<OfferReadiness> Offers,
    long ClockSkewMs,
    IReadOnlyDictionary<string, string> Breakers)
{
    /// <summary>The version of the published pages that has this sale's; null: they are made when somebody asks.</summary>
    public long? Pages { get; init; }

    /// <summary>The connections to ledger and gate: of each name those of the instance where they are scarcest.</summary>
    public IReadOnlyList<PoolReadiness> Pools { get; init; } = [];
}

/// <param name="Name">What they are for: <c>orders</c>, <c>changes</c>, <c>writes</c>, <c>reads</c> of the ledger, <c>redis</c>.</param>
/// <param name="Size">Connections; of <c>redis</c> calls that may be under way.</param>
public sealed record PoolReadiness(string Name, int Size, int Used, int Waiting);

/// <param name="Drift">Gate stock + pending − ledger available; 0 when nothing is on its way.</param>
public sealed record OfferReadiness(string OfferId, bool Warm, long LedgerAvailable, long GateStock, int GatePending, long Drift);

/// <param name="Violations">Empty when ledger, change log, orders, coupons, payments and gate agree.</param>
public sealed record ReconciliationDocument(
    string SaleId,
    DateTimeOffset At,
    IReadOnlyList<OfferReconciliation> Offers,
    IReadOnlyList<string> Violations);

public sealed record OfferReconciliation(
    string OfferId,
    long Initial,
    long Adjustments,
    long Available,
    long Held,
    long Sold,
    long Changes,
    long OrdersHeld,
    long OrdersPaid,
    long Coupons,
    long PaymentsPaid,
    long GateStock,
    int GatePending);

/// <summary>One line of an export; <c>type</c> says which fields are there (api.md, Export).</summary>
public sealed record ExportLine
{
    public required string Type { get; init; }
    public string? Id { get; init; }
    public string? OfferId { get; init; }
    public string? UserId { get; init; }

    /// <summary>The word of the order's, coupon's or payment's state.</summary>
    public string? Status { get; init; }
    public DateTimeOffset? CreatedAt { get; init; }
    public int? Bucket { get; init; }
    public long? Seq { get; init; }
    public StockChangeKind? Kind { get; init; }
    public long? Delta { get; init; }
    public long? BalanceAfter { get; init; }
    public string? OrderId { get; init; }
    public long? Initial { get; init; }
    public long? Adjustments { get; init; }
    public long? Available { get; init; }
    public long? Held { get; init; }
    public long? Sold { get; init; }
    public string? Code { get; init; }
    public Money? Amount { get; init; }
}

public sealed record HealthDocument(string Status, IReadOnlyList<string> Reasons);

/// <summary>How one instance stands at this moment: what it has under way, and what it turns away.</summary>
/// <param name="InFlightLimit">The number that requests under way are kept to now.</param>
/// <param name="LatencyMs">Nine of ten requests of the last 100 ms took less.</param>
/// <param name="SchedulingDelayMs">How long work waits for a thread: what the machine is behind.</param>
/// <param name="WriterWaitMs">What an order would wait for its ledger writer.</param>
/// <param name="Shedding">The kinds of requests that were turned away within the last second.</param>
public sealed record LoadDocument(
    int InFlight,
    int InFlightLimit,
    double LatencyMs,
    double SchedulingDelayMs,
    double WriterWaitMs,
    IReadOnlyList<string> Shedding,
    IReadOnlyDictionary<string, string> Breakers);

/// <summary>What a gateway must know to answer for this application what it would answer itself (docs/gateway.md).</summary>
/// <param name="EpochMs">The ledger's clock when the document was made.</param>
/// <param name="Rev">Another one when anything else is.</param>
public sealed record EdgeStateDocument(long EpochMs, string Rev, EdgeLimitsDocument Limits, EdgeTokensDocument Tokens, IReadOnlyList<EdgeSaleDocument> Sales)
{
    /// <summary>Ranges of addresses that may not take part: the first address as hexadecimal digits, 8 of IPv4 or 32 of IPv6, and the prefix (<c>cb007100/24</c>).
    /// Absent when there are none.</summary>
    public IReadOnlyList<string>? BarredAddresses { get; init; }
}

public sealed record EdgeLimitsDocument(bool Enabled, RateLimit Total, RateLimit Address, RateLimit User, RateLimit Sale);

public sealed record EdgeTokensDocument(long MinimumAgeMs, long MaximumAgeMs);

/// <param name="Key">The 8 bytes of the sale in an order token, as hexadecimal digits.</param>
public sealed record EdgeSaleDocument(
    string Id, string Key, long OpensAtMs, DateTimeOffset OpensAt, long ClosesAtMs, bool Paused, IReadOnlyList<EdgeOfferDocument> Offers);

/// <param name="Key">The 8 bytes of the offer in an order token, as hexadecimal digits.</param>
/// <param name="Orders">A Bloom filter of the ids of all orders, exact for the stock that <paramref name="SoldOut"/> speaks of; absent when they are not known.</param>
public sealed record EdgeOfferDocument(string Id, string Key, bool SoldOut, string? Orders);
