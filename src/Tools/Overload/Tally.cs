using System.Runtime.InteropServices;

using FlashSale.Tools.Load;

namespace FlashSale.Tools.Overload;

/// <summary>What became of one lane's requests. Latencies are microseconds from the intended send time.</summary>
/// <param name="timeline">May be shared with the lane that follows.</param>
internal sealed class Tally(Timeline timeline)
{
    private readonly Dictionary<(int Status, string Code), long> answers = [];

    /// <summary>Arrivals that the schedule held, in an open lane; requests taken up, in a closed one.</summary>
    public long Offered { get; set; }

    /// <summary>Repeats included.</summary>
    public long Sent { get; set; }

    /// <summary>Arrivals that found every connection busy: they were cut off before they were sent.</summary>
    public long Cut { get; private set; }

    /// <summary>Arrivals for which no token was left: the run was prepared too small.</summary>
    public long NothingLeft { get; set; }

    /// <summary>Sent, and no whole answer came.</summary>
    public long Unanswered { get; private set; }
    public long Succeeded { get; private set; }
    public LatencyHistogram Admitted { get; } = new();
    public LatencyHistogram Refused { get; } = new();

    /// <summary>How late the generator itself was.</summary>
    public LatencyHistogram Lag { get; } = new();

    /// <summary>By status and problem code; status 0 when no whole answer came.</summary>
    public IEnumerable<(int Status, string Code, long Count)> Answers =>
        answers.Select(pair => (pair.Key.Status, pair.Key.Code, pair.Value)).OrderBy(row => row.Status).ThenBy(row => row.Code, StringComparer.Ordinal);

    public void CutOff(long now)
    {
        Cut++;
        timeline.At(now).Cut++;
    }

    public void Answered(long now, int status, string code, long latency)
    {
        CollectionsMarshal.GetValueRefOrAddDefault(answers, (status, code), out _)++;
        var window = timeline.At(now);
        if (status == 0)
        {
            Unanswered++;
            window.Unanswered++;
        }
        else if (status is >= 200 and < 300)
        {
            Succeeded++;
            window.Admitted++;
            window.Latency.Record(latency);
            Admitted.Record(latency);
        }
        else
        {
            window.Refused++;
            Refused.Record(latency);
        }
    }
}

/// <summary>Answers by the time at which they came, in windows of a quarter of a second.</summary>
internal sealed class Timeline(long start)
{
    public const int PerSecond = 4;
    private const long Length = 1_000_000 / PerSecond;
    private readonly List<Window> windows = [];

    public long Start => start;
    public IReadOnlyList<Window> Windows => windows;

    public Window At(long now)
    {
        var index = (int)Math.Max(0, (now - start) / Length);
        while (windows.Count <= index)
        {
            windows.Add(new Window());
        }

        return windows[index];
    }

    /// <summary>The windows that lie whole between two times; those in which nothing happened included.</summary>
    public IReadOnlyList<Window> Between(long from, long to)
    {
        At(Math.Max(start, to - 1));
        var first = (int)((from - start + Length - 1) / Length);
        var last = (int)((to - start) / Length);
        return windows.GetRange(first, Math.Max(0, Math.Min(last, windows.Count) - first));
    }

    internal sealed class Window
    {
        public long Admitted;
        public long Refused;
        public long Unanswered;
        public long Cut;

        /// <summary>Of what was admitted.</summary>
        public LatencyHistogram Latency { get; } = new();
    }
}
