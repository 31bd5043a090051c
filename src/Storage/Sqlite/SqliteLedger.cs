using FlashSale.Core;
using FlashSale.Core.Orders;

namespace FlashSale.Storage.Sqlite;

/// <param name="FilePath">The database; made when it is not there. Its write-ahead log stands beside it (<c>-wal</c>, <c>-shm</c>).</param>
/// <param name="WritePattern">Whether a transaction writes change-log rows or the stock row first. Both keep the same promises.</param>
public sealed record SqliteLedgerOptions(string FilePath, WritePattern WritePattern = WritePattern.LogFirst)
{
    /// <summary>Pages that the file may have, for tests of a full disk; read when a write connection is opened.</summary>
    internal long? MaxPages { get; set; }
}

/// <summary>
/// The embedded ledger: one SQLite file in WAL mode with synchronous FULL, one thread that writes, a few connections that read. Work on it
/// goes through <see cref="SqliteWriteThread"/>, and all that it writes is one transaction each.
/// </summary>
public sealed partial class SqliteLedger : ILedger
{
    private readonly SqliteWriteThread writes;
    private readonly SqliteReaders readers;
    private readonly TimeProvider time;
    private readonly WritePattern pattern;
    private readonly Lock checking = new();
    private Task<string?> check = Task.FromResult<string?>(null);

    private SqliteLedger(SqliteLedgerOptions options, SqliteWriteThread writes, TimeProvider time)
    {
        this.writes = writes;
        this.time = time;
        readers = new SqliteReaders(options.FilePath);
        pattern = options.WritePattern;
    }

    /// <summary>Opens the file, makes it if need be, and brings its schema up to date.</summary>
    /// <exception cref="LedgerUnavailableException">
    /// It is not a database, damaged, locked or not writable; it cannot give durable commits; or its schema is newer than this program, or
    /// was edited.
    /// </exception>
    public static async Task<SqliteLedger> OpenAsync(SqliteLedgerOptions options, TimeProvider time, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return new SqliteLedger(options, await SqliteWriteThread.StartAsync(options, time.GetUtcNow()), time);
    }

    /// <summary>One: SQLite has one write lock.</summary>
    public int WriterLanes => 1;

    public int LaneOf(OfferId offer) => 0;

    public Task<DateTimeOffset> ReadClockAsync(CancellationToken cancellation) => Task.FromResult(Now());

    /// <summary>
    /// One check at a time, shared by all who ask meanwhile, so that nothing piles up on a disk that hangs. One that takes long is itself
    /// an answer.
    /// </summary>
    public async Task<string?> CheckAsync(CancellationToken cancellation)
    {
        Task<string?> running;
        lock (checking)
        {
            if (check.IsCompleted)
            {
                check = WriteAndReadAsync();
            }

            running = check;
        }

        var patience = 2 * Limits.LedgerBusyTimeout;
        try
        {
            return await running.WaitAsync(patience, time, cancellation);
        }
        catch (TimeoutException)
        {
            return $"The ledger has not answered within {patience.TotalSeconds} s";
        }
    }

    internal async Task<List<(string Sql, string Plan)>> ExplainAsync() =>
    [
        .. await writes.RunAsync(session => session.Explain(), CancellationToken.None),
        .. await readers.ReadAsync(session => session.Explain(), CancellationToken.None),
    ];

    public async ValueTask DisposeAsync()
    {
        // The write connection is closed last: the last one moves the write-ahead log into the database.
        readers.Dispose();
        await writes.DisposeAsync();
    }

    private async Task<string?> WriteAndReadAsync()
    {
        try
        {
            var written = await writes.RunAsync(
                session => session.First("UPDATE ledger_state SET heartbeat = heartbeat + 1 RETURNING heartbeat", row => row.Long(0)),
                CancellationToken.None);
            var read = await readers.ReadAsync(
                session => session.First("SELECT heartbeat FROM ledger_state", row => row.Long(0)),
                CancellationToken.None);
            return read >= written ? null : $"The ledger wrote {written} and then read {read}";
        }
        catch (Exception error) when (error is LedgerUnavailableException or LedgerBusyException or LedgerOutcomeUnknownException)
        {
            return error.Message;
        }
    }

    /// <summary>SQLite has no clock of its own: the ledger's clock is this one, in whole milliseconds, since that is what is
    /// stored.</summary>
    private DateTimeOffset Now() => DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());
}
