using System.Collections.Concurrent;

using FlashSale.Core;

using StackExchange.Redis;

namespace FlashSale.Storage.Redis;

public sealed partial class RedisGate
{
    // Of the whole shop, while Redis has it with each sale: so this is what a sale that is loaded later gets.
    private readonly Lock blacklisting = new();
    private volatile ConcurrentDictionary<UserId, DateTimeOffset> barred = new();
    private long? blacklistRev;

    public async ValueTask BarAsync(UserId user, DateTimeOffset? until, CancellationToken cancellation)
    {
        if (until is { } end)
        {
            barred[user] = end;
        }
        else
        {
            barred.TryRemove(user, out _);
        }

        RedisValue value = until is { } time ? time.ToUnixTimeMilliseconds() : RedisValue.EmptyString;
        await Task.WhenAll(sales.Values.Select(sale => EvaluateAsync(sale.HomeOf(user), RedisScript.Bar, sale.Barred[sale.HomeOf(user)], [user.Value, value], cancellation)));
    }

    public async ValueTask LoadBlacklistAsync(long rev, IReadOnlyList<(UserId User, DateTimeOffset Until)> entries, CancellationToken cancellation)
    {
        lock (blacklisting)
        {
            if (rev < blacklistRev)
            {
                return;
            }

            barred = new ConcurrentDictionary<UserId, DateTimeOffset>(entries.Select(entry => KeyValuePair.Create(entry.User, entry.Until)));
            blacklistRev = rev;
        }

        foreach (var sale in sales.Values)
        {
            await CopyBlacklistAsync(sale, cancellation);
        }
    }

    /// <summary>Shard by shard, each replaced in one step. A sale that is not loaded has no place for it, and gets it when it is loaded.</summary>
    private async Task CopyBlacklistAsync(RedisSale sale, CancellationToken cancellation)
    {
        long rev;
        ILookup<int, KeyValuePair<UserId, DateTimeOffset>> parts;
        lock (blacklisting)
        {
            // Before the first list there is nothing that could replace what another instance has brought.
            if (blacklistRev is not { } known)
            {
                return;
            }

            rev = known;
            parts = barred.ToLookup(entry => sale.HomeOf(entry.Key));
        }

        await ForAllShardsAsync(shard => CopyBlacklistAsync(sale, shard, rev, [.. parts[shard]], cancellation));
    }

    private async Task<bool> CopyBlacklistAsync(
        RedisSale sale, int shard, long rev, IReadOnlyList<KeyValuePair<UserId, DateTimeOffset>> entries, CancellationToken cancellation)
    {
        // Instances that bring the same list at the same time must not mix their pieces.
        var part = sale.Key(shard, $"barred:{Guid.NewGuid():N}");
        foreach (var piece in entries.Chunk(Limits.GatePiece))
        {
            RedisValue[] values = [.. piece.SelectMany(entry => new RedisValue[] { entry.Key.Value, entry.Value.ToUnixTimeMilliseconds() })];
            await EvaluateAsync(shard, RedisScript.BlacklistPart, [part], values, cancellation);
        }

        var copied = (int)await EvaluateAsync(shard, RedisScript.Blacklist, [.. sale.Barred[shard], part], [rev, entries.Count], cancellation);
        return copied >= 0 ? copied == 1 : throw new GateUnavailableException("A piece of the blacklist was lost on its way to Redis.");
    }
}
