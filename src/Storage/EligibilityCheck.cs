using FlashSale.Core;
using FlashSale.Core.Reservations;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;

namespace FlashSale.Storage;

/// <summary>May a user order in a sale? The gate answers at once; what it does not know, or while it cannot be asked, the ledger answers. Never open by default.</summary>
public sealed class EligibilityCheck(GateBreaker gate, ILedger ledger)
{
    /// <exception cref="LedgerUnavailableException">Neither could be asked.</exception>
    public async ValueTask<Eligibility> CheckAsync(Sale sale, UserId user, DateTimeOffset now, CancellationToken cancellation) =>
        await gate.TryCheckAsync(sale.Id, user, now, cancellation) is var known and not Eligibility.Unknown
            ? known
            : await ReadAsync(sale, user, cancellation);

    /// <summary>From the ledger.</summary>
    public async ValueTask<Eligibility> ReadAsync(Sale sale, UserId user, CancellationToken cancellation)
    {
        if (await ledger.FindBlacklistedAsync(user, cancellation) is not null)
        {
            return Eligibility.NotEligible;
        }

        if (!sale.RequiresReservation)
        {
            return Eligibility.Eligible;
        }

        var reservation = await ledger.FindReservationAsync(sale.Id, user, cancellation);
        return reservation?.Status switch
        {
            ReservationStatus.Approved => Eligibility.Eligible,
            ReservationStatus.Rejected => Eligibility.NotEligible,
            _ => Eligibility.NotReserved,
        };
    }
}
