using FlashSale.Core;
using FlashSale.Core.Wire;

namespace FlashSale.Storage.Sql;

/// <summary>
/// The blacklist: users in the table that they always had, devices and address ranges in another. Each change raises the catalogue's revision and leaves a row
/// with that revision, in the same transaction: who follows reads only those rows.
/// </summary>
public abstract partial class SqlLedger
{
    /// <summary>Entries that an import looks for and writes in one statement.</summary>
    private const int ImportPiece = 100;

    /// <summary>Of an import, what the audit log names.</summary>
    private const int SubjectsAudited = 100;

    private const string Everything = "all";

    private static readonly BlacklistTable[] BlacklistTables = [.. Enum.GetValues<BlacklistKind>().Select(kind => new BlacklistTable(kind))];

    public Task<BlacklistDocument?> FindBlacklistedAsync(UserId user, CancellationToken cancellation) =>
        ReadAsync(session => UserOf(FindLive(session, BlacklistKind.User, user.Value)), cancellation);

    public async Task<BlacklistDocument> BlacklistAsync(UserId user, BlacklistRequest entry, Actor actor, CancellationToken cancellation) =>
        UserOf(await BlacklistAsync(BlacklistKind.User, user.Value, entry, actor, cancellation))!;

    public Task<bool> UnblacklistAsync(UserId user, Actor actor, CancellationToken cancellation) =>
        UnblacklistAsync(BlacklistKind.User, user.Value, actor, cancellation);

    public Task<BlacklistEntry?> FindBlacklistedAsync(BlacklistKind kind, string subject, CancellationToken cancellation) =>
        ReadAsync(session => FindLive(session, kind, subject), cancellation);

    public Task<BlacklistEntry> BlacklistAsync(BlacklistKind kind, string subject, BlacklistRequest entry, Actor actor, CancellationToken cancellation) =>
        WriteAsync(
            session =>
            {
                var before = FindLive(session, kind, subject);
                var after = new BlacklistEntry(kind, subject, entry.Reason, entry.Source, actor.UserId, session.Now, entry.ExpiresAt);
                Put(session, kind, [after]);
                RaiseCatalogRev(session);
                NoteChange(session, kind.Word(), subject, after.ExpiresAt ?? DateTimeOffset.MaxValue);
                Audit(session, actor, "blacklist.add", $"{kind.Word()}/{subject}", actor.Reason ?? entry.Reason, Json(before), Json(after));
                return after;
            },
            cancellation);

    public Task<bool> UnblacklistAsync(BlacklistKind kind, string subject, Actor actor, CancellationToken cancellation) =>
        WriteAsync(
            session =>
            {
                var before = FindLive(session, kind, subject);
                session.Execute(BlacklistTables[(int)kind].Remove, subject);
                RaiseCatalogRev(session);
                NoteChange(session, kind.Word(), subject, null);
                Audit(session, actor, "blacklist.remove", $"{kind.Word()}/{subject}", actor.Reason, Json(before), null);
                return before is not null;
            },
            cancellation);

    public Task<IReadOnlyList<BlacklistEntry>> ListBlacklistAsync(BlacklistKind kind, string after, int count, CancellationToken cancellation) =>
        ReadAsync<IReadOnlyList<BlacklistEntry>>(
            session => session.Query(BlacklistTables[(int)kind].Page, row => Entry(kind, row), session.Now.Ms(), after, count), cancellation);

    public Task<BlacklistNews> ReadBlacklistAsync(long? since, CancellationToken cancellation) =>
        ReadAsync(
            session => session.Snapshot(snapshot =>
            {
                var rev = snapshot.First("SELECT catalog_rev FROM ledger_state", row => row.Long(0));
                return since is { } known && ReadChanges(snapshot, known, rev) is { } changes
                    ? new BlacklistNews(rev, IsWhole: false, changes)
                    : new BlacklistNews(rev, IsWhole: true, [.. BlacklistTables.SelectMany(table => snapshot.Query(table.Live, row => Change(table.Kind, row), snapshot.Now.Ms()))]);
            }),
            cancellation);

    public Task<BlacklistImportDocument> ImportBlacklistAsync(IReadOnlyList<BlacklistLine> lines, Actor actor, CancellationToken cancellation) =>
        WriteAsync(
            session =>
            {
                var living = lines.Where(line => line.Entry.ExpiresAt is null || line.Entry.ExpiresAt > session.Now).ToLookup(line => line.Kind);
                var (added, changed, all) = (0, 0, 0);
                List<string> subjects = [];
                foreach (var table in BlacklistTables)
                {
                    foreach (var piece in living[table.Kind].Chunk(ImportPiece))
                    {
                        var known = FindLive(session, table, piece);
                        var news = piece.Where(line => !known.TryGetValue(line.Subject, out var entry) || !Says(entry, line.Entry)).ToArray();
                        Put(session, table.Kind, [.. news.Select(line => new BlacklistEntry(
                            line.Kind, line.Subject, line.Entry.Reason, line.Entry.Source, actor.UserId, session.Now, line.Entry.ExpiresAt))]);
                        var were = news.Count(line => known.ContainsKey(line.Subject));
                        (added, changed, all) = (added + news.Length - were, changed + were, all + piece.Length);
                        subjects.AddRange(news.Take(SubjectsAudited - subjects.Count).Select(line => $"{line.Kind.Word()}/{line.Subject}"));
                    }
                }

                var done = new BlacklistImportDocument(added, changed, all - added - changed, lines.Count - all);
                if (added + changed > 0)
                {
                    RaiseCatalogRev(session);
                    NoteChange(session, Everything, "", null);
                }

                Audit(session, actor, "blacklist.import", "blacklist", actor.Reason, null, AuditJson.Write(new BlacklistImportAudit(done, subjects)));
                return done;
            },
            cancellation);

    public Task<int> ForgetBlacklistAsync(int count, CancellationToken cancellation) =>
        KeepAsync(
            session =>
            {
                var (now, gone) = ((session.Now - Limits.BlacklistKept).Ms(), 0);
                foreach (var table in BlacklistTables)
                {
                    foreach (var subject in session.Query(table.Ended, row => row.Text(0), now, count - gone))
                    {
                        gone += session.Execute(table.RemoveEnded, subject, now);
                    }
                }

                session.Execute(
                    "DELETE FROM blacklist_changes WHERE rev <= ?1",
                    session.First("SELECT catalog_rev FROM ledger_state", row => row.Long(0)) - Limits.BlacklistChangesKept);
                return gone;
            },
            cancellation);

    /// <summary>Null when they are not all that the catalogue's revision was raised for, or too many: then everything is read.</summary>
    private static List<BlacklistChange>? ReadChanges(SqlSession session, long since, long rev)
    {
        var rows = session.Query(
            "SELECT subject, bars_until, kind, rev FROM blacklist_changes WHERE rev > ?1 ORDER BY rev LIMIT ?2",
            row => (Rev: row.Long(3), Change: row.Text(2) == Everything ? (BlacklistChange?)null : Change(row.Word<BlacklistKind>(2), row)),
            since, Limits.BlacklistFollowed + 1);
        return rows.Count <= Limits.BlacklistFollowed && rows.Select(row => row.Rev).Distinct().Count() == rev - since && rows.TrueForAll(row => row.Change is not null)
            ? rows.ConvertAll(row => row.Change!.Value)
            : null;
    }

    /// <summary>After the catalogue's revision was raised for it: the last change of a subject in a transaction is the one that counts.</summary>
    private static void NoteChange(SqlSession session, string kind, string subject, DateTimeOffset? until) =>
        session.Execute(
            "REPLACE INTO blacklist_changes (rev, kind, subject, bars_until) SELECT catalog_rev, ?1, ?2, ?3 FROM ledger_state", kind, subject, until.Ms());

    private static void NoteChange(SqlSession session, UserId user, DateTimeOffset? until) => NoteChange(session, BlacklistKind.User.Word(), user.Value, until);

    /// <summary>An entry that has run out counts as none.</summary>
    private static BlacklistEntry? FindLive(SqlSession session, BlacklistKind kind, string subject) =>
        session.First(BlacklistTables[(int)kind].Select(1), row => Entry(kind, row), session.Now.Ms(), subject);

    private static Dictionary<string, BlacklistEntry> FindLive(SqlSession session, BlacklistTable table, BlacklistLine[] piece)
    {
        IEnumerable<BlacklistEntry> found = piece.Length == ImportPiece
            ? session.Query(table.Select(ImportPiece), row => Entry(table.Kind, row), [session.Now.Ms(), .. piece.Select(line => line.Subject)])
            : piece.Select(line => FindLive(session, table.Kind, line.Subject)).OfType<BlacklistEntry>();
        return found.ToDictionary(entry => entry.Subject, StringComparer.Ordinal);
    }

    private static void Put(SqlSession session, BlacklistKind kind, BlacklistEntry[] entries)
    {
        var table = BlacklistTables[(int)kind];
        if (entries.Length == ImportPiece)
        {
            session.Execute(table.Put(ImportPiece), [.. entries.SelectMany(Values)]);
            return;
        }

        foreach (var entry in entries)
        {
            session.Execute(table.Put(1), Values(entry));
        }
    }

    private static object?[] Values(BlacklistEntry entry) =>
        [entry.Subject, entry.Reason, entry.Source, entry.Actor, entry.CreatedAt.Ms(), entry.ExpiresAt.Ms()];

    private static bool Says(BlacklistEntry entry, BlacklistRequest asked) =>
        entry.Reason == asked.Reason && entry.Source == asked.Source && entry.ExpiresAt == asked.ExpiresAt;

    private static BlacklistEntry Entry(BlacklistKind kind, Row row) =>
        new(kind, row.Text(0), row.Text(1), row.Text(2), row.Text(3), row.Time(4), row.TimeOrNull(5));

    private static BlacklistChange Change(BlacklistKind kind, Row row) => new(kind, row.Text(0), row.TimeOrNull(1));

    private static BlacklistDocument? UserOf(BlacklistEntry? entry) =>
        entry is null ? null : new(entry.Subject, entry.Reason, entry.Source, entry.Actor, entry.CreatedAt, entry.ExpiresAt);

    /// <summary>A user's entry is audited as it always was.</summary>
    private static string? Json(BlacklistEntry? entry) => entry?.Kind == BlacklistKind.User ? AuditJson.Write(UserOf(entry)) : AuditJson.Write(entry);

    /// <summary>The SQL of one kind.</summary>
    private sealed class BlacklistTable
    {
        private const string Living = "(expires_at IS NULL OR expires_at > ?1)";
        private const string Columns = "reason, source, actor, created_at, expires_at";
        private readonly string select;
        private readonly string key;
        private readonly string insert;
        private readonly string? word;

        public BlacklistTable(BlacklistKind kind)
        {
            Kind = kind;
            word = kind == BlacklistKind.User ? null : kind.Word();
            key = word is null ? "user_id" : "subject";
            var from = word is null ? "FROM blacklist WHERE" : $"FROM blacklist_origins WHERE kind = '{word}' AND";
            select = $"SELECT {key}, {Columns} {from} {Living} AND {key}";
            insert = word is null ? $"REPLACE INTO blacklist ({key}, {Columns}) VALUES " : $"REPLACE INTO blacklist_origins ({key}, {Columns}, kind) VALUES ";
            Page = $"{select} > ?2 ORDER BY {key} LIMIT ?3";
            // Who is barred for good is barred longer than any time of ours.
            Live = $"SELECT {key}, coalesce(expires_at, {DateTimeOffset.MaxValue.Ms()}) {from} {Living}";
            Ended = $"SELECT {key} {from} expires_at <= ?1 LIMIT ?2";
            Remove = $"DELETE {from} {key} = ?1";
            RemoveEnded = $"{Remove} AND expires_at <= ?2";
            selects = [.. new[] { 1, ImportPiece }.Select(count => $"{select} IN ({string.Join(", ", Enumerable.Range(2, count).Select(at => $"?{at}"))})")];
            puts = [.. new[] { 1, ImportPiece }.Select(count => insert + string.Join(", ", Enumerable.Range(0, count).Select(Row)))];
        }

        private readonly string[] selects;
        private readonly string[] puts;

        public BlacklistKind Kind { get; }

        public string Page { get; }

        public string Live { get; }

        public string Ended { get; }

        public string Remove { get; }

        public string RemoveEnded { get; }

        /// <param name="count">One or a piece: texts are prepared and kept, so there are few of them.</param>
        public string Select(int count) => selects[count == 1 ? 0 : 1];

        public string Put(int count) => puts[count == 1 ? 0 : 1];

        private string Row(int number)
        {
            var values = string.Join(", ", Enumerable.Range((6 * number) + 1, 6).Select(at => $"?{at}"));
            return word is null ? $"({values})" : $"({values}, '{word}')";
        }
    }
}
