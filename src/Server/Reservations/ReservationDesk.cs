using FlashSale.Core;
using FlashSale.Core.Reservations;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;
using FlashSale.Server.Http;
using FlashSale.Storage;

namespace FlashSale.Server.Reservations;

/// <summary>Takes reservations and tells the gate.</summary>
public sealed class ReservationDesk(ILedger ledger, Settlements settlements, TimeProvider time)
{
    /// <summary>The user's reservation, new or as it was; null outside the reservation window, unless there is one already.</summary>
    public async Task<(bool Created, Reservation? Reservation)> ReserveAsync(Sale sale, UserId user, CallerFacts facts, CancellationToken cancellation)
    {
        if (await ledger.FindReservationAsync(sale.Id, user, cancellation) is { } known)
        {
            return (false, known);
        }

        var now = time.GetUtcNow();
        if (!SalePhases.ReservationsAreOpen(sale, now))
        {
            return (false, null);
        }

        var status = RiskPolicy.Decide(RiskPolicy.Score([]), sale.RiskThreshold);
        var (created, reservation) = await ledger.ReserveAsync(new Reservation(Guid.CreateVersion7(now), sale.Id, user, status), cancellation);
        if (reservation.Status != ReservationStatus.Pending)
        {
            await settlements.ReserveAsync(sale.Id, user, reservation.Status == ReservationStatus.Approved, cancellation);
        }

        return (created, reservation);
    }
}
