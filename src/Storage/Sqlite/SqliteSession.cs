using FlashSale.Core;
using FlashSale.Core.Draws;
using FlashSale.Core.Stock;
using FlashSale.Core.Wire;
using FlashSale.Storage.Sql;

using Microsoft.Data.Sqlite;

namespace FlashSale.Storage.Sqlite;

/// <summary>
/// A connection with its prepared statements, used by one thread at a time. Each SQL text is prepared once and kept: the texts are
/// constants, so their number is bounded.
/// </summary>
internal sealed class SqliteSession : SqlSession
{
    private const int UniqueViolation = 2067;
    private const int PrimaryKeyViolation = 1555;

    private const string InsertChange =
        "INSERT INTO stock_changes (offer_id, bucket, seq, kind, delta, balance_after, order_id, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

    private readonly SqliteConnection connection;
    private readonly TimeProvider time;
    private readonly Dictionary<string, Statement> statements = new(StringComparer.Ordinal);

    /// <summary>
    /// A session is used by one thread at a time, so SQLite need not lock for each call, nor count each allocation under a lock for the whole process. Only
    /// taken before the first connection of the process; after that SQLite stays as it is, which is slower and as right.
    /// </summary>
    static SqliteSession()
    {
        SQLitePCL.Batteries_V2.Init();
        _ = SQLitePCL.raw.sqlite3_config(SQLitePCL.raw.SQLITE_CONFIG_MULTITHREAD);
        _ = SQLitePCL.raw.sqlite3_config(SQLitePCL.raw.SQLITE_CONFIG_MEMSTATUS, 0);
    }

    private SqliteSession(SqliteConnection connection, TimeProvider time)
    {
        this.connection = connection;
        this.time = time;
    }

    /// <summary>SQLite has no clock of its own: the ledger's clock is this one.</summary>
    public override DateTimeOffset Now => WholeMilliseconds(time);

    /// <summary>Nothing: a transaction that writes is the only one.</summary>
    public override string ForUpdate => "";

    public override string ForUpdateSkipLocked => "";

    /// <summary>The last part as it stands in the index, else SQLite does not take it.</summary>
    public override string EndsOrder => "order_id = ?1 AND kind IN ('sell', 'release')";

    public override long LastId => SQLitePCL.raw.sqlite3_last_insert_rowid(connection.Handle);

    public static DateTimeOffset WholeMilliseconds(TimeProvider time) => DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());

    /// <exception cref="LedgerUnavailableException">The file cannot be opened as it must be.</exception>
    public static SqliteSession Open(string path, SqliteOpenMode mode, int cacheKibibytes, TimeProvider time)
    {
        var opening = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = mode,
            // The sessions themselves are what is pooled.
            Pooling = false,
            // Bounds the driver's own retries of a script, which come on top of SQLite's busy_timeout.
            DefaultTimeout = (int)Math.Ceiling(Limits.LedgerBusyTimeout.TotalSeconds),
        }.ToString());
        var session = new SqliteSession(opening, time);
        try
        {
            opening.Open();
            session.ExecuteScript(
                $"""
                PRAGMA busy_timeout = {(long)Limits.LedgerBusyTimeout.TotalMilliseconds};
                PRAGMA foreign_keys = ON;
                PRAGMA temp_store = MEMORY;
                PRAGMA cache_size = -{cacheKibibytes};
                """);
            return session;
        }
        catch (SqliteException error)
        {
            session.Dispose();
            throw SqliteErrors.Unavailable(error);
        }
    }

    public Statement Prepare(string sql)
    {
        if (!statements.TryGetValue(sql, out var statement))
        {
            statement = new Statement(connection.Handle!, sql);
            statements.Add(sql, statement);
        }

        return statement;
    }

    /// <summary>Runs several statements that are not worth keeping.</summary>
    public override void ExecuteScript(string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    public override int Execute(string sql, params ReadOnlySpan<object?> values) => Prepare(sql).With(values).Execute();

    public override bool TryInsert(string sql, params ReadOnlySpan<object?> values)
    {
        try
        {
            return Execute(sql, values) == 1;
        }
        catch (SqliteException error) when (error.SqliteExtendedErrorCode is UniqueViolation or PrimaryKeyViolation)
        {
            return false;
        }
    }

    public override T? First<T>(string sql, Func<Row, T> map, params ReadOnlySpan<object?> values)
        where T : default => Prepare(sql).With(values).First(map);

    public override List<T> Query<T>(string sql, Func<Row, T> map, params ReadOnlySpan<object?> values)
    {
        var rows = new List<T>();
        using var found = Prepare(sql).With(values).Read();
        while (found.Next())
        {
            rows.Add(map(found.Current));
        }

        return rows;
    }

    public override IEnumerable<T> Stream<T>(string sql, Func<Row, T> map, params object?[] values)
    {
        using var rows = Prepare(sql).With(values).Read();
        while (rows.Next())
        {
            yield return map(rows.Current);
        }
    }

    public override T Snapshot<T>(Func<SqlSession, T> read)
    {
        // When it throws, the session is closed, and the transaction with it.
        Execute("BEGIN");
        var result = read(this);
        Execute("ROLLBACK");
        return result;
    }

    public override void InsertChanges(OfferId offer, int bucket, IReadOnlyList<StockChange> changes)
    {
        var insert = Prepare(InsertChange).Set(1, offer.Value).Set(2, bucket).Set(8, Now.Ms());
        foreach (var change in changes)
        {
            insert.Set(3, change.Seq).Set(4, change.Kind.Word()).Set(5, change.Delta).Set(6, change.BalanceAfter);
            _ = change.OrderId is { } order ? insert.Set(7, order.Value) : insert.SetNull(7);
            insert.Execute();
        }
    }

    public override void InsertEntries(IReadOnlyList<DrawEntrant> entrants)
    {
        foreach (var (offer, user, entry) in entrants)
        {
            var hash = new byte[DrawEntry.Bytes];
            entry.Write(hash);
            // Not OR IGNORE, which would let pass what a CHECK refuses.
            Execute("INSERT INTO draw_entries (offer_id, entry, user_id) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING", offer.Value, hash, user.Value);
        }
    }

    /// <summary>How SQLite finds the rows of each statement that was used so far; a test reads that no large table is scanned.</summary>
    public List<(string Sql, string Plan)> Explain()
    {
        var plans = new List<(string Sql, string Plan)>();
        foreach (var sql in statements.Keys.Where(sql => !sql.StartsWith("PRAGMA", StringComparison.Ordinal)).ToList())
        {
            using var statement = new Statement(connection.Handle!, "EXPLAIN QUERY PLAN " + sql);
            using var steps = statement.Read();
            while (steps.Next())
            {
                plans.Add((sql, steps.Current.Text(3)));
            }
        }

        return plans;
    }

    public override void Dispose()
    {
        foreach (var statement in statements.Values)
        {
            statement.Dispose();
        }

        connection.Dispose();
    }
}
