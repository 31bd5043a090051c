using System.Numerics;

namespace FlashSale.Tools.Load;

/// <summary>
/// Counts latencies from 1 µs to 36 minutes in 1,728 buckets: exact below 128 µs, then 64 buckets for each power of two, so that a percentile is
/// at most 1.6 % too high. Threads may record at the same time.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int SubBits = 6;
    private const int SubCount = 1 << SubBits;
    private const int TopBit = 31;
    private const int BucketCount = (TopBit - SubBits + 1) * SubCount + SubCount;

    private readonly long[] counts = new long[BucketCount];
    private long max;

    public long Count => counts.Sum();

    /// <summary>The longest one, exactly.</summary>
    public long Max => Volatile.Read(ref max);

    /// <param name="micros">Below 0 counts as 0; above 36 minutes as 36 minutes, except in <see cref="Max"/>.</param>
    public void Record(long micros)
    {
        Interlocked.Increment(ref counts[BucketOf(micros)]);
        var seen = Volatile.Read(ref max);
        while (micros > seen)
        {
            var before = Interlocked.CompareExchange(ref max, micros, seen);
            if (before == seen)
            {
                return;
            }

            seen = before;
        }
    }

    /// <param name="percent">Above 0, up to 100.</param>
    /// <returns>The upper end of the bucket in which it lies, in microseconds; 0 when nothing was recorded.</returns>
    public long Percentile(double percent)
    {
        var rank = (long)Math.Ceiling(Count * percent / 100);
        long seen = 0;
        for (var bucket = 0; bucket < BucketCount && rank > 0; bucket++)
        {
            seen += counts[bucket];
            if (seen >= rank)
            {
                return Math.Min(UpperEnd(bucket), Max);
            }
        }

        return 0;
    }

    private static int BucketOf(long micros)
    {
        var value = (uint)Math.Clamp(micros, 0, int.MaxValue);
        if (value < 2 * SubCount)
        {
            return (int)value;
        }

        var shift = BitOperations.Log2(value) - SubBits;
        return (shift * SubCount) + (int)(value >> shift);
    }

    private static long UpperEnd(int bucket)
    {
        if (bucket < 2 * SubCount)
        {
            return bucket;
        }

        var shift = (bucket / SubCount) - 1;
        return ((long)(bucket - (shift * SubCount) + 1) << shift) - 1;
    }
}
