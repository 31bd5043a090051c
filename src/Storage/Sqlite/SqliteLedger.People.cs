using FlashSale.Core;
using FlashSale.Core.Reservations;
using FlashSale.Core.Wire;

namespace FlashSale.Storage.Sqlite;

public sealed partial class SqliteLedger
{
    private const string SelectBlacklist = "SELECT user_id, reason, source, actor, created_at, expires_at FROM blacklist";

    public async Task<(bool Created, Reservation Reservation)> ReserveAsync(Reservation reservation, CancellationToken cancellation)
    {
        // People press the button more than once: what is there already is only read.
        if (await FindReservationAsync(reservation.SaleId, reservation.UserId, cancellation) is { } known)
        {
            return (false, known);
        }

        return await writes.RunAsync(
            session =>
            {
                var created = session.Execute(
                    "INSERT INTO reservations (sale_id, user_id, id, status, created_at) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (sale_id, user_id) DO NOTHING",
                    reservation.SaleId.Value, reservation.UserId.Value, reservation.Id.Bytes(), reservation.Status.Word(), Now().Ms());
                return (created == 1, FindReservation(session, reservation.SaleId, reservation.UserId)!);
            },
            cancellation);
    }

    public Task<Reservation?> FindReservationAsync(SaleId sale, UserId user, CancellationToken cancellation) =>
        readers.ReadAsync(session => FindReservation(session, sale, user), cancellation);

    /// <summary>An entry that has run out counts as none.</summary>
    public Task<BlacklistDocument?> FindBlacklistedAsync(UserId user, CancellationToken cancellation) =>
        readers.ReadAsync(session => FindBlacklisted(session, user), cancellation);

    public Task<IReadOnlyList<BlacklistDocument>> ListBlacklistAsync(CancellationToken cancellation) =>
        readers.ReadAsync<IReadOnlyList<BlacklistDocument>>(
            session => session.Query(
                SelectBlacklist + " WHERE expires_at IS NULL OR expires_at > ?1 ORDER BY user_id", Blacklisted, Now().Ms()),
            cancellation);

    public Task<BlacklistDocument> BlacklistAsync(UserId user, BlacklistRequest entry, Actor actor, CancellationToken cancellation) =>
        writes.RunAsync(
            session =>
            {
                var before = FindBlacklisted(session, user);
                session.Execute(
                    """
                    INSERT INTO blacklist (user_id, reason, source, actor, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                    ON CONFLICT (user_id) DO UPDATE SET reason = excluded.reason, source = excluded.source, actor = excluded.actor,
                        created_at = excluded.created_at, expires_at = excluded.expires_at
                    """,
                    user.Value, entry.Reason, entry.Source, actor.UserId, Now().Ms(), entry.ExpiresAt.Ms());
                var after = session.First(SelectBlacklist + " WHERE user_id = ?1", Blacklisted, user.Value)!;
                RaiseCatalogRev(session);
                Audit(session, actor, "blacklist.add", $"user/{user}", actor.Reason ?? entry.Reason, AuditJson.Write(before), AuditJson.Write(after));
                return after;
            },
            cancellation);

    public Task<bool> UnblacklistAsync(UserId user, Actor actor, CancellationToken cancellation) =>
        writes.RunAsync(
            session =>
            {
                var before = FindBlacklisted(session, user);
                session.Execute("DELETE FROM blacklist WHERE user_id = ?1", user.Value);
                RaiseCatalogRev(session);
                Audit(session, actor, "blacklist.remove", $"user/{user}", actor.Reason, AuditJson.Write(before), null);
                return before is not null;
            },
            cancellation);

    private static Reservation? FindReservation(SqliteSession session, SaleId sale, UserId user) =>
        session.First(
            "SELECT id, sale_id, user_id, status FROM reservations WHERE sale_id = ?1 AND user_id = ?2",
            row => new Reservation(row.Guid(0), new SaleId(row.Long(1)), row.User(2), row.Word<ReservationStatus>(3)),
            sale.Value, user.Value);

    private BlacklistDocument? FindBlacklisted(SqliteSession session, UserId user) =>
        session.First(
            SelectBlacklist + " WHERE user_id = ?1 AND (expires_at IS NULL OR expires_at > ?2)", Blacklisted, user.Value, Now().Ms());

    private static BlacklistDocument Blacklisted(Row row) =>
        new(row.Text(0), row.Text(1), row.Text(2), row.Text(3), row.Time(4), row.TimeOrNull(5));
}
