using System.Net;
using System.Text.Json.Nodes;

using FlashSale.Tests.Crash;
using FlashSale.Tests.Server;
using FlashSale.Tests.Server.Console;

using Xunit;

namespace FlashSale.Tests.Faults;

/// <summary>What an instance answers from memory in front of a Redis that it shares, and the limits that hold in all instances.</summary>
[Collection(FaultCollection.Name)]
public sealed class EdgeAnswersTests(FaultServers servers)
{
    private static readonly (string Key, string Value)[] YoungTokens = [CrashServer.YoungTokens];

    /// <summary>Half a second, and what a busy machine adds.</summary>
    private static readonly TimeSpan MemoryMax = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task SoldOut_FromMemory_IsNeverToldToATokenThatHasAnOrder()
    {
        await using var site = await Site.StartAsync(servers, YoungTokens, YoungTokens);
        var sale = await site.OpenSaleAsync(stock: 2);
        var winners = new[] { await BuyerAsync(site, 0, "won-0", sale.Offers[0].Id), await BuyerAsync(site, 1, "won-1", sale.Offers[0].Id) };
        foreach (var winner in winners)
        {
            (await winner.OrderAsync(0)).Expect(HttpStatusCode.Created);
        }

        // Once the edge knows, it answers itself.
        var loser = await BuyerAsync(site, 0, "lost", sale.Offers[0].Id);
        await Eventually.HoldsAsync(
            async () =>
            {
                Assert.Equal("sold-out", (await loser.OrderAsync(0)).Code);
                Assert.Equal("sold-out", (await loser.OrderAsync(1)).Code);
                return await EdgeRefusalsAsync(site, 0, "sold_out") > 0 && await EdgeRefusalsAsync(site, 1, "sold_out") > 0;
            },
            "both instances say it from memory");
        foreach (var winner in winners)
        {
            (await winner.OrderAsync(0)).Expect(HttpStatusCode.OK);
            (await winner.OrderAsync(1)).Expect(HttpStatusCode.OK);
        }

        // A unit comes back, and whoever lost may have it, at any instance.
        var order = (await winners[0].OrderAsync(0)).Id;
        (await ConsoleServer.SendAsync(site.Instances[1].SignedIn("won-0"), HttpMethod.Post, $"/api/v1/orders/{order}/cancellation")).Expect(HttpStatusCode.OK);
        await Eventually.HoldsAsync(async () => (await loser.OrderAsync(0)).Status == HttpStatusCode.Created, "the unit is sold again");
        (await winners[0].OrderAsync(1)).Expect(HttpStatusCode.OK);

        // What the other instance says from memory is half a second old at most, and so may be from before the unit came back.
        var since = TimeProvider.System.GetTimestamp();
        while ((await loser.OrderAsync(1)).Status != HttpStatusCode.OK)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(since) < MemoryMax, "The token is still not told its order.");
        }

        Assert.Empty((await site.ReconciliationAsync(0, sale.Id)).Violations);
    }

    [Fact]
    public async Task Limits_SetAtOneInstance_HoldAtTheOther_AndAUserIsCountedInAll()
    {
        (string, string)[] limited = [CrashServer.YoungTokens, ("FlashSale__Limits__Enabled", "true")];
        await using var site = await Site.StartAsync(servers, limited, limited);
        (await ConsoleServer.SendAsync(site.Instances[0].Operator(), HttpMethod.Put, "limits", new JsonObject
        {
            ["user"] = new JsonObject { ["perSecond"] = 1, ["burst"] = 6 },
        })).Expect(HttpStatusCode.OK);
        await Task.Delay(TimeSpan.FromSeconds(1));

        var user = new[] { site.Instances[0].SignedIn("counted"), site.Instances[1].SignedIn("counted") };
        var answers = new List<HttpStatusCode>();
        for (var i = 0; i < 12; i++)
        {
            answers.Add((await ConsoleServer.SendAsync(user[i % 2], HttpMethod.Get, "/api/v1/orders")).Status);
        }

        // Six of the burst, and one or two that came back meanwhile; with a count for each instance it would be all twelve.
        Assert.InRange(answers.Count(status => status == HttpStatusCode.OK), 6, 8);
        Assert.Equal(12, answers.Count(status => status is HttpStatusCode.OK or HttpStatusCode.TooManyRequests));
        (await ConsoleServer.SendAsync(site.Instances[1].SignedIn("another"), HttpMethod.Get, "/api/v1/orders")).Expect(HttpStatusCode.OK);
    }

    private static async Task<long> EdgeRefusalsAsync(Site site, int instance, string reason)
    {
        var metrics = await site.Instances[instance].Anonymous().GetStringAsync(new Uri("/metrics", UriKind.Relative));
        var line = metrics.Split('\n').FirstOrDefault(line =>
            line.StartsWith($"flashsale_decisions_total{{layer=\"edge\",outcome=\"refused\",reason=\"{reason}\"}}", StringComparison.Ordinal));
        return line is null ? 0 : long.Parse(line[(line.LastIndexOf(' ') + 1)..]);
    }

    private static async Task<Buyer> BuyerAsync(Site site, int instance, string user, string offer)
    {
        var token = await ConsoleServer.SendAsync(site.Instances[instance].SignedIn(user), HttpMethod.Post, $"/api/v1/offers/{offer}/order-tokens");
        return new Buyer(site, user, token.Expect(HttpStatusCode.Created).Json.GetProperty("token").GetString()!);
    }

    /// <summary>Somebody with one token.</summary>
    private sealed class Buyer(Site site, string user, string token)
    {
        public Task<Answer> OrderAsync(int instance) => ConsoleServer.SendAsync(
            site.Instances[instance].SignedIn(user), HttpMethod.Post, "/api/v1/orders", new JsonObject { ["token"] = token });
    }
}
