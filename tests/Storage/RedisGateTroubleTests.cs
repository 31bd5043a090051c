using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Stock;
using FlashSale.Storage;
using FlashSale.Storage.Redis;
using FlashSale.Tests.Server;

using Xunit;

using static FlashSale.Tests.Storage.GateContract;

namespace FlashSale.Tests.Storage;

/// <summary>What only a gate in Redis can meet: shards, other instances, lost and edited data.</summary>
public sealed class RedisGateTroubleTests(OneRedisServer redis) : IClassFixture<OneRedisServer>, IAsyncDisposable
{
    private static readonly SaleId SaleId = GateContract.SaleId;
    private static readonly OfferId OfferId = GateContract.OfferId;
    private readonly string prefix = $"t{Guid.NewGuid():N}"[..20];
    private readonly List<RedisGate> opened = [];
    private readonly DateTimeOffset now = Opening.AddSeconds(1);

    public async ValueTask DisposeAsync()
    {
        foreach (var gate in opened)
        {
            await gate.DisposeAsync();
        }
    }

    [Fact]
    public async Task AdmitAsync_WhenOnlyAnotherShardHasUnits_TakesThemThereAndGivesThemBack()
    {
        var gate = await OpenAsync();
        await gate.WarmUpAsync(Load(Sale(1), 1), anew: false, default);
        for (var i = 0; i < 40; i++)
        {
            var order = new SettledOrder(Id(), UserId.Parse($"user-{i}"));
            Assert.Equal(AdmissionOutcome.Admitted, await AdmitAsync(gate, $"user-{i}", order.OrderId));
            Assert.Equal(new GateStock(0, 1, 1, 1), await gate.ReadAsync(OfferId, default));
            Assert.Equal(AdmissionOutcome.Repeated, await AdmitAsync(gate, $"user-{i}", order.OrderId));
            Assert.True(await gate.SettleAsync(new Settlement(OfferId, null, [], [order], [], now), default));
            Assert.Equal(new GateStock(1, 0, 1, 1), await gate.ReadAsync(OfferId, default));
        }

        Assert.NotEmpty(await gate.ListPendingAsync(default));
        await SettleAsync(gate, 1, 1);
        Assert.Empty(await gate.ListPendingAsync(default));
    }

    [Fact]
    public async Task SettleAsync_WhenTheInstanceThatAdmittedIsGone_FreesWhatItTookEverywhere()
    {
        var (gone, left) = (await OpenAsync(), await OpenAsync());
        await gone.WarmUpAsync(Load(Sale(1), 5), anew: false, default);
        await left.UpdateSaleAsync(Sale(1), default);
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(AdmissionOutcome.Admitted, await AdmitAsync(gone, $"user-{i}"));
        }

        Assert.Equal(AdmissionOutcome.Standby, await AdmitAsync(left, "late"));
        Assert.Equal([OfferId], await left.ListPendingAsync(default));
        var later = now + Limits.GatePendingMax + TimeSpan.FromMilliseconds(1);
        Assert.True(await SettleAsync(left, 5, 1, at: later));
        Assert.Equal(new GateStock(5, 0, 5, 1), await left.ReadAsync(OfferId, default));
        Assert.Equal(AdmissionOutcome.Admitted, await AdmitAsync(left, "user-1"));
    }

    [Fact]
    public async Task SettleAsync_AfterAFlush_SaysSoUntilItIsLoadedAnew()
    {
        var gate = await OpenAsync();
        await gate.WarmUpAsync(Load(Sale(1), 8), anew: false, default);
        Assert.True(await SettleAsync(gate, 8, 7));
        await redis.Server.FlushAsync();

        Assert.Equal(AdmissionOutcome.NotWarm, await AdmitAsync(gate, "alice"));
        Assert.False(await SettleAsync(gate, 8, 8));
        Assert.Null(await gate.ReadAsync(OfferId, default));
        await gate.WarmUpAsync(Load(Sale(1), 8), anew: true, default);
        Assert.Equal(AdmissionOutcome.Admitted, await AdmitAsync(gate, "alice"));
        Assert.True(await SettleAsync(gate, 8, 8));
    }

    [Fact]
    public async Task SettleAsync_WhenOneShardWasLost_FindsItAndALoadMakesAllAnew()
    {
        var gate = await OpenAsync();
        await gate.WarmUpAsync(Load(Sale(1), 8), anew: false, default);
        await SettleAsync(gate, 8, 7);
        await redis.Server.CommandAsync("HSET", Key(3, "11:offer"), "n", "6");

        Assert.False(await SettleAsync(gate, 8, 7));
        Assert.Null(await gate.ReadAsync(OfferId, default));
        var outcomes = await AdmitAllAsync(gate, 100);
        Assert.Contains(AdmissionOutcome.NotWarm, outcomes);

        // A plain load, as a starting server makes it, must not leave half of it cold.
        await gate.WarmUpAsync(Load(Sale(1), 8), anew: false, default);
        Assert.Equal(new GateStock(8, 0, 8, 1), await gate.ReadAsync(OfferId, default));
        Assert.True(await SettleAsync(gate, 8, 7));
    }

    [Fact]
    public async Task SettleAsync_AfterAnOldSnapshotCameBack_FindsIt()
    {
        await using var server = await Servers.RedisServer.StartAsync();
        await using var gate = await RedisGate.OpenAsync(new RedisGateOptions(server.Address) { Timeout = Limits.GateTimeoutMax }, TimeProvider.System, default);
        await gate.WarmUpAsync(Load(Sale(1), 10), anew: false, default);
        await SettleAsync(gate, 10, 5);
        await server.CommandAsync("SAVE");
        await SettleAsync(gate, 0, 20);
        Assert.Equal(AdmissionOutcome.SoldOut, await AdmitAsync(gate, "alice"));

        await server.KillAsync();
        await Assert.ThrowsAsync<GateUnavailableException>(() => AdmitAsync(gate, "alice").AsTask());
        await server.StartAgainAsync();
        await Eventually.HoldsAsync(async () => await Recovery.AnswersAsync(gate), "connected again");
        Assert.False(await SettleAsync(gate, 0, 20));
        Assert.All(await AdmitAllAsync(gate, 50), outcome => Assert.Equal(AdmissionOutcome.NotWarm, outcome));
        await gate.WarmUpAsync(Load(Sale(1), 10), anew: true, default);
        Assert.True(await SettleAsync(gate, 0, 20));
        Assert.Equal(AdmissionOutcome.SoldOut, await AdmitAsync(gate, "alice"));
    }

    [Theory]
    [InlineData("s", "0")]
    [InlineData("s", "1000")]
    [InlineData("a", "0")]
    [InlineData("s", "rubbish")]
    public async Task SettleAsync_AfterAHandEdit_SetsTheStockAgain(string field, string value)
    {
        var gate = await OpenAsync();
        await gate.WarmUpAsync(Load(Sale(1), 80), anew: false, default);
        for (var shard = 0; shard < Limits.GateShards; shard++)
        {
            await redis.Server.CommandAsync("HSET", Key(shard, "11:offer"), field, value);
        }

        Assert.NotEqual(new GateStock(80, 0, 80, 1), await gate.ReadAsync(OfferId, default));
        Assert.True(await SettleAsync(gate, 80, 1));
        Assert.Equal(new GateStock(80, 0, 80, 1), await gate.ReadAsync(OfferId, default));
    }

    [Fact]
    public async Task WarmUpAsync_AnewAfterTheSeqWasRaisedByHand_LetsSettlementsInAgain()
    {
        var gate = await OpenAsync();
        await gate.WarmUpAsync(Load(Sale(1), 80), anew: false, default);
        await redis.Server.CommandAsync("HSET", Key(0, "11:offer"), "n", "999999");
        Assert.True(await SettleAsync(gate, 8, 2));
        Assert.Equal(10 + 7, (await gate.ReadAsync(OfferId, default))!.Value.Stock);

        await gate.WarmUpAsync(Load(Sale(1), 80), anew: true, default);
        Assert.True(await SettleAsync(gate, 8, 2));
        Assert.Equal(new GateStock(8, 0, 8, 2), await gate.ReadAsync(OfferId, default));
    }

    [Fact]
    public async Task SettleAsync_WhenItWasOvertaken_ChangesNoOrder()
    {
        var (first, second) = (await OpenAsync(), await OpenAsync());
        await first.WarmUpAsync(Load(Sale(1), 10), anew: false, default);
        await second.UpdateSaleAsync(Sale(1), default);
        var order = new SettledOrder(Id(), UserId.Parse("alice"));

        // Ended at 6; that it was committed at 5 is told afterwards.
        await SettleAsync(first, 10, 6, ended: [order]);
        await SettleAsync(second, 9, 5, committed: [order]);
        Assert.Equal(AdmissionOutcome.Repeated, await AdmitAsync(first, "alice", order.OrderId));
        var next = new SettledOrder(Id(), order.UserId);
        Assert.Equal(AdmissionOutcome.Admitted, await AdmitAsync(first, "alice", next.OrderId));

        // Expired at 8, paid late at 9: it keeps its unit, in whatever order that is told.
        await SettleAsync(first, 9, 7, committed: [next]);
        await SettleAsync(second, 9, 9, committed: [next]);
        await SettleAsync(first, 10, 8, ended: [next]);
        Assert.Equal(AdmissionOutcome.LimitReached, await AdmitAsync(first, "alice"));
        Assert.Equal(new GateStock(9, 0, 9, 9), await first.ReadAsync(OfferId, default));
    }

    [Fact]
    public async Task SettleAsync_OfAnOlderEpoch_ChangesNoStock()
    {
        var (old, other) = (await OpenAsync(), await OpenAsync());
        await old.WarmUpAsync(Load(Sale(1), 80), anew: false, default);
        await SettleAsync(old, 80, 5);
        await other.WarmUpAsync(Load(Sale(1), 40), anew: true, default);

        Assert.True(await SettleAsync(old, 0, 9));
        Assert.Equal(new GateStock(40, 0, 40, 1), await other.ReadAsync(OfferId, default));
        Assert.True(await SettleAsync(old, 39, 2));
        Assert.Equal(new GateStock(39, 0, 39, 2), await other.ReadAsync(OfferId, default));
    }

    [Fact]
    public async Task AdmitAsync_OverTwoInstances_HoldsLimitAndStock()
    {
        RedisGate[] gates = [await OpenAsync(), await OpenAsync()];
        await gates[0].WarmUpAsync(Load(Sale(1), 50), anew: false, default);
        var admitted = new System.Collections.Concurrent.ConcurrentBag<string>();
        await Parallel.ForAsync(0, 4_000, async (i, _) =>
        {
            var user = $"user-{i / 2 % 300}";
            if (await AdmitAsync(gates[i % 2], user) == AdmissionOutcome.Admitted)
            {
                admitted.Add(user);
            }
        });
        Assert.Equal(50, admitted.Count);
        Assert.Equal(50, admitted.Distinct().Count());
        Assert.Equal(new GateStock(0, 50, 50, 1), await gates[0].ReadAsync(OfferId, default));
    }

    [Fact]
    public async Task WarmUpAsync_WhenAnotherInstanceDiedInIt_GoesOnWhereThatStopped()
    {
        const int Users = 120_000;
        var (dead, heir) = (await OpenAsync(), await OpenAsync());
        var load = Load(Sale(1) with { RequiresReservation = true }, 10) with { Reserved = [.. Enumerable.Range(0, Users).Select(i => UserId.Parse($"user-{i}"))] };
        using var death = new CancellationTokenSource();
        var loading = dead.WarmUpAsync(load, anew: false, death.Token).AsTask();
        await Eventually.HoldsAsync(async () => (await heir.CountAsync(SaleId, default))?.Reserved > Users / 4, "some of it is loaded");
        await death.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loading);
        var half = (await heir.CountAsync(SaleId, default))!.Value;
        Assert.False(half.Warm);
        Assert.Equal(AdmissionOutcome.NotWarm, await AdmitAsync(heir, "user-7"));

        await redis.Server.CommandAsync("CONFIG", "RESETSTAT");
        await heir.WarmUpAsync(load, anew: false, default);
        Assert.Equal(new GateCounts(true, Users, 0, 0), await heir.CountAsync(SaleId, default));
        Assert.Equal(AdmissionOutcome.Admitted, await AdmitAsync(heir, "user-7"));

        var calls = (await redis.Server.CommandAsync("INFO", "commandstats")).Split("\r\n").First(line => line.StartsWith("cmdstat_sadd:", StringComparison.Ordinal));
        Assert.InRange(int.Parse(calls.Split("calls=")[1].Split(',')[0]), 1, Users / Limits.GatePiece * 3 / 4 + 2 * Limits.GateShards);
    }

    [Fact]
    public async Task SettleAsync_WhileALoadMoves_KeepsWhatItIsTold()
    {
        var gate = await OpenAsync();
        var order = new SettledOrder(Id(), UserId.Parse("alice"));
        await gate.WarmUpAsync(Load(Sale(1), 10), anew: false, default);
        for (var shard = 0; shard < Limits.GateShards; shard++)
        {
            await redis.Server.CommandAsync("HDEL", Key(shard, "sale"), "w");
        }

        Assert.True(await SettleAsync(gate, 9, 2, committed: [order]));
        for (var shard = 0; shard < Limits.GateShards; shard++)
        {
            await redis.Server.CommandAsync("HSET", Key(shard, "sale"), "y", "1");
        }

        Assert.False(await SettleAsync(gate, 9, 2));
        await gate.WarmUpAsync(Load(Sale(1), 10), anew: false, default);
        Assert.Equal(AdmissionOutcome.Repeated, await AdmitAsync(gate, "alice", order.OrderId));
        Assert.Equal(AdmissionOutcome.LimitReached, await AdmitAsync(gate, "alice"));
    }

    [Fact]
    public async Task Keys_WhenASaleIsLoadedAndSoldFrom_AllExpireByThemselvesAndGoWithIt()
    {
        var gate = await OpenAsync();
        await gate.LoadBlacklistAsync(1, [.. Enumerable.Range(0, 50).Select(i => (UserId.Parse($"bad-{i}"), DateTimeOffset.MaxValue))], default);
        var load = Load(Sale(2), 30) with { Reserved = [UserId.Parse("r")], Rejected = [UserId.Parse("x")], Orders = [new(Id(), OfferId, UserId.Parse("o"), false)] };
        await gate.WarmUpAsync(load, anew: false, default);
        Assert.Equal(AdmissionOutcome.NotEligible, await AdmitAsync(gate, "bad-7"));
        for (var i = 0; i < 20; i++)
        {
            var order = new SettledOrder(Id(), UserId.Parse($"user-{i}"));
            await AdmitAsync(gate, $"user-{i}", order.OrderId);
            await SettleAsync(gate, 30, 2 + i, ended: i % 2 == 0 ? [order] : []);
        }

        var keys = (await redis.Server.CommandAsync("KEYS", prefix + ":*")).Split('\n').Where(key => key != prefix + ":shards").ToArray();
        Assert.True(keys.Length > 3 * Limits.GateShards);
        foreach (var key in keys)
        {
            Assert.InRange(long.Parse(await redis.Server.CommandAsync("TTL", key)), 60, (long)(Limits.GateKeepsEnded + Limits.GateKeysOutlive).TotalSeconds);
        }

        await gate.RemoveSaleAsync(SaleId, default);
        Assert.Equal(prefix + ":shards", await redis.Server.CommandAsync("KEYS", prefix + ":*"));
    }

    [Fact]
    public async Task SettleAsync_WhenEndedOrdersAreOldEnough_ForgetsThem()
    {
        var gate = await OpenAsync();
        await gate.WarmUpAsync(Load(Sale(1), 10), anew: false, default);
        await SettleAsync(gate, 10, 2, ended: [.. Enumerable.Range(0, 50).Select(i => new SettledOrder(Id(), UserId.Parse($"user-{i}")))]);
        Assert.Equal(50, (await gate.CountAsync(SaleId, default))!.Value.Orders);
        await SettleAsync(gate, 10, 2, at: Opening + Limits.GateKeepsEnded);
        Assert.Equal(50, (await gate.CountAsync(SaleId, default))!.Value.Orders);
        await SettleAsync(gate, 10, 2, at: Opening + Limits.GateKeepsEnded + TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, (await gate.CountAsync(SaleId, default))!.Value.Orders);
    }

    [Fact]
    public async Task AdmitAsync_WhenRedisForgotItsScripts_SendsThemAgain()
    {
        var gate = await OpenAsync();
        await gate.WarmUpAsync(Load(Sale(1), 10), anew: false, default);
        await redis.Server.CommandAsync("SCRIPT", "FLUSH");
        Assert.Equal(AdmissionOutcome.Admitted, await AdmitAsync(gate, "alice"));
        Assert.True(await SettleAsync(gate, 10, 1));
    }

    private string Key(int shard, string name) => $"{prefix}:{{{SaleId}:{shard}}}:{name}";

    private async Task<RedisGate> OpenAsync()
    {
        var gate = await RedisGate.OpenAsync(new RedisGateOptions(redis.Server.Address) { KeyPrefix = prefix, Timeout = Limits.GateTimeoutMax }, TimeProvider.System, default);
        opened.Add(gate);
        return gate;
    }

    private ValueTask<AdmissionOutcome> AdmitAsync(IGate gate, string user, OrderId? order = null) =>
        gate.AdmitAsync(new AdmissionRequest(SaleId, OfferId, order ?? Id(), UserId.Parse(user), now), default);

    private async Task<AdmissionOutcome[]> AdmitAllAsync(RedisGate gate, int users) =>
        await Task.WhenAll(Enumerable.Range(0, users).Select(i => AdmitAsync(gate, $"crowd-{i}").AsTask()));

    private ValueTask<bool> SettleAsync(
        RedisGate gate, int available, long seq, SettledOrder[]? committed = null, SettledOrder[]? ended = null, DateTimeOffset? at = null) =>
        gate.SettleAsync(
            new Settlement(OfferId, new OfferStock(OfferId, 0, StockRow.Restore(available, 0, available, 0, 0, seq)), committed ?? [], [], ended ?? [], at ?? now), default);
}
