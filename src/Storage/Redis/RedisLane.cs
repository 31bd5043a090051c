using FlashSale.Core;

namespace FlashSale.Storage.Redis;

/// <summary>
/// What is asked of one shard: admissions to one offer, or the permits of users. What comes alone goes at once; those that come while calls are under way share the next one, so that a crowd
/// costs calls by the batch and not by the head.
/// </summary>
/// <param name="call">Decides a batch in its order, and completes each of it; what it throws, all get that have no outcome yet.</param>
/// <param name="patience">Nobody waits longer for a call to begin.</param>
/// <param name="time">For that only.</param>
internal sealed class RedisLane<TAsk, TAnswer>(Func<RedisAsk<TAsk, TAnswer>[], Task> call, TimeSpan patience, TimeProvider time)
{
    private readonly Lock entering = new();

    /// <summary>Empty while fewer calls are under way than may be.</summary>
    private readonly Queue<RedisAsk<TAsk, TAnswer>> waiting = new();
    private int underWay;

    /// <exception cref="GateUnavailableException">Too many wait already.</exception>
    public ValueTask<TAnswer> AskAsync(in TAsk request, CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<TAnswer>(cancellation);
        }

        var asked = new RedisAsk<TAsk, TAnswer>(request, time.GetTimestamp(), cancellation);
        bool goes;
        lock (entering)
        {
            goes = underWay < Limits.GateLaneCalls;
            if (goes)
            {
                underWay++;
            }
            else if (waiting.Count < Limits.GateLaneQueue)
            {
                waiting.Enqueue(asked);
            }
            else
            {
                throw new GateUnavailableException($"{Limits.GateLaneQueue} requests wait for a shard of Redis: no more are taken.");
            }
        }

        if (goes)
        {
            Start(asked);
        }

        // Who gives up leaves the others alone; the call goes on.
        return new(cancellation.CanBeCanceled ? asked.Task.WaitAsync(cancellation) : asked.Task);
    }

    /// <summary>Without what belongs to this caller: the calls that follow are for others.</summary>
    private void Start(RedisAsk<TAsk, TAnswer> first)
    {
        if (ExecutionContext.IsFlowSuppressed())
        {
            _ = RunAsync([first]);
            return;
        }

        using (ExecutionContext.SuppressFlow())
        {
            _ = RunAsync([first]);
        }
    }

    private async Task RunAsync(RedisAsk<TAsk, TAnswer>[] batch)
    {
        while (batch.Length > 0)
        {
            try
            {
                await call(batch);
            }
            catch (Exception exception)
            {
                Fail(batch, exception);
                if (exception is GateUnavailableException { InnerException: TimeoutException })
                {
                    // Those behind have waited as long as this call: with another one they would have no answer in time.
                    Fail(TakeWaiting(int.MaxValue), exception);
                }
            }

            batch = NextBatch();
        }
    }

    /// <summary>Empty when nobody waits, and then one call less is under way.</summary>
    private RedisAsk<TAsk, TAnswer>[] NextBatch()
    {
        lock (entering)
        {
            DropOverdue();
            if (waiting.Count == 0)
            {
                underWay--;
            }

            return TakeWaiting(Limits.GateLaneBatch);
        }
    }

    private RedisAsk<TAsk, TAnswer>[] TakeWaiting(int most)
    {
        lock (entering)
        {
            var taken = new RedisAsk<TAsk, TAnswer>[Math.Min(most, waiting.Count)];
            for (var i = 0; i < taken.Length; i++)
            {
                taken[i] = waiting.Dequeue();
            }

            return taken;
        }
    }

    private void DropOverdue()
    {
        while (waiting.TryPeek(out var first) && (first.HasGone || time.GetElapsedTime(first.Since) > patience))
        {
            waiting.Dequeue().Fail(new GateUnavailableException($"Redis was not free within {patience.TotalMilliseconds:0} ms."));
        }
    }

    private static void Fail(RedisAsk<TAsk, TAnswer>[] batch, Exception exception)
    {
        foreach (var asked in batch)
        {
            asked.Fail(exception);
        }
    }
}

/// <summary>One caller that waits for its outcome, and goes on in a thread of its own: a slow one does not hold the lane.</summary>
internal sealed class RedisAsk<TAsk, TAnswer>(in TAsk request, long since, CancellationToken cancellation)
    : TaskCompletionSource<TAnswer>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public TAsk Request { get; } = request;

    /// <summary>A time stamp of the lane's <see cref="TimeProvider"/>.</summary>
    public long Since { get; } = since;

    public bool HasGone => cancellation.IsCancellationRequested;

    /// <summary>Changes nothing when it has its outcome.</summary>
    public void Fail(Exception exception)
    {
        // Looked at, so that nobody reports it as unobserved when the caller has gone.
        _ = TrySetException(exception) ? Task.Exception : null;
    }
}
