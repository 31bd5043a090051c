namespace FlashSale.Tools.Load;

/// <summary>Microseconds since 1970 that never step back: the wall clock is read once, then a monotonic timer counts on.</summary>
internal sealed class RunClock
{
    private readonly long startedAt;
    private readonly long startStamp;

    public RunClock(TimeProvider time)
    {
        Time = time;
        startStamp = time.GetTimestamp();
        startedAt = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
    }

    public TimeProvider Time { get; }

    public long Now => startedAt + (Time.GetElapsedTime(startStamp).Ticks / TimeSpan.TicksPerMicrosecond);

    /// <summary>
    /// Returns at once for a time that is past. Wakes about a millisecond late, and never early: a timer goes by a coarse clock of the system, up to 10 ms behind this
    /// one, and whoever comes before the opening is refused.
    /// </summary>
    public async Task DelayUntil(long at, CancellationToken cancellationToken)
    {
        while (at - Now is > 0 and var wait)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(wait / 1_000.0)), Time, cancellationToken);
        }
    }

    public static DateTimeOffset ToTime(long micros) => DateTimeOffset.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond);

    public static long FromTime(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
