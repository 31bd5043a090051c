using System.Globalization;

using FlashSale.Core.Auditing;
using FlashSale.Core.Wire;

namespace FlashSale.Storage.Sql;

/// <summary>What a transaction says of a change that it makes.</summary>
internal sealed record AuditNote(DateTimeOffset At, Actor Actor, string Action, string Subject, string? Reason, string? Before, string? After);

/// <summary>
/// The audit log as a chain (docs/decisions/0023). Entries get their number and hash from the row of the head, which is the last that a transaction locks: whoever
/// has it waits for nobody, and so nobody waits in a circle.
/// </summary>
internal static class AuditLog
{
    /// <summary>Entries that are read at once to be taken into the chain.</summary>
    private const int ChainPiece = 500;

    private const string Columns = "id, at, actor, role, action, subject, reason, `before`, `after`, trace_id, previous_hash, hash";
    private const string SelectHead = "SELECT seq, hash FROM audit_head WHERE id = 1";
    private static readonly long Earliest = DateTimeOffset.MinValue.Ms();
    private static readonly long Latest = DateTimeOffset.MaxValue.Ms();

    /// <summary>Runs what a transaction does, and at its end writes what is to be audited of it.</summary>
    public static T Run<T>(SqlSession session, Func<SqlSession, T> work)
    {
        List<AuditNote> notes = [];
        session.Notes = notes;
        try
        {
            var result = work(session);
            if (notes.Count > 0)
            {
                Append(session, notes);
            }

            return result;
        }
        finally
        {
            session.Notes = null;
        }
    }

    public static List<AuditDocument> Page(SqlSession session, long before, int count) =>
        session.Query(
            $"SELECT {Columns} FROM audit WHERE id < ?1 ORDER BY id DESC LIMIT ?2", Document, before, count);

    /// <summary>The same of one subject.</summary>
    public static List<AuditDocument> Page(SqlSession session, string subject, long before, int count) =>
        session.Query($"SELECT {Columns} FROM audit WHERE subject = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3", Document, subject, before, count);

    /// <summary>What was done to one subject, oldest first.</summary>
    public static List<AuditDocument> About(SqlSession session, string subject, int count) =>
        session.Query($"SELECT {Columns} FROM audit WHERE subject = ?1 ORDER BY id LIMIT ?2", Document, subject, count);

    /// <summary>What was done to any of them behind an entry, oldest first, so that nothing is passed over when there is more than is asked for.</summary>
    public static List<AuditDocument> After(SqlSession session, IReadOnlyList<string> subjects, long after, int count)
    {
        var places = string.Join(", ", Enumerable.Range(3, subjects.Count).Select(at => $"?{at}"));
        return session.Query(
            $"SELECT {Columns} FROM audit WHERE id > ?1 AND subject IN ({places}) ORDER BY id LIMIT ?2", Document, [after, count, .. subjects]);
    }

    public static AuditHeadDocument Head(SqlSession session) => ReadHead(session, "");

    public static IEnumerable<AuditLine> Export(SqlSession session)
    {
        // Told though it is not there, or not as the program writes it: whoever checks the log must see that.
        var head = session.First(SelectHead, Head) ?? new AuditHeadDocument(0, "");
        yield return new AuditLine { Type = "head", Seq = head.Seq, Hash = head.Hash };
        foreach (var line in session.Stream($"SELECT {Columns} FROM audit WHERE id > ?1 ORDER BY id", Line, long.MinValue))
        {
            yield return line;
        }
    }

    /// <summary>Whether there are entries of an earlier version of the program, which knew no chain.</summary>
    /// <remarks>Without a head there is no telling: the shop starts all the same, and audited changes are refused.</remarks>
    public static bool HasUnchained(SqlSession session) =>
        session.First(SelectHead, Head) is { } head
        && session.First("SELECT id FROM audit WHERE id > ?1 ORDER BY id LIMIT 1", row => row.Long(0), head.Seq) != 0;

    /// <summary>
    /// Takes them into the chain in their order, in one transaction: they get the next numbers, without the gaps that the database left between theirs.
    /// </summary>
    public static void ChainRest(SqlSession session) => WriteHead(session, ChainRest(session, ReadHead(session, session.ForUpdate)));

    private static void Append(SqlSession session, List<AuditNote> notes)
    {
        var head = ReadHead(session, session.ForUpdate);
        foreach (var note in notes)
        {
            AuditHeadDocument? next;
            while ((next = TryAppend(session, head, note)) is null)
            {
                // During an update an instance of an earlier version took the number.
                var rest = ChainRest(session, head);
                head = rest != head
                    ? rest
                    : throw new InvalidOperationException($"The audit log has an entry {head.Seq + 1}, and its head says that {head.Seq} is the last: run flashsale verify-audit");
            }

            head = next;
        }

        WriteHead(session, head);
    }

    private static AuditHeadDocument? TryAppend(SqlSession session, AuditHeadDocument head, AuditNote note)
    {
        var entry = new AuditEntry(
            head.Seq + 1, note.At, note.Actor.UserId, note.Actor.Role, note.Action, note.Subject, note.Reason, note.Before, note.After, note.Actor.TraceId);
        var hash = AuditChain.HashOf(head.Hash, entry);
        return session.TryInsert(
            $"INSERT INTO audit ({Columns}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            entry.Seq, entry.At.Ms(), entry.Actor, entry.Role, entry.Action, entry.Subject, entry.Reason, entry.Before, entry.After, entry.TraceId, head.Hash, hash)
            ? new AuditHeadDocument(entry.Seq, hash)
            : null;
    }

    private static AuditHeadDocument ChainRest(SqlSession session, AuditHeadDocument head)
    {
        var last = head.Seq;
        while (true)
        {
            var piece = session.Query(
                $"SELECT {Columns} FROM audit WHERE id > ?1 AND hash = '' ORDER BY id LIMIT ?2", row => (Id: row.Long(0), Entry: Entry(row)), last, ChainPiece);
            foreach (var (id, entry) in piece)
            {
                var hash = AuditChain.HashOf(head.Hash, entry with { Seq = head.Seq + 1 });
                session.Execute("UPDATE audit SET id = ?1, previous_hash = ?2, hash = ?3 WHERE id = ?4", head.Seq + 1, head.Hash, hash, id);
                head = new AuditHeadDocument(head.Seq + 1, hash);
                last = id;
            }

            if (piece.Count < ChainPiece)
            {
                return head;
            }
        }
    }

    private static AuditHeadDocument ReadHead(SqlSession session, string locking) =>
        session.First(SelectHead + locking, Head) ?? throw new InvalidOperationException("The audit log has lost its head: run flashsale verify-audit");

    private static void WriteHead(SqlSession session, AuditHeadDocument head) =>
        session.Execute("UPDATE audit_head SET seq = ?1, hash = ?2 WHERE id = 1", head.Seq, head.Hash);

    private static AuditHeadDocument Head(Row row) => new(row.Long(0), row.Text(1));

    private static AuditDocument Document(Row row) => new(
        row.Long(0).ToString(CultureInfo.InvariantCulture),
        At(row),
        row.Text(2),
        row.Text(3),
        row.Text(4),
        row.Text(5),
        row.TextOrNull(6),
        row.TextOrNull(7),
        row.TextOrNull(8),
        row.TextOrNull(9))
    {
        Seq = row.Long(0),
        PreviousHash = HashOrNull(row, 10),
        Hash = HashOrNull(row, 11),
    };

    private static AuditEntry Entry(Row row) => new(
        row.Long(0), At(row), row.Text(2), row.Text(3), row.Text(4), row.Text(5), row.TextOrNull(6), row.TextOrNull(7), row.TextOrNull(8), row.TextOrNull(9));

    private static AuditLine Line(Row row)
    {
        var entry = Entry(row);
        return new AuditLine
        {
            Type = "entry",
            Seq = entry.Seq,
            At = entry.At,
            Actor = entry.Actor,
            Role = entry.Role,
            Action = entry.Action,
            Subject = entry.Subject,
            Reason = entry.Reason,
            Before = entry.Before,
            After = entry.After,
            TraceId = entry.TraceId,
            PreviousHash = HashOrNull(row, 10),
            Hash = HashOrNull(row, 11),
        };
    }

    /// <summary>One that was edited into a time that there is not must be told, and not end the export.</summary>
    private static DateTimeOffset At(Row row) => DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(row.Long(1), Earliest, Latest));

    private static string? HashOrNull(Row row, int column) => row.Text(column) is { Length: > 0 } hash ? hash : null;
}
