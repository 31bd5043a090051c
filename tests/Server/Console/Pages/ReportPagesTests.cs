using System.Net;
using System.Text.Json.Nodes;

using Xunit;

namespace FlashSale.Tests.Server.Console.Pages;

public sealed class ReportPagesTests(ConsoleServer shop) : IClassFixture<ConsoleServer>
{
    [Fact]
    public async Task Report_AfterARefundAndABot_CountsEachOnceAndTheSameEverywhere()
    {
        var sale = await shop.PublishAsync();
        foreach (var user in new[] { "anna", "bert" })
        {
            await shop.PayAsync((await shop.OrderAsync(sale.OfferId, user)).Id, user);
        }

        var refunded = await shop.OrderAsync(sale.OfferId, "carl");
        await shop.PayAsync(refunded.Id, "carl");
        (await shop.PostAsync($"orders/{refunded.Id}/refund", new JsonObject { ["reason"] = "wrong car" })).Expect(HttpStatusCode.OK);
        var token = (await ConsoleServer.SendAsync(shop.Server.SignedIn("bot"), HttpMethod.Post, $"/api/v1/offers/{sale.OfferId}/order-tokens")).Json.GetProperty("token").GetString();
        (await ConsoleServer.SendAsync(shop.Operator, HttpMethod.Put, "blacklist/bot", new JsonObject { ["reason"] = "a farm", ["source"] = "test" })).Expect(HttpStatusCode.OK);
        (await ConsoleServer.SendAsync(shop.Server.SignedIn("bot"), HttpMethod.Post, "/api/v1/orders", new JsonObject { ["token"] = token })).Expect(HttpStatusCode.Forbidden);

        // Instances report themselves once a second; the bot came last.
        string[] csv = [];
        await Eventually.HoldsAsync(async () => (csv = await CsvAsync()).Any(line => line.StartsWith("Bots turned away", StringComparison.Ordinal)), "all is counted");

        Assert.Contains("\"Who won, by kind of client\",API: Won,3", csv);
        Assert.Contains("From visit to redemption,Orders paid,3", csv);
        Assert.Contains("Orders by state,refunded,1", csv);
        Assert.Contains("\"Who won, by kind of client\",API: Requests with a good token,4", csv);
        Assert.EndsWith("Orders paid,3", csv.Last(line => line.StartsWith("Sell-through over time", StringComparison.Ordinal)));
        Assert.EndsWith(",1", Assert.Single(csv, line => line.StartsWith("Bots turned away", StringComparison.Ordinal)));
        using var viewer = new ConsoleBrowser(shop.Server, "vera", ["viewer"]);
        var page = (await viewer.GetAsync($"/console/en/sales/{sale.Id}/report")).Expect(HttpStatusCode.OK);
        Assert.Contains("Ledger, gate, change log, orders, coupons and payments agree.", page.Text);
        Assert.Contains("Asia/Shanghai", page.Text);

        async Task<string[]> CsvAsync()
        {
            using var reader = new ConsoleBrowser(shop.Server, "vera", ["viewer"]);
            return (await reader.GetAsync($"/console/en/sales/{sale.Id}/report.csv")).Expect(HttpStatusCode.OK).Html.TrimStart('\uFEFF').Split("\r\n");
        }
    }
}
