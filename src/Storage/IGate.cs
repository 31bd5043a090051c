using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;

namespace FlashSale.Storage;

/// <summary>
/// The admission step in front of the ledger. It may be wrong in both directions without breaking a promise: the ledger refuses what it lets in too much,
/// and the next settlement corrects what it lets in too little.
/// </summary>
public interface IGate
{
    /// <summary>
    /// One atomic step, idempotent by order id: seen before → sale open → user eligible → per-user limit → stock → take one and note the order as pending.
    /// </summary>
    ValueTask<AdmissionOutcome> AdmitAsync(in AdmissionRequest request, CancellationToken cancellation);

    /// <summary>Corrects the gate from the ledger. An older sequence number changes no stock; what it says of single orders holds all the same.</summary>
    ValueTask SettleAsync(Settlement settlement, CancellationToken cancellation);

    /// <summary>Loads a sale from a snapshot of the ledger, new or again; safe while the sale runs.</summary>
    ValueTask WarmUpAsync(GateLoad load, CancellationToken cancellation);

    /// <summary>Times, pause, closure of a sale that is loaded; ignored for one that is not.</summary>
    ValueTask UpdateSaleAsync(Sale sale, CancellationToken cancellation);

    /// <summary>Drops a sale that is over.</summary>
    ValueTask RemoveSaleAsync(SaleId sale, CancellationToken cancellation);

    /// <summary>Notes what became of a reservation.</summary>
    ValueTask ReserveAsync(SaleId sale, UserId user, bool approved, CancellationToken cancellation);

    /// <summary>Bars a user from every sale until the time given; null lifts it, <see cref="DateTimeOffset.MaxValue"/> is for good.</summary>
    ValueTask BarAsync(UserId user, DateTimeOffset? until, CancellationToken cancellation);

    /// <summary>Replaces the whole blacklist.</summary>
    ValueTask LoadBlacklistAsync(IReadOnlyList<(UserId User, DateTimeOffset Until)> entries, CancellationToken cancellation);

    /// <summary>Asked when an order token is wanted. Takes nothing.</summary>
    ValueTask<Eligibility> CheckAsync(SaleId sale, UserId user, DateTimeOffset now, CancellationToken cancellation);

    /// <summary>Null when the offer is not loaded.</summary>
    ValueTask<GateStock?> ReadAsync(OfferId offer, CancellationToken cancellation);

    /// <summary>Offers with pending orders, which the ledger writer settles again until nothing is pending.</summary>
    ValueTask<IReadOnlyList<OfferId>> ListPendingAsync(CancellationToken cancellation);
}

public readonly record struct AdmissionRequest(SaleId SaleId, OfferId OfferId, OrderId OrderId, UserId UserId, DateTimeOffset Now);

/// <summary>What a commit changed, told to the gate.</summary>
/// <param name="Stock">As committed; carries the sequence number. Null when the ledger could not be asked: then only the orders are settled.</param>
/// <param name="Committed">These orders hold or keep a unit in the ledger.</param>
/// <param name="Refused">These orders are not in the ledger, for certain. Never an order whose outcome is unknown.</param>
/// <param name="Ended">These orders hold a unit no longer.</param>
/// <param name="Now">
/// Pending entries older than <see cref="Limits.GatePendingMax"/> at this time are dropped: nobody works on them any more. Null while the outcome of a
/// commit is unknown, since no unit is given back then.
/// </param>
public sealed record Settlement(
    OfferId OfferId,
    OfferStock? Stock,
    IReadOnlyList<SettledOrder> Committed,
    IReadOnlyList<SettledOrder> Refused,
    IReadOnlyList<SettledOrder> Ended,
    DateTimeOffset? Now);

public readonly record struct SettledOrder(OrderId OrderId, UserId UserId);

/// <param name="Stock">Units that the gate would still give out: ledger available − pending, not below 0.</param>
/// <param name="Seq">The ledger's sequence number that it was last settled with.</param>
public readonly record struct GateStock(long Stock, int Pending, long LedgerAvailable, long Seq);

/// <summary>A sale as the ledger had it in one snapshot.</summary>
/// <param name="Orders">Every order that a living token may ask for again, whatever its state.</param>
/// <param name="Reserved">Users with an approved reservation.</param>
/// <param name="Rejected">Users whose reservation was rejected.</param>
public sealed record GateLoad(
    Sale Sale,
    IReadOnlyList<OfferStock> Stocks,
    IReadOnlyList<GateLoadOrder> Orders,
    IReadOnlyList<UserId> Reserved,
    IReadOnlyList<UserId> Rejected);

/// <param name="Live">Counts for the user's limit.</param>
public readonly record struct GateLoadOrder(OrderId OrderId, OfferId OfferId, UserId UserId, bool Live);
