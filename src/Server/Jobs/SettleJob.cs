using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Jobs;

/// <summary>
/// Corrects the gate from the ledger: offers with something pending at each step, all offers of running sales twice a second (invariant I7). So
/// stock that returned elsewhere is on offer here within half a second.
/// </summary>
public sealed class SettleJob(
    ILedger ledger, IGate gate, SaleCatalog catalog, Settlements settlements, Readiness readiness, TimeProvider time, ILogger<SettleJob> log)
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

        foreach (var stock in await ledger.ReadStockAsync(offers, stopping))
        {
            await settlements.SettleAsync(stock, stopping);
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
            .Where(sale => sale.PhaseAt(now) is SalePhase.Open or SalePhase.SoldOut or SalePhase.Paused or SalePhase.Armed)
            .SelectMany(sale => sale.Offers)
            .Select(offer => offer.Offer.Id)];
    }
}
