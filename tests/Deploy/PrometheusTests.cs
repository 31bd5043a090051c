using FlashSale.Tests.Faults;
using FlashSale.Tests.Server;
using FlashSale.Tests.Servers;

using Xunit;

namespace FlashSale.Tests.Deploy;

/// <summary>A real Prometheus watches two real instances: it sees what they sell, is quiet while all is well, and says which part was broken.</summary>
[Collection(FaultCollection.Name)]
public sealed class PrometheusTests(FaultServers servers)
{
    private const int Orders = 6;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Alerts_WhenRedisAndAnInstanceAreKilled_FireForThoseAndForNothingBefore()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var site = await Site.StartAsync(servers, redis.Address, [Crash.CrashServer.YoungTokens], [Crash.CrashServer.YoungTokens]);
        await using var prometheus = await Prometheus.StartAsync(site.Instances.Select(instance => instance.Address));
        var sale = await site.OpenSaleAsync(stock: 100_000);
        var offer = sale.Offers[0].Id;
        for (var i = 0; i < Orders; i++)
        {
            await MetricNamesTests.BuyAsync(site, offer, $"user-{i}");
        }

        await Eventually.HoldsAsync(
            async () => await prometheus.AskAsync("sum(flashsale_orders_total{state=\"held\"})") == Orders && await prometheus.AskAsync("count(up{job=\"flashsale\"} == 1)") == 2,
            "Prometheus sees both instances and what they sold",
            Patience);
        await Eventually.HoldsAsync(async () => await prometheus.ProblemOfARuleAsync() is null, "every rule was evaluated", Patience);

        // That it knew no instance before its first look is over with the next evaluation; from then on nothing fires.
        await Eventually.HoldsAsync(async () => (await prometheus.FiringAsync()).Count == 0, "it is quiet", Patience);
        Assert.Equal(0, await prometheus.AskAsync("count(ALERTS{alertstate=\"firing\"}) or vector(0)"));

        await redis.KillAsync();
        await FiresAsync("FlashSaleBreakerOpen", labels => labels["breaker"] == "gate", () => MetricNamesTests.BuyAsync(site, offer, $"late-{Guid.NewGuid():N}"));
        await FiresAsync("FlashSaleGateTrouble", labels => labels["severity"] == "critical", () => MetricNamesTests.BuyAsync(site, offer, $"late-{Guid.NewGuid():N}"));

        await site.Instances[1].KillAsync();
        await FiresAsync("FlashSaleDown", labels => labels["instance"] == site.Instances[1].Address.Authority, () => Task.CompletedTask);
        Assert.Single((await prometheus.FiringAsync())["FlashSaleDown"]);
        Assert.DoesNotContain((await prometheus.FiringAsync()), alert => alert.Key is "FlashSaleOversold" or "FlashSaleBooksDisagree" or "FlashSaleLedgerTrouble");

        async Task FiresAsync(string alert, Func<IReadOnlyDictionary<string, string>, bool> isIt, Func<Task> meanwhile) => await Eventually.HoldsAsync(
            async () =>
            {
                await meanwhile();
                return (await prometheus.FiringAsync())[alert].Any(isIt);
            },
            alert + " fires",
            Patience);
    }
}
