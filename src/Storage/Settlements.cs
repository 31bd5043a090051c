using System.Collections.Concurrent;

using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Reservations;

namespace FlashSale.Storage;

/// <summary>
/// What the ledger committed, told to the catalogue and the gate. A gate that cannot be told stops nobody: the sale is noted, and loaded again from the ledger
/// once the gate answers (<see cref="WarmUp.RepairAsync"/>).
/// </summary>
public sealed class Settlements(IGate gate, SaleCatalog catalog, TimeProvider time)
{
    private static readonly SettledOrder[] None = [];
    private readonly ConcurrentDictionary<SaleId, bool> untold = new();
    private int unknownOutcomes;

    /// <summary>Sales of which the gate missed something, each given out once.</summary>
    public IReadOnlyList<SaleId> TakeUntold() => [.. untold.Keys.Where(sale => untold.TryRemove(sale, out _))];

    public void NoteUntold(SaleId sale) => untold[sale] = true;

    /// <summary>An order ended, was paid late, or the stock was adjusted.</summary>
    public ValueTask SettleAsync(in StockMove move, CancellationToken cancellation)
    {
        if (move.OrderId is not { } order || move.UserId is not { } user || move.Status is not { } status)
        {
            return SettleAsync(move.Stock, cancellation);
        }

        SettledOrder[] settled = [new(order, user)];
        return OrderLifeCycle.IsLive(status)
            ? SettleAsync(move.Stock.OfferId, move.Stock, settled, None, None, cancellation)
            : SettleAsync(move.Stock.OfferId, move.Stock, None, None, settled, cancellation);
    }

    /// <summary>The stock as it stands, for instance when something is still pending.</summary>
    public ValueTask SettleAsync(in OfferStock stock, CancellationToken cancellation) =>
        SettleAsync(stock.OfferId, stock, None, None, None, cancellation);

    public async ValueTask SettleAsync(
        OfferId offer,
        OfferStock? stock,
        IReadOnlyList<SettledOrder> committed,
        IReadOnlyList<SettledOrder> refused,
        IReadOnlyList<SettledOrder> ended,
        CancellationToken cancellation)
    {
        if (stock is { } known)
        {
            catalog.Put(known);
        }

        DateTimeOffset? now = Volatile.Read(ref unknownOutcomes) == 0 ? time.GetUtcNow() : null;
        var settlement = new Settlement(offer, stock, committed, refused, ended, now);
        try
        {
            catalog.NoteInGate(offer, await gate.SettleAsync(settlement, cancellation));
        }
        catch (GateUnavailableException)
        {
            if (catalog.TryFind(offer, out var live))
            {
                NoteUntold(live.Sale.Sale.Id);
            }
        }
    }

    /// <summary>What became of a reservation.</summary>
    public async ValueTask ReserveAsync(SaleId sale, UserId user, bool approved, CancellationToken cancellation)
    {
        try
        {
            await gate.ReserveAsync(sale, user, approved, cancellation);
        }
        catch (GateUnavailableException)
        {
            NoteUntold(sale);
        }
    }

    /// <summary>What an assessment decided, with the bar that may come with it.</summary>
    public async ValueTask TellAsync(DecidedReservation decided, CancellationToken cancellation)
    {
        await ReserveAsync(decided.SaleId, decided.UserId, decided.Status == ReservationStatus.Approved, cancellation);
        if (decided.BarredUntil is { } until)
        {
            await BarAsync(decided.UserId, until, cancellation);
        }
    }

    /// <summary>
    /// A user was barred until the time given, or let in again (null). A gate that misses it has it within a second: the ledger's catalogue has a new revision,
    /// for which every instance loads the blacklist.
    /// </summary>
    public async ValueTask BarAsync(UserId user, DateTimeOffset? until, CancellationToken cancellation)
    {
        try
        {
            await gate.BarAsync(user, until, cancellation);
        }
        catch (GateUnavailableException)
        {
            // See above.
        }
    }

    /// <summary>A commit whose outcome is unknown: until it ends, no pending unit is given back by age.</summary>
    public void BeginUnknown() => Interlocked.Increment(ref unknownOutcomes);

    public void EndUnknown() => Interlocked.Decrement(ref unknownOutcomes);
}
