using System.Collections.Concurrent;

namespace FlashSale.Tools.Load;

/// <summary>What the run measured. Threads add at the same time.</summary>
internal sealed class Metrics
{
    private readonly ConcurrentDictionary<(string Op, int Status, string Code), Counter> counts = new();
    private readonly ConcurrentDictionary<string, LatencyHistogram> latencies = new();
    private readonly ConcurrentDictionary<int, Second> seconds = new();
    private readonly ConcurrentDictionary<string, Counter> notes = new();
    private long calls;
    private int inFlight;

    public long Calls => Volatile.Read(ref calls);
    public int InFlight => Volatile.Read(ref inFlight);
    public IEnumerable<(string Op, int Status, string Code, long Count)> Counts =>
        counts.Select(pair => (pair.Key.Op, pair.Key.Status, pair.Key.Code, pair.Value.Value))
            .OrderBy(row => row.Op, StringComparer.Ordinal).ThenBy(row => row.Status).ThenBy(row => row.Code, StringComparer.Ordinal);

    public IEnumerable<(string Op, LatencyHistogram Histogram)> Latencies =>
        latencies.Select(pair => (pair.Key, pair.Value)).OrderBy(pair => pair.Key, StringComparer.Ordinal);

    /// <summary>By second from the opening on.</summary>
    public IEnumerable<(int At, Second Second)> Seconds => seconds.Select(pair => (pair.Key, pair.Value)).OrderBy(pair => pair.Key);

    /// <summary>Things that happened to shoppers and bots, by name.</summary>
    public IReadOnlyDictionary<string, long> Notes => notes.ToDictionary(pair => pair.Key, pair => pair.Value.Value);

    public void Started() => Interlocked.Increment(ref inFlight);

    public void Ended(string op, int status, string? code, long latency)
    {
        Interlocked.Decrement(ref inFlight);
        Interlocked.Increment(ref calls);
        Interlocked.Increment(ref counts.GetOrAdd((op, status, code ?? ""), static _ => new Counter()).Value);
        latencies.GetOrAdd(op, static _ => new LatencyHistogram()).Record(latency);
    }

    /// <summary>The latency of an order attempt once more, by what came of it.</summary>
    public void Outcome(string what, long latency) => latencies.GetOrAdd(what, static _ => new LatencyHistogram()).Record(latency);

    /// <param name="second">The second after the opening in which the answer came.</param>
    public void OrderAnswered(int second, int status, string? code)
    {
        var row = seconds.GetOrAdd(second, static _ => new Second());
        ref var counter = ref row.Other;
        if (status == 201)
        {
            counter = ref row.Placed;
        }
        else if (code == "sold-out")
        {
            counter = ref row.SoldOut;
        }
        else if (status is 0 or 429 or >= 500)
        {
            counter = ref row.Shed;
        }

        Interlocked.Increment(ref counter);
    }

    public void Note(string what) => Interlocked.Increment(ref notes.GetOrAdd(what, static _ => new Counter()).Value);

    public long CountOf(Func<(string Op, int Status, string Code), bool> which) => counts.Where(pair => which(pair.Key)).Sum(pair => pair.Value.Value);

    private sealed class Counter
    {
        public long Value;
    }

    /// <summary>Answers to order attempts within one second.</summary>
    internal sealed class Second
    {
        public long Placed;
        public long SoldOut;

        /// <summary>429, 5xx and calls without an answer.</summary>
        public long Shed;
        public long Other;
    }
}
