namespace FlashSale.Server.Telemetry;

/// <summary>
/// Durations of what happens tens of thousands of times a second. The histogram of the SDK takes a lock for each value, and whoever is interrupted while holding it keeps all
/// cores waiting: a sixth of the orders on two busy ones. Here a value is two additions, on a stripe that the core has nearly to itself.
/// </summary>
/// <param name="name">As in Prometheus, with its unit.</param>
/// <param name="label">The one label that it has, as <c>stage="gate"</c>; empty for none.</param>
/// <param name="bounds">In seconds, ascending.</param>
public sealed class DurationHistogram(string name, string description, string label, double[] bounds)
{
    private const int Stripes = 4;
    private readonly long[] boundTicks = [.. bounds.Select(bound => (long)Math.Round(bound * TimeSpan.TicksPerSecond))];

    // Of each stripe the counts by bucket, the last without a bound, and the sum in ticks.
    private readonly long[][] stripes = [.. Enumerable.Range(0, Stripes).Select(_ => new long[bounds.Length + 2])];

    public string Name => name;

    public string Description => description;

    public string Label => label;

    public IReadOnlyList<double> Bounds => bounds;

    public void Record(TimeSpan took)
    {
        var ticks = Math.Max(0, took.Ticks);
        var bucket = 0;
        while (bucket < boundTicks.Length && ticks > boundTicks[bucket])
        {
            bucket++;
        }

        var stripe = stripes[Thread.GetCurrentProcessorId() % Stripes];
        Interlocked.Increment(ref stripe[bucket]);
        Interlocked.Add(ref stripe[^1], ticks);
    }

    /// <summary>Counts by bucket, the last one beyond all bounds, and the sum in seconds. A value that comes meanwhile may be in one of them only.</summary>
    public (long[] Counts, double Sum) Read()
    {
        var counts = new long[bounds.Length + 1];
        var ticks = 0L;
        foreach (var stripe in stripes)
        {
            for (var bucket = 0; bucket < counts.Length; bucket++)
            {
                counts[bucket] += Interlocked.Read(ref stripe[bucket]);
            }

            ticks += Interlocked.Read(ref stripe[^1]);
        }

        return (counts, ticks / (double)TimeSpan.TicksPerSecond);
    }
}
