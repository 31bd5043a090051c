using FlashSale.Core;
using FlashSale.Core.Reservations;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;

namespace FlashSale.Storage;

/// <summary>
/// May a user order in a sale? The gate answers at once; what it does not know, or while it cannot be asked, the ledger answers. Never open by default. A
/// reservation that was decided while the gate could not be told is told to it here.
/// </summary>
public sealed class EligibilityCheck(IGate gate, ILedger ledger, Breakers breakers)
{
    /// <exception cref="LedgerUnavailableException">Neither could be asked.</exception>
    public async ValueTask<Eligibility> CheckAsync(Sale sale, UserId user, DateTimeOffset now, CancellationToken cancellation)
    {
        var known = Eligibility.Unknown;
        try
        {
            known = await gate.CheckAsync(sale.Id, user, now, cancellation);
        }
        catch (GateUnavailableException)
        {
            // Then it is the ledger that knows.
        }

        // A reservation that waits for its assessment is not in the gate, nor is one whose news was lost on the way.
        return known is Eligibility.Unknown or Eligibility.NotReserved ? await ReadAndTellAsync(sale, user, known, cancellation) : known;
    }

    private async ValueTask<Eligibility> ReadAndTellAsync(Sale sale, UserId user, Eligibility known, CancellationToken cancellation)
    {
        var (eligibility, status) = await breakers.Risk.ReadAsync(static all => ReadAsync(all.ledger, all.sale, all.user), (ledger, sale, user));
        if (known == Eligibility.NotReserved && status is ReservationStatus.Approved or ReservationStatus.Rejected)
        {
            try
            {
                await gate.ReserveAsync(sale.Id, user, status == ReservationStatus.Approved, cancellation);
            }
            catch (GateUnavailableException)
            {
                // The next who asks tells it.
            }
        }

        return eligibility;
    }

    /// <summary>From the ledger.</summary>
    /// <exception cref="LedgerUnavailableException">It did not answer in time, or is not asked for the moment (<see cref="Breakers.Risk"/>).</exception>
    public async ValueTask<Eligibility> ReadAsync(Sale sale, UserId user) =>
        (await breakers.Risk.ReadAsync(static all => ReadAsync(all.ledger, all.sale, all.user), (ledger, sale, user))).Eligibility;

    private static async Task<(Eligibility Eligibility, ReservationStatus? Status)> ReadAsync(ILedger ledger, Sale sale, UserId user)
    {
        if (await ledger.FindBlacklistedAsync(user, CancellationToken.None) is not null)
        {
            return (Eligibility.NotEligible, null);
        }

        if (!sale.RequiresReservation)
        {
            return (Eligibility.Eligible, null);
        }

        var reservation = await ledger.FindReservationAsync(sale.Id, user, CancellationToken.None);
        return (
            reservation?.Status switch
            {
                ReservationStatus.Approved => Eligibility.Eligible,
                // What is not assessed is not approved.
                ReservationStatus.Rejected or ReservationStatus.Pending => Eligibility.NotEligible,
                _ => Eligibility.NotReserved,
            },
            reservation?.Status);
    }
}
