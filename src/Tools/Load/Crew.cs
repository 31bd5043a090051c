namespace FlashSale.Tools.Load;

/// <summary>The shoppers that are busy at this moment. Each is a task of its own; the first one that breaks fails the run.</summary>
internal sealed class Crew
{
    private int busy;
    private Exception? failure;

    public int Busy => Volatile.Read(ref busy);

    /// <summary>Starts on the thread pool, so that whoever keeps the schedule is not held up.</summary>
    public void Start(Func<Task> work)
    {
        Interlocked.Increment(ref busy);
        ThreadPool.UnsafeQueueUserWorkItem(static job => _ = job.Crew.WatchAsync(job.Work), (Crew: this, Work: work), preferLocal: false);
    }

    /// <exception cref="InvalidOperationException">A shopper's program broke: a fault of the generator, not of the server.</exception>
    public void ThrowIfBroken()
    {
        if (Volatile.Read(ref failure) is { } problem)
        {
            throw new InvalidOperationException("A shopper's program broke.", problem);
        }
    }

    private async Task WatchAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (OperationCanceledException)
        {
            // The run is over; whoever was waiting for something goes home.
        }
        catch (Exception problem)
        {
            Interlocked.CompareExchange(ref failure, problem, null);
        }
        finally
        {
            Interlocked.Decrement(ref busy);
        }
    }
}
