using FlashSale.Core;
using FlashSale.Core.RateLimits;
using FlashSale.Storage;
using FlashSale.Storage.Memory;
using FlashSale.Storage.Redis;
using FlashSale.Tests.Server;
using FlashSale.Tests.Server.Orders;
using FlashSale.Tests.Servers;

using Xunit;

namespace FlashSale.Tests.Storage;

/// <summary>What every user limit must do; each adapter derives from it.</summary>
public abstract class UserLimitContract : IAsyncDisposable
{
    /// <summary>So slow that nothing comes back within a test.</summary>
    private protected static readonly RateLimit Slow = new(1, 20);

    private protected static readonly UserId Alice = UserId.Parse("alice");
    private readonly List<IUserLimit> opened = [];

    protected abstract Task<IUserLimit> CreateAsync();

    [Fact]
    public async Task TryTakeAsync_UpToTheBurst_TakesAndThenSaysHowLong()
    {
        var limit = await OpenAsync();
        for (var i = 0; i < Slow.Burst; i++)
        {
            Assert.Equal(TimeSpan.Zero, await limit.TryTakeAsync(Alice, 1, Slow, default));
        }

        Assert.InRange(await limit.TryTakeAsync(Alice, 1, Slow, default), TimeSpan.FromTicks(1), TimeSpan.FromSeconds(1));
        Assert.Equal(TimeSpan.Zero, await limit.TryTakeAsync(UserId.Parse("bob"), 1, Slow, default));
    }

    [Fact]
    public async Task TryTakeAsync_WhenTheWaitIsOver_TakesAgain()
    {
        var limit = await OpenAsync();
        var quick = new RateLimit(5, 1);
        Assert.Equal(TimeSpan.Zero, await limit.TryTakeAsync(Alice, 1, quick, default));
        var wait = await limit.TryTakeAsync(Alice, 1, quick, default);
        Assert.InRange(wait, TimeSpan.FromTicks(1), TimeSpan.FromMilliseconds(200));

        await Eventually.PassesAsync(wait);
        Assert.Equal(TimeSpan.Zero, await limit.TryTakeAsync(Alice, 1, quick, default));
    }

    [Fact]
    public async Task TryTakeAsync_WhenThereAreFewerThanAskedFor_TakesNone()
    {
        var limit = await OpenAsync();
        Assert.Equal(TimeSpan.Zero, await limit.TryTakeAsync(Alice, 15, Slow, default));
        Assert.InRange(await limit.TryTakeAsync(Alice, 10, Slow, default), TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(5));
        Assert.Equal(TimeSpan.Zero, await limit.TryTakeAsync(Alice, 5, Slow, default));
        Assert.NotEqual(TimeSpan.Zero, await limit.TryTakeAsync(Alice, 1, Slow, default));
    }

    [Fact]
    public async Task TryTakeAsync_WhenTheLimitIsChanged_HoldsForBucketsInUse()
    {
        var limit = await OpenAsync();
        await limit.TryTakeAsync(Alice, 20, Slow, default);
        Assert.Equal(TimeSpan.Zero, await limit.TryTakeAsync(Alice, 10, Slow with { Burst = 30 }, default));
        Assert.NotEqual(TimeSpan.Zero, await limit.TryTakeAsync(Alice, 1, Slow with { Burst = 30 }, default));
        Assert.NotEqual(TimeSpan.Zero, await limit.TryTakeAsync(Alice, 1, Slow, default));
    }

    [Fact]
    public async Task TryTakeAsync_FromManyThreads_GivesNobodyMoreThanTheBurst()
    {
        var limit = await OpenAsync();
        UserId[] users = [Alice, UserId.Parse("bob"), UserId.Parse("carol")];
        var taken = await Task.WhenAll(Enumerable.Range(0, 10 * Slow.Burst).SelectMany(_ => users).Select(
            async user => (User: user, Taken: await limit.TryTakeAsync(user, 1, Slow with { PerSecond = 1, Burst = 20 }, default) == TimeSpan.Zero)));

        // One may come back while it lasts.
        Assert.All(users, user => Assert.InRange(taken.Count(one => one.User == user && one.Taken), Slow.Burst, Slow.Burst + 1));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var limit in opened)
        {
            await limit.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    private protected async Task<IUserLimit> OpenAsync()
    {
        var limit = await CreateAsync();
        opened.Add(limit);
        return limit;
    }
}

public sealed class MemoryUserLimitTests : UserLimitContract
{
    protected override Task<IUserLimit> CreateAsync() => Task.FromResult<IUserLimit>(new MemoryUserLimit(TimeProvider.System));
}

public sealed class RedisUserLimitTests(OneRedisServer redis) : UserLimitContract, IClassFixture<OneRedisServer>
{
    private readonly string prefix = $"t{Guid.NewGuid():N}"[..20];

    [Fact]
    public async Task TryTakeAsync_OverTwoInstancesWhoseClocksDiffer_IsOneLimit()
    {
        IUserLimit[] limits = [await OpenAsync(), await OpenOnAsync(redis.Server, new SteppedTime())];
        for (var i = 0; i < Slow.Burst; i++)
        {
            Assert.Equal(TimeSpan.Zero, await limits[i % 2].TryTakeAsync(Alice, 1, Slow, default));
        }

        Assert.All(await Task.WhenAll(limits.Select(limit => limit.TryTakeAsync(Alice, 1, Slow, default).AsTask())), wait => Assert.NotEqual(TimeSpan.Zero, wait));

        // What comes back is for both together.
        var oneASecond = new RateLimit(1, 4);
        var bob = UserId.Parse("bob");
        await limits[0].TryTakeAsync(bob, 4, oneASecond, default);
        await Eventually.PassesAsync(await limits[1].TryTakeAsync(bob, 1, oneASecond, default) + TimeSpan.FromMilliseconds(2));
        var again = await Task.WhenAll(limits.Select(limit => limit.TryTakeAsync(bob, 1, oneASecond, default).AsTask()));
        Assert.Single(again, wait => wait == TimeSpan.Zero);
    }

    [Theory]
    [InlineData("rubbish")]
    [InlineData("9000000000000000")]
    [InlineData("-1")]
    public async Task TryTakeAsync_AfterAHandEdit_IsAtWorstEmpty(string value)
    {
        var limit = await OpenAsync();
        await redis.Server.CommandAsync("SET", $"{prefix}:{{limit:0}}:{Alice}", value);
        var quick = new RateLimit(10, 5);
        Assert.InRange(await limit.TryTakeAsync(Alice, 1, quick, default), TimeSpan.Zero, TimeSpan.FromMilliseconds(100));
    }

    [Fact]
    public async Task Keys_WhenABucketIsFullAgain_AreGone()
    {
        var limit = await OpenAsync();
        await limit.TryTakeAsync(Alice, 20, Slow, default);
        Assert.InRange(long.Parse(await redis.Server.CommandAsync("PTTL", $"{prefix}:{{limit:0}}:{Alice}")), 1, 20_000);
    }

    [Theory]
    [InlineData("stopped")]
    [InlineData("hanging")]
    public async Task TryTakeAsync_WhileRedisIsAway_CountsInEachInstanceUntilItIsBack(string how)
    {
        await using var server = await RedisServer.StartAsync();
        await using var one = await OpenOnAsync(server, TimeProvider.System);
        await using var other = await OpenOnAsync(server, TimeProvider.System);
        Assert.Equal(TimeSpan.Zero, await one.TryTakeAsync(Alice, 20, Slow, default));
        if (how == "stopped")
        {
            await server.KillAsync();
        }
        else
        {
            server.Process.Freeze();
        }

        foreach (var limit in (RedisUserLimit[])[one, other])
        {
            var waits = await Task.WhenAll(Enumerable.Range(0, 3 * Slow.Burst).Select(_ => limit.TryTakeAsync(UserId.Parse("bob"), 1, Slow, default).AsTask()));
            Assert.InRange(waits.Count(wait => wait == TimeSpan.Zero), Slow.Burst, Slow.Burst + 1);
            Assert.NotEqual(BreakerState.Closed, Assert.Single(limit.Breakers).State);
        }

        if (how == "stopped")
        {
            await server.StartAgainAsync();
        }
        else
        {
            server.Process.Thaw();
        }

        await Eventually.HoldsAsync(
            async () =>
            {
                await one.TryTakeAsync(UserId.Parse("carol"), 1, Slow, default);
                await other.TryTakeAsync(UserId.Parse("carol"), 1, Slow, default);
                return one.Breakers[0].State == BreakerState.Closed && other.Breakers[0].State == BreakerState.Closed;
            },
            "both ask Redis again");
        Assert.Equal(TimeSpan.Zero, await one.TryTakeAsync(UserId.Parse("dora"), 20, Slow, default));
        Assert.NotEqual(TimeSpan.Zero, await other.TryTakeAsync(UserId.Parse("dora"), 2, Slow, default));
    }

    protected override async Task<IUserLimit> CreateAsync() => await OpenOnAsync(redis.Server, TimeProvider.System);

    private Task<RedisUserLimit> OpenOnAsync(RedisServer server, TimeProvider time) =>
        RedisUserLimit.OpenAsync(new RedisGateOptions(server.Address) { KeyPrefix = prefix, Shards = 0, Timeout = TimeSpan.FromMilliseconds(500) }, time, default);
}

public sealed class RedisClusterUserLimitTests(OneRedisCluster redis) : UserLimitContract, IClassFixture<OneRedisCluster>
{
    [Fact]
    public async Task TryTakeAsync_ForManyUsers_UsesEveryMaster()
    {
        var limit = await OpenAsync();
        Assert.Equal(Limits.GateShards, limit.Breakers.Count);
        var waits = await Task.WhenAll(Enumerable.Range(0, 1_000).Select(i => limit.TryTakeAsync(UserId.Parse($"user-{i}"), 1, Slow, default).AsTask()));
        Assert.All(waits, wait => Assert.Equal(TimeSpan.Zero, wait));
        var sizes = await Task.WhenAll(redis.Cluster.Nodes.Select(node => node.CommandAsync("DBSIZE")));
        Assert.True(sizes.Count(size => int.Parse(size) > 100) >= 3, string.Join(',', sizes));
    }

    protected override async Task<IUserLimit> CreateAsync() => await RedisUserLimit.OpenAsync(
        new RedisGateOptions(redis.Cluster.ConnectionString) { KeyPrefix = $"t{Guid.NewGuid():N}"[..20], Shards = 0, Timeout = Limits.GateTimeoutMax }, TimeProvider.System, default);
}
