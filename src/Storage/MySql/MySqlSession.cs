using System.Data.Common;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

using FlashSale.Core;
using FlashSale.Core.Stock;
using FlashSale.Core.Wire;
using FlashSale.Storage.Sql;

namespace FlashSale.Storage.MySql;

/// <summary>An open connection. Every error of the driver leaves it as a <see cref="MySqlFault"/>.</summary>
internal sealed partial class MySqlSession : SqlSession
{
    /// <summary>The session's time zone is UTC, so that no hour is there twice.</summary>
    public const string ReadNow = "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)";

    private readonly DbConnection connection;
    private readonly TimeProvider? clock;
    private readonly Dictionary<string, string> rewritten = new(StringComparer.Ordinal);
    private readonly StringBuilder text = new();
    private DateTimeOffset? now;
    private bool inTransaction;
    private MySqlAnswer? streaming;

    private MySqlSession(DbConnection connection, TimeProvider? clock)
    {
        this.connection = connection;
        this.clock = clock;
    }

    /// <summary>The database's, read with the transaction's start; outside of one, read when it is asked for.</summary>
    public override DateTimeOffset Now
    {
        get
        {
            var moment = now ?? DateTimeOffset.FromUnixTimeMilliseconds(First("SELECT " + NowSql, row => row.Long(0)));
            if (inTransaction)
            {
                now = moment;
            }

            return moment;
        }
    }

    /// <summary>Whole milliseconds, as SQL.</summary>
    public string NowSql => clock?.GetUtcNow().ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture) ?? ReadNow;

    public override string ForUpdate => " FOR UPDATE";

    public override string ForUpdateSkipLocked => " FOR UPDATE SKIP LOCKED";

    public override string EndsOrder => "ended IN (CONCAT(?1, 'sell'), CONCAT(?1, 'release'))";

    public override long LastId => First("SELECT LAST_INSERT_ID()", row => row.Long(0));

    /// <param name="clock">The ledger's time instead of the database's, for tests.</param>
    /// <exception cref="MySqlFault">The server cannot be reached or refuses.</exception>
    public static MySqlSession Open(MySqlTarget target, string sessionSettings, TimeProvider? clock)
    {
        var session = new MySqlSession(MySqlDriver.Create(target), clock);
        try
        {
            session.connection.Open();
            session.ExecuteScript(sessionSettings);
            return session;
        }
        catch (Exception error)
        {
            session.Dispose();
            throw error as MySqlFault ?? MySqlErrors.Fault(error);
        }
    }

    /// <summary>Starts a transaction and reads the time, in one round trip.</summary>
    public void Begin()
    {
        now = First("START TRANSACTION; SELECT " + NowSql, row => row.Time(0));
        inTransaction = true;
    }

    /// <summary>Returns when the transaction is durable. COMMIT goes alone, so that an error here is the only one that leaves anything open.</summary>
    /// <exception cref="LedgerOutcomeUnknownException">It may be there or not.</exception>
    /// <exception cref="MySqlFault">It was rolled back.</exception>
    public void Commit()
    {
        try
        {
            using var command = Command("COMMIT", []);
            command.ExecuteNonQuery();
            End();
        }
        catch (Exception error) when (MySqlErrors.SurelyNotCommitted(error))
        {
            throw MySqlErrors.Fault(error);
        }
        catch (Exception error)
        {
            throw new LedgerOutcomeUnknownException("The commit failed, and what it wrote may be there or not: " + MySqlErrors.Describe(error), error);
        }
    }

    public void Rollback()
    {
        ExecuteScript("ROLLBACK");
        End();
    }

    public override int Execute(string sql, params ReadOnlySpan<object?> values)
    {
        try
        {
            using var command = Command(Rewrite(sql), values);
            return command.ExecuteNonQuery();
        }
        catch (Exception error)
        {
            throw MySqlErrors.Fault(error);
        }
    }

    /// <summary>The statement alone is undone when it fails; the locks that it took stay.</summary>
    public override bool TryInsert(string sql, params ReadOnlySpan<object?> values)
    {
        try
        {
            return Execute(sql, values) == 1;
        }
        catch (MySqlFault fault) when (fault.Kind == MySqlFaultKind.Duplicate)
        {
            return false;
        }
    }

    public override List<T> Query<T>(string sql, Func<Row, T> map, params ReadOnlySpan<object?> values)
    {
        using var answer = Read(Rewrite(sql), values);
        return answer.Rows(map);
    }

    public override T? First<T>(string sql, Func<Row, T> map, params ReadOnlySpan<object?> values)
        where T : default
    {
        using var answer = Read(Rewrite(sql), values);
        return answer.Next() ? map(answer.Row) : default;
    }

    public override IEnumerable<T> Stream<T>(string sql, Func<Row, T> map, params object?[] values)
    {
        using var answer = Read(Rewrite(sql), values);
        streaming = answer;
        while (answer.Next())
        {
            yield return map(answer.Row);
        }

        streaming = null;
    }

    /// <summary>Stops the server from sending the rest of a stream, which the driver would otherwise read to its end.</summary>
    public void StopStream() => streaming?.Stop();

    /// <summary>Runs several statements, each of which answers with one set of rows or none.</summary>
    /// <param name="sql">With all values in it.</param>
    public MySqlAnswer Read(string sql, params ReadOnlySpan<object?> values)
    {
        var command = Command(sql, values);
        try
        {
            return new MySqlAnswer(command, command.ExecuteReader());
        }
        catch (Exception error)
        {
            command.Dispose();
            throw MySqlErrors.Fault(error);
        }
    }

    public override T Snapshot<T>(Func<SqlSession, T> read)
    {
        BeginSnapshot();
        var result = read(this);
        Rollback();
        return result;
    }

    public void BeginSnapshot()
    {
        now = First(
            $"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY; SELECT {NowSql}", row => row.Time(0));
        inTransaction = true;
    }

    public override void InsertChanges(OfferId offer, int bucket, IReadOnlyList<StockChange> changes)
    {
        text.Clear().Append(MySqlText.InsertChanges);
        var at = Now.Ms();
        for (var i = 0; i < changes.Count; i++)
        {
            text.Append(i == 0 ? '(' : ",(");
            var change = changes[i];
            text.Append(CultureInfo.InvariantCulture, $"{offer.Value},{bucket},{change.Seq},'{change.Kind.Word()}',{change.Delta},{change.BalanceAfter},");
            (change.OrderId is { } order ? text.AppendId(order.Value) : text.Append("NULL")).Append(CultureInfo.InvariantCulture, $",{at})");
        }

        Execute(text.ToString());
    }

    public override void InsertEntries(IReadOnlyList<DrawEntrant> entrants)
    {
        text.Clear().Append("INSERT INTO draw_entries (offer_id,entry,user_id) VALUES ");
        for (var i = 0; i < entrants.Count; i++)
        {
            var (offer, user, entry) = entrants[i];
            text.Append(i == 0 ? "(" : ",(").Append(CultureInfo.InvariantCulture, $"{offer.Value},x'{entry}',").AppendUser(user).Append(')');
        }

        // Not INSERT IGNORE, which would let pass what a foreign key refuses.
        Execute(text.Append(" ON DUPLICATE KEY UPDATE offer_id=offer_id").ToString());
    }

    public override void ExecuteScript(string sql)
    {
        try
        {
            using var command = Command(sql, []);
            command.ExecuteNonQuery();
        }
        catch (Exception error)
        {
            throw MySqlErrors.Fault(error);
        }
    }

    public override void Dispose()
    {
        try
        {
            connection.Dispose();
        }
        catch (Exception)
        {
            // The connection is broken: that is why it is closed.
        }
    }

    private void End()
    {
        now = null;
        inTransaction = false;
    }

    private DbCommand Command(string sql, ReadOnlySpan<object?> values)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        for (var i = 0; i < values.Length; i++)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = "@p" + (i + 1).ToString(CultureInfo.InvariantCulture);
            parameter.Value = values[i] switch
            {
                null => DBNull.Value,
                bool truth => truth ? 1 : 0,
                var value => value,
            };
            command.Parameters.Add(parameter);
        }

        return command;
    }

    private string Rewrite(string sql)
    {
        if (!sql.Contains('?'))
        {
            return sql;
        }

        // Only constant texts have parameters, so their number is bounded.
        if (!rewritten.TryGetValue(sql, out var found))
        {
            found = Parameter().Replace(sql, "@p$1");
            rewritten.Add(sql, found);
        }

        return found;
    }

    [GeneratedRegex(@"\?([0-9]+)", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex Parameter();
}

/// <summary>The rows of a running command, set by set. To be disposed before the session is used again.</summary>
internal sealed class MySqlAnswer(DbCommand command, DbDataReader reader) : IDisposable
{
    private bool ended;

    public Row Row { get; } = new MySqlRow(reader);

    public bool Next()
    {
        try
        {
            ended = !reader.Read();
            return !ended;
        }
        catch (Exception error)
        {
            ended = true;
            throw MySqlErrors.Fault(error);
        }
    }

    /// <summary>All rows of the set at which it stands.</summary>
    public List<T> Rows<T>(Func<Row, T> map)
    {
        var rows = new List<T>();
        while (Next())
        {
            rows.Add(map(Row));
        }

        return rows;
    }

    public bool NextSet()
    {
        try
        {
            return reader.NextResult();
        }
        catch (Exception error)
        {
            ended = true;
            throw MySqlErrors.Fault(error);
        }
    }

    public void Stop()
    {
        ended = true;
        try
        {
            command.Cancel();
        }
        catch (Exception)
        {
            // Then there is more to read.
        }
    }

    /// <summary>What is left is read to its end and thrown away.</summary>
    public void Dispose()
    {
        try
        {
            reader.Dispose();
        }
        catch (Exception error) when (!ended)
        {
            throw MySqlErrors.Fault(error);
        }
        catch (Exception)
        {
            // What failed was told already.
        }
        finally
        {
            command.Dispose();
        }
    }
}
