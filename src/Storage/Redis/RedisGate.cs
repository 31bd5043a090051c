using System.Collections.Concurrent;
using System.Globalization;

using FlashSale.Core;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;

using Polly;
using Polly.CircuitBreaker;

using StackExchange.Redis;

namespace FlashSale.Storage.Redis;

/// <summary>
/// The gate that many instances share, on one Redis server, behind Sentinel or in a cluster. What is in Redis may be lost or changed by hand at any time:
/// settlements set it right, or find that they cannot (docs/decisions/0009).
/// </summary>
public sealed partial class RedisGate : IGate
{
    private static readonly RedisValue Yes = "1";
    private static readonly RedisValue No = "0";
    private readonly RedisConnection redis;
    private readonly RedisGateOptions options;
    private readonly TimeProvider time;
    private readonly Breaker[] breakers;
    private readonly ConcurrentDictionary<SaleId, RedisSale> sales = new();
    private readonly ConcurrentDictionary<OfferId, RedisOffer> offers = new();
    private readonly ConcurrentDictionary<OrderId, int> borrowed = new();

    private RedisGate(RedisConnection redis, RedisGateOptions options, TimeProvider time)
    {
        this.redis = redis;
        this.options = options;
        this.time = time;
        breakers = [.. Enumerable.Range(0, options.Shards).Select(shard => Breaker.ForMany(options.Shards == 1 ? "gate" : $"gate.{shard}", time))];
    }

    public bool IsShared => true;

    /// <summary>One for each shard: in a cluster their masters fail one by one.</summary>
    public IReadOnlyList<Breaker> Breakers => breakers;

    public IReadOnlyList<ConnectionPool> Pools => [new("redis", Limits.GateCallsInFlight, redis.CallsInFlight, Waiting: 0, Room: 0)];

    /// <summary>Connects, and refuses a server that would break promises or lose keys.</summary>
    /// <param name="options">Where, and how.</param>
    /// <param name="time">For timeouts only: the time of an admission or settlement comes with it.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="GateUnavailableException">With all that is wrong and what to change.</exception>
    public static async Task<RedisGate> OpenAsync(RedisGateOptions options, TimeProvider time, CancellationToken cancellation)
    {
        var faults = options.Validate().ToArray();
        if (faults.Length > 0)
        {
            throw new GateUnavailableException(string.Join(' ', faults));
        }

        var connection = await RedisConnection.OpenAsync(options, time, cancellation);
        try
        {
            await connection.RequireAnswerAsync(cancellation);
            options = options with { Shards = connection.ShardsFor(options) };
            await RedisStart.CheckAsync(connection, options, cancellation);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }

        return new RedisGate(connection, options, time);
    }

    public async ValueTask UpdateSaleAsync(Sale sale, CancellationToken cancellation)
    {
        var known = Register(sale);
        await ForAllShardsAsync(shard => EvaluateAsync(
            shard,
            RedisScript.Update,
            known.AllKeys(shard, sale.Offers.Select(offer => offer.Id)),
            [
                sale.Rev, sale.OpensAt.ToUnixTimeMilliseconds(), sale.ClosesAt.ToUnixTimeMilliseconds(), (int)sale.Status,
                sale.RequiresReservation ? Yes : No, TimeToLive(sale),
            ],
            cancellation));
    }

    public async ValueTask RemoveSaleAsync(SaleId sale, CancellationToken cancellation)
    {
        var known = sales.GetValueOrDefault(sale) ?? new RedisSale(sale, options);
        var ids = await OffersOfAsync(known, cancellation);
        await ForAllShardsAsync(shard => EvaluateAsync(shard, RedisScript.Remove, known.AllKeys(shard, ids), [], cancellation));
        sales.TryRemove(sale, out _);
        foreach (var id in ids)
        {
            offers.TryRemove(id, out _);
        }
    }

    public async ValueTask ReserveAsync(SaleId sale, UserId user, bool approved, CancellationToken cancellation)
    {
        var known = SaleOf(sale);
        var home = known.HomeOf(user);
        await EvaluateAsync(home, RedisScript.Reserve, known.Reservations[home], [user.Value, approved ? Yes : No], cancellation);
    }

    public async ValueTask<Eligibility> CheckAsync(SaleId sale, UserId user, DateTimeOffset now, CancellationToken cancellation)
    {
        var known = SaleOf(sale);
        var home = known.HomeOf(user);
        var outcome = await TryEvaluateAsync(home, RedisScript.Check, known.Users[home], [user.Value, now.ToUnixTimeMilliseconds()], cancellation);
        if (outcome.Exception is BrokenCircuitException)
        {
            return Eligibility.Unknown;
        }

        outcome.ThrowIfException();
        return (Eligibility)(int)outcome.Result!;
    }

    public async ValueTask<GateStock?> ReadAsync(OfferId offer, CancellationToken cancellation)
    {
        if (!offers.TryGetValue(offer, out var known))
        {
            return null;
        }

        var before = known.Admissions;
        var (stock, pending, all) = (0L, 0L, 0L);
        (long Seq, long Available) last = (long.MaxValue, 0);
        var replies = await ForAllShardsAsync(shard => EvaluateAsync(shard, RedisScript.Read, known.Orders[shard][..4], [], cancellation));
        for (var shard = 0; shard < replies.Length; shard++)
        {
            // Warm, epoch, share, ledger available, seq, pending here, pending that took its unit elsewhere.
            var row = (long[])replies[shard]!;
            if (row[0] == 0)
            {
                return null;
            }

            known.Remember(shard, row[1], row[4]);
            stock += Math.Max(0, row[2] - row[5]);
            pending += row[5];
            all += row[5] + row[6];
            last = row[4] < last.Seq ? (row[4], row[3]) : last;
        }

        if (all > 0 && before == known.Admissions)
        {
            known.NoteAdmission();
        }

        return new GateStock(stock, checked((int)pending), last.Available, last.Seq);
    }

    public async ValueTask<GateCounts?> CountAsync(SaleId sale, CancellationToken cancellation)
    {
        var known = SaleOf(sale);
        var ids = await OffersOfAsync(known, cancellation);
        var counts = new GateCounts(true, 0, 0, 0);
        var there = false;
        foreach (var found in await ForAllShardsAsync(shard => EvaluateAsync(
            shard, RedisScript.Count, [.. known.Reservations[shard], .. ids.Select(id => known.OfferKeys(shard, id)[0])], [], cancellation)))
        {
            // There, warm, reserved, rejected, orders.
            var row = (long[])found!;
            there |= row[0] == 1;
            counts = new GateCounts(counts.Warm && row[1] == 1, counts.Reserved + row[2], counts.Rejected + row[3], counts.Orders + row[4]);
        }

        return there ? counts : null;
    }

    public ValueTask<IReadOnlyList<OfferId>> ListPendingAsync(CancellationToken cancellation) =>
        new([.. offers.Where(offer => offer.Value.MayBePending).Select(offer => offer.Key)]);

    public ValueTask DisposeAsync() => redis.DisposeAsync();

    private static RedisValue BytesOf(OrderId order) => order.Value.ToByteArray(bigEndian: true);

    /// <summary>Milliseconds that keys live from now on. By the clock of Redis only the difference counts.</summary>
    private long TimeToLive(Sale sale)
    {
        var now = time.GetUtcNow();
        var rest = sale.ClosesAt > now ? sale.ClosesAt - now : TimeSpan.Zero;
        return (long)(rest + Limits.GateKeepsEnded + Limits.GateKeysOutlive).TotalMilliseconds;
    }

    private RedisSale Register(Sale sale)
    {
        var known = SaleOf(sale.Id);
        known.Define(sale);
        foreach (var offer in sale.Offers)
        {
            offers.GetOrAdd(offer.Id, id => CreateOffer(id, known));
        }

        return sales.GetOrAdd(sale.Id, known);
    }

    /// <summary>Not remembered: only a sale that the catalogue tells of is.</summary>
    private RedisSale SaleOf(SaleId sale) => sales.TryGetValue(sale, out var known) ? known : new RedisSale(sale, options);

    /// <summary>A sale that this instance was not told of names its offers itself.</summary>
    private async Task<IReadOnlyList<OfferId>> OffersOfAsync(RedisSale sale, CancellationToken cancellation)
    {
        if (sale.Definition is { } definition)
        {
            return [.. definition.Offers.Select(offer => offer.Id)];
        }

        string? listed = await redis.RunAsync(database => database.HashGetAsync(sale.SaleOnly[0][0], "f", CommandFlags.DemandMaster), cancellation);
        return listed is null ? [] : [.. listed.Split(',').Select(id => new OfferId(long.Parse(id, CultureInfo.InvariantCulture)))];
    }

    /// <exception cref="GateUnavailableException">It failed, or its breaker is open.</exception>
    private async Task<RedisResult> EvaluateAsync(int shard, RedisScript script, RedisKey[] keys, RedisValue[] values, CancellationToken cancellation)
    {
        var outcome = await TryEvaluateAsync(shard, script, keys, values, cancellation);
        if (outcome.Exception is BrokenCircuitException exception)
        {
            throw new GateUnavailableException($"The breaker \"{breakers[shard].Name}\" is open: Redis has not answered there.", exception);
        }

        outcome.ThrowIfException();
        return outcome.Result!;
    }

    private ValueTask<Outcome<RedisResult>> TryEvaluateAsync(int shard, RedisScript script, RedisKey[] keys, RedisValue[] values, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return breakers[shard].TryAsync(
            static all => new ValueTask<RedisResult>(all.redis.EvaluateAsync(all.script, all.keys, all.values, CancellationToken.None)), (redis, script, keys, values));
    }

    /// <summary>Calls on their way side by side, not one after the other.</summary>
    private Task<T[]> ForAllShardsAsync<T>(Func<int, Task<T>> call) => Task.WhenAll(Enumerable.Range(0, options.Shards).Select(call));
}
