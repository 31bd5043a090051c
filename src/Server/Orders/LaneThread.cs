using System.Collections.Concurrent;

namespace FlashSale.Server.Orders;

/// <summary>
/// A thread of its own for a loop that awaits. On the thread pool, the loop of a writer would wait for its turn behind the hundreds of answers that it has just
/// released, and the ledger would stand idle meanwhile, in every single batch.
/// </summary>
internal sealed class LaneThread : SynchronizationContext
{
    private readonly BlockingCollection<(SendOrPostCallback Callback, object? State)> work = [];

    /// <summary>Runs the loop, and everything that it awaits continues on the same thread. Ends with the loop.</summary>
    public static Task RunAsync(string name, Func<Task> loop)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() => new LaneThread().Run(loop, ended)) { Name = name, IsBackground = true }.Start();
        return ended.Task;
    }

    public override void Post(SendOrPostCallback d, object? state) => work.Add((d, state));

    private void Run(Func<Task> loop, TaskCompletionSource ended)
    {
        SetSynchronizationContext(this);
        var running = loop();
        _ = running.ContinueWith(_ => work.CompleteAdding(), TaskScheduler.Default);
        foreach (var (callback, state) in work.GetConsumingEnumerable())
        {
            callback(state);
        }

        ended.SetFromTask(running);
    }
}
