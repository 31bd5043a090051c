using FlashSale.Core;
using FlashSale.Tests.Server;

using Xunit;

namespace FlashSale.Tests.Faults;

/// <summary>An instance dies, freezes, is restarted, or has a wrong clock, in the middle of a sale.</summary>
[Collection(FaultCollection.Name)]
public sealed class InstanceTests(FaultServers servers)
{
    private static readonly TimeSpan Bar = TimeSpan.FromSeconds(3);
    private static readonly string[] Leases = ["warm-up", "expiry", "reconciliation"];

    [Fact]
    public async Task Kill_OfAnInstance_TheOtherGoesOnAndNothingIsLost()
    {
        await using var site = await Site.StartAsync(servers);
        await using var storm = await Storm.StartAsync(site, seed: 1);

        await storm.ReachAsync(0.2);
        await storm.ReachAsync(() => site.Balancer.InFlight(0) >= 3, "requests are with the instance");
        storm.Strike();
        await Fault.KillInstanceAsync(site, 0);
        var ready = storm.Elapsed;

        await storm.EndAsync("kill -9 of an instance", Bar, $"; the killed one was ready again after {ready.TotalSeconds:0.00} s; {site.Balancer.Cuts} clients were cut off");
        Assert.True(site.Balancer.Cuts > 0, "Nobody's request was with the instance.");
    }

    [Fact]
    public async Task Freeze_OfAnInstanceForTenSeconds_TheOtherGoesOnAndNothingIsLost()
    {
        await using var site = await Site.StartAsync(servers);
        await using var storm = await Storm.StartAsync(site, seed: 2, StormSize.Long);

        await storm.ReachAsync(0.1);
        await storm.ReachAsync(() => site.Balancer.InFlight(0) >= 2, "requests are with the instance");
        storm.Strike();
        var (answered, meanwhile) = (0L, TimeSpan.Zero);
        await Fault.FreezeInstanceAsync(site, 0, TimeSpan.FromSeconds(10), atTheEnd: () =>
        {
            answered = site.Balancer.Answered(0);
            meanwhile = storm.Probe.LongestOutageSince(storm.StruckAt);
            Assert.False(site.Balancer.IsReady(0));
            Assert.True(meanwhile < TimeSpan.FromSeconds(7), $"The other instance placed no order for {meanwhile}.\n{storm.Describe()}");
        });
        await Eventually.HoldsAsync(() => site.Balancer.IsReady(0) && site.Balancer.Answered(0) > answered, "the instance that was frozen serves again");

        // The row locks of a frozen transaction are the database's to end (idle_transaction_timeout).
        await storm.EndAsync("SIGSTOP of an instance for 10 s", 2 * Bar, $"; {meanwhile.TotalSeconds:0.00} s of it while it was frozen");
    }

    [Fact]
    public async Task Clock_WhenThatOfAnInstanceIsWrong_SalesAndTokensGoByTheLedgers()
    {
        (string, string) demo = ("FlashSale__Demo", "true");
        await using var site = await Site.StartAsync(servers, [demo, ("FlashSale__ClockIsWrongBy", "00:00:05")], [demo]);
        await using var storm = await Storm.StartAsync(site, seed: 3);

        await storm.ReachAsync(0.2);
        storm.Strike();
        var served = (site.Balancer.Answered(0), site.Balancer.Answered(1));

        await storm.EndAsync("clock of an instance 5 s fast", Bar);
        Assert.True(site.Balancer.Answered(0) > served.Item1 && site.Balancer.Answered(1) > served.Item2, "Only one of them served.");
    }

    [Fact]
    public async Task Restart_OfAllInstancesOneByOne_NoOrderFails()
    {
        for (var attempt = 1; ; attempt++)
        {
            using var stalls = new Stalls();
            await using var site = await Site.StartAsync(servers);
            await using var storm = await Storm.StartAsync(site, seed: 4, StormSize.Calm);

            await storm.ReachAsync(0.05);
            storm.Strike();
            for (var i = 0; i < site.Instances.Count; i++)
            {
                await site.Instances[i].StopAsync();
                Assert.False(site.Balancer.IsReady(i));
                await site.Instances[i].RestartAsync();
                await storm.ReachAsync(() => site.Balancer.IsReady(i), "the balancer knows that the instance is back");
            }

            var took = storm.Elapsed;
            var duringIt = storm.Probe.PlacedSince(storm.StruckAt);

            await storm.EndAsync("rolling restart of all instances", Bar, $"; it took {took.TotalSeconds:0.0} s, in which {duringIt} orders of the probe were placed");
            if (!storm.ProvesNothing(stalls, attempt))
            {
                Assert.True(storm.OrdersFailed == 0 && site.Balancer.Cuts == 0, storm.Describe());
                return;
            }
        }
    }

    [Fact]
    public async Task Kill_OfTheInstanceThatDoesTheWorkForAll_AnotherTakesOver()
    {
        await using var site = await Site.StartAsync(servers);
        await using var storm = await Storm.StartAsync(site, seed: 5);

        await storm.ReachAsync(0.2);
        var holders = await Task.WhenAll(Leases.Select(site.HolderOfAsync));
        var dies = Assert.IsType<int>(holders[1]);
        storm.Strike();
        await site.Instances[dies].KillAsync();
        await Eventually.HoldsAsync(
            async () => (await Task.WhenAll(Leases.Select(site.HolderOfAsync))).All(holder => holder == 1 - dies), "the other instance has all leases");
        var taken = storm.Elapsed;
        // Orders that nobody pays expire now, or the load would not come to its end.
        await storm.EndAsync("kill -9 of the instance with the leases", Bar, $"; all leases were taken over after {taken.TotalSeconds:0.00} s");
        Assert.True(taken < Limits.LeaseLength + TimeSpan.FromSeconds(5), $"Nobody did the work for {taken}.");
    }
}
