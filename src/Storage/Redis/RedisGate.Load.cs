using System.Globalization;

using FlashSale.Core;

using StackExchange.Redis;

namespace FlashSale.Storage.Redis;

public sealed partial class RedisGate
{
    private const int LoadAttempts = 3;

    public async ValueTask WarmUpAsync(GateLoad load, bool anew, CancellationToken cancellation)
    {
        await RedisStart.CheckShardsAsync(redis, options, cancellation);
        var sale = Register(load.Sale);
        for (var attempt = 0; attempt < LoadAttempts; attempt++)
        {
            var epoch = await ChooseEpochAsync(sale, anew && attempt == 0, cancellation);
            if (await LoadAsync(sale, load, epoch, cancellation))
            {
                return;
            }
        }

        throw new GateUnavailableException($"Sale {sale.Id} cannot be loaded: other instances load it anew at the same time.");
    }

    /// <summary>The epoch that is there is continued, unless something of it was lost.</summary>
    private async Task<long> ChooseEpochAsync(RedisSale sale, bool anew, CancellationToken cancellation)
    {
        var newest = 0L;
        var (missing, warm) = (false, false);
        foreach (var found in await ForAllShardsAsync(shard => EvaluateAsync(shard, RedisScript.Look, sale.SaleOnly[shard], [], cancellation)))
        {
            // Epoch, warm, lost.
            var row = (RedisResult[])found!;
            missing |= (string?)row[0] is "";
            warm |= (int)row[1] == 1;
            anew |= (int)row[2] == 1;
            newest = long.TryParse((string?)row[0], CultureInfo.InvariantCulture, out var epoch) ? Math.Max(newest, epoch) : newest;
        }

        // One node of a cluster that was flushed: its shards are missing beside others that were complete.
        if (!anew && newest > 0 && !(missing && warm))
        {
            return newest;
        }

        // By the clock, so that it is newer than epochs of which nothing is left; and newer than those that are known, whatever the clock says.
        var known = sale.Definition!.Offers.SelectMany(offer => Enumerable.Range(0, sale.Shards).Select(shard => offers[offer.Id].Known(shard).Epoch)).Append(newest).Max();
        return Math.Max(known + 1, time.GetUtcNow().ToUnixTimeMilliseconds());
    }

    /// <returns>False when another load in a newer epoch has begun.</returns>
    private async Task<bool> LoadAsync(RedisSale sale, GateLoad load, long epoch, CancellationToken cancellation)
    {
        var definition = load.Sale;
        var ids = definition.Offers.Select(offer => offer.Id).ToArray();
        var keys = Enumerable.Range(0, sale.Shards).Select(shard => sale.AllKeys(shard, ids)).ToArray();
        var parts = DivideLoad(sale, load);
        var loaded = await ForAllShardsAsync(async shard =>
        {
            var begun = (RedisResult[])(await EvaluateAsync(
                shard, RedisScript.Begin, keys[shard], [epoch, string.Join(',', ids.Select(id => id.Value)), TimeToLive(definition)], cancellation))!;
            return (int)begun[0] == 1 && await LoadShardAsync(shard, parts[shard], epoch, (string?)begun[1], cancellation);
        });
        if (!loaded.All(ok => ok))
        {
            return false;
        }

        await CopyBlacklistAsync(sale, cancellation);
        var warm = await ForAllShardsAsync(async shard => (int)await EvaluateAsync(
            shard, RedisScript.Warm, WarmKeys(sale, load, shard), WarmValues(load, epoch, shard), cancellation) == 1);
        if (!warm.All(ok => ok))
        {
            return false;
        }

        foreach (var id in ids)
        {
            for (var shard = 0; shard < sale.Shards; shard++)
            {
                offers[id].Remember(shard, epoch, 0);
            }

            offers[id].ForgetNoneElsewhere();
        }

        return true;
    }

    /// <summary>From where an earlier load stopped, when what it had loaded is the beginning of this one.</summary>
    private async Task<bool> LoadShardAsync(int shard, ShardLoad part, long epoch, string? progress, CancellationToken cancellation)
    {
        part.Continue(progress);
        while (part.Next() is { } piece)
        {
            if ((int)await EvaluateAsync(shard, piece.Script, piece.Keys, [epoch, part.Progress, .. piece.Values], cancellation) != 1)
            {
                return false;
            }
        }

        return true;
    }

    private ShardLoad[] DivideLoad(RedisSale sale, GateLoad load)
    {
        ShardLoad[] parts = [.. Enumerable.Range(0, sale.Shards).Select(shard => new ShardLoad(sale.Reservations[shard]))];
        foreach (var user in load.Reserved)
        {
            parts[sale.HomeOf(user)].Reserved.Add(user);
        }

        foreach (var user in load.Rejected)
        {
            parts[sale.HomeOf(user)].Rejected.Add(user);
        }

        var seqs = load.Stocks.ToDictionary(stock => stock.OfferId, stock => stock.Row.Seq);
        foreach (var order in load.Orders.Where(order => seqs.ContainsKey(order.OfferId)).OrderBy(order => order.OfferId.Value))
        {
            var home = sale.HomeOf(order.UserId);
            parts[home].Orders.Add((offers[order.OfferId].Orders[home], seqs[order.OfferId], order));
        }

        return parts;
    }

    private static RedisKey[] WarmKeys(RedisSale sale, GateLoad load, int shard) => sale.AllKeys(shard, load.Stocks.Select(stock => stock.OfferId));

    private RedisValue[] WarmValues(GateLoad load, long epoch, int shard) =>
    [
        epoch,
        load.Sale.Rev,
        load.Sale.OpensAt.ToUnixTimeMilliseconds(),
        load.Sale.ClosesAt.ToUnixTimeMilliseconds(),
        (int)load.Sale.Status,
        load.Sale.RequiresReservation ? Yes : No,
        TimeToLive(load.Sale),
        .. load.Stocks.SelectMany(stock => new RedisValue[]
        {
            load.Sale.Offers.First(offer => offer.Id == stock.OfferId).PerUserLimit,
            ShareOf(stock.Row.Available, shard),
            stock.Row.Available,
            stock.Row.Seq,
        }),
    ];

    /// <summary>
    /// What a load brings to one shard, piece by piece. The progress that stands in the shard is the number of entries before it and a hash of them: it holds
    /// for every load that begins with the same entries, also when more have come behind.
    /// </summary>
    private sealed class ShardLoad(RedisKey[] userKeys)
    {
        private int position;
        private ulong hash;

        public List<UserId> Reserved { get; } = [];
        public List<UserId> Rejected { get; } = [];

        /// <summary>Orders of one offer stand together.</summary>
        public List<(RedisKey[] Keys, long Seq, GateLoadOrder Order)> Orders { get; } = [];

        public string Progress => string.Create(CultureInfo.InvariantCulture, $"{position}:{hash:x}");

        public void Continue(string? progress)
        {
            var count = Reserved.Count + Rejected.Count + Orders.Count;
            if (progress is null || !int.TryParse(progress.Split(':')[0], CultureInfo.InvariantCulture, out var done) || done > count)
            {
                return;
            }

            Move(done);
            if (Progress != progress)
            {
                (position, hash) = (0, 0);
            }
        }

        public (RedisScript Script, RedisKey[] Keys, IEnumerable<RedisValue> Values)? Next()
        {
            var at = position;
            if (at < Reserved.Count)
            {
                return UserPiece(Reserved, at, Yes);
            }

            at -= Reserved.Count;
            if (at < Rejected.Count)
            {
                return UserPiece(Rejected, at, No);
            }

            at -= Rejected.Count;
            return at < Orders.Count ? OrderPiece(at) : null;
        }

        private (RedisScript Script, RedisKey[] Keys, IEnumerable<RedisValue> Values) UserPiece(List<UserId> users, int at, RedisValue approved)
        {
            var piece = users.GetRange(at, Math.Min(Limits.GatePiece, users.Count - at));
            Move(piece.Count);
            return (RedisScript.LoadUsers, userKeys, piece.Select(user => (RedisValue)user.Value).Prepend(approved));
        }

        private (RedisScript Script, RedisKey[] Keys, IEnumerable<RedisValue> Values) OrderPiece(int at)
        {
            var (keys, seq, _) = Orders[at];
            var piece = Orders.Skip(at).Take(Limits.GatePiece).TakeWhile(order => ReferenceEquals(order.Keys, keys)).Select(order => order.Order).ToArray();
            Move(piece.Length);
            return (RedisScript.LoadOrders, keys, piece.SelectMany(order => new RedisValue[] { BytesOf(order.OrderId), order.UserId.Value, order.Live ? Yes : No }).Prepend(seq));
        }

        private void Move(int by)
        {
            for (var end = position + by; position < end; position++)
            {
                var at = position;
                hash = at < Reserved.Count ? RedisSale.Hash(Reserved[at], hash + 1)
                    : (at -= Reserved.Count) < Rejected.Count ? RedisSale.Hash(Rejected[at], hash + 2)
                    : HashOf(Orders[at - Rejected.Count].Order);
            }
        }

        private ulong HashOf(in GateLoadOrder order)
        {
            var id = order.OrderId.Value.ToByteArray();
            return RedisSale.Hash(order.UserId, unchecked(hash + BitConverter.ToUInt64(id, 0) * 3 + BitConverter.ToUInt64(id, 8) + (order.Live ? 3UL : 4UL)));
        }
    }
}
