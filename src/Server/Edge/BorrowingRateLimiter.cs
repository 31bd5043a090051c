using System.Threading.RateLimiting;

using FlashSale.Core.RateLimits;

namespace FlashSale.Server.Edge;

/// <summary>
/// The source document's <c>RateLimiter.create(20)</c> and <c>acquire(5)</c> (seed row 11): a token bucket that gives any number of permits as soon as nothing is owed,
/// and lets the next ones wait for what was borrowed. Who waits does so on a timer; no thread is blocked. The limit may be changed while it is in use.
/// </summary>
/// <param name="limit">At the start.</param>
/// <param name="patience">The longest that <see cref="RateLimiter.AcquireAsync"/> waits; who would have to wait longer is refused at once.</param>
/// <param name="time">Whose stopwatch and timers count.</param>
public sealed class BorrowingRateLimiter(RateLimit limit, TimeSpan patience, TimeProvider time) : RateLimiter
{
    private static readonly RateLimitLease Granted = new Lease(null);
    private readonly long patienceTicks = (long)(patience.TotalSeconds * time.TimestampFrequency);
    private volatile Setting setting = new(limit, TokenBucket.Of(limit, time.TimestampFrequency));
    private long fullAt;

    public RateLimit Limit
    {
        get => setting.Limit;
        set
        {
            if (setting.Limit != value)
            {
                setting = new Setting(value, TokenBucket.Of(value, time.TimestampFrequency));
            }
        }
    }

    public override TimeSpan? IdleDuration => null;

    public override RateLimiterStatistics GetStatistics() => new()
    {
        CurrentAvailablePermits = (long)Math.Floor(setting.Bucket.Level(Interlocked.Read(ref fullAt), time.GetTimestamp())),
    };

    /// <summary>The same as <see cref="RateLimiter.AttemptAcquire"/> without a lease.</summary>
    /// <returns>Zero when the permits were taken, else how long until they could be.</returns>
    public TimeSpan TryTake(int permits) => InTime(Reserve(permits, 0));

    protected override RateLimitLease AttemptAcquireCore(int permitCount)
    {
        var wait = Reserve(permitCount, 0);
        return wait == 0 ? Granted : new Lease(InTime(wait));
    }

    protected override async ValueTask<RateLimitLease> AcquireAsyncCore(int permitCount, CancellationToken cancellationToken)
    {
        var wait = Reserve(permitCount, patienceTicks);
        if (wait > patienceTicks)
        {
            return new Lease(InTime(wait));
        }

        if (wait > 0)
        {
            await Task.Delay(InTime(wait), time, cancellationToken);
        }

        return Granted;
    }

    private long Reserve(int permits, long patience)
    {
        var bucket = setting.Bucket;
        var now = time.GetTimestamp();
        while (true)
        {
            var before = Interlocked.Read(ref fullAt);
            var after = before;
            var wait = bucket.Borrow(ref after, now, permits, patience);
            if (wait > patience || Interlocked.CompareExchange(ref fullAt, after, before) == before)
            {
                return wait;
            }
        }
    }

    private TimeSpan InTime(long ticks) => ticks == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(ticks / (double)time.TimestampFrequency);

    private sealed record Setting(RateLimit Limit, TokenBucket Bucket);

    /// <param name="retryAfter">Null when the permits were given.</param>
    private sealed class Lease(TimeSpan? retryAfter) : RateLimitLease
    {
        public override bool IsAcquired => retryAfter is null;

        public override IEnumerable<string> MetadataNames => IsAcquired ? [] : [MetadataName.RetryAfter.Name];

        public override bool TryGetMetadata(string metadataName, out object? metadata)
        {
            metadata = metadataName == MetadataName.RetryAfter.Name ? retryAfter : null;
            return metadata is not null;
        }
    }
}
