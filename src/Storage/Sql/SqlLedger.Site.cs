using System.Text;

using FlashSale.Core;

namespace FlashSale.Storage.Sql;

/// <summary>The published site. Whoever changes it holds the row of its state first, so of publications at once each sees the one before.</summary>
public abstract partial class SqlLedger
{
    private const string SelectVersions = "SELECT number, made_at, made_by, fingerprint FROM site_versions";

    public Task<SiteHistory> ReadSiteAsync(CancellationToken cancellation) => ReadAsync(session => session.Snapshot(ReadSite), cancellation);

    public Task<long> ReadSiteRevAsync(CancellationToken cancellation) =>
        ReadAsync(session => session.First("SELECT rev FROM site_state", row => row.Long(0)), cancellation);

    public Task<IReadOnlyDictionary<string, byte[]>> ReadSiteFilesAsync(IReadOnlyCollection<string> hashes, CancellationToken cancellation) =>
        ReadAsync<IReadOnlyDictionary<string, byte[]>>(
            session =>
            {
                var contents = new Dictionary<string, byte[]>(StringComparer.Ordinal);
                foreach (var hash in hashes.Distinct(StringComparer.Ordinal))
                {
                    if (session.First("SELECT content FROM site_contents WHERE hash = ?1", row => row.Bytes(0), hash) is { } content)
                    {
                        contents.Add(hash, content);
                    }
                }

                return contents;
            },
            cancellation);

    public Task<SiteVersion?> PublishSiteAsync(
        string fingerprint, IReadOnlyDictionary<string, byte[]> files, bool release, Actor actor, CancellationToken cancellation)
    {
        RefuseTooMuch(fingerprint, files);
        // Outside of the transaction: orders wait for those of the embedded ledger.
        var contents = files.ToDictionary(file => new SiteFile(file.Key, SiteFile.HashOf(file.Value)), file => file.Value);
        return KeepAsync(
            session =>
            {
                var (current, held) = LockSite(session);
                var newest = session.First("SELECT number, fingerprint FROM site_versions ORDER BY number DESC LIMIT 1", row => new SiteAudit(row.Long(0), row.Text(1)));
                if ((held && !release) || (newest is not null && newest.Version == current && newest.Fingerprint == fingerprint))
                {
                    return null;
                }

                var before = current is { } shown ? FindVersion(session, shown) : null;
                var version = new SiteVersion(
                    (newest?.Version ?? 0) + 1, session.Now, actor.UserId, fingerprint, [.. contents.Keys.OrderBy(file => file.Path, StringComparer.Ordinal)]);
                Insert(session, version, contents);
                session.Execute("UPDATE site_state SET current_version = ?1, held = 0, rev = rev + 1", version.Number);
                Prune(session, version.Number - Limits.SiteVersionsKept);
                if (!actor.IsSystem)
                {
                    Audit(session, actor, "site.publish", "site", actor.Reason, Json(before), Json(version));
                }

                return version;
            },
            cancellation);
    }

    public Task<SiteVersion?> RollBackSiteAsync(Actor actor, CancellationToken cancellation) =>
        KeepAsync(
            session =>
            {
                var (current, _) = LockSite(session);
                var earlier = session.First("SELECT number FROM site_versions WHERE number < ?1 ORDER BY number DESC LIMIT 1", row => row.Long(0), current ?? 0);
                if (earlier == 0)
                {
                    return null;
                }

                var version = FindVersion(session, earlier)!;
                session.Execute("UPDATE site_state SET current_version = ?1, held = 1, rev = rev + 1", earlier);
                Audit(session, actor, "site.rollback", "site", actor.Reason, Json(FindVersion(session, current!.Value)), Json(version));
                return version;
            },
            cancellation);

    private static void RefuseTooMuch(string fingerprint, IReadOnlyDictionary<string, byte[]> files)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(fingerprint.Length, Limits.SiteFingerprintLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(files.Count, Limits.SiteFiles);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(files.Values.Sum(content => (long)content.Length), Limits.SiteBytes);
        foreach (var (path, content) in files)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(content.Length, Limits.SiteFileBytes, path);
            if (path is not ['/', ..] || path.Length > Limits.SitePathLength || !Ascii.IsValid(path))
            {
                throw new ArgumentOutOfRangeException(nameof(files), path, "Not the path of a file of the site");
            }
        }
    }

    private static SiteHistory ReadSite(SqlSession session)
    {
        var (current, held, rev) = session.First(
            "SELECT current_version, held, rev FROM site_state", row => (row.IsNull(0) ? (long?)null : row.Long(0), row.Bool(1), row.Long(2)));
        var files = session.Query(
            "SELECT version, path, hash FROM site_files ORDER BY version, path", row => (Version: row.Long(0), File: new SiteFile(row.Text(1), row.Text(2))))
            .ToLookup(row => row.Version, row => row.File);
        return new SiteHistory(
            current, held, rev, session.Query(SelectVersions + " ORDER BY number DESC", row => Version(row, [.. files[row.Long(0)]])));
    }

    private static (long? Current, bool Held) LockSite(SqlSession session) =>
        session.First("SELECT current_version, held FROM site_state" + session.ForUpdate, row => (row.IsNull(0) ? (long?)null : row.Long(0), row.Bool(1)));

    private static SiteVersion? FindVersion(SqlSession session, long number)
    {
        var files = session.Query("SELECT path, hash FROM site_files WHERE version = ?1 ORDER BY path", row => new SiteFile(row.Text(0), row.Text(1)), number);
        return session.First(SelectVersions + " WHERE number = ?1", row => Version(row, files), number);
    }

    private static SiteVersion Version(Row row, IReadOnlyList<SiteFile> files) => new(row.Long(0), row.Time(1), row.Text(2), row.Text(3), files);

    private static void Insert(SqlSession session, SiteVersion version, Dictionary<SiteFile, byte[]> contents)
    {
        session.Execute(
            "INSERT INTO site_versions (number, made_at, made_by, fingerprint) VALUES (?1, ?2, ?3, ?4)",
            version.Number, version.MadeAt.Ms(), version.MadeBy, version.Fingerprint);
        var stored = session.Query("SELECT hash FROM site_contents", row => row.Text(0)).ToHashSet(StringComparer.Ordinal);
        foreach (var file in version.Files)
        {
            if (stored.Add(file.Hash))
            {
                session.Execute("INSERT INTO site_contents (hash, content) VALUES (?1, ?2)", file.Hash, contents[file]);
            }

            session.Execute("INSERT INTO site_files (version, path, hash) VALUES (?1, ?2, ?3)", version.Number, file.Path, file.Hash);
        }
    }

    private static void Prune(SqlSession session, long upTo)
    {
        session.Execute("DELETE FROM site_files WHERE version <= ?1", upTo);
        session.Execute("DELETE FROM site_versions WHERE number <= ?1", upTo);
        session.Execute("DELETE FROM site_contents WHERE NOT EXISTS (SELECT 1 FROM site_files f WHERE f.hash = site_contents.hash)");
    }

    private static string? Json(SiteVersion? version) => AuditJson.Write(version is null ? null : new SiteAudit(version.Number, version.Fingerprint));
}
