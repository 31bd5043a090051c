namespace FlashSale.Tools.Load;

/// <summary>
/// When people come: a Poisson process that starts as a step at the opening. The times follow from seed and rate alone, never from
/// how fast the server answers, so that a slow server cannot slow its own load down (open system).
/// </summary>
/// <param name="start">Microseconds; the first arrival is then.</param>
/// <param name="rate">Arrivals a second.</param>
internal sealed class ArrivalSchedule(long start, double rate, long seed)
{
    private readonly Random random = new(Seeds.Mix(seed, 0xA771));
    private double next = start;

    /// <summary>When the next one comes, in microseconds.</summary>
    public long Next => (long)next;

    public double Rate { get; set; } = rate;

    public void Advance() => next += -Math.Log(1 - random.NextDouble()) * 1_000_000 / Rate;

    /// <summary>Nobody was there to come until now.</summary>
    public void SkipTo(long now) => next = Math.Max(next, now);
}

/// <summary>Independent generators from one seed.</summary>
internal static class Seeds
{
    /// <summary>The finalizer of SplitMix64.</summary>
    public static int Mix(long seed, long stream)
    {
        unchecked
        {
            var z = (ulong)seed + ((ulong)stream * 0x9E3779B97F4A7C15UL);
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
            return (int)((z ^ (z >> 31)) & int.MaxValue);
        }
    }
}
