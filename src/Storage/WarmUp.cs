using System.Collections.Concurrent;

using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;

namespace FlashSale.Storage;

/// <summary>Loads sales from the ledger into catalogue and gate (seed row 8). Safe to repeat at any time.</summary>
public sealed class WarmUp(ILedger ledger, IGate gate, SaleCatalog catalog, TimeProvider time)
{
    private readonly ConcurrentDictionary<SaleId, WarmUpDocument> results = new();

    /// <summary>What the last warm-up of a sale found; not warm when there was none.</summary>
    public WarmUpDocument ResultOf(Sale sale) =>
        results.GetValueOrDefault(sale.Id)
        ?? new WarmUpDocument(sale.Id.ToString(), false, 0, sale.Offers.Count, 0, null, "The sale was not warmed up yet.");

    /// <summary>Loads a published sale; a draft has no stock to load.</summary>
    public async Task<WarmUpDocument> RunAsync(Sale sale, CancellationToken cancellation)
    {
        var load = await ledger.ReadGateLoadAsync(sale, cancellation);
        await gate.WarmUpAsync(load, anew: false, cancellation);
        var warm = 0;
        foreach (var stock in load.Stocks)
        {
            catalog.Put(stock);
            if (await gate.ReadAsync(stock.OfferId, cancellation) is not null)
            {
                warm++;
            }
        }

        var complete = warm == sale.Offers.Count;
        var result = new WarmUpDocument(
            sale.Id.ToString(),
            complete,
            warm,
            sale.Offers.Count,
            load.Reserved.Count + load.Rejected.Count,
            time.GetUtcNow(),
            complete ? null : "Some offers have no stock in the ledger: publish the sale first.");
        results[sale.Id] = result;
        return result;
    }

    /// <summary>Takes over every sale and the blacklist as the ledger has them, and warms up what is published and not warm or over.</summary>
    public async Task RefreshAsync(CancellationToken cancellation)
    {
        // Read before what it is the revision of: that is as new, or newer.
        var rev = await ledger.ReadCatalogRevAsync(cancellation);
        var sales = await ledger.ListSalesAsync(cancellation);
        catalog.Put(sales);
        var barred = await ledger.ListBlacklistAsync(cancellation);
        await gate.LoadBlacklistAsync(
            rev, [.. barred.Select(entry => (UserId.Parse(entry.UserId), entry.ExpiresAt ?? DateTimeOffset.MaxValue))], cancellation);
        foreach (var sale in sales)
        {
            await RefreshAsync(sale, cancellation);
        }
    }

    /// <summary>One sale that was changed: published, paused, resumed, closed or edited.</summary>
    public async Task RefreshAsync(Sale sale, CancellationToken cancellation)
    {
        catalog.Put([sale]);
        if (sale.Status == SaleStatus.Draft)
        {
            return;
        }

        if (results.TryGetValue(sale.Id, out var result) && result.Warm)
        {
            await gate.UpdateSaleAsync(sale, cancellation);
        }
        else if (IsOver(sale))
        {
            foreach (var stock in await ledger.ReadStockAsync([.. sale.Offers.Select(offer => offer.Id)], cancellation))
            {
                catalog.Put(stock);
            }
        }
        else
        {
            await RunAsync(sale, cancellation);
        }
    }

    /// <summary>Drops from the gate what no living token can ask for any more.</summary>
    public async Task DropEndedAsync(CancellationToken cancellation)
    {
        foreach (var sale in catalog.Sales.Select(live => live.Sale).Where(sale => IsOver(sale) && results.ContainsKey(sale.Id)))
        {
            await gate.RemoveSaleAsync(sale.Id, cancellation);
            results.TryRemove(sale.Id, out _);
        }
    }

    private bool IsOver(Sale sale) => time.GetUtcNow() > sale.ClosesAt + Limits.GateKeepsEnded;
}
