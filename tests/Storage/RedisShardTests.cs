using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Risk;
using FlashSale.Core.Stock;
using FlashSale.Storage;
using FlashSale.Storage.Redis;
using FlashSale.Tests.Server;
using FlashSale.Tests.Server.Orders;
using FlashSale.Tests.Servers;

using Xunit;

using static FlashSale.Tests.Storage.GateContract;

namespace FlashSale.Tests.Storage;

/// <summary>One master of a cluster hangs with its replica: its shards are left alone, and nobody else feels it.</summary>
public sealed class RedisShardTests : IAsyncLifetime
{
    private const int Crowd = 32;
    private static readonly SaleId SaleId = GateContract.SaleId;
    private static readonly OfferId OfferId = GateContract.OfferId;

    // It stands, and so does every break.
    private readonly SteppedTime time = new();
    private RedisCluster cluster = null!;
    private RedisGate plenty = null!;
    private RedisGate few = null!;
    private List<int> hanging = null!;
    private int users;

    public async ValueTask InitializeAsync()
    {
        cluster = await RedisCluster.StartAsync();
        foreach (var node in cluster.Nodes)
        {
            await node.CommandAsync("CONFIG", "SET", "cluster-require-full-coverage", "no");
        }

        plenty = await RedisGate.OpenAsync(new RedisGateOptions(cluster.ConnectionString) { Timeout = Limits.GateTimeoutMax }, time, default);
        await plenty.WarmUpAsync(Load(Sale(1), 50_000), anew: false, default);
        few = await RedisGate.OpenAsync(new RedisGateOptions(cluster.ConnectionString) { KeyPrefix = "few", Timeout = Limits.GateTimeoutMax }, time, default);
        await few.WarmUpAsync(Load(Sale(1), Limits.GateShards), anew: false, default);
    }

    public async ValueTask DisposeAsync()
    {
        await plenty.DisposeAsync();
        await few.DisposeAsync();
        await cluster.DisposeAsync();
    }

    [Fact]
    public async Task AdmitAsync_WhenOneMasterHangs_ItsUsersAreToldAtOnceAndTheOthersAreAdmitted()
    {
        var nodes = await HangAsync();
        foreach (var shard in hanging)
        {
            // The first ones wait in vain, and open the breaker.
            await Task.WhenAll(Enumerable.Range(0, Crowd).Select(_ => Assert.ThrowsAsync<GateUnavailableException>(() => AdmitAsync(plenty, shard).AsTask())));
        }

        for (var shard = 0; shard < Limits.GateShards; shard++)
        {
            var outcomes = await Task.WhenAll(Enumerable.Range(0, Crowd).Select(async _ => await AdmitAsync(plenty, shard)));
            Assert.All(outcomes, outcome => Assert.Equal(hanging.Contains(shard) ? AdmissionOutcome.Unavailable : AdmissionOutcome.Admitted, outcome));
        }

        Assert.Equal(Eligibility.Unknown, await plenty.CheckAsync(SaleId, UserOf(hanging[0]), Opening.AddSeconds(1), default));
        foreach (var (shard, breaker) in plenty.Breakers.Index())
        {
            Assert.Equal(($"gate.{shard}", hanging.Contains(shard)), (breaker.Name, breaker.State == BreakerState.Open));
        }

        var read = new Breakers(plenty, time).Read().ToDictionary(breaker => breaker.Name);
        Assert.Equal((BreakerState.Open, true), (read["gate"].State, read["gate"].Rejects));
        Assert.Equal(plenty.Breakers.Sum(breaker => breaker.Rejections), read["gate"].Rejections);

        // The others hear what the ledger says all the same.
        await Assert.ThrowsAsync<GateUnavailableException>(() => SettleAsync(plenty, available: 0, seq: 2).AsTask());
        Assert.Equal(AdmissionOutcome.SoldOut, await AdmitAsync(plenty, Healthy()));

        nodes.ForEach(node => node.Process.Thaw());
        await Eventually.HoldsAsync(
            async () =>
            {
                time.Advance(Limits.BreakerBreak);
                return await SettlesAsync(plenty, seq: 3) && plenty.Breakers.All(breaker => breaker.State == BreakerState.Closed);
            },
            "every shard hears again");
        Assert.Equal(AdmissionOutcome.Admitted, await AdmitAsync(plenty, hanging[0]));
    }

    [Fact]
    public async Task AdmitAsync_WhenTheHomeShardIsEmptyAndAnotherHangs_TakesUnitsOfTheRest()
    {
        await HangAsync();
        var outcomes = new List<AdmissionOutcome>();
        for (var i = 0; i < 2 * Limits.GateShards; i++)
        {
            outcomes.Add(await AdmitAsync(few, Healthy()));
        }

        // One unit in each shard: those of the hanging ones cannot be had now, which is not "sold out", and no failure of this shard.
        Assert.Equal(Limits.GateShards - hanging.Count, outcomes.Count(outcome => outcome == AdmissionOutcome.Admitted));
        Assert.All(outcomes.Skip(Limits.GateShards - hanging.Count), outcome => Assert.Equal(AdmissionOutcome.Standby, outcome));
        Assert.Equal(BreakerState.Closed, few.Breakers[Healthy()].State);
    }

    /// <summary>The master of the first shard, and its replica, so that nobody takes over.</summary>
    private async Task<List<RedisServer>> HangAsync()
    {
        var masters = await Task.WhenAll(Enumerable.Range(0, Limits.GateShards).Select(shard => cluster.MasterOfAsync($"fs:{{{SaleId}:{shard}}}:sale")));
        hanging = [.. Enumerable.Range(0, Limits.GateShards).Where(shard => masters[shard] == masters[0])];
        Assert.InRange(hanging.Count, 1, Limits.GateShards - 1);
        var at = cluster.Nodes.Index().Single(node => node.Item == masters[0]).Index;
        List<RedisServer> nodes = [cluster.Nodes[(at + cluster.Nodes.Count / 2) % cluster.Nodes.Count], masters[0]];
        nodes.ForEach(node => node.Process.Freeze());
        return nodes;
    }

    private int Healthy() => Enumerable.Range(0, Limits.GateShards).First(shard => !hanging.Contains(shard));

    private UserId UserOf(int shard)
    {
        var sale = new RedisSale(SaleId, new RedisGateOptions(cluster.ConnectionString));
        while (true)
        {
            var user = UserId.Parse($"user-{Interlocked.Increment(ref users)}");
            if (sale.HomeOf(user) == shard)
            {
                return user;
            }
        }
    }

    private ValueTask<AdmissionOutcome> AdmitAsync(RedisGate gate, int shard) =>
        gate.AdmitAsync(new AdmissionRequest(SaleId, OfferId, Id(), UserOf(shard), Opening.AddSeconds(1)), default);

    private static ValueTask<bool> SettleAsync(RedisGate gate, long available, long seq) =>
        gate.SettleAsync(new Settlement(OfferId, new OfferStock(OfferId, 0, StockRow.Restore(available, 0, available, 0, 0, seq)), [], [], [], null), default);

    private static async Task<bool> SettlesAsync(RedisGate gate, long seq)
    {
        try
        {
            return await SettleAsync(gate, available: 50_000, seq);
        }
        catch (GateUnavailableException)
        {
            return false;
        }
    }
}
