namespace FlashSale.Tests.Server.Orders;

/// <summary>A clock and a stopwatch that stand until a test moves them. Timers are those of the system.</summary>
public sealed class SteppedTime(DateTimeOffset start) : TimeProvider
{
    private long ticks = start.UtcTicks;

    public SteppedTime()
        : this(new DateTimeOffset(2030, 6, 18, 12, 0, 0, TimeSpan.Zero))
    {
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Interlocked.Read(ref ticks);

    public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref ticks), TimeSpan.Zero);

    public void Advance(TimeSpan by) => Interlocked.Add(ref ticks, by.Ticks);
}
