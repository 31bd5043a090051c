using FlashSale.Storage.MySql;
using FlashSale.Tests.Servers;

using Xunit;

namespace FlashSale.Tests.Faults;

/// <summary>mariadbd dies, hangs, is slow, or loses the connection at the worst moment, in the middle of a sale.</summary>
[Collection(FaultCollection.Name)]
public sealed class DatabaseTests(FaultServers servers)
{
    private static readonly TimeSpan Bar = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan NoPause = TimeSpan.FromSeconds(3);

    [Fact]
    public async Task Kill_OfMariaDb_OrdersGoOnWhenItIsBackAndNothingIsLost()
    {
        await using var site = await Site.StartAsync(servers);
        await using var storm = await Storm.StartAsync(site, seed: 11);

        await storm.ReachAsync(0.2);
        await storm.ReachAsync(() => site.Balancer.InFlight(0) + site.Balancer.InFlight(1) >= 4, "requests are on their way");
        storm.Strike();
        await Fault.KillMariaDbAsync(site, TimeSpan.FromSeconds(1));
        var back = storm.Elapsed;

        await storm.EndAsync("kill -9 of mariadbd", Bar, $"; it was back after {back.TotalSeconds:0.00} s");
        Assert.True(storm.DisturbedSinceStrike > 0, "Nobody felt it.");
    }

    [Theory]
    [InlineData("before the server has it")]
    [InlineData("before the client knows")]
    public async Task Cut_AtTheCommitOfOrders_NoAnswerIsWrong(string where)
    {
        await using var site = await Site.StartProxiedAsync(servers);
        await using var storm = await Storm.StartAsync(site, seed: 12);

        await storm.ReachAsync(0.1);
        storm.Strike();
        for (var i = 1; i <= 4; i++)
        {
            site.Proxy!.CutNextCommits(where == "before the client knows" ? CommitCut.BeforeTheClientKnows : CommitCut.BeforeTheServerHasIt, count: 2);
            await storm.ReachAsync(() => site.Proxy!.CutsMade == 2 * i, "commits were cut off");
        }

        await storm.EndAsync($"connection cut at COMMIT, {where}", NoPause, $"; {site.Proxy!.CutsMade} commits cut");
        Assert.Contains(site.Instances, instance => instance.Log.Contains("The outcome of a commit of", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("SELECT * FROM stock FOR UPDATE")]
    [InlineData("UPDATE stock SET seq = seq + 1")]
    public async Task Freeze_OfAClientThatHasLockedRows_TheServerEndsItsTransaction(string statement)
    {
        await using var site = await Site.StartAsync(servers);
        await site.OpenSaleAsync(stock: 1);
        var session = MySqlSetup.Prepare(MySqlDriver.Pin(servers.MariaDb.ConnectionString(site.Database), new MySqlTimeouts(ConnectSeconds: 3, CommandSeconds: 5)), null);
        await using var frozen = await site.ConnectAsync();
        await frozen.RunAsync(session);

        await frozen.RunAsync("START TRANSACTION");
        await frozen.RunAsync(statement);
        await Task.Delay(TimeSpan.FromSeconds(4));

        await using var other = await site.ConnectAsync();
        await other.RunAsync("SET innodb_lock_wait_timeout = 1");
        Assert.Equal(1, await other.ReadAsync<int>("SELECT COUNT(*) FROM (SELECT * FROM stock FOR UPDATE) locked"));
    }

    [Fact]
    public async Task Delay_OfEveryPacket_OrdersAreSlowerAndRight()
    {
        await using var site = await Site.StartProxiedAsync(servers);
        await using var storm = await Storm.StartAsync(site, seed: 13, StormSize.Long);

        await storm.ReachAsync(0.05);
        storm.Strike();
        await Fault.SlowDownDatabaseAsync(site, TimeSpan.FromMilliseconds(40), TimeSpan.FromSeconds(5));
        var duringIt = storm.Probe.PlacedSince(storm.StruckAt);

        await storm.EndAsync("slow database, 40 ms a packet for 5 s", NoPause, $"; {duringIt} orders of the probe meanwhile; {site.Proxy!.PacketsDelayed} packets delayed");
        Assert.True(site.Proxy!.PacketsDelayed > 50 && duringIt > 0);
    }

    [Fact]
    public async Task Lock_HeldForLongerThanTheLockWait_OrdersAreRefusedNotLost()
    {
        await using var site = await Site.StartAsync(servers);
        await using var storm = await Storm.StartAsync(site, seed: 14);

        await storm.ReachAsync(0.2);
        storm.Strike();
        await Fault.LockStockAsync(site, TimeSpan.FromSeconds(5));
        var free = storm.Elapsed;

        await storm.EndAsync("stock rows locked for 5 s by another transaction", Bar, $"; free again after {free.TotalSeconds:0.00} s");
        Assert.True(storm.DisturbedSinceStrike > 0, "Nobody felt it.");
    }
}
