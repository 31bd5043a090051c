using FlashSale.Core;
using FlashSale.Core.Wire;

namespace FlashSale.Server.Edge;

/// <summary>
/// Keeps the requests under way to a number that adapts to how long they take (additive increase, multiplicative decrease): what is let in is answered quickly, and what
/// cannot be is refused at once. Each kind of request may use a share of the number, so that page views are shed long before orders are. Essential ones always
/// enter; they take up room, and so the others yield to them.
/// </summary>
/// <remarks>
/// What a request waits for a thread is not counted as its latency: when a crowd of refusals fills the cores, fewer orders under way would be no quicker, only fewer.
/// The number would fall to its minimum, and most of what could be sold with it.
/// </remarks>
public sealed class InFlightLimit
{
    private const double Fall = 0.85;
    private const double Rise = 1.1;
    private const int RiseMin = 16;

    /// <summary>The number rises only when this much of it was used: one that nobody needs says nothing of what the machine can do.</summary>
    private const double UsedToRise = 0.7;

    /// <summary>How often a request waits for a thread: when its bytes have come, when its order is written, when its answer is sent.</summary>
    private const int WaitsForAThread = 3;

    /// <summary>Fewer requests in an interval say little of their latency.</summary>
    private const int CountMin = 8;

    /// <summary>At the start: two batches of the ledger writer.</summary>
    public const int Initial = 2 * Limits.BatchMax;

    // Latencies of this interval in quarters of powers of two, in microseconds.
    private readonly int[] latencies = new int[128];
    private int inFlight;
    private int peak;
    private volatile int limit = Initial;

    public int InFlight => Volatile.Read(ref inFlight);

    public int Limit => limit;

    /// <summary>Nine of ten requests of the last interval took less.</summary>
    public TimeSpan Latency { get; private set; }

    /// <summary>How long work waited for a thread when it was last measured.</summary>
    public TimeSpan SchedulingDelay { get; private set; }

    /// <param name="percent">The share of the limit that this request may fill up; null for one that always enters.</param>
    /// <returns>False when it is to be refused; else <see cref="Leave"/> must follow.</returns>
    public bool TryEnter(int? percent)
    {
        var entered = Interlocked.Increment(ref inFlight);
        if (entered > peak)
        {
            // Of two at once one may be forgotten; it is an estimate.
            peak = entered;
        }

        if (percent is { } share && entered * 100L > (long)limit * share)
        {
            Interlocked.Decrement(ref inFlight);
            return false;
        }

        return true;
    }

    /// <param name="took">Null when it does not tell how busy this instance is.</param>
    public void Leave(TimeSpan? took)
    {
        Interlocked.Decrement(ref inFlight);
        if (took is { } latency)
        {
            Interlocked.Increment(ref latencies[BucketOf(latency)]);
        }
    }

    /// <summary>Once an interval.</summary>
    public void Adapt(SheddingDocument thresholds, TimeSpan schedulingDelay)
    {
        var (count, p90) = TakeLatencies();
        var used = Interlocked.Exchange(ref peak, InFlight);
        Latency = p90;
        SchedulingDelay = schedulingDelay;
        var target = TimeSpan.FromMilliseconds(thresholds.TargetLatencyMs);
        var now = limit;
        if (count >= CountMin && p90 - WaitsForAThread * schedulingDelay > target)
        {
            // From what is under way: a limit far above it would be long in falling to where it does anything.
            now = (int)(Math.Min(now, Math.Max(used, thresholds.InFlightMin)) * Fall);
        }
        else if (used >= now * UsedToRise)
        {
            now = Math.Max(now + RiseMin, (int)(now * Rise));
        }

        limit = Math.Clamp(now, thresholds.InFlightMin, thresholds.InFlightMax);
    }

    private (int Count, TimeSpan P90) TakeLatencies()
    {
        Span<int> taken = stackalloc int[latencies.Length];
        var count = 0;
        for (var i = 0; i < taken.Length; i++)
        {
            count += taken[i] = Interlocked.Exchange(ref latencies[i], 0);
        }

        var left = count / 10;
        for (var i = taken.Length - 1; i >= 0; i--)
        {
            left -= taken[i];
            if (left < 0)
            {
                return (count, LatencyOf(i));
            }
        }

        return (count, TimeSpan.Zero);
    }

    private static int BucketOf(TimeSpan latency)
    {
        var us = Math.Max(1, latency.TotalMicroseconds);
        return Math.Min(127, (int)(Math.Log2(us) * 4));
    }

    /// <summary>The upper end of a bucket.</summary>
    private static TimeSpan LatencyOf(int bucket) => TimeSpan.FromMicroseconds(Math.Pow(2, (bucket + 1) / 4.0));
}
