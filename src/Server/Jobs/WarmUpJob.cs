using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Jobs;

/// <summary>
/// Loads the gate that instances share: each sale when its lead time begins, and again whenever the gate has lost it. For all instances one does it.
/// </summary>
public sealed class WarmUpJob(
    ILedger ledger, WarmUp warmUp, Readiness readiness, Instance instance, TimeProvider time, ILogger<WarmUpJob> log)
    : LeasedJob("warm-up", TimeSpan.FromMilliseconds(250), ledger, instance, time, log)
{
    protected override async Task WorkAsync(CancellationToken stopping)
    {
        if (!readiness.Warm)
        {
            return;
        }

        foreach (var loaded in await warmUp.LoadDueAsync(stopping))
        {
            log.LogInformation(
                "Sale {Sale} was loaded into the gate: {Offers} offers, {Reservations} of {Expected} reservations{Problem}",
                loaded.SaleId, loaded.OffersWarm, loaded.Reservations, loaded.ReservationsInLedger, loaded.Problem is null ? "" : ". " + loaded.Problem);
        }
    }
}
