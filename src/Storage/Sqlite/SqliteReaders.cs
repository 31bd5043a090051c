using System.Collections.Concurrent;

using FlashSale.Core;

using Microsoft.Data.Sqlite;

namespace FlashSale.Storage.Sqlite;

/// <summary>
/// A few read-only sessions. A read runs on its caller's thread: it finds its rows by an index in a warm cache, which takes microseconds,
/// less than handing it to another thread. In WAL mode readers and the writer do not wait for each other.
/// </summary>
internal sealed class SqliteReaders(string path, TimeProvider time) : IDisposable
{
    private const int CacheKibibytes = 8 * 1024;
    private static readonly int Count = Math.Clamp(Environment.ProcessorCount, 2, 8);

    private readonly SemaphoreSlim free = new(Count);
    private readonly ConcurrentStack<SqliteSession> idle = new();
    private volatile bool closed;
    private int asked;

    /// <summary>Whoever waits here is a request under way, and those are bounded before they come.</summary>
    public ConnectionPool Pool
    {
        get
        {
            var all = Volatile.Read(ref asked);
            return new ConnectionPool("reads", Count, Math.Min(all, Count), Math.Max(0, all - Count), Limits.LedgerJobQueue);
        }
    }

    /// <exception cref="LedgerUnavailableException">The file cannot be read.</exception>
    public async Task<T> ReadAsync<T>(Func<SqliteSession, T> read, CancellationToken cancellation)
    {
        Interlocked.Increment(ref asked);
        try
        {
            await free.WaitAsync(cancellation);
            try
            {
                return Read(read);
            }
            catch (SqliteException error)
            {
                throw SqliteErrors.Unavailable(error);
            }
            finally
            {
                free.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref asked);
        }
    }

    /// <summary>A session outside of the pool, for a read that takes its time.</summary>
    public SqliteSession Open() => closed
        ? throw new LedgerUnavailableException("The ledger is closed")
        : SqliteSession.Open(path, SqliteOpenMode.ReadOnly, CacheKibibytes, time);

    public void Dispose()
    {
        closed = true;
        while (idle.TryPop(out var session))
        {
            session.Dispose();
        }
    }

    private T Read<T>(Func<SqliteSession, T> read)
    {
        if (!idle.TryPop(out var session))
        {
            session = Open();
        }

        try
        {
            var result = read(session);
            idle.Push(session);
            if (closed)
            {
                Dispose();
            }

            return result;
        }
        catch
        {
            // Whatever went wrong, the next reader starts with a fresh one.
            session.Dispose();
            throw;
        }
    }
}
