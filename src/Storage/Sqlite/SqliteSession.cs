using Microsoft.Data.Sqlite;

namespace FlashSale.Storage.Sqlite;

/// <summary>
/// A connection with its prepared statements, used by one thread at a time. Each SQL text is prepared once and kept: the texts are
/// constants, so their number is bounded.
/// </summary>
internal sealed class SqliteSession : IDisposable
{
    private readonly SqliteConnection connection;
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

    private SqliteSession(SqliteConnection connection) => this.connection = connection;

    /// <exception cref="LedgerUnavailableException">The file cannot be opened as it must be.</exception>
    public static SqliteSession Open(string path, SqliteOpenMode mode, int cacheKibibytes)
    {
        var opening = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = mode,
            // The sessions themselves are what is pooled.
            Pooling = false,
            // Bounds the driver's own retries of a script, which come on top of SQLite's busy_timeout.
            DefaultTimeout = (int)Math.Ceiling(Core.Limits.LedgerBusyTimeout.TotalSeconds),
        }.ToString());
        var session = new SqliteSession(opening);
        try
        {
            opening.Open();
            session.ExecuteScript(
                $"""
                PRAGMA busy_timeout = {(long)Core.Limits.LedgerBusyTimeout.TotalMilliseconds};
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
    public void ExecuteScript(string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <param name="values">For <c>?1</c>, <c>?2</c> and so on: numbers, strings, byte arrays or null.</param>
    /// <returns>How many rows were inserted, updated or deleted.</returns>
    public int Execute(string sql, params ReadOnlySpan<object?> values) => Prepare(sql).With(values).Execute();

    /// <summary>The first row, or the default when there is none.</summary>
    public T? First<T>(string sql, Func<Row, T> map, params ReadOnlySpan<object?> values) => Prepare(sql).With(values).First(map);

    public List<T> Query<T>(string sql, Func<Row, T> map, params ReadOnlySpan<object?> values)
    {
        var rows = new List<T>();
        using var found = Prepare(sql).With(values).Read();
        while (found.Next())
        {
            rows.Add(map(found.Current));
        }

        return rows;
    }

    /// <summary>Everything that <paramref name="read"/> reads is from one instant.</summary>
    public T Snapshot<T>(Func<SqliteSession, T> read)
    {
        // When it throws, the session is closed, and the transaction with it.
        Execute("BEGIN");
        var result = read(this);
        Execute("ROLLBACK");
        return result;
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

    /// <summary>What was not committed is rolled back.</summary>
    public void Dispose()
    {
        foreach (var statement in statements.Values)
        {
            statement.Dispose();
        }

        connection.Dispose();
    }
}
