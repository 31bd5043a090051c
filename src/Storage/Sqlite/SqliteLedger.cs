using System.Runtime.CompilerServices;

using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Storage.Sql;

using Microsoft.Data.Sqlite;

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
public sealed partial class SqliteLedger : SqlLedger
{
    private static readonly StorageCall PlaceCall = new("sqlite", "place");
    private static readonly StorageCall ReadCall = new("sqlite", "read");
    private static readonly StorageCall WriteCall = new("sqlite", "write");
    private readonly SqliteWriteThread writes;
    private readonly SqliteReaders readers;
    private readonly TimeProvider time;

    private SqliteLedger(SqliteLedgerOptions options, SqliteWriteThread writes, TimeProvider time)
        : base(options.WritePattern)
    {
        this.writes = writes;
        this.time = time;
        readers = new SqliteReaders(options.FilePath, time);
    }

    /// <summary>Opens the file, makes it if need be, and brings its schema up to date.</summary>
    /// <exception cref="LedgerUnavailableException">
    /// It is not a database, damaged, locked or not writable; it cannot give durable commits; or its schema is newer than this program, or
    /// was edited.
    /// </exception>
    public static async Task<SqliteLedger> OpenAsync(SqliteLedgerOptions options, TimeProvider time, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return new SqliteLedger(options, await SqliteWriteThread.StartAsync(options, time), time);
    }

    /// <summary>One: SQLite has one write lock.</summary>
    public override int WriterLanes => 1;

    public override int LaneOf(OfferId offer) => 0;

    public override IReadOnlyList<ConnectionPool> Pools => [writes.Pool, readers.Pool];

    public override Task<DateTimeOffset> ReadClockAsync(CancellationToken cancellation) => Task.FromResult(SqliteSession.WholeMilliseconds(time));

    /// <summary>
    /// From one read transaction on a connection of its own. The write-ahead log cannot be reused while it is open and grows meanwhile.
    /// </summary>
    private protected override async IAsyncEnumerable<T> ExportAsync<T>(
        Func<SqlSession, IEnumerable<T>> read, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var session = readers.Open();
        session.Execute("BEGIN");
        using var lines = read(session).GetEnumerator();
        while (Advance(lines))
        {
            cancellation.ThrowIfCancellationRequested();
            yield return lines.Current;
        }

        // SQLite reads without awaiting; what awaits is the caller, between one row and the next.
        await Task.CompletedTask;
    }

    private static bool Advance<T>(IEnumerator<T> lines)
    {
        try
        {
            return lines.MoveNext();
        }
        catch (SqliteException error)
        {
            throw SqliteErrors.Unavailable(error);
        }
    }

    internal async Task<List<(string Sql, string Plan)>> ExplainAsync() =>
    [
        .. await writes.RunAsync(session => session.Explain(), CancellationToken.None),
        .. await readers.ReadAsync(session => session.Explain(), CancellationToken.None),
    ];

    public override async ValueTask DisposeAsync()
    {
        // The write connection is closed last: the last one moves the write-ahead log into the database.
        readers.Dispose();
        await writes.DisposeAsync();
    }

    private protected override Task<T> TransactAsync<T>(Func<SqlSession, T> work, CancellationToken cancellation) => StorageMeter.MeasureLedgerAsync(
        WriteCall, static all => all.writes.RunAsync(all.work, all.cancellation), (writes, work, cancellation));

    private protected override Task<T> ReadAsync<T>(Func<SqlSession, T> read, CancellationToken cancellation) => StorageMeter.MeasureLedgerAsync(
        ReadCall, static all => all.readers.ReadAsync(all.read, all.cancellation), (readers, read, cancellation));
}
