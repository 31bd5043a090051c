using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Jobs;

/// <summary>
/// Notices within half a second what was changed in the ledger, by this instance or another. The first step loads everything, and makes this instance ready.
/// </summary>
public sealed class CatalogJob(ILedger ledger, WarmUp warmUp, Readiness readiness, TimeProvider time, ILogger<CatalogJob> log)
    : RepeatingJob(TimeSpan.FromMilliseconds(500), time, log)
{
    private long seen = -1;

    protected override async Task StepAsync(CancellationToken stopping)
    {
        var rev = await ledger.ReadCatalogRevAsync(stopping);
        if (rev != seen)
        {
            await warmUp.RefreshAsync(stopping);
            seen = rev;
            readiness.Warm = true;
        }

        await warmUp.DropEndedAsync(stopping);
    }
}
