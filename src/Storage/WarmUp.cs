using System.Collections.Concurrent;

using FlashSale.Core;
using FlashSale.Core.Reservations;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;

namespace FlashSale.Storage;

/// <summary>
/// Loads sales from the ledger into catalogue and gate (seed row 8). Safe to repeat at any time, and after half of it. A gate of this process is loaded by
/// it, for every published sale; one that instances share is loaded by one of them, a sale's lead time before its opening.
/// </summary>
public sealed class WarmUp(ILedger ledger, IGate gate, SaleCatalog catalog, OriginBlacklist origins, Settlements settlements, TimeProvider time) : IDisposable
{
    private readonly ConcurrentDictionary<SaleId, DateTimeOffset> loaded = new();

    // What is read of the blacklist later is told later too.
    private readonly SemaphoreSlim blacklisting = new(1);

    // The catalogue's revision up to which everything is taken over, and when everything was read last.
    private long? followed;
    private DateTimeOffset readWholeAt;

    /// <summary>Loads a published sale, whatever its lead time, and holds what the gate has then against the ledger. A draft has no stock to load.</summary>
    /// <param name="sale">As the ledger has it.</param>
    /// <param name="anew">The gate forgets first what it had (<see cref="IGate.WarmUpAsync"/>).</param>
    /// <param name="cancellation">Leaves it half loaded.</param>
    /// <exception cref="GateUnavailableException">The gate could not be asked.</exception>
    public async Task<WarmUpDocument> RunAsync(Sale sale, bool anew, CancellationToken cancellation)
    {
        await FollowBlacklistAsync(since: null, static _ => Task.CompletedTask, cancellation);
        var reservations = await LoadAsync(sale, anew, cancellation);
        return await DescribeAsync(sale, reservations, cancellation);
    }

    /// <summary>This instance has loaded the sale; another may have loaded a gate that is shared.</summary>
    public bool HasLoaded(SaleId sale) => loaded.ContainsKey(sale);

    /// <summary>What the gate has of a sale at this moment, beside what it must have, whoever loaded it.</summary>
    public async Task<WarmUpDocument> DescribeAsync(Sale sale, CancellationToken cancellation)
    {
        var reservations = await ledger.CountReservationsAsync(sale.Id, cancellation);
        return await DescribeAsync(
            sale,
            reservations.GetValueOrDefault(ReservationStatus.Approved) + reservations.GetValueOrDefault(ReservationStatus.Rejected),
            cancellation);
    }

    /// <summary>
    /// Takes over every sale, the limits and the blacklist as the ledger has them; only what is new of the blacklist, when nothing else was changed. A gate of this
    /// process then has all that is published and not over; a shared one is told what changed.
    /// </summary>
    /// <exception cref="GateUnavailableException">The catalogue is up to date, and the gate is not: to be done again.</exception>
    public async Task RefreshAsync(CancellationToken cancellation)
    {
        IReadOnlyList<Sale> sales = [];
        var begun = time.GetUtcNow();
        var since = begun - readWholeAt < Limits.BlacklistFromStart ? followed : null;
        // Once it is known who is barred by device or address, and before the gate is asked, which may be away.
        var news = await FollowBlacklistAsync(
            since,
            async news =>
            {
                if (news.IsWhole)
                {
                    sales = await ledger.ListSalesAsync(cancellation);
                    catalog.Put(sales);
                    catalog.Put(await ledger.ReadLimitsAsync(cancellation));
                }
            },
            cancellation);
        foreach (var sale in sales)
        {
            await FollowAsync(sale, sale => LoadAsync(sale, anew: false, cancellation), cancellation);
        }

        followed = news.Rev;
        readWholeAt = news.IsWhole ? begun : readWholeAt;
    }

    public void Dispose() => blacklisting.Dispose();

    /// <summary>One sale that was changed: published, paused, resumed, closed or edited.</summary>
    /// <exception cref="GateUnavailableException">The catalogue is up to date, and the gate is not: to be done again.</exception>
    public Task RefreshAsync(Sale sale, CancellationToken cancellation) =>
        FollowAsync(sale, sale => RunAsync(sale, anew: false, cancellation), cancellation);

    private async Task FollowAsync(Sale sale, Func<Sale, Task> loadNow, CancellationToken cancellation)
    {
        catalog.Put([sale]);
        if (sale.Status == SaleStatus.Draft)
        {
            return;
        }

        if (IsOver(sale) || gate.IsShared)
        {
            var asOf = time.GetUtcNow();
            foreach (var stock in await ledger.ReadStockAsync([.. sale.Offers.Select(offer => offer.Id)], cancellation))
            {
                catalog.Confirm(stock, asOf);
            }
        }

        if (!IsOver(sale))
        {
            await gate.UpdateSaleAsync(sale, cancellation);
            if (!gate.IsShared && !loaded.ContainsKey(sale.Id))
            {
                await loadNow(sale);
            }
        }
    }

    /// <summary>
    /// For the one instance that loads a shared gate: loads every sale whose lead time has begun and that is not there, not complete, or lost. A load that
    /// another instance left half done goes on.
    /// </summary>
    /// <returns>What was loaded.</returns>
    public async Task<IReadOnlyList<WarmUpDocument>> LoadDueAsync(CancellationToken cancellation)
    {
        List<WarmUpDocument> done = [];
        foreach (var live in catalog.Sales.Where(live => IsDue(live.Sale)))
        {
            var counts = await gate.CountAsync(live.Sale.Id, cancellation);
            if (counts is { Warm: true })
            {
                continue;
            }

            // What was complete once and is not any more was lost: of what is left, nothing is trusted.
            done.Add(await RunAsync(live.Sale, anew: counts is not null && loaded.ContainsKey(live.Sale.Id), cancellation));
        }

        return done;
    }

    /// <summary>Loads again what the gate could not be told (<see cref="Settlements"/>); what it still cannot be told is kept.</summary>
    public async Task RepairAsync(CancellationToken cancellation)
    {
        foreach (var id in settlements.TakeUntold())
        {
            try
            {
                if (catalog.Find(id) is { } live && IsDue(live.Sale))
                {
                    await RunAsync(live.Sale, anew: false, cancellation);
                }
            }
            catch
            {
                settlements.NoteUntold(id);
                throw;
            }
        }
    }

    /// <summary>Drops from the gate what no living token can ask for any more.</summary>
    public async Task DropEndedAsync(CancellationToken cancellation)
    {
        foreach (var sale in catalog.Sales.Select(live => live.Sale).Where(sale => IsOver(sale) && loaded.ContainsKey(sale.Id)))
        {
            await gate.RemoveSaleAsync(sale.Id, cancellation);
            loaded.TryRemove(sale.Id, out _);
        }
    }

    /// <summary>Without the blacklist, which the gate has by then: nobody who is barred is let in while a sale is loaded.</summary>
    /// <returns>Decided reservations that the ledger has.</returns>
    private async Task<int> LoadAsync(Sale sale, bool anew, CancellationToken cancellation)
    {
        var asOf = time.GetUtcNow();
        var load = await ledger.ReadGateLoadAsync(sale, cancellation);
        await gate.WarmUpAsync(load, anew, cancellation);
        foreach (var stock in load.Stocks)
        {
            catalog.Confirm(stock, asOf);
        }

        loaded[sale.Id] = time.GetUtcNow();
        return load.Reserved.Count + load.Rejected.Count;
    }

    /// <param name="since">Null for everything.</param>
    /// <param name="beforeGate">What is to be done before the gate is told.</param>
    private async Task<BlacklistNews> FollowBlacklistAsync(long? since, Func<BlacklistNews, Task> beforeGate, CancellationToken cancellation)
    {
        await blacklisting.WaitAsync(cancellation);
        try
        {
            var news = await ledger.ReadBlacklistAsync(since, cancellation);
            origins.Put(news);
            await beforeGate(news);
            await TellBlacklistAsync(news, cancellation);

            // Whoever wrote something newer meanwhile has told the gate, perhaps before it was told what was read here: so that is read and told again. Where changes do not
            // end, the next refresh goes on.
            var told = news;
            for (var again = 0; again < 3 && told.Changes.Count > 0; again++)
            {
                told = await ledger.ReadBlacklistAsync(told.Rev, cancellation);
                if (told.IsWhole)
                {
                    break;
                }

                origins.Put(told);
                await TellBlacklistAsync(told, cancellation);
                news = news with { Rev = told.Rev };
            }

            return news;
        }
        finally
        {
            blacklisting.Release();
        }
    }

    private async Task TellBlacklistAsync(BlacklistNews news, CancellationToken cancellation)
    {
        var users = news.Changes.Where(change => change.Kind == BlacklistKind.User).Select(change => (User: UserId.Parse(change.Subject), change.Until));
        if (news.IsWhole)
        {
            await gate.LoadBlacklistAsync(news.Rev, [.. users.Select(change => (change.User, change.Until ?? DateTimeOffset.MaxValue))], cancellation);
            return;
        }

        foreach (var (user, until) in users)
        {
            await gate.BarAsync(user, until, cancellation);
        }
    }

    private async Task<WarmUpDocument> DescribeAsync(Sale sale, long reservations, CancellationToken cancellation)
    {
        var counts = await gate.CountAsync(sale.Id, cancellation);
        var offers = 0;
        foreach (var offer in sale.Offers)
        {
            offers += await gate.ReadAsync(offer.Id, cancellation) is null ? 0 : 1;
        }

        var inGate = counts is { } known ? known.Reserved + known.Rejected : 0;
        var problem = counts switch
        {
            null when sale.Status == SaleStatus.Draft => "The sale is a draft, which has no stock: publish it first.",
            null when gate.IsShared && !IsDue(sale) && !IsOver(sale) => $"The sale is loaded from {sale.OpensAt - sale.WarmUpLead:u}, its lead time before the opening; a warm-up by hand does it now.",
            null => "The sale is not loaded.",
            { Warm: false } => "The sale is being loaded.",
            // More may have come since they were counted in the ledger.
            _ when inGate < reservations => $"The gate has {inGate} reservations, the ledger {reservations}.",
            _ when offers < sale.Offers.Count => $"The gate has {offers} of {sale.Offers.Count} offers.",
            _ => null,
        };
        return new WarmUpDocument(
            sale.Id.ToString(),
            problem is null,
            offers,
            sale.Offers.Count,
            inGate,
            reservations,
            loaded.TryGetValue(sale.Id, out var at) ? at : null,
            problem);
    }

    private bool IsDue(Sale sale) =>
        sale.Status is SaleStatus.Published or SaleStatus.Paused && !IsOver(sale) && (!gate.IsShared || time.GetUtcNow() >= sale.OpensAt - sale.WarmUpLead);

    private bool IsOver(Sale sale) => time.GetUtcNow() > sale.ClosesAt + Limits.GateKeepsEnded;
}
