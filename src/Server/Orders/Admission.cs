using System.Threading.RateLimiting;

using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Orders;

/// <summary>
/// The gate's decision, or the ledger's where the gate cannot be asked or does not know the sale: then orders go straight to the ledger writer at a bounded rate,
/// and the ledger's own constraints hold stock and limit. A small share always does, so that the way is known to work.
/// </summary>
public sealed class Admission : IDisposable
{
    private readonly IGate gate;
    private readonly EligibilityCheck eligibility;
    private readonly ILedger ledger;
    private readonly TokenBucketRateLimiter direct = new(new TokenBucketRateLimiterOptions
    {
        TokenLimit = Limits.DirectOrdersPerSecond / 2,
        TokensPerPeriod = Limits.DirectOrdersPerSecond / 20,
        ReplenishmentPeriod = TimeSpan.FromMilliseconds(50),
        QueueLimit = 0,
    });
    private long withoutGate;

    public Admission(IGate gate, EligibilityCheck eligibility, ILedger ledger, SaleMetrics metrics)
    {
        this.gate = gate;
        this.eligibility = eligibility;
        this.ledger = ledger;
        metrics.ObserveCount("flashsale.gate.bypassed", "Orders that went to the ledger without the gate, since the start", () =>
            [new System.Diagnostics.Metrics.Measurement<long>(Interlocked.Read(ref withoutGate))]);
    }

    /// <summary>
    /// What to do with the order: <see cref="AdmissionOutcome.Admitted"/> and <see cref="AdmissionOutcome.Standby"/> go to the ledger writer,
    /// <see cref="AdmissionOutcome.Repeated"/> asks the ledger; the others refuse. Never <see cref="AdmissionOutcome.NotWarm"/>.
    /// </summary>
    public async ValueTask<AdmissionOutcome> AdmitAsync(AdmissionRequest request, LiveOffer offer)
    {
        if (gate.IsShared && TakesTheOtherWay(request.OrderId))
        {
            return await DecideWithoutGateAsync(request, offer.Sale.Sale);
        }

        var outcome = AdmissionOutcome.Unavailable;
        try
        {
            outcome = await gate.AdmitAsync(request, CancellationToken.None);
        }
        catch (GateUnavailableException)
        {
            // It may have happened: the next settlement says so.
        }

        switch (outcome)
        {
            case AdmissionOutcome.Unavailable or AdmissionOutcome.NotWarm:
                return await DecideWithoutGateAsync(request, offer.Sale.Sale);
            // What anybody can write to is not believed alone: the ledger said zero to this instance too, or says it now (invariant I9). That it said so long
            // ago is not enough, and then not everybody may ask it.
            case AdmissionOutcome.SoldOut when gate.IsShared && offer.IsStale(request.Now):
                return await DecideWithoutGateAsync(request, offer.Sale.Sale);
            case AdmissionOutcome.SoldOut when gate.IsShared && !offer.SoldOut:
                return AdmissionOutcome.Standby;
            default:
                return outcome;
        }
    }

    public void Dispose() => direct.Dispose();

    /// <summary>By the random end of the id, so that a retry goes the same way.</summary>
    public static bool TakesTheOtherWay(OrderId order) => (order.Value.GetHashCode() & (Limits.DirectOrderShare - 1)) == 0;

    private async ValueTask<AdmissionOutcome> DecideWithoutGateAsync(AdmissionRequest request, Sale sale)
    {
        using var permit = direct.AttemptAcquire();
        if (!permit.IsAcquired)
        {
            return AdmissionOutcome.Unavailable;
        }

        Interlocked.Increment(ref withoutGate);
        try
        {
            var refusal = SalePhases.Of(sale, anyAvailable: true, request.Now) switch
            {
                SalePhase.Open when request.IsBarred => AdmissionOutcome.NotEligible,
                SalePhase.Open => await eligibility.ReadAsync(sale, request.UserId) switch
                {
                    Eligibility.Eligible => AdmissionOutcome.Standby,
                    Eligibility.NotReserved => AdmissionOutcome.NotReserved,
                    _ => AdmissionOutcome.NotEligible,
                },
                SalePhase.Paused => AdmissionOutcome.SalePaused,
                SalePhase.Ended => AdmissionOutcome.SaleEnded,
                _ => AdmissionOutcome.SaleNotOpen,
            };

            // An order that is there is told whatever else would be said now, as by the gate.
            return refusal != AdmissionOutcome.Standby && await ledger.FindOrderAsync(request.OrderId, CancellationToken.None) is not null
                ? AdmissionOutcome.Repeated
                : refusal;
        }
        catch (Exception exception) when (exception is LedgerUnavailableException or LedgerBusyException)
        {
            return AdmissionOutcome.Unavailable;
        }
    }
}
