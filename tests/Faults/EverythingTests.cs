using FlashSale.Tests.Crash;

using Xunit;

namespace FlashSale.Tests.Faults;

/// <summary>Everything at once, and faults one after the other in an order that nobody thought of.</summary>
[Collection(FaultCollection.Name)]
public sealed class EverythingTests(FaultServers servers)
{
    private static readonly StormSize Longest = new(Stock: 900, Users: 3_400, Rate: 200);

    private static readonly (string Name, Func<Site, Random, Task> DoAsync)[] All =
    [
        ("kill -9 of an instance", (site, random) => Fault.KillInstanceAsync(site, random.Next(site.Instances.Count))),
        ("SIGSTOP of an instance for 4 s", (site, random) => Fault.FreezeInstanceAsync(site, random.Next(site.Instances.Count), TimeSpan.FromSeconds(4))),
        ("kill -9 of mariadbd", (site, _) => Fault.KillMariaDbAsync(site, TimeSpan.FromSeconds(1))),
        ("kill -9 of Redis", (site, random) => Fault.KillRedisAsync(site.Redis!, TimeSpan.FromSeconds(random.Next(3)))),
        ("FLUSHALL", (site, _) => site.Redis!.FlushAsync()),
        ("Redis from an old snapshot", (site, _) => Fault.RestoreOldRedisAsync(site.Redis!, TimeSpan.FromMilliseconds(500))),
        ("stock edited up", (site, _) => Fault.EditStockAsync(site.Redis!, up: true, withNumber: false)),
        ("stock edited down", (site, _) => Fault.EditStockAsync(site.Redis!, up: false, withNumber: false)),
        ("commits cut before the server has them", (site, _) => CutAsync(site, CommitCut.BeforeTheServerHasIt)),
        ("commits cut before the client knows", (site, _) => CutAsync(site, CommitCut.BeforeTheClientKnows)),
        ("slow database for 2 s", (site, _) => Fault.SlowDownDatabaseAsync(site, TimeSpan.FromMilliseconds(20), TimeSpan.FromSeconds(2))),
        ("stock rows locked for 3 s", (site, _) => Fault.LockStockAsync(site, TimeSpan.FromSeconds(3))),
    ];

    public static TheoryData<int> Rounds => Campaign.Seeds(few: 1, many: 100);

    [Fact]
    public async Task Kill_OfEverythingAtOnce_NothingIsLost()
    {
        await using var site = await Site.StartAsync(servers);
        await using var storm = await Storm.StartAsync(site, seed: 31);

        await storm.ReachAsync(0.2);
        await storm.ReachAsync(() => site.Balancer.InFlight(0) >= 2 && site.Balancer.InFlight(1) >= 2, "requests are with both instances");
        storm.Strike();
        await Task.WhenAll([.. site.Instances.Select(instance => instance.KillAsync()), site.MariaDb.KillAsync(), site.Redis!.KillAsync()]);
        await Task.WhenAll(site.MariaDb.StartAgainAsync(), site.Redis!.StartAgainAsync());
        await Task.WhenAll(site.Instances.Select(instance => instance.RestartAsync()));
        var back = storm.Elapsed;

        await storm.EndAsync("kill -9 of both instances, mariadbd and Redis", TimeSpan.FromSeconds(10), $"; all processes were back after {back.TotalSeconds:0.00} s");
        Assert.True(site.Balancer.Cuts > 0, "Nobody's request was on its way.");
    }

    [Theory]
    [MemberData(nameof(Rounds))]
    public async Task Faults_InAnyOrder_KeepEveryPromise(int seed)
    {
        const int Faults = 4;
        var random = new Random(seed);
        await using var site = await Site.StartProxiedAsync(servers);
        await using var storm = await Storm.StartAsync(site, 100 + seed, Longest);

        await storm.ReachAsync(0.05);
        storm.Strike();
        List<string> done = [];
        foreach (var (name, doAsync) in random.GetItems(All, Faults))
        {
            done.Add(name);
            await doAsync(site, random);
            await Task.Delay(random.Next(200, 2_000));
        }

        var outage = await storm.EndAsync();
        FaultReport.Write(
            $"seed {seed}: {string.Join(", ", done)}",
            $"no order for {outage.TotalSeconds:0.00} s at most; {storm.DisturbedSinceStrike} calls failed",
            storm.Describe());
        Assert.True(storm.DisturbedSinceStrike > 0 || site.Proxy!.CutsMade > 0, "Nobody felt it.");
    }

    private static async Task CutAsync(Site site, CommitCut where)
    {
        var made = site.Proxy!.CutsMade;
        site.Proxy!.CutNextCommits(where, count: 3);
        for (var waited = 0; site.Proxy!.CutsMade < made + 3 && waited < 300; waited++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10));
        }

        Assert.True(site.Proxy!.CutsMade > made, "No commit was cut.");
    }
}
