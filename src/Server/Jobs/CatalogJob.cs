using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Jobs;

/// <summary>
/// Notices within half a second what was changed in the ledger, by this instance or another, and makes up for what the gate could not be told. The first step
/// loads everything, and makes this instance ready; a shared gate that is away does not keep it from being ready, since the ledger decides then. While the
/// ledger cannot be read, the last known sales stay (<see cref="SaleCatalog.ConfirmedAt"/>).
/// </summary>
public sealed class CatalogJob(
    ILedger ledger, WarmUp warmUp, SaleCatalog catalog, Breakers breakers, Readiness readiness, TimeProvider time, ILogger<CatalogJob> log)
    : RepeatingJob(TimeSpan.FromMilliseconds(500), time, log)
{
    private readonly TimeProvider time = time;
    private long seen = -1;

    protected override async Task StepAsync(CancellationToken stopping)
    {
        var asOf = time.GetUtcNow();
        var rev = await breakers.Sales.ReadAsync(static ledger => ledger.ReadCatalogRevAsync(CancellationToken.None), ledger);
        if (rev != seen)
        {
            try
            {
                await warmUp.RefreshAsync(stopping);
                seen = rev;
            }
            catch (GateUnavailableException)
            {
                readiness.Warm = true;
                throw;
            }

            readiness.Warm = true;
        }

        catalog.ConfirmedAt = asOf;
        await warmUp.RepairAsync(stopping);
        await warmUp.DropEndedAsync(stopping);
    }
}
