using FlashSale.Core;
using FlashSale.Core.Reservations;
using FlashSale.Core.Risk;
using FlashSale.Core.Wire;

namespace FlashSale.Storage.Sql;

public abstract partial class SqlLedger
{
    public async Task<(bool Created, Reservation Reservation)> ReserveAsync(Reservation reservation, Evidence evidence, CancellationToken cancellation)
    {
        var (created, made, _) = await ReserveAsync(reservation, evidence, assess: null, cancellation);
        return (created, made);
    }

    public Task<(bool Created, Reservation Reservation, DecidedReservation? Decided)> ReserveAssessedAsync(
        Reservation reservation, Evidence evidence, Func<ClaimedAssessment, RiskInputs, AssessmentDecision> assess, CancellationToken cancellation) =>
        ReserveAsync(reservation, evidence, assess, cancellation);

    private async Task<(bool Created, Reservation Reservation, DecidedReservation? Decided)> ReserveAsync(
        Reservation reservation, Evidence evidence, Func<ClaimedAssessment, RiskInputs, AssessmentDecision>? assess, CancellationToken cancellation)
    {
        // People press the button more than once: what is there already is only read.
        if (await FindReservationAsync(reservation.SaleId, reservation.UserId, cancellation) is { } known)
        {
            return (false, known, null);
        }

        return await WriteAsync(
            session =>
            {
                if (!session.TryInsert(
                    "INSERT INTO reservations (sale_id, user_id, id, status, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
                    reservation.SaleId.Value, reservation.UserId.Value, reservation.Id.Bytes(), reservation.Status.Word(), session.Now.Ms()))
                {
                    return (false, FindReservation(session, reservation.SaleId, reservation.UserId)!, null);
                }

                if (reservation.Status == ReservationStatus.Pending)
                {
                    InsertAssessment(session, reservation, evidence);
                }

                DecidedReservation? decided = assess is null ? null : AssessNow(session, reservation, evidence, assess);
                return (true, reservation with { Status = decided?.Status ?? reservation.Status }, decided);
            },
            cancellation);
    }

    public Task<IReadOnlyDictionary<ReservationStatus, long>> CountReservationsAsync(SaleId sale, CancellationToken cancellation) =>
        ReadAsync<IReadOnlyDictionary<ReservationStatus, long>>(
            session => session.Query(
                "SELECT status, count(*) FROM reservations WHERE sale_id = ?1 GROUP BY status",
                row => (Status: row.Word<ReservationStatus>(0), Count: row.Long(1)),
                sale.Value).ToDictionary(row => row.Status, row => row.Count),
            cancellation);

    public Task<Reservation?> FindReservationAsync(SaleId sale, UserId user, CancellationToken cancellation) =>
        ReadAsync(session => FindReservation(session, sale, user), cancellation);

    private static Reservation? FindReservation(SqlSession session, SaleId sale, UserId user) =>
        session.First(
            "SELECT id, sale_id, user_id, status FROM reservations WHERE sale_id = ?1 AND user_id = ?2",
            row => new Reservation(row.Guid(0), new SaleId(row.Long(1)), row.User(2), row.Word<ReservationStatus>(3)),
            sale.Value, user.Value);
}
