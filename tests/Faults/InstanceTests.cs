using Xunit;

namespace FlashSale.Tests.Faults;

/// <summary>An instance dies, freezes, is restarted, or has a wrong clock, in the middle of a sale.</summary>
[Collection(FaultCollection.Name)]
public sealed class InstanceTests(FaultServers servers)
{
    private static readonly TimeSpan Bar = TimeSpan.FromSeconds(3);

    [Fact]
    public async Task Kill_OfAnInstance_TheOtherGoesOnAndNothingIsLost()
    {
        await using var site = await Site.StartAsync(servers);
        await using var storm = await Storm.StartAsync(site, seed: 1);

        await storm.ReachAsync(0.2);
        await storm.ReachAsync(() => site.Balancer.InFlight(0) >= 3, "requests are with the instance");
        storm.Strike();
        await site.Instances[0].KillAsync();
        await site.Instances[0].RestartAsync();
        var ready = storm.Elapsed;

        await storm.EndAsync("kill -9 of an instance", Bar, $"; the killed one was ready again after {ready.TotalSeconds:0.00} s; {site.Balancer.Cuts} clients were cut off");
        Assert.True(site.Balancer.Cuts > 0, "Nobody's request was with the instance.");
    }
}
