using FlashSale.Core;
using FlashSale.Core.Orders;

namespace FlashSale.Storage;

/// <summary>After every commit that moved stock: tells the gate and the catalogue. False when the gate must be loaded anew (<see cref="IGate.SettleAsync"/>).</summary>
public sealed class Settlements(IGate gate, SaleCatalog catalog, TimeProvider time)
{
    private static readonly SettledOrder[] None = [];
    private int unknownOutcomes;

    /// <summary>An order ended, was paid late, or the stock was adjusted.</summary>
    public ValueTask<bool> SettleAsync(in StockMove move, CancellationToken cancellation)
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
    public ValueTask<bool> SettleAsync(in OfferStock stock, CancellationToken cancellation) =>
        SettleAsync(stock.OfferId, stock, None, None, None, cancellation);

    public ValueTask<bool> SettleAsync(
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
        return gate.SettleAsync(new Settlement(offer, stock, committed, refused, ended, now), cancellation);
    }

    /// <summary>A commit whose outcome is unknown: until it ends, no pending unit is given back by age.</summary>
    public void BeginUnknown() => Interlocked.Increment(ref unknownOutcomes);

    public void EndUnknown() => Interlocked.Decrement(ref unknownOutcomes);
}
