using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Core.Stock;

namespace FlashSale.Storage;

/// <summary>The stock of an offer as the ledger had it, and every order that it had at that moment.</summary>
/// <param name="ReadAt">When the ledger was asked, a timestamp of the time provider.</param>
public sealed record KnownOffer(StockRow Stock, OrderFilter Orders, long ReadAt);

/// <summary>
/// Which orders there are of offers that take no more: with that, one whose token has none can be refused without the gate, and by a gateway, while the same token
/// again still yields its order (invariant I3). Read from the change log, which goes on where it stood.
/// </summary>
public sealed class KnownOrders(ILedger ledger, SaleCatalog catalog, TimeProvider time) : IDisposable
{
    private readonly SemaphoreSlim oneAtATime = new(1);
    private readonly Dictionary<OfferId, Reading> readings = [];
    private readonly ConcurrentDictionary<OfferId, KnownOffer> known = new();

    /// <summary>False when nothing is known, or it is older than half a second: one reading may be missed.</summary>
    public bool TryFind(OfferId offer, [NotNullWhen(true)] out KnownOffer? found) =>
        known.TryGetValue(offer, out found) && time.GetElapsedTime(found.ReadAt) <= 2 * Limits.EdgeStateInterval;

    /// <summary>Reads on, for every offer that is sold out, and those of sales that are paused or over for less than a token lives.</summary>
    /// <exception cref="LedgerUnavailableException">What is known grows old.</exception>
    public async Task RefreshAsync(CancellationToken cancellation)
    {
        await oneAtATime.WaitAsync(cancellation);
        try
        {
            await ReadOnAsync(cancellation);
        }
        finally
        {
            oneAtATime.Release();
        }
    }

    public void Dispose() => oneAtATime.Dispose();

    private async Task ReadOnAsync(CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        HashSet<OfferId> wanted = [];
        foreach (var offer in catalog.Sales.Where(live => IsWanted(live, now)).SelectMany(live => live.Offers).Where(offer => TakesNoMore(offer, now)))
        {
            wanted.Add(offer.Offer.Id);
            await ReadOnAsync(offer.Offer.Id, cancellation);
        }

        foreach (var gone in readings.Keys.Where(offer => !wanted.Contains(offer)).ToArray())
        {
            // What was read so far is kept while the sale goes on; only what is said of it ends.
            known.TryRemove(gone, out _);
            if (!catalog.TryFind(gone, out var offer) || !IsWanted(offer.Sale, now))
            {
                readings.Remove(gone);
            }
        }
    }

    private static bool IsWanted(LiveSale live, DateTimeOffset now) =>
        live.Sale.Status != SaleStatus.Draft && now >= live.Sale.OpensAt && now < live.Sale.ClosesAt + Limits.GateKeepsEnded;

    private static bool TakesNoMore(LiveOffer offer, DateTimeOffset now) =>
        offer.SoldOut || SalePhases.Of(offer.Sale.Sale, anyAvailable: true, now) is SalePhase.Paused or SalePhase.Ended;

    private async Task ReadOnAsync(OfferId offer, CancellationToken cancellation)
    {
        if (!readings.TryGetValue(offer, out var reading))
        {
            readings[offer] = reading = new Reading();
        }

        // The order of these two matters: what is said of a moment must not be older than it claims.
        var readAt = time.GetTimestamp();
        StockRow stock;
        do
        {
            if (await ledger.ReadChangesAsync(offer, reading.Seq, Limits.ReconciliationPage, cancellation) is not { } page || page.Stock.Row.Seq > Limits.ChangesKnown)
            {
                known.TryRemove(offer, out _);
                return;
            }

            stock = page.Stock.Row;
            reading.Add(page.Changes);
            if (page.Changes.Count == 0 && reading.Seq != stock.Seq)
            {
                // The log does not end where the stock does: a reader that is behind another one, or worse. Nothing is said of it.
                known.TryRemove(offer, out _);
                return;
            }
        }
        while (reading.Seq < stock.Seq && reading.Orders.Count <= Limits.OrdersKnown);

        if (reading.Orders.Count > Limits.OrdersKnown)
        {
            known.TryRemove(offer, out _);
            return;
        }

        known[offer] = new KnownOffer(stock, reading.Filter(), readAt);
    }

    private sealed class Reading
    {
        private OrderFilter? filter;
        private int filtered;

        public HashSet<OrderId> Orders { get; } = [];

        /// <summary>The change that was read last.</summary>
        public long Seq { get; private set; }

        public void Add(IReadOnlyList<CheckedChange> changes)
        {
            foreach (var change in changes)
            {
                Seq = change.Change.Seq;
                if (change.Change.OrderId is { } order)
                {
                    Orders.Add(order);
                }
            }
        }

        /// <summary>Made anew when there are more orders than it was made of.</summary>
        public OrderFilter Filter()
        {
            if (filter is null || filtered != Orders.Count)
            {
                filter = OrderFilter.Of(Orders);
                filtered = Orders.Count;
            }

            return filter;
        }
    }
}
