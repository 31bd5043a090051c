namespace FlashSale.Core.RateLimits;

/// <summary>A rate and what may come at once.</summary>
/// <param name="PerSecond">Permits a second in the long run, 1 to <see cref="Limits.RateMax"/>.</param>
/// <param name="Burst">Permits that a bucket holds when it was left alone for long, 1 to <see cref="Limits.RateMax"/>.</param>
public readonly record struct RateLimit(int PerSecond, int Burst)
{
    /// <summary>In whole seconds, at least one: how long it takes to fill the bucket, the window of the RateLimit header fields.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public int WindowSeconds => Math.Max(1, (Burst + PerSecond - 1) / PerSecond);
}
