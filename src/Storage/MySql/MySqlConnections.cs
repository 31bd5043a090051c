using System.Collections.Concurrent;

using FlashSale.Core;

namespace FlashSale.Storage.MySql;

/// <summary>
/// A few threads, each with a connection of its own, and the queue in front of them. The driver blocks its caller whatever one calls: on the thread pool, a
/// server that hangs would take the whole program with it.
/// </summary>
internal sealed class MySqlConnections : IAsyncDisposable
{
    private readonly Func<MySqlSession> open;
    private readonly BlockingCollection<MySqlJob> queue = new(Limits.LedgerJobQueue);
    private readonly Task[] threads;
    private readonly TaskCompletionSource<LedgerUnavailableException?>[] opened;
    private int used;

    private MySqlConnections(string name, int count, Func<MySqlSession> open)
    {
        this.open = open;
        opened = [.. Enumerable.Range(0, count).Select(_ => new TaskCompletionSource<LedgerUnavailableException?>(TaskCreationOptions.RunContinuationsAsynchronously))];
        threads = [.. opened.Select((ready, i) => MySqlThread.Start($"{name} {i}", () => Run(ready)))];
    }

    public int Count => threads.Length;

    /// <summary>That run something now.</summary>
    public int Used => Volatile.Read(ref used);

    public int Waiting => queue.Count;

    /// <param name="open">Opens a connection, on the thread that will own it.</param>
    /// <exception cref="LedgerUnavailableException">One of the connections cannot be opened.</exception>
    public static async Task<MySqlConnections> StartAsync(string name, int count, Func<MySqlSession> open)
    {
        var connections = new MySqlConnections(name, count, open);
        var failures = await Task.WhenAll(connections.opened.Select(ready => ready.Task));
        if (failures.FirstOrDefault(failure => failure is not null) is { } failure)
        {
            await connections.DisposeAsync();
            throw failure;
        }

        return connections;
    }

    /// <summary>Runs the work on one of the connections. It may run again from its beginning after an error that left nothing written.</summary>
    /// <param name="cancellation">Work that was cancelled before it begins is dropped; after that its outcome is told.</param>
    /// <exception cref="LedgerBusyException">The queue is full.</exception>
    public Task<T> RunAsync<T>(Func<MySqlSession, T> work, CancellationToken cancellation)
    {
        var job = new MySqlJob<T>(work, cancellation);
        try
        {
            return queue.TryAdd(job) ? job.Task : Task.FromException<T>(new LedgerBusyException());
        }
        catch (InvalidOperationException)
        {
            return Task.FromException<T>(new LedgerUnavailableException("The ledger is closed"));
        }
    }

    /// <summary>Finishes what is queued, then closes the connections.</summary>
    public async ValueTask DisposeAsync()
    {
        queue.CompleteAdding();
        await Task.WhenAll(threads);
    }

    private void Run(TaskCompletionSource<LedgerUnavailableException?> ready)
    {
        using var connection = new MySqlWorker(open);
        try
        {
            connection.Open();
            ready.SetResult(null);
        }
        catch (LedgerUnavailableException error)
        {
            ready.SetResult(error);
            return;
        }

        foreach (var job in queue.GetConsumingEnumerable())
        {
            Interlocked.Increment(ref used);
            job.Run(connection);
            Interlocked.Decrement(ref used);
        }
    }
}

/// <summary>The connection of one thread: opened again after errors, and work on it tried again where nothing was written.</summary>
internal sealed class MySqlWorker(Func<MySqlSession> open) : IDisposable
{
    private const int DeadlockAttempts = 20;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly TimeProvider time = TimeProvider.System;
    private MySqlSession? session;

    // While the server is away, work is refused at once between two attempts to reach it, rather than each waiting as long.
    private LedgerUnavailableException? away;
    private long awaySince;
    private TimeSpan pause = FirstPause;

    /// <exception cref="LedgerUnavailableException">The server cannot be reached, or was not a moment ago.</exception>
    public MySqlSession Open()
    {
        if (session is not null)
        {
            return session;
        }

        if (away is not null && time.GetElapsedTime(awaySince) < pause)
        {
            throw new LedgerUnavailableException(away.Message, away);
        }

        try
        {
            session = open();
            (away, pause) = (null, FirstPause);
            return session;
        }
        catch (MySqlFault fault)
        {
            pause = away is null ? FirstPause : TimeSpan.FromTicks(Math.Min(2 * pause.Ticks, LongestPause.Ticks));
            away = new LedgerUnavailableException(fault.Message, fault);
            awaySince = time.GetTimestamp();
            throw away;
        }
    }

    public T Run<T>(Func<MySqlSession, T> work)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return work(Open());
            }
            catch (MySqlFault fault)
            {
                // COMMIT was not sent, or was answered with a rollback: nothing was written.
                Undo(fault.Kind is MySqlFaultKind.Connection or MySqlFaultKind.Silence);
                if (attempt >= AttemptsFor(fault.Kind))
                {
                    throw fault.Kind is MySqlFaultKind.Row or MySqlFaultKind.Duplicate
                        ? new BatchRejectedException("A row was refused: " + fault.InnerException!.Message, fault)
                        : new LedgerUnavailableException(fault.Message, fault);
                }
            }
            catch (LedgerOutcomeUnknownException)
            {
                Undo(drop: true);
                throw;
            }
            catch (LedgerUnavailableException) when (session is null)
            {
                throw;
            }
            catch (Exception)
            {
                Undo(drop: false);
                throw;
            }
        }
    }

    public void Dispose() => session?.Dispose();

    /// <summary>
    /// A deadlock means that another transaction goes on, and passes sooner or later: the server gives way to whoever has written more, so that the same one may lose
    /// several times, as where instances with both write patterns sell one offer. A duplicate that another transaction wrote at the same time passes with the next
    /// attempt.
    /// </summary>
    private static int AttemptsFor(MySqlFaultKind kind) => kind switch
    {
        MySqlFaultKind.Deadlock => DeadlockAttempts,
        MySqlFaultKind.Duplicate => 3,
        MySqlFaultKind.LockTimeout or MySqlFaultKind.Connection => 2,
        _ => 1,
    };

    private void Undo(bool drop)
    {
        try
        {
            if (!drop)
            {
                session?.Rollback();
                return;
            }
        }
        catch (MySqlFault)
        {
            // Then the server rolls back when the connection ends.
        }

        session?.Dispose();
        session = null;
    }
}

internal abstract class MySqlJob
{
    public abstract void Run(MySqlWorker connection);
}

internal sealed class MySqlJob<T>(Func<MySqlSession, T> work, CancellationToken cancellation) : MySqlJob
{
    // Continuations must not run on the connection's thread.
    private readonly TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<T> Task => done.Task;

    public override void Run(MySqlWorker connection)
    {
        if (cancellation.IsCancellationRequested)
        {
            done.SetCanceled(cancellation);
            return;
        }

        try
        {
            done.SetResult(connection.Run(work));
        }
        catch (Exception error)
        {
            done.SetException(error);
        }
    }
}

/// <summary>A named thread, and a task that ends with it.</summary>
internal static class MySqlThread
{
    public static Task Start(string name, Action run) => Start(name, () =>
    {
        run();
        return true;
    });

    public static Task<T> Start<T>(string name, Func<T> run)
    {
        var ended = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                ended.SetResult(run());
            }
            catch (Exception error)
            {
                ended.SetException(error);
            }
        })
        {
            Name = name,
            IsBackground = true,
        }.Start();
        return ended.Task;
    }
}
