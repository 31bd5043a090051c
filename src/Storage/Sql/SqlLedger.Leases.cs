namespace FlashSale.Storage.Sql;

public abstract partial class SqlLedger
{
    public Task<bool> TryLeaseAsync(string name, string owner, TimeSpan length, CancellationToken cancellation) =>
        WriteAsync(
            session =>
            {
                var now = session.Now;
                var until = (now + length).Ms();
                return session.Execute(
                        "UPDATE leases SET owner = ?1, until = ?2 WHERE name = ?3 AND (owner = ?1 OR until <= ?4)", owner, until, name, now.Ms()) == 1
                    || session.TryInsert("INSERT INTO leases (name, owner, until) VALUES (?1, ?2, ?3)", name, owner, until);
            },
            cancellation);

    public Task ReleaseLeaseAsync(string name, string owner, CancellationToken cancellation) =>
        WriteAsync(session => session.Execute("DELETE FROM leases WHERE name = ?1 AND owner = ?2", name, owner), cancellation);
}
