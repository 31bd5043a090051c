using Microsoft.Data.Sqlite;

namespace FlashSale.Storage.Sqlite;

/// <summary>
/// A connection with its prepared statements, used by one thread at a time. Each SQL text is prepared once and kept: the texts are constants, so their number
/// is bounded.
/// </summary>
internal sealed class SqliteSession : IDisposable
{
    private readonly SqliteConnection connection;
    private readonly Dictionary<string, Statement> statements = new(StringComparer.Ordinal);

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
            // Bounds the driver's own retries, which come on top of SQLite's busy_timeout.
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
            statement = new Statement(connection, sql);
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

    /// <param name="values">For <c>?1</c>, <c>?2</c> and so on: long, string, byte[] or null.</param>
    /// <returns>How many rows were inserted, updated or deleted.</returns>
    public int Execute(string sql, params ReadOnlySpan<object?> values) => Prepare(sql).With(values).Execute();

    /// <summary>The first row, or the default when there is none.</summary>
    public T? First<T>(string sql, Func<SqliteDataReader, T> map, params ReadOnlySpan<object?> values) => Prepare(sql).With(values).First(map);

    public List<T> Query<T>(string sql, Func<SqliteDataReader, T> map, params ReadOnlySpan<object?> values)
    {
        var rows = new List<T>();
        using var reader = Prepare(sql).With(values).Read();
        while (reader.Read())
        {
            rows.Add(map(reader));
        }

        return rows;
    }

    /// <summary>Everything that <paramref name="read"/> reads is from one instant.</summary>
    public T Snapshot<T>(Func<SqliteSession, T> read)
    {
        Execute("BEGIN");
        try
        {
            return read(this);
        }
        finally
        {
            Execute("ROLLBACK");
        }
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

/// <summary>A prepared statement whose parameters <c>?1</c>, <c>?2</c> … are used again and again; an unchanged number is not boxed again.</summary>
internal sealed class Statement : IDisposable
{
    private readonly SqliteCommand command;

    public Statement(SqliteConnection connection, string sql)
    {
        command = connection.CreateCommand();
        command.CommandText = sql;
        command.Prepare();
    }

    public Statement With(ReadOnlySpan<object?> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            At(i + 1).Value = values[i] ?? DBNull.Value;
        }

        return this;
    }

    public Statement Set(int position, long value)
    {
        var parameter = At(position);
        if (parameter.Value is not long old || old != value)
        {
            parameter.Value = value;
        }

        return this;
    }

    public Statement Set(int position, string value)
    {
        At(position).Value = value;
        return this;
    }

    /// <summary>The driver copies the bytes when the statement runs, so one array serves all.</summary>
    public Statement Set(int position, Guid value)
    {
        var parameter = At(position);
        if (parameter.Value is not byte[] bytes)
        {
            parameter.Value = bytes = new byte[16];
        }

        value.TryWriteBytes(bytes, bigEndian: true, out _);
        return this;
    }

    public Statement SetNull(int position)
    {
        At(position).Value = DBNull.Value;
        return this;
    }

    public int Execute() => command.ExecuteNonQuery();

    public SqliteDataReader Read() => command.ExecuteReader();

    public T? First<T>(Func<SqliteDataReader, T> map)
    {
        using var reader = command.ExecuteReader();
        return reader.Read() ? map(reader) : default;
    }

    public void Dispose() => command.Dispose();

    private SqliteParameter At(int position)
    {
        while (command.Parameters.Count < position)
        {
            command.Parameters.Add(new SqliteParameter($"?{command.Parameters.Count + 1}", DBNull.Value));
        }

        return command.Parameters[position - 1];
    }
}
