using FlashSale.Core.Wire;

namespace FlashSale.Server.Telemetry;

/// <summary>What all instances have counted of one sale.</summary>
public sealed class SaleSums
{
    private readonly long[] decisions = new long[Words<OrderDecision>.ByValue.Count];
    private readonly long[] steps = new long[Words<SaleStep>.ByValue.Count];
    private readonly long[] asked = new long[Words<ClientKind>.ByValue.Count];
    private readonly long[] placed = new long[Words<ClientKind>.ByValue.Count];
    private readonly long[] latency = new long[LatencyCounts.Buckets];

    /// <summary>Requests to order that named the sale.</summary>
    public long Total => decisions.Sum();

    public ReadOnlySpan<long> Latency => latency;

    public long Of(OrderDecision decision) => decisions[(int)decision];

    public long Of(SaleStep step) => steps[(int)step];

    public long Asked(ClientKind client) => asked[(int)client];

    public long Placed(ClientKind client) => placed[(int)client];

    public void Add(SaleFigures figures)
    {
        Add<OrderDecision>(decisions, figures.Decisions);
        Add<SaleStep>(steps, figures.Steps);
        Add<ClientKind>(asked, figures.Asked);
        Add<ClientKind>(placed, figures.Placed);
        foreach (var (bucket, count) in figures.Latency)
        {
            if (bucket is >= 0 and < LatencyCounts.Buckets)
            {
                latency[bucket] += count;
            }
        }
    }

    /// <summary>By <see cref="OrderDecision"/> in the words of the wire.</summary>
    public void Add(IReadOnlyDictionary<string, long> counts) => Add<OrderDecision>(decisions, counts);

    public long[] LatencySince(SaleSums earlier)
    {
        var since = new long[LatencyCounts.Buckets];
        for (var i = 0; i < since.Length; i++)
        {
            since[i] = Math.Max(0, latency[i] - earlier.latency[i]);
        }

        return since;
    }

    /// <summary>A word that this build does not know comes from an instance of another one, and is left out.</summary>
    private static void Add<T>(long[] sums, IReadOnlyDictionary<string, long> counts)
        where T : struct, Enum
    {
        foreach (var (word, count) in counts)
        {
            if (Words<T>.ByWord.TryGetValue(word, out var value))
            {
                sums[Convert.ToInt32(value, System.Globalization.CultureInfo.InvariantCulture)] += count;
            }
        }
    }
}
