using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Jobs;

/// <summary>
/// Corrects the gate from the ledger: offers with something pending at each step, all offers of running sales twice a second (invariant I7). So
/// stock that returned elsewhere is on offer here within half a second. While the ledger cannot be read, the last known stock stays, and is told as stale
/// (<see cref="LiveSale.IsStale"/>).
/// </summary>
public sealed class SettleJob(
    ILedger ledger, IGate gate, SaleCatalog catalog, Settlements settlements, Breakers breakers, Readiness readiness, TimeProvider time, ILogger<SettleJob> log)
    : RepeatingJob(Limits.SettleInterval, time, log)
{
    private const int StepsForAll = 2;
    private readonly TimeProvider time = time;
    private int step;

    protected override async Task StepAsync(CancellationToken stopping)
    {
        if (!readiness.Warm)
        {
            return;
        }

        var offers = step++ % StepsForAll == 0 ? Running() : await PendingAsync(stopping);
        if (offers.Count == 0)
        {
            return;
        }

        var asOf = time.GetUtcNow();
        var stocks = await breakers.Stock.ReadAsync(static all => all.ledger.ReadStockAsync(all.offers, CancellationToken.None), (ledger, offers));
        foreach (var stock in stocks)
        {
            catalog.Confirm(stock, asOf);
        }

        foreach (var some in stocks.Chunk(Limits.SettleAtOnce))
        {
            await Task.WhenAll(some.Select(stock => settlements.SettleAsync(stock, stopping).AsTask()));
        }
    }

    private async Task<IReadOnlyList<OfferId>> PendingAsync(CancellationToken stopping)
    {
        try
        {
            return await gate.ListPendingAsync(stopping);
        }
        catch (GateUnavailableException)
        {
            return [];
        }
    }

    private IReadOnlyList<OfferId> Running()
    {
        var now = time.GetUtcNow();
        return [.. catalog.Sales
            .Where(live => live.PhaseAt(now) is SalePhase.Open or SalePhase.SoldOut or SalePhase.Paused or SalePhase.Armed
                // A sale may be reserved until its opening.
                || (live.PhaseAt(now) == SalePhase.Reserving && SalePhases.TokensAreIssued(live.Sale, now)))
            .SelectMany(sale => sale.Offers)
            .Select(offer => offer.Offer.Id)];
    }
}
