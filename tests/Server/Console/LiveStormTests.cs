using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;

using FlashSale.Tests.Server.Console.Pages;
using FlashSale.Tests.Server.Edge;

using Xunit;

namespace FlashSale.Tests.Server.Console;

/// <summary>The live board while bots storm the shop, and while many users are barred.</summary>
public sealed class LiveStormTests(LimitedShop shop) : IClassFixture<LimitedShop>
{
    [Fact]
    public async Task Events_WhenManyUsersAreBarred_StillTellWhatWasDoneWithTheSale()
    {
        var sale = await PublishAsync("barred");
        var client = shop.Server.Operator();
        (await ConsoleServer.SendAsync(client, HttpMethod.Post, $"sales/{sale.Id}/pause", new JsonObject { ["reason"] = "a look" })).Expect(HttpStatusCode.OK);
        await shop.SetAsync([]);
        var adjustment = new JsonObject { ["delta"] = 5, ["reason"] = "more", ["reference"] = "r1", ["expectedAvailable"] = 10 };
        (await ConsoleServer.SendAsync(client, HttpMethod.Post, $"offers/{sale.OfferId}/stock-adjustments", adjustment)).Expect(HttpStatusCode.OK);
        for (var i = 0; i < 120; i++)
        {
            (await ConsoleServer.SendAsync(client, HttpMethod.Put, $"blacklist/bot-{i}", new JsonObject { ["reason"] = "bot", ["source"] = "test" })).Expect(HttpStatusCode.OK);
        }

        (await ConsoleServer.SendAsync(client, HttpMethod.Post, $"sales/{sale.Id}/resumption", new JsonObject { ["reason"] = "well" })).Expect(HttpStatusCode.OK);

        string[] expected = ["sale.resume", "stock.adjust", "limits.set", "sale.pause", "sale.publish", "sale.create"];
        string?[] actions = [];
        await Eventually.HoldsAsync(
            async () => await ReadAsync(sale.Id) is { ValueKind: JsonValueKind.Object } live
                && (actions = [.. live.GetProperty("events").EnumerateArray().Select(one => one.GetProperty("action").GetString())]).Contains("sale.resume"),
            "the newest is there");
        // Behind them comes what the tests before this one did with the limits.
        Assert.Equal(expected, actions.Take(expected.Length));
        // The lines in the charts are named in the language of the page.
        using var viewer = new ConsoleBrowser(shop.Server, "vera", ["viewer"]);
        Assert.Matches(@"data-events=""[^""]*\|\d+:Sale paused\|", (await viewer.GetAsync($"/console/en/sales/{sale.Id}")).Html);
        (await viewer.GetAsync($"/console/sales/{sale.Id}")).Says("暂停活动", "运营").DoesNotSay("operator");
    }

    [Fact]
    public async Task Board_WhenRequestsAreTurnedAwayBeforeASaleIsKnown_ShowsThem()
    {
        var sale = await PublishAsync("storm");
        await Eventually.HoldsAsync(async () => (await ReadAsync(sale.Id)).ValueKind == JsonValueKind.Object, "the sale is watched");
        await shop.SetAsync(new JsonObject { ["address"] = LimitedShop.Rate(1, 5) });
        var bot = shop.NewAddress();

        JsonElement live = default;
        JsonElement? limited = null;
        await Eventually.HoldsAsync(
            async () =>
            {
                await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => shop.AskAsync(HttpMethod.Post, "/api/v1/orders", bot, body: new JsonObject { ["token"] = "none" })));
                live = await ReadAsync(sale.Id);
                limited = live.TryGetProperty("beforeSale", out var before)
                    ? before.EnumerateArray().Where(one => one.GetProperty("reason").GetString() == "address_limit").Select(one => (JsonElement?)one).FirstOrDefault()
                    : null;
                return limited is { } one && one.TryGetProperty("perSecond", out var rate) && rate.GetDouble() > 0;
            },
            "the board shows who was turned away");

        Assert.Equal(("edge", "refused"), (limited!.Value.GetProperty("layer").GetString(), limited.Value.GetProperty("outcome").GetString()));
        Assert.Empty(live.GetProperty("decisions").EnumerateArray());
        Assert.True(live.GetProperty("arrivalsPerSecond").GetDouble() > 0);
        await Eventually.HoldsAsync(
            async () => JsonElement.Parse((await shop.AskAsync(HttpMethod.Get, $"/api/v1/admin/sales/{sale.Id}/live/moments", session: shop.Server.CreateSession("olga", "operator"))).Reply.Expect(HttpStatusCode.OK).Body)
                .GetProperty("items").EnumerateArray()
                .Any(moment => moment.GetProperty("refused").TryGetProperty("beforeSale", out var rate) && rate.GetDouble() > 0),
            "the chart shows them");
        using var viewer = new ConsoleBrowser(shop.Server, "vera", ["viewer"]);
        await shop.SetAsync([]);
        (await viewer.GetAsync($"/console/en/sales/{sale.Id}")).Expect(HttpStatusCode.OK).Says("before a sale was known", "limit of the address");
        var csv = (await viewer.GetAsync($"/console/en/sales/{sale.Id}/live.csv")).Expect(HttpStatusCode.OK).Html;
        Assert.Contains("Refused/s: before a sale was known (all sales),Refused/s: edge,Refused/s: checkout,Refused/s: draw,Refused/s: gate,Refused/s: ledger", csv.Split("\r\n")[0]);
    }

    private async Task<JsonElement> ReadAsync(string sale)
    {
        var (answer, _) = await shop.AskAsync(HttpMethod.Get, $"/api/v1/admin/sales/{sale}/live", session: shop.Server.CreateSession("olga", "operator"));
        return answer.Status == HttpStatusCode.OK ? JsonElement.Parse(answer.Body) : default;
    }

    private async Task<Answer> PublishAsync(string slug)
    {
        var now = TimeProvider.System.GetUtcNow();
        var created = (await ConsoleServer.SendAsync(shop.Server.Operator(), HttpMethod.Post, "sales", new JsonObject
        {
            ["slug"] = slug,
            ["title"] = new JsonObject { ["zh"] = "优惠券", ["en"] = "Coupons" },
            ["opensAt"] = ConsoleServer.Rfc3339(now.AddSeconds(-1)),
            ["closesAt"] = ConsoleServer.Rfc3339(now.AddHours(1)),
            ["requiresReservation"] = false,
            ["offers"] = new JsonArray(ConsoleServer.Offer("A")),
        })).Expect(HttpStatusCode.Created);
        return (await ConsoleServer.SendAsync(shop.Server.Operator(), HttpMethod.Post, $"sales/{created.Id}/publication")).Expect(HttpStatusCode.OK);
    }
}
