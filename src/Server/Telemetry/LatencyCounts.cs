using System.Numerics;

namespace FlashSale.Server.Telemetry;

/// <summary>
/// Durations counted in buckets, eight to each power of two: a quantile is right within an eighth. From 16 µs to 67 s; what is outside is in the first or last.
/// Counts add up over instances and over time, which quantiles do not.
/// </summary>
public sealed class LatencyCounts
{
    private const int PerOctave = 8;
    private const int FirstOctave = 4;
    private const int LastOctave = 26;

    public const int Buckets = (LastOctave - FirstOctave) * PerOctave;

    private readonly long[] counts = new long[Buckets];

    public void Record(TimeSpan took) => Interlocked.Increment(ref counts[BucketOf((long)took.TotalMicroseconds)]);

    /// <summary>Adds what was counted here.</summary>
    public void AddTo(Span<long> sums)
    {
        for (var i = 0; i < Buckets; i++)
        {
            sums[i] += Interlocked.Read(ref counts[i]);
        }
    }

    /// <summary>The upper end of the bucket in which the quantile lies; null when nothing was counted.</summary>
    /// <param name="part">Above 0, up to 1.</param>
    public static TimeSpan? Quantile(ReadOnlySpan<long> counts, double part)
    {
        long total = 0;
        foreach (var count in counts)
        {
            total += count;
        }

        if (total <= 0)
        {
            return null;
        }

        var rank = (long)Math.Ceiling(total * part);
        for (var i = 0; i < counts.Length; i++)
        {
            rank -= counts[i];
            if (rank <= 0)
            {
                return TimeSpan.FromMicroseconds(UpperEnd(i));
            }
        }

        return TimeSpan.FromMicroseconds(UpperEnd(Buckets - 1));
    }

    internal static int BucketOf(long us)
    {
        if (us < 1 << FirstOctave)
        {
            return 0;
        }

        var octave = BitOperations.Log2((ulong)us);
        return Math.Min(Buckets - 1, ((octave - FirstOctave) * PerOctave) + (int)((us >> (octave - 3)) & (PerOctave - 1)));
    }

    private static double UpperEnd(int bucket) => (1L << (FirstOctave + (bucket / PerOctave))) * (1 + (((bucket % PerOctave) + 1) / (double)PerOctave));
}
