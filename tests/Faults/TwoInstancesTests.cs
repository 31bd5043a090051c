using System.Net;
using System.Text.Json.Nodes;

using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Tests.Crash;
using FlashSale.Tests.Server;
using FlashSale.Tests.Server.Console;
using FlashSale.Tools.History;

using Xunit;

namespace FlashSale.Tests.Faults;

/// <summary>Nothing is broken: two instances do the same work, and what an operator says at one of them holds at the other.</summary>
[Collection(FaultCollection.Name)]
public sealed class TwoInstancesTests(FaultServers servers)
{
    private static readonly (string Key, string Value)[] YoungTokens = [CrashServer.YoungTokens];
    private static readonly TimeSpan HoldsWithin = TimeSpan.FromSeconds(1);

    /// <summary>What a busy machine adds to a second: the call itself, and those before it.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Order_WhenTheSameTokenGoesToBothInstancesAtOnce_IsPlacedOnceAndLimitsHold()
    {
        const int Limit = 2;
        const int Users = 60;
        const int TokensOfEach = 5;
        await using var site = await Site.StartAsync(servers, YoungTokens, YoungTokens);
        await using var shop = await RecordedShop.OpenAsync(site.Instances[0], offers: 1, stock: Users, Limit, site.Balancer.Address);
        var offer = shop.Offers[0];
        await Eventually.HoldsAsync(
            async () => (await Task.WhenAll(site.ReadinessAsync(0, shop.Sale.Id), site.ReadinessAsync(1, shop.Sale.Id))).All(said => said.WarmUp.Warm),
            "both instances know the sale");

        // Twice as many may have one as there are; each wants more than it may have, with every token twice at once, and gives one back.
        await Task.WhenAll(Enumerable.Range(0, Users).Select(i => GrabAsync($"user-{i}")));
        async Task GrabAsync(string user)
        {
            var tokens = await Task.WhenAll(Enumerable.Range(0, TokensOfEach).Select(_ => shop.GetTokenAsync(user, offer)));
            var answers = await Task.WhenAll(tokens.Concat(tokens).Select(token => shop.OrderAsync(user, offer, token.Token!)));
            var orders = answers.Where(answer => answer.IsSuccess).Select(answer => answer.Id!).Distinct().ToArray();
            Assert.InRange(orders.Length, 0, Limit);
            if (orders.Length > 0)
            {
                await Task.WhenAll(shop.CancelAsync(user, offer, orders[0]), shop.CancelAsync(user, offer, orders[0]));
            }
        }

        var contended = shop.Succeeded(HistoryOps.Order);
        using var over = new CancellationTokenSource(TimeSpan.FromSeconds(40));
        await shop.AssertAllSoldAndAllPromisesHoldAsync(new Crowd(shop, 41).BuyTheRestAsync(Task.CompletedTask, over.Token));
        Assert.True(contended >= Users, $"{contended} answers had an order.");
        Assert.True(site.Balancer.Answered(0) > Users && site.Balancer.Answered(1) > Users, "Only one instance served.");
    }

    [Fact]
    public async Task Storm_WhenNothingIsBroken_NoOrderFails()
    {
        for (var attempt = 1; ; attempt++)
        {
            using var stalls = new Stalls();
            await using var site = await Site.StartAsync(servers);
            await using var storm = await Storm.StartAsync(site, seed: 42);

            await storm.ReachAsync(0.01);
            storm.Strike();

            await storm.EndAsync("no fault, two instances on the same offers", TimeSpan.FromSeconds(1));
            if (!storm.ProvesNothing(stalls, attempt))
            {
                Assert.True(storm.OrdersFailed == 0, storm.Describe());
                return;
            }
        }
    }

    [Fact]
    public async Task Operator_WhenSomethingIsChangedAtOneInstance_ItHoldsAtTheOther()
    {
        await using var site = await Site.StartAsync(servers, YoungTokens, YoungTokens);
        var sale = await site.OpenSaleAsync(stock: 3);
        var other = new Shoppers(site, instance: 1, sale.Offers[0].Id);
        List<string> times = [];
        async Task HoldsAsync(string what, string path, JsonNode? body, HttpMethod method, Func<Task<bool>> holds)
        {
            (await ConsoleServer.SendAsync(site.Instances[0].Operator(), method, path, body)).Expect(HttpStatusCode.OK);
            var since = TimeProvider.System.GetTimestamp();
            await Eventually.HoldsAsync(holds, what);
            var after = TimeProvider.System.GetElapsedTime(since);
            times.Add($"{what} {after.TotalSeconds:0.00} s");
            Assert.True(after < HoldsWithin + Slack, $"{what} held after {after}.");
        }

        Task SaysAsync(string what, string path, JsonNode? body, string code) =>
            HoldsAsync(what, path, body, HttpMethod.Post, async () => await other.OrderAsync() == code);
        var reason = new JsonObject { ["reason"] = "test" };
        JsonObject Adjusted(int delta, int expected) =>
            new() { ["delta"] = delta, ["reason"] = "test", ["reference"] = $"r{delta}", ["expectedAvailable"] = expected };

        Assert.Equal("held", await other.OrderAsync());
        await SaysAsync("pause", $"sales/{sale.Id}/pause", reason.DeepClone(), "sale-paused");
        await SaysAsync("resumption", $"sales/{sale.Id}/resumption", reason.DeepClone(), "held");
        await SaysAsync("stock taken away", $"offers/{sale.Offers[0].Id}/stock-adjustments", Adjusted(-1, 1), "sold-out");
        await SaysAsync("stock added", $"offers/{sale.Offers[0].Id}/stock-adjustments", Adjusted(5, 0), "held");
        await HoldsAsync(
            "blacklisting", "blacklist/mallory", new JsonObject { ["reason"] = "test", ["source"] = "test" }, HttpMethod.Put,
            async () => await other.OrderAsync("mallory") == "not-eligible");
        await SaysAsync("closure", $"sales/{sale.Id}/closure", reason.DeepClone(), "sale-ended");
        FaultReport.Write("what an operator does at one instance holds at the other", string.Join(", ", times), "");
    }

    /// <summary>Orders at both are added up at each; when one is killed, what it had counted stays, and it is shown as gone.</summary>
    [Fact]
    public async Task LiveBoard_OfEitherInstance_IsThatOfBothAndWhatTheLedgerSays()
    {
        await using var site = await Site.StartAsync(servers, YoungTokens, YoungTokens);
        var sale = await site.OpenSaleAsync(stock: 20);
        var crowds = new[] { new Shoppers(site, 0, sale.Offers[0].Id, "left"), new Shoppers(site, 1, sale.Offers[0].Id, "right") };
        foreach (var crowd in crowds)
        {
            for (var i = 0; i < 3; i++)
            {
                Assert.Equal("held", await crowd.OrderAsync());
            }
        }

        List<string> times = [];
        var since = TimeProvider.System.GetTimestamp();
        await Task.WhenAll(new[] { 0, 1 }.Select(async instance =>
        {
            await Eventually.HoldsAsync(async () => await BoardAsync(instance) is (6, 6, 14, 14, 2), $"the board of instance {instance}");
            var after = TimeProvider.System.GetElapsedTime(since);
            lock (times)
            {
                times.Add($"instance {instance} after {after.TotalSeconds:0.00} s");
            }

            Assert.True(after < HoldsWithin + Slack, $"The board of instance {instance} had the orders after {after}.");
        }));

        var books = await site.ReconciliationAsync(0, sale.Id);
        Assert.Equal((6L, 14L), (books.Offers[0].Held, books.Offers[0].Available));
        await site.Instances[1].KillAsync();
        await Eventually.HoldsAsync(async () => await BoardAsync(0) is (6, 6, 14, 14, 1), "the other is gone, and its orders are not");
        FaultReport.Write("live board over two instances", string.Join(", ", times), "");

        async Task<(long Placed, long Held, long Available, long Gate, int Alive)?> BoardAsync(int instance)
        {
            var answer = await ConsoleServer.SendAsync(site.Instances[instance].Operator(), HttpMethod.Get, $"sales/{sale.Id}/live");
            if (answer.Status != HttpStatusCode.OK)
            {
                return null;
            }

            var live = answer.Json;
            var offer = live.GetProperty("offers")[0];
            return (
                live.GetProperty("placed").GetInt64(),
                offer.GetProperty("held").GetInt64(),
                offer.GetProperty("available").GetInt64(),
                offer.TryGetProperty("gateStock", out var gate) ? gate.GetInt64() : -1,
                live.GetProperty("instances").EnumerateArray().Count(one => !one.GetProperty("gone").GetBoolean()));
        }
    }

    /// <summary>Somebody with the right to change rows changes them: the books do not agree any more, and nobody is sold what may not be there.</summary>
    [Theory]
    [InlineData("stock row", "UPDATE stock SET available = available + 1, held = held - 1", "the stock row has")]
    [InlineData(
        "change log",
        "INSERT INTO stock_changes (offer_id, bucket, seq, kind, delta, balance_after, at) SELECT offer_id, bucket, seq + 1, 'adjust', 10, available + 10, 0 FROM stock",
        "the stock row has")]
    public async Task Edit_OfTheLedgerByHand_PausesTheSaleAndSaysWhy(string what, string sql, string why)
    {
        await using var site = await Site.StartAsync(servers, YoungTokens, YoungTokens);
        var sale = await site.OpenSaleAsync(stock: 100);
        var shoppers = new Shoppers(site, instance: 1, sale.Offers[0].Id);
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal("held", await shoppers.OrderAsync());
        }

        await site.RunSqlAsync(sql);
        var since = TimeProvider.System.GetTimestamp();
        await Eventually.HoldsAsync(async () => await shoppers.OrderAsync() == "sale-paused", "the sale is paused");

        var after = TimeProvider.System.GetElapsedTime(since);
        FaultReport.Write($"{what} edited by hand", $"the sale was paused after {after.TotalSeconds:0.00} s", "");
        var said = await site.ReconciliationAsync(0, sale.Id);
        Assert.NotEmpty(said.Violations);
        var audit = await ConsoleServer.SendAsync(site.Instances[0].Operator(), HttpMethod.Get, "audit");
        Assert.Contains(why, audit.Expect(HttpStatusCode.OK).Text, StringComparison.Ordinal);
        Assert.Equal(SalePhase.Paused, (await site.ReadAsync(0, sale.Id, "", WireJson.Default.SaleDocument)).Phase);
        Assert.Contains(site.Instances, instance => instance.Log.Contains(why, StringComparison.Ordinal));
    }

    /// <summary>A new shopper each time, at one instance, whose token was got beforehand.</summary>
    private sealed class Shoppers(Site site, int instance, string offer, string name = "user")
    {
        private int users;

        /// <returns>The state of the order, or the code of the refusal.</returns>
        public async Task<string> OrderAsync(string? user = null)
        {
            var client = site.Instances[instance].SignedIn(user ?? $"{name}-{users++}");
            var token = await ConsoleServer.SendAsync(client, HttpMethod.Post, $"/api/v1/offers/{offer}/order-tokens");
            if (token.Status != HttpStatusCode.Created)
            {
                return token.Code!;
            }

            var answer = await ConsoleServer.SendAsync(
                client, HttpMethod.Post, "/api/v1/orders", new JsonObject { ["token"] = token.Json.GetProperty("token").GetString() });
            return answer.Status == HttpStatusCode.Created ? answer.Json.GetProperty("status").GetString()! : answer.Code!;
        }
    }
}
