using FlashSale.Core;

namespace FlashSale.Storage.Sql;

public abstract partial class SqlLedger
{
    public Task ReportAsync(string instance, string document, CancellationToken cancellation) =>
        KeepAsync(
            session =>
            {
                var now = session.Now.Ms();
                if (session.Execute("UPDATE instance_reports SET at = ?1, document = ?2 WHERE instance = ?3", now, document, instance) > 0)
                {
                    return true;
                }

                // A new instance: seldom enough to forget the old ones then.
                session.Execute("DELETE FROM instance_reports WHERE at < ?1", now - (long)Limits.InstanceReportsKept.TotalMilliseconds);
                // Not there, or there with the very same content within the same millisecond.
                return session.TryInsert("INSERT INTO instance_reports (instance, at, document) VALUES (?1, ?2, ?3)", instance, now, document);
            },
            cancellation);

    public Task<IReadOnlyList<InstanceReport>> ReadReportsAsync(DateTimeOffset since, CancellationToken cancellation) =>
        ReadAsync<IReadOnlyList<InstanceReport>>(
            session => session.Query(
                "SELECT instance, at, document FROM instance_reports WHERE at >= ?1 ORDER BY at DESC LIMIT ?2",
                row => new InstanceReport(row.Text(0), row.Time(1), row.Text(2)),
                since.Ms(), Limits.InstanceReportsRead),
            cancellation);
}
