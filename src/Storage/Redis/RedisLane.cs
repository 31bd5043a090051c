using FlashSale.Core;
using FlashSale.Core.Orders;

namespace FlashSale.Storage.Redis;

/// <summary>
/// Admissions of one offer in one shard. One that comes alone goes at once; those that come while calls are under way share the next one, so that a crowd
/// costs calls by the batch and not by the head.
/// </summary>
/// <param name="call">Decides a batch in its order, and completes each of it; what it throws, all get that have no outcome yet.</param>
/// <param name="patience">Nobody waits longer for a call to begin.</param>
/// <param name="time">For that only.</param>
internal sealed class RedisLane(Func<RedisAdmission[], Task> call, TimeSpan patience, TimeProvider time)
{
    private readonly Lock entering = new();

    /// <summary>Empty while fewer calls are under way than may be.</summary>
    private readonly Queue<RedisAdmission> waiting = new();
    private int underWay;

    /// <exception cref="GateUnavailableException">Too many wait already.</exception>
    public ValueTask<AdmissionOutcome> AdmitAsync(in AdmissionRequest request, CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<AdmissionOutcome>(cancellation);
        }

        var admission = new RedisAdmission(request, time.GetTimestamp(), cancellation);
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
                waiting.Enqueue(admission);
            }
            else
            {
                throw new GateUnavailableException($"{Limits.GateLaneQueue} admissions wait for a shard of Redis: no more are taken.");
            }
        }

        if (goes)
        {
            Start(admission);
        }

        // Who gives up leaves the others alone; the call goes on.
        return new(cancellation.CanBeCanceled ? admission.Task.WaitAsync(cancellation) : admission.Task);
    }

    /// <summary>Without what belongs to this caller: the calls that follow are for others.</summary>
    private void Start(RedisAdmission first)
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

    private async Task RunAsync(RedisAdmission[] batch)
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
    private RedisAdmission[] NextBatch()
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

    private RedisAdmission[] TakeWaiting(int most)
    {
        lock (entering)
        {
            var taken = new RedisAdmission[Math.Min(most, waiting.Count)];
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
            waiting.Dequeue().Fail(new GateUnavailableException($"Redis was not free for an admission within {patience.TotalMilliseconds:0} ms."));
        }
    }

    private static void Fail(RedisAdmission[] batch, Exception exception)
    {
        foreach (var admission in batch)
        {
            admission.Fail(exception);
        }
    }
}

/// <summary>One caller that waits for its outcome, and goes on in a thread of its own: a slow one does not hold the lane.</summary>
internal sealed class RedisAdmission(in AdmissionRequest request, long since, CancellationToken cancellation)
    : TaskCompletionSource<AdmissionOutcome>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public AdmissionRequest Request { get; } = request;

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
