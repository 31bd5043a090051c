using System.Collections.Concurrent;

namespace FlashSale.Tests;

/// <summary>
/// When this machine stood still: a thread that wants to go on every 10 ms writes down when it could not. What a server must do within a time, it need not do while
/// nothing runs at all.
/// </summary>
internal sealed class Stalls : IDisposable
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);

    /// <summary>Less is what any busy machine does.</summary>
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(50);
    private readonly ConcurrentQueue<(long Ended, TimeSpan Length)> gaps = new();
    private readonly ManualResetEventSlim stopping = new();
    private readonly Thread watcher;

    public Stalls()
    {
        watcher = new Thread(Watch) { Name = "stalls", IsBackground = true };
        watcher.Start();
    }

    public TimeSpan Longest => LongestSince(0);

    /// <param name="timestamp">Gaps that ended before it do not count.</param>
    public TimeSpan LongestSince(long timestamp) => gaps.Where(gap => gap.Ended >= timestamp).Select(gap => gap.Length).Append(TimeSpan.Zero).Max();

    /// <summary>All of them together.</summary>
    public TimeSpan LostSince(long timestamp) => TimeSpan.FromTicks(gaps.Where(gap => gap.Ended >= timestamp).Sum(gap => gap.Length.Ticks));

    public void Dispose()
    {
        stopping.Set();
        watcher.Join();
        stopping.Dispose();
    }

    private void Watch()
    {
        for (var last = TimeProvider.System.GetTimestamp(); !stopping.Wait(Step);)
        {
            var now = TimeProvider.System.GetTimestamp();
            if (TimeProvider.System.GetElapsedTime(last, now) - Step is var gap && gap > Least)
            {
                gaps.Enqueue((now, gap));
            }

            last = now;
        }
    }
}
