namespace FlashSale.Core.RateLimits;

/// <summary>
/// A token bucket as one number: the moment at which it is full again (the generic cell rate algorithm, ITU-T I.371). It needs no refilling, so that a bucket costs
/// 8 bytes and a subtraction, and a limit that is changed holds at once for buckets that are in use.
/// </summary>
/// <param name="PerPermit">Ticks that a permit takes to come back.</param>
/// <param name="Capacity">Ticks that an empty bucket takes to be full.</param>
public readonly record struct TokenBucket(long PerPermit, long Capacity)
{
    /// <param name="limit">The rate.</param>
    /// <param name="frequency">Ticks a second of the clock that <c>now</c> comes from; 1,000,000 or more for rates that are told apart.</param>
    public static TokenBucket Of(RateLimit limit, long frequency)
    {
        var perPermit = Math.Max(1, frequency / limit.PerSecond);
        return new TokenBucket(perPermit, perPermit * limit.Burst);
    }

    /// <summary>Permits in the bucket; below 0 when some are borrowed.</summary>
    public double Level(long fullAt, long now) => (Capacity - Math.Max(0, fullAt - now)) / (double)PerPermit;

    /// <summary>More than half of the permits are gone.</summary>
    public bool IsHalfEmpty(long fullAt, long now) => fullAt - now > Capacity / 2;

    /// <summary>Takes all of the permits, or none.</summary>
    /// <param name="fullAt">The bucket; 0 when it was never used.</param>
    /// <param name="now">A moment of a clock that does not go back.</param>
    /// <param name="permits">1 to the burst; more can never be had.</param>
    /// <returns>0 when they were taken, else the ticks until they would be there.</returns>
    public long Take(ref long fullAt, long now, int permits)
    {
        var next = Math.Max(fullAt, now) + permits * PerPermit;
        var wait = next - now - Capacity;
        if (wait > 0)
        {
            return wait;
        }

        fullAt = next;
        return 0;
    }

    /// <summary>
    /// Takes the permits at the first moment at which nothing is owed, however many they are: those who come later wait for what is borrowed (seed row 11,
    /// <c>RateLimiter.create(20)</c> and <c>acquire(5)</c>). A heavy request gets through beside many light ones, which would take every single permit before it.
    /// </summary>
    /// <param name="fullAt">The bucket; 0 when it was never used.</param>
    /// <param name="now">A moment of a clock that does not go back.</param>
    /// <param name="permits">1 or more.</param>
    /// <param name="patience">The longest wait, in ticks; with a longer one nothing is taken.</param>
    /// <returns>The ticks until the permits may be used: 0 is now. More than <paramref name="patience"/> when none were taken.</returns>
    public long Borrow(ref long fullAt, long now, int permits, long patience)
    {
        var from = Math.Max(fullAt, now);
        // One permit must be back, or else an empty bucket would give without end.
        var wait = Math.Max(0, from + PerPermit - now - Capacity);
        if (wait <= patience)
        {
            fullAt = from + permits * PerPermit;
        }

        return wait;
    }
}
