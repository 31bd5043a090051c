namespace FlashSale.Storage.Sql;

public abstract partial class SqlLedger
{
    public Task<bool> TryLeaseAsync(string name, string owner, TimeSpan length, CancellationToken cancellation) =>
        KeepAsync(
            session =>
            {
                var now = session.Now;
                var until = (now + length).Ms();
                // Read first: a database that counts the rows that an update changed would not count one that says the same again.
                if (session.First(
                    "SELECT owner, until FROM leases WHERE name = ?1" + session.ForUpdate, row => new Held(row.Text(0), row.Time(1)), name) is not { } held)
                {
                    return session.TryInsert("INSERT INTO leases (name, owner, until) VALUES (?1, ?2, ?3)", name, owner, until);
                }

                if (held.Owner != owner && held.Until > now)
                {
                    return false;
                }

                session.Execute("UPDATE leases SET owner = ?1, until = ?2 WHERE name = ?3", owner, until, name);
                return true;
            },
            cancellation);

    public Task ReleaseLeaseAsync(string name, string owner, CancellationToken cancellation) =>
        KeepAsync(session => session.Execute("DELETE FROM leases WHERE name = ?1 AND owner = ?2", name, owner), cancellation);

    private sealed record Held(string Owner, DateTimeOffset Until);
}
