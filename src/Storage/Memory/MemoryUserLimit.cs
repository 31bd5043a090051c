using FlashSale.Core;
using FlashSale.Core.RateLimits;

namespace FlashSale.Storage.Memory;

/// <summary>The limit of one instance.</summary>
public sealed class MemoryUserLimit(TimeProvider time) : IUserLimit
{
    private readonly KeyedBuckets buckets = new(Limits.UsersTracked);

    public IReadOnlyList<Breaker> Breakers => [];

    public ValueTask<TimeSpan> TryTakeAsync(UserId user, int permits, RateLimit limit, CancellationToken cancellation)
    {
        var bucket = TokenBucket.Of(limit, time.TimestampFrequency);
        var wait = buckets.Take(KeyOf(user), time.GetTimestamp(), permits, bucket).Wait;
        return new(wait == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(wait / (double)time.TimestampFrequency));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>64 bits of a hash with the secret of this process: nobody finds a name that shares another one's bucket.</summary>
    private static ulong KeyOf(UserId user)
    {
        var name = user.Value.AsSpan();
        return unchecked(((ulong)(uint)string.GetHashCode(name, StringComparison.Ordinal) << 32) | (uint)string.GetHashCode(name[1..], StringComparison.Ordinal));
    }
}
