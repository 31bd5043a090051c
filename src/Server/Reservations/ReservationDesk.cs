using FlashSale.Core;
using FlashSale.Core.Reservations;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;
using FlashSale.Server.Http;
using FlashSale.Storage;

namespace FlashSale.Server.Reservations;

/// <summary>Takes reservations; each is pending until it is assessed.</summary>
public sealed class ReservationDesk(ILedger ledger, AssessmentNews news, TimeProvider time)
{
    /// <summary>
    /// The user's reservation, new or as it was; null outside the reservation window, unless there is one already. A new one waits a moment for its assessment
    /// (<see cref="Limits.AssessmentPatience"/>) where that asks nobody who may be slow.
    /// </summary>
    public async Task<(bool Created, Reservation? Reservation)> ReserveAsync(Sale sale, UserId user, CallerFacts facts, CancellationToken cancellation)
    {
        if (await ledger.FindReservationAsync(sale.Id, user, cancellation) is { } known)
        {
            return (false, await AwaitAsync(known, cancellation));
        }

        var now = time.GetUtcNow();
        if (!SalePhases.ReservationsAreOpen(sale, now))
        {
            return (false, null);
        }

        var asked = new Reservation(Guid.CreateVersion7(now), sale.Id, user, ReservationStatus.Pending);
        using var expected = news.Expect(asked.Id);
        var (created, reservation) = await ledger.ReserveAsync(asked, EvidenceOf(facts), cancellation);
        return created
            ? (true, reservation with { Status = await expected.OutcomeAsync(cancellation) })
            : (false, await AwaitAsync(reservation, cancellation));
    }

    /// <summary>One that was made before, perhaps a moment ago.</summary>
    private async Task<Reservation> AwaitAsync(Reservation known, CancellationToken cancellation)
    {
        if (known.Status != ReservationStatus.Pending)
        {
            return known;
        }

        using var expected = news.Expect(known.Id);
        // It may have been decided before anybody listened.
        var now = await ledger.FindReservationAsync(known.SaleId, known.UserId, cancellation) ?? known;
        return now.Status == ReservationStatus.Pending ? now with { Status = await expected.OutcomeAsync(cancellation) } : now;
    }

    private static Evidence EvidenceOf(CallerFacts facts) => new(
        facts.Device.IsKnown ? facts.Device.ToString() : null, facts.DeviceSince, facts.Network, facts.VisitedAt, facts.AskedForChallenge, facts.SolvedChallenge);
}
