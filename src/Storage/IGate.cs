using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;

namespace FlashSale.Storage;

/// <summary>
/// The admission step in front of the ledger. It may be wrong in both directions without breaking a promise: the ledger refuses what it lets in too much,
/// and the next settlement corrects what it lets in too little.
/// </summary>
/// <exception cref="GateUnavailableException">From any method: the gate could not be asked, and nothing may be concluded. What was asked may have been done.</exception>
public interface IGate : IAsyncDisposable
{
    /// <summary>Many instances share it: one of them loads it for all. Otherwise each instance has its own, and loads it itself.</summary>
    bool IsShared { get; }

    /// <summary>One for each part of it that can be away by itself; none for a gate of this process. What is not asked because of one is told as away.</summary>
    IReadOnlyList<Breaker> Breakers { get; }

    /// <summary>None for a gate of this process.</summary>
    IReadOnlyList<ConnectionPool> Pools { get; }

    /// <summary>
    /// One atomic step, idempotent by order id: seen before → sale open → user eligible → per-user limit → stock → take one and note the order as pending.
    /// </summary>
    /// <returns><see cref="AdmissionOutcome.Unavailable"/> when its breaker is open: it was not asked, and nothing was taken.</returns>
    ValueTask<AdmissionOutcome> AdmitAsync(in AdmissionRequest request, CancellationToken cancellation);

    /// <summary>Corrects the gate from the ledger. An older sequence number changes no stock; what it says of single orders holds all the same.</summary>
    /// <returns>
    /// False when the offer is not loaded, or the gate has lost what it was told before: it admits nobody (<see cref="AdmissionOutcome.NotWarm"/>) until it is
    /// loaded anew.
    /// </returns>
    ValueTask<bool> SettleAsync(Settlement settlement, CancellationToken cancellation);

    /// <summary>Loads a sale from a snapshot of the ledger, new or again; safe while the sale runs, and to be repeated after half of it.</summary>
    /// <param name="load">All that the ledger has.</param>
    /// <param name="anew">
    /// Forgets first what it had of the sale, in a new epoch: what was settled in an older one changes nothing any more. For a gate that lost data, or has
    /// what the ledger never said.
    /// </param>
    /// <param name="cancellation">Leaves it half loaded, and not warm unless it was.</param>
    ValueTask WarmUpAsync(GateLoad load, bool anew, CancellationToken cancellation);

    /// <summary>What is loaded of a sale so far; null when nothing is.</summary>
    ValueTask<GateCounts?> CountAsync(SaleId sale, CancellationToken cancellation);

    /// <summary>Times, pause, closure of a sale that is loaded. Of one that is not, only which offers it has: a shared gate may be loaded by another instance.</summary>
    ValueTask UpdateSaleAsync(Sale sale, CancellationToken cancellation);

    /// <summary>Drops a sale that is over.</summary>
    ValueTask RemoveSaleAsync(SaleId sale, CancellationToken cancellation);

    /// <summary>Notes what became of a reservation.</summary>
    ValueTask ReserveAsync(SaleId sale, UserId user, bool approved, CancellationToken cancellation);

    /// <summary>Bars a user from every sale until the time given; null lifts it, <see cref="DateTimeOffset.MaxValue"/> is for good.</summary>
    ValueTask BarAsync(UserId user, DateTimeOffset? until, CancellationToken cancellation);

    /// <summary>Replaces the whole blacklist; an older <paramref name="rev"/> of the catalogue than the one it was loaded with changes nothing.</summary>
    ValueTask LoadBlacklistAsync(long rev, IReadOnlyList<(UserId User, DateTimeOffset Until)> entries, CancellationToken cancellation);

    /// <summary>Asked when an order token is wanted. Takes nothing. <see cref="Eligibility.Unknown"/> too when its breaker is open.</summary>
    ValueTask<Eligibility> CheckAsync(SaleId sale, UserId user, DateTimeOffset now, CancellationToken cancellation);

    /// <summary>Null when the offer is not loaded.</summary>
    ValueTask<GateStock?> ReadAsync(OfferId offer, CancellationToken cancellation);

    /// <summary>Offers with pending orders, as far as this instance knows; they are settled again until nothing is pending.</summary>
    ValueTask<IReadOnlyList<OfferId>> ListPendingAsync(CancellationToken cancellation);
}

public readonly record struct AdmissionRequest(SaleId SaleId, OfferId OfferId, OrderId OrderId, UserId UserId, DateTimeOffset Now)
{
    /// <summary>Its device or address may not take part: as good as a user who may not, and so are the answers.</summary>
    public bool IsBarred { get; init; }
}

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

/// <param name="Warm">Complete: the gate admits. False while it is being loaded, or after a loss.</param>
/// <param name="Reserved">Users with an approved reservation that it knows.</param>
/// <param name="Rejected">Users with a rejected one.</param>
/// <param name="Orders">Orders that it knows, in whatever state.</param>
public readonly record struct GateCounts(bool Warm, long Reserved, long Rejected, long Orders);

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

/// <summary>The gate could not be asked, in time or at all. The message is for operators.</summary>
public sealed class GateUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
