using FlashSale.Core;
using FlashSale.Core.RateLimits;
using FlashSale.Storage.Memory;

using StackExchange.Redis;

using PermitLane = FlashSale.Storage.Redis.RedisLane<FlashSale.Storage.Redis.RedisUserLimit.Permits, System.TimeSpan>;

namespace FlashSale.Storage.Redis;

/// <summary>
/// The limit that instances share, by the clock of Redis. Users are spread over shards, and requests that come while a call of their shard is under way share the
/// next one. While a shard does not answer, each instance counts its users by itself. It has a connection of its own, so that a crowd that is refused does not
/// stand in the way of admissions.
/// </summary>
public sealed class RedisUserLimit : IUserLimit
{
    private const long MicrosecondsPerSecond = 1_000_000;
    private readonly RedisConnection redis;
    private readonly string prefix;
    private readonly MemoryUserLimit local;
    private readonly Breaker[] breakers;
    private readonly PermitLane[] lanes;

    private RedisUserLimit(RedisConnection redis, RedisGateOptions options, TimeProvider time)
    {
        this.redis = redis;
        prefix = options.KeyPrefix;
        local = new MemoryUserLimit(time);
        var shards = redis.ShardsFor(options);
        breakers = [.. Enumerable.Range(0, shards).Select(shard => Breaker.ForMany(shards == 1 ? "limit" : $"limit.{shard}", time))];
        lanes = [.. Enumerable.Range(0, shards).Select(shard => new PermitLane(batch => TakeAsync(shard, batch), options.Timeout, time))];
    }

    public IReadOnlyList<Breaker> Breakers => breakers;

    /// <exception cref="GateUnavailableException">It cannot be reached; the message says what to change.</exception>
    public static async Task<RedisUserLimit> OpenAsync(RedisGateOptions options, TimeProvider time, CancellationToken cancellation) =>
        new(await RedisConnection.OpenAsync(options, time, cancellation), options, time);

    public async ValueTask<TimeSpan> TryTakeAsync(UserId user, int permits, RateLimit limit, CancellationToken cancellation)
    {
        var shard = RedisSale.ShardOf(user, lanes.Length);
        var outcome = await breakers[shard].TryAsync(
            static all => all.lane.AskAsync(all.permits, CancellationToken.None), (lane: lanes[shard], permits: new Permits(user, permits, limit)));
        return outcome.Exception is null ? outcome.Result : await local.TryTakeAsync(user, permits, limit, cancellation);
    }

    public ValueTask DisposeAsync() => redis.DisposeAsync();

    private async Task TakeAsync(int shard, RedisAsk<Permits, TimeSpan>[] batch)
    {
        var keys = new RedisKey[batch.Length];
        var values = new RedisValue[3 * batch.Length];
        for (var i = 0; i < batch.Length; i++)
        {
            var (user, permits, limit) = batch[i].Request;
            var bucket = TokenBucket.Of(limit, MicrosecondsPerSecond);
            keys[i] = $"{prefix}:{{limit:{shard}}}:{user.Value}";
            (values[3 * i], values[3 * i + 1], values[3 * i + 2]) = (permits, bucket.PerPermit, bucket.Capacity);
        }

        var waits = (long[])(await redis.EvaluateAsync(RedisScript.TakePermits, keys, values, CancellationToken.None))!;
        for (var i = 0; i < batch.Length; i++)
        {
            batch[i].SetResult(TimeSpan.FromMicroseconds(waits[i]));
        }
    }

    internal readonly record struct Permits(UserId User, int Count, RateLimit Limit);
}
