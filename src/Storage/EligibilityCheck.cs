using FlashSale.Core;
using FlashSale.Core.Reservations;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;

namespace FlashSale.Storage;

/// <summary>May a user order in a sale? The gate answers at once; what it does not know, or while it cannot be asked, the ledger answers. Never open by default.</summary>
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

        return known == Eligibility.Unknown ? await ReadAsync(sale, user) : known;
    }

    /// <summary>From the ledger.</summary>
    /// <exception cref="LedgerUnavailableException">It did not answer in time, or is not asked for the moment (<see cref="Breakers.Risk"/>).</exception>
    public async ValueTask<Eligibility> ReadAsync(Sale sale, UserId user) =>
        await breakers.Risk.ReadAsync(static all => ReadAsync(all.ledger, all.sale, all.user), (ledger, sale, user));

    private static async Task<Eligibility> ReadAsync(ILedger ledger, Sale sale, UserId user)
    {
        if (await ledger.FindBlacklistedAsync(user, CancellationToken.None) is not null)
        {
            return Eligibility.NotEligible;
        }

        if (!sale.RequiresReservation)
        {
            return Eligibility.Eligible;
        }

        var reservation = await ledger.FindReservationAsync(sale.Id, user, CancellationToken.None);
        return reservation?.Status switch
        {
            ReservationStatus.Approved => Eligibility.Eligible,
            ReservationStatus.Rejected => Eligibility.NotEligible,
            _ => Eligibility.NotReserved,
        };
    }
}
