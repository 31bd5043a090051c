using FlashSale.Core.Orders;

namespace FlashSale.Storage;

/// <summary>After every commit that moved stock: tells the gate and the catalogue.</summary>
public sealed class Settlements(IGate gate, SaleCatalog catalog, TimeProvider time)
{
    private static readonly SettledOrder[] None = [];

    /// <summary>An order ended, was paid late, or the stock was adjusted.</summary>
    public ValueTask SettleAsync(in StockMove move, CancellationToken cancellation)
    {
        if (move.OrderId is not { } order || move.UserId is not { } user || move.Status is not { } status)
        {
            return SettleAsync(move.Stock, None, None, None, cancellation);
        }

        SettledOrder[] settled = [new(order, user)];
        return OrderLifeCycle.IsLive(status)
            ? SettleAsync(move.Stock, settled, None, None, cancellation)
            : SettleAsync(move.Stock, None, None, settled, cancellation);
    }

    /// <summary>The stock as it stands, for instance when something is still pending.</summary>
    public ValueTask SettleAsync(in OfferStock stock, CancellationToken cancellation) => SettleAsync(stock, None, None, None, cancellation);

    public ValueTask SettleAsync(
        in OfferStock stock,
        IReadOnlyList<SettledOrder> committed,
        IReadOnlyList<SettledOrder> refused,
        IReadOnlyList<SettledOrder> ended,
        CancellationToken cancellation)
    {
        catalog.Put(stock);
        return gate.SettleAsync(new Settlement(stock, committed, refused, ended, time.GetUtcNow()), cancellation);
    }
}
