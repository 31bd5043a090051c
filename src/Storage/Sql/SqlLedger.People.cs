using FlashSale.Core;
using FlashSale.Core.Reservations;
using FlashSale.Core.Risk;
using FlashSale.Core.Wire;

namespace FlashSale.Storage.Sql;

public abstract partial class SqlLedger
{
    private const string SelectBlacklist = "SELECT user_id, reason, source, actor, created_at, expires_at FROM blacklist";

    public async Task<(bool Created, Reservation Reservation)> ReserveAsync(Reservation reservation, Evidence evidence, CancellationToken cancellation)
    {
        // People press the button more than once: what is there already is only read.
        if (await FindReservationAsync(reservation.SaleId, reservation.UserId, cancellation) is { } known)
        {
            return (false, known);
        }

        return await WriteAsync(
            session =>
            {
                var created = session.TryInsert(
                    "INSERT INTO reservations (sale_id, user_id, id, status, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
                    reservation.SaleId.Value, reservation.UserId.Value, reservation.Id.Bytes(), reservation.Status.Word(), session.Now.Ms());
                if (created && reservation.Status == ReservationStatus.Pending)
                {
                    InsertAssessment(session, reservation, evidence);
                }

                return (created, FindReservation(session, reservation.SaleId, reservation.UserId)!);
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

    /// <summary>An entry that has run out counts as none.</summary>
    public Task<BlacklistDocument?> FindBlacklistedAsync(UserId user, CancellationToken cancellation) =>
        ReadAsync(session => FindBlacklisted(session, user), cancellation);

    public Task<IReadOnlyList<BlacklistDocument>> ListBlacklistAsync(CancellationToken cancellation) =>
        ReadAsync<IReadOnlyList<BlacklistDocument>>(
            session => session.Query(
                SelectBlacklist + " WHERE expires_at IS NULL OR expires_at > ?1 ORDER BY user_id", Blacklisted, session.Now.Ms()),
            cancellation);

    public Task<BlacklistDocument> BlacklistAsync(UserId user, BlacklistRequest entry, Actor actor, CancellationToken cancellation) =>
        WriteAsync(
            session =>
            {
                var before = FindBlacklisted(session, user);
                session.Execute("DELETE FROM blacklist WHERE user_id = ?1", user.Value);
                session.Execute(
                    "INSERT INTO blacklist (user_id, reason, source, actor, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    user.Value, entry.Reason, entry.Source, actor.UserId, session.Now.Ms(), entry.ExpiresAt.Ms());
                var after = session.First(SelectBlacklist + " WHERE user_id = ?1", Blacklisted, user.Value)!;
                RaiseCatalogRev(session);
                Audit(session, actor, "blacklist.add", $"user/{user}", actor.Reason ?? entry.Reason, AuditJson.Write(before), AuditJson.Write(after));
                return after;
            },
            cancellation);

    public Task<bool> UnblacklistAsync(UserId user, Actor actor, CancellationToken cancellation) =>
        WriteAsync(
            session =>
            {
                var before = FindBlacklisted(session, user);
                session.Execute("DELETE FROM blacklist WHERE user_id = ?1", user.Value);
                RaiseCatalogRev(session);
                Audit(session, actor, "blacklist.remove", $"user/{user}", actor.Reason, AuditJson.Write(before), null);
                return before is not null;
            },
            cancellation);

    private static Reservation? FindReservation(SqlSession session, SaleId sale, UserId user) =>
        session.First(
            "SELECT id, sale_id, user_id, status FROM reservations WHERE sale_id = ?1 AND user_id = ?2",
            row => new Reservation(row.Guid(0), new SaleId(row.Long(1)), row.User(2), row.Word<ReservationStatus>(3)),
            sale.Value, user.Value);

    private static BlacklistDocument? FindBlacklisted(SqlSession session, UserId user) =>
        session.First(
            SelectBlacklist + " WHERE user_id = ?1 AND (expires_at IS NULL OR expires_at > ?2)", Blacklisted, user.Value, session.Now.Ms());

    private static BlacklistDocument Blacklisted(Row row) =>
        new(row.Text(0), row.Text(1), row.Text(2), row.Text(3), row.Time(4), row.TimeOrNull(5));
}
