using FlashSale.Tests.Servers;

using Xunit;

namespace FlashSale.Tests.Faults;

/// <summary>Redis dies, fails over, forgets, or says what is not true, in the middle of a sale.</summary>
[Collection(FaultCollection.Name)]
public sealed class RedisTests(FaultServers servers)
{
    private static readonly TimeSpan MasterBar = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AllLostBar = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan HealMax = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Kill_OfAMasterInACluster_OrdersGoOn()
    {
        await using var cluster = await RedisCluster.StartAsync();
        await using var site = await Site.StartAsync(servers, cluster.ConnectionString, [], []);
        await using var storm = await Storm.StartAsync(site, seed: 21);

        await storm.ReachAsync(0.2);
        var master = await cluster.MasterOfAsync($"fs:{{{storm.SaleIds[0]}:0}}:sale");
        storm.Strike();
        await master.KillAsync();

        await storm.EndAsync("kill -9 of a Redis master in a cluster", MasterBar, await GateIsBackAsync(site, storm));
    }

    [Fact]
    public async Task Kill_OfTheMasterUnderSentinel_OrdersGoOn()
    {
        await using var sentinels = await SentinelGroup.StartAsync();
        await using var site = await Site.StartAsync(servers, sentinels.ConnectionString, [], []);
        await using var storm = await Storm.StartAsync(site, seed: 22);

        await storm.ReachAsync(0.2);
        storm.Strike();
        await sentinels.Master.KillAsync();

        await storm.EndAsync("kill -9 of the Redis master under Sentinel", MasterBar, await GateIsBackAsync(site, storm));
    }

    [Fact]
    public async Task Kill_OfAllRedis_OrdersGoOnWithoutItAndItIsUsedAgain()
    {
        await using var site = await Site.StartAsync(servers);
        await using var storm = await Storm.StartAsync(site, seed: 23);

        await storm.ReachAsync(0.2);
        storm.Strike();
        await Fault.KillRedisAsync(site.Redis!, TimeSpan.FromSeconds(3));
        var meanwhile = storm.Probe.PlacedSince(storm.StruckAt);

        await storm.EndAsync("all Redis lost for 3 s", AllLostBar, $"; {meanwhile} orders of the probe meanwhile{await GateIsBackAsync(site, storm)}");
        Assert.True(meanwhile > 0, "No order was placed without Redis.");
    }

    [Fact]
    public async Task FlushAll_InTheMiddleOfASale_TheGateIsLoadedAgain()
    {
        await using var site = await Site.StartAsync(servers);
        await using var storm = await Storm.StartAsync(site, seed: 24);

        await storm.ReachAsync(0.2);
        storm.Strike();
        await site.Redis!.FlushAsync();

        await storm.EndAsync("FLUSHALL", AllLostBar, await GateIsBackAsync(site, storm));
    }

    [Fact]
    public async Task Restart_OfRedisFromAnOldSnapshot_TheGateIsLoadedAnew()
    {
        await using var site = await Site.StartAsync(servers);
        await using var storm = await Storm.StartAsync(site, seed: 25);

        await storm.ReachAsync(0.1);
        var placed = storm.Placed;
        storm.Strike();
        await Fault.RestoreOldRedisAsync(site.Redis!, TimeSpan.FromMilliseconds(500));
        var forgotten = storm.Placed - placed;

        await storm.EndAsync("Redis restarted from a snapshot half a second old", AllLostBar, $"; it forgot {forgotten} orders{await GateIsBackAsync(site, storm)}");
        Assert.True(forgotten > 0, "The snapshot missed nothing.");
    }

    /// <summary>Up, down, and up with the number of the last settlement, one after the other.</summary>
    [Fact]
    public async Task Edits_OfTheStockByHand_TheLedgerCorrectsThem()
    {
        await using var site = await Site.StartAsync(servers);
        await using var storm = await Storm.StartAsync(site, seed: 26, StormSize.Long);

        var (share, healed) = (0.0, "");
        foreach (var (up, withNumber) in new[] { (true, false), (false, false), (true, true) })
        {
            await storm.ReachAsync(share += 0.15);
            storm.Strike();
            Assert.NotEmpty(await Fault.EditStockAsync(site.Redis!, up, withNumber));
            healed += $"; {(up ? "up" : "down")}{(withNumber ? " with its number" : "")}{await GateIsBackAsync(site, storm)}";
        }

        await storm.EndAsync("stock edited by hand, three times", AllLostBar, healed);
    }

    /// <summary>For the report: since when the gate has been as the ledger wants it, in every instance; under load, so that what is pending does not count.</summary>
    private static async Task<string> GateIsBackAsync(Site site, Storm storm)
    {
        while (storm.Elapsed < TimeSpan.FromSeconds(30))
        {
            var said = await Task.WhenAll(storm.SaleIds.SelectMany(sale => Enumerable.Range(0, site.Instances.Count).Select(i => site.ReadinessAsync(i, sale))));
            if (said.All(ready => ready.WarmUp.Warm
                && ready.Breakers.Values.All(state => state == "closed")
                && ready.Offers.All(offer => offer.Warm && offer.GateStock <= offer.LedgerAvailable)))
            {
                var after = storm.Elapsed;
                Assert.True(after < HealMax + TimeSpan.FromSeconds(5), $"The gate was wrong for {after}.");
                return $"; the gate is right and in use after {after.TotalSeconds:0.00} s";
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50));
        }

        Assert.Fail("The gate does not come back.");
        return "";
    }
}
