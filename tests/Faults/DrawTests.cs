using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

using FlashSale.Core.Wire;
using FlashSale.Tests.Crash;
using FlashSale.Tests.Server;
using FlashSale.Tests.Server.Console;
using FlashSale.Tools;
using FlashSale.Tools.VerifyDraw;

using Xunit;

namespace FlashSale.Tests.Faults;

/// <summary>A draw over two instances on one ledger: one list, whoever has the requests, and nothing lost when one of them dies in the window.</summary>
[Collection(FaultCollection.Name)]
public sealed class DrawTests(FaultServers servers)
{
    private const int Stock = 12;
    private static readonly (string, string) Quick = ("FlashSale__Tokens__MinimumAge", "00:00:00");

    [Fact]
    public async Task Draw_WhenTwoInstancesHaveTheRequests_IsOneListAndSellsItsFirst()
    {
        const int Shoppers = 40;
        await using var site = await Site.StartAsync(servers, [Quick], [Quick]);
        var (sale, definition) = await PublishAsync(site);
        var offer = sale.Offers[0].Id;
        string[] tokens = await Task.WhenAll(Enumerable.Range(0, Shoppers).Select(i => TokenAsync(site, $"u{i}", offer)));

        await OpenAsync(site, sale, definition);
        // Every third asks both, with the same token.
        var answers = await Task.WhenAll(Enumerable.Range(0, 2 * Shoppers).Where(i => i < Shoppers || i % 3 == 0)
            .Select(i => OrderAsync(site.Instances[i / Shoppers ^ (i % 2)], $"u{i % Shoppers}", tokens[i % Shoppers])));

        var placed = answers.Where(answer => answer.Status is HttpStatusCode.Created or HttpStatusCode.OK).ToList();
        Assert.All(answers.Except(placed), answer => Assert.Equal("sold-out", answer.Body["code"]!.GetValue<string>()));
        Assert.Equal(Stock, placed.Count(answer => answer.Status == HttpStatusCode.Created));
        var said = await Task.WhenAll(site.Instances.Select(instance => DrawnAsync(instance, sale.Id)));
        Assert.Equal(said[0], said[1]);
        var draw = JsonElement.Parse(said[0]);
        Assert.Equal(ExitCodes.Holds, DrawCheck.Of(draw, null, null).ExitCode);
        var entries = draw.GetProperty("offers")[0].GetProperty("entries").EnumerateArray().Select(entry => entry.GetString()).ToList();
        Assert.Equal(Shoppers, entries.Count);
        Assert.Equal(entries.Take(Stock).Order(), placed.Select(answer => Entry(answer.Body, offer)).Distinct().Order());
        foreach (var instance in Enumerable.Range(0, 2))
        {
            Assert.Empty((await site.ReconciliationAsync(instance, sale.Id)).Violations);
        }
    }

    [Fact]
    public async Task Kill_OfAnInstanceInTheWindow_SellsEveryUnitAndTheAuditorFindsNothing()
    {
        using var over = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await using var site = await Site.StartAsync(servers, [Quick], [Quick]);
        var (sale, definition) = await PublishAsync(site);
        var opensAt = await OpenAsync(site, sale, definition);
        await using var shop = await RecordedShop.OpenAsync(site.Instances[1], sale with { OpensAt = opensAt }, Stock, perUserLimit: 1, site.Balancer.Address);
        var crowd = new Crowd(shop, seed: 1);

        var shopping = crowd.BuyAsync(perOffer: 3 * Stock, TimeSpan.FromMilliseconds(200), over.Token);
        await shop.ReachAsync(() => site.Balancer.InFlight(0) >= Stock, over.Token);
        // Its entries are written as they come.
        await Task.Delay(TimeSpan.FromMilliseconds(300), over.Token);
        await site.Instances[0].KillAsync();

        await shop.AssertAllSoldAndAllPromisesHoldAsync(crowd.BuyTheRestAsync(shopping, over.Token));
        Assert.True(site.Balancer.Cuts > 0, "Nobody's request was with the instance.");
        var draw = JsonElement.Parse(await DrawnAsync(site.Instances[1], sale.Id));
        Assert.Equal(ExitCodes.Holds, DrawCheck.Of(draw, null, null).ExitCode);
    }

    private static async Task<(SaleDocument Sale, JsonObject Definition)> PublishAsync(Site site)
    {
        var now = TimeProvider.System.GetUtcNow();
        var definition = new JsonObject
        {
            ["slug"] = $"draw-{Guid.NewGuid():N}",
            ["title"] = new JsonObject { ["zh"] = "优惠券", ["en"] = "Coupons" },
            ["opensAt"] = ConsoleServer.Rfc3339(now.AddMinutes(5)),
            ["closesAt"] = ConsoleServer.Rfc3339(now.AddHours(1)),
            ["requiresReservation"] = false,
            ["paymentWindowSeconds"] = RecordedShop.PaymentWindowSeconds,
            ["defences"] = new JsonObject { ["drawMs"] = 1_500 },
            ["offers"] = new JsonArray(ConsoleServer.Offer("A", Stock)),
        };
        var olga = site.Instances[0].Operator();
        var created = (await ConsoleServer.SendAsync(olga, HttpMethod.Post, "sales", definition)).Expect(HttpStatusCode.Created);
        var published = (await ConsoleServer.SendAsync(olga, HttpMethod.Post, $"sales/{created.Id}/publication")).Expect(HttpStatusCode.OK);
        var sale = JsonSerializer.Deserialize(published.Text, WireJson.Default.SaleDocument)!;
        await Eventually.HoldsAsync(
            async () => (await Task.WhenAll(Enumerable.Range(0, 2).Select(i => site.ReadinessAsync(i, sale.Id)))).All(said => said.WarmUp.Warm), "the sale is warm");
        return (sale, definition);
    }

    /// <summary>The operator moves the opening when all is ready for it; every instance hears of it before it comes.</summary>
    private static async Task<DateTimeOffset> OpenAsync(Site site, SaleDocument sale, JsonObject definition)
    {
        var opensAt = TimeProvider.System.GetUtcNow().AddSeconds(2);
        definition["opensAt"] = ConsoleServer.Rfc3339(opensAt);
        using var request = new HttpRequestMessage(HttpMethod.Put, new Uri($"/api/v1/admin/sales/{sale.Id}", UriKind.Relative)) { Content = JsonContent.Create(definition) };
        request.Headers.TryAddWithoutValidation("If-Match", "*");
        using var moved = await site.Instances[0].Operator().SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, moved.StatusCode);
        await Eventually.PassesAsync(opensAt - TimeProvider.System.GetUtcNow() + TimeSpan.FromMilliseconds(50));
        return opensAt;
    }

    private static async Task<string> TokenAsync(Site site, string user, string offer)
    {
        using var answer = await site.Instances[0].SignedIn(user).PostAsync(new Uri($"/api/v1/offers/{offer}/order-tokens", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["token"]!.GetValue<string>();
    }

    private static async Task<(HttpStatusCode Status, JsonNode Body)> OrderAsync(TestServer instance, string user, string token)
    {
        using var answer = await instance.SignedIn(user).PostAsJsonAsync(new Uri("/api/v1/orders", UriKind.Relative), new { token });
        return (answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync())!);
    }

    private static string Entry(JsonNode order, string offer) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes($"{order["id"]}:{offer}:{order["userId"]}")));

    private static async Task<string> DrawnAsync(TestServer instance, string sale)
    {
        var said = "";
        await Eventually.HoldsAsync(
            async () => (said = await instance.Anonymous().GetStringAsync(new Uri($"/api/v1/sales/{sale}/draw", UriKind.Relative))).Contains("\"seed\"", StringComparison.Ordinal),
            "the sale is drawn");
        return said;
    }
}
