using System.Collections.Concurrent;

using FlashSale.Core;
using FlashSale.Storage.Sql;

using Microsoft.Data.Sqlite;

namespace FlashSale.Storage.Sqlite;

/// <summary>
/// The one thread that writes. SQLite has one write lock, so more threads would only wait for each other; and what has arrived while a
/// commit was on its way shares the next one. A lone job pays one commit, in a spike the transactions grow by themselves. No timer.
/// </summary>
internal sealed class SqliteWriteThread : IAsyncDisposable
{
    private const int CacheKibibytes = 64 * 1024;
    private static readonly Migrations Migrations = new("Sqlite");

    private readonly SqliteLedgerOptions options;
    private readonly BlockingCollection<WriteJob> queue = new(Limits.LedgerJobQueue);
    private readonly List<WriteJob> batch = new(Limits.LedgerJobsPerTransaction);
    private readonly TaskCompletionSource opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TimeProvider time;
    private SqliteSession? session;
    private volatile bool busy;

    private SqliteWriteThread(SqliteLedgerOptions options, TimeProvider time)
    {
        this.options = options;
        this.time = time;
    }

    public ConnectionPool Pool => new("writes", 1, busy ? 1 : 0, queue.Count, Limits.LedgerJobQueue);

    /// <exception cref="LedgerUnavailableException">The file cannot be opened, or its schema is not one of this program.</exception>
    public static async Task<SqliteWriteThread> StartAsync(SqliteLedgerOptions options, TimeProvider time)
    {
        var writes = new SqliteWriteThread(options, time);
        new Thread(writes.Run) { Name = "sqlite ledger writer", IsBackground = true }.Start();
        await writes.opened.Task;
        return writes;
    }

    /// <summary>
    /// Runs the work in a transaction and returns when that is durable. Work whose token is cancelled before it begins is dropped; after
    /// that its outcome is told.
    /// </summary>
    /// <exception cref="LedgerBusyException">The queue is full.</exception>
    public Task<T> RunAsync<T>(Func<SqliteSession, T> work, CancellationToken cancellation)
    {
        var job = new WriteJob<T>(work, cancellation);
        try
        {
            return queue.TryAdd(job) ? job.Task : Task.FromException<T>(new LedgerBusyException());
        }
        catch (InvalidOperationException)
        {
            return Task.FromException<T>(new LedgerUnavailableException("The ledger is closed"));
        }
    }

    /// <summary>Finishes what is queued, then closes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        queue.CompleteAdding();
        await ended.Task;
    }

    private void Run()
    {
        try
        {
            session = Open(SqliteOpenMode.ReadWriteCreate);
            Migrate(session);
            opened.SetResult();
        }
        catch (Exception error)
        {
            Drop();
            queue.CompleteAdding();
            ended.SetResult();
            opened.SetException(SqliteErrors.Unavailable(error));
            return;
        }

        foreach (var first in queue.GetConsumingEnumerable())
        {
            batch.Clear();
            batch.Add(first);
            while (batch.Count < Limits.LedgerJobsPerTransaction && queue.TryTake(out var next))
            {
                batch.Add(next);
            }

            batch.RemoveAll(job => job.DropIfCancelled());
            if (batch.Count > 0)
            {
                busy = true;
                Transact();
                busy = false;
            }
        }

        // Closing the last connection moves the write-ahead log into the database file.
        Drop();
        ended.SetResult();
    }

    private static void Migrate(SqliteSession session)
    {
        session.Execute(
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                version    INTEGER PRIMARY KEY,
                name       TEXT    NOT NULL,
                checksum   TEXT    NOT NULL,    -- SHA-256 of the file, hexadecimal
                applied_at INTEGER NOT NULL     -- Unix milliseconds
            ) STRICT
            """);
        void InTransaction(Action step)
        {
            // Immediate: of two programs that start at once the second waits, and then sees that it is done.
            session.Execute("BEGIN IMMEDIATE");
            step();
            session.Execute("COMMIT");
        }

        Migrations.Apply(session, InTransaction);
        if (AuditLog.HasUnchained(session))
        {
            InTransaction(() => AuditLog.ChainRest(session));
        }
    }

    private void Transact()
    {
        SqliteSession writing;
        try
        {
            writing = session ??= Reopen();
            writing.Execute("BEGIN IMMEDIATE");
            RunJobs(writing);
        }
        catch (Exception error)
        {
            // Nothing was committed: closing the connection rolls back.
            Drop();
            batch.ForEach(job => job.Fail(SqliteErrors.Unavailable(error)));
            return;
        }

        try
        {
            writing.Execute("COMMIT");
        }
        catch (Exception error)
        {
            Drop();
            var certain = error is SqliteException sqlite && SqliteErrors.SurelyNotCommitted(sqlite);
            batch.ForEach(job => job.Fail(certain
                ? SqliteErrors.Unavailable(error)
                : new LedgerOutcomeUnknownException("The commit failed, and what it wrote may be there or not: " + error.Message, error)));
            return;
        }

        batch.ForEach(job => job.Complete());
    }

    /// <summary>A job whose rows are refused is undone and fails alone. Every other error of SQLite is thrown, and ends the transaction of
    /// all.</summary>
    private void RunJobs(SqliteSession writing)
    {
        var many = batch.Count > 1;
        foreach (var job in batch)
        {
            if (many)
            {
                writing.Execute("SAVEPOINT job");
            }

            try
            {
                job.Run(writing);
            }
            catch (Exception error) when (error is not SqliteException sqlite || SqliteErrors.IsOfTheRow(sqlite))
            {
                job.Refuse(error is SqliteException ? new BatchRejectedException("A row was refused: " + error.Message, error) : error);
                // Alone in its transaction it takes that with it, so that nothing of it is left for the commit below.
                writing.Execute(many ? "ROLLBACK TO job" : "ROLLBACK");
                if (!many)
                {
                    writing.Execute("BEGIN IMMEDIATE");
                }
            }

            if (many)
            {
                writing.Execute("RELEASE job");
            }
        }
    }

    /// <summary>
    /// After an error the connection is a new one, whatever the state of the old one was. Its first act is a write: should the last commit
    /// have failed after its frames had reached the write-ahead log, they are overwritten now, and cannot come back in a recovery after an
    /// answer has been built on their absence.
    /// </summary>
    private SqliteSession Reopen()
    {
        var fresh = Open(SqliteOpenMode.ReadWrite);
        try
        {
            fresh.Execute("UPDATE ledger_state SET heartbeat = heartbeat + 1");
            return fresh;
        }
        catch
        {
            fresh.Dispose();
            throw;
        }
    }

    private SqliteSession Open(SqliteOpenMode mode)
    {
        var fresh = SqliteSession.Open(options.FilePath, mode, CacheKibibytes, time);
        try
        {
            var journal = fresh.First("PRAGMA journal_mode = WAL", row => row.Text(0));
            // A commit returns when its log is on the disk. The log is moved into the database by the commit that makes it this long: the
            // more seldom, the more often-changed pages are moved once instead of many times.
            fresh.ExecuteScript("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 16000; PRAGMA journal_size_limit = 67108864;");
            var synchronous = fresh.First("PRAGMA synchronous", row => row.Long(0));
            if (journal != "wal" || synchronous != 2)
            {
                throw new LedgerUnavailableException(
                    $"SQLite does not take the settings that make a commit durable: journal_mode is {journal}, synchronous is {synchronous}");
            }

            if (options.MaxPages is { } pages)
            {
                fresh.ExecuteScript($"PRAGMA max_page_count = {pages}");
            }

            return fresh;
        }
        catch
        {
            fresh.Dispose();
            throw;
        }
    }

    private void Drop()
    {
        session?.Dispose();
        session = null;
    }
}

/// <summary>Work for the write thread, and the promise of its outcome.</summary>
internal abstract class WriteJob
{
    public abstract bool DropIfCancelled();

    public abstract void Run(SqliteSession session);

    /// <summary>Its own rows were refused; told when the transaction of the others has ended.</summary>
    public abstract void Refuse(Exception error);

    public abstract void Complete();

    public abstract void Fail(Exception error);
}

internal sealed class WriteJob<T>(Func<SqliteSession, T> work, CancellationToken cancellation) : WriteJob
{
    // Continuations must not run on the write thread.
    private readonly TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T result = default!;
    private Exception? refused;

    public Task<T> Task => done.Task;

    public override bool DropIfCancelled() => cancellation.IsCancellationRequested && done.TrySetCanceled(cancellation);

    public override void Run(SqliteSession session) => result = work(session);

    public override void Refuse(Exception error) => refused = error;

    public override void Complete()
    {
        if (refused is null)
        {
            done.SetResult(result);
        }
        else
        {
            done.SetException(refused);
        }
    }

    public override void Fail(Exception error) => done.SetException(refused ?? error);
}
