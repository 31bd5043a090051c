using System.Net;
using System.Text.Json.Nodes;

using FlashSale.Tests.Server.Console.Pages;

using Xunit;

namespace FlashSale.Tests.Server.Console;

/// <summary>The live board and the report of a sale on a real server.</summary>
public sealed class LiveTests(ConsoleServer shop) : IClassFixture<ConsoleServer>
{
    [Fact]
    public async Task Live_WhileOrdersComeIn_IsWhatTheAuditorFindsWithinASecond()
    {
        var sale = await shop.PublishAsync();
        // Latencies are told of the orders since the board knows the sale.
        await Eventually.HoldsAsync(
            async () => (await ConsoleServer.SendAsync(shop.Operator, HttpMethod.Get, $"sales/{sale.Id}/live")).Status == HttpStatusCode.OK, "the sale is watched");
        for (var i = 0; i < 4; i++)
        {
            await shop.OrderAsync(sale.OfferId, $"live{sale.Id}-{i}");
        }

        Answer live = default!;
        await Eventually.HoldsAsync(
            async () =>
            {
                live = await ConsoleServer.SendAsync(shop.Operator, HttpMethod.Get, $"sales/{sale.Id}/live");
                return live.Status == HttpStatusCode.OK && live.Json.GetProperty("placed").GetInt64() == 4 && live.Json.GetProperty("offers")[0] is var now
                    && now.GetProperty("held").GetInt64() == 4 && now.TryGetProperty("gatePending", out var pending) && pending.GetInt64() == 0;
            },
            "the board shows the orders");
        var books = (await ConsoleServer.SendAsync(shop.Operator, HttpMethod.Get, $"sales/{sale.Id}/reconciliation")).Expect(HttpStatusCode.OK).Json.GetProperty("offers")[0];

        var offer = live.Json.GetProperty("offers")[0];
        foreach (var figure in new[] { "available", "held", "sold" })
        {
            Assert.Equal(books.GetProperty(figure).GetInt64(), offer.GetProperty(figure).GetInt64());
        }

        Assert.Equal(books.GetProperty("gateStock").GetInt64(), offer.GetProperty("gateStock").GetInt64());
        Assert.Equal(0, offer.GetProperty("drift").GetInt64());
        Assert.True(live.Json.GetProperty("p99Ms").GetDouble() > 0);
        Assert.Equal("open", live.Json.GetProperty("phase").GetString());
        var instance = Assert.Single(live.Json.GetProperty("instances").EnumerateArray(), one => !one.GetProperty("gone").GetBoolean());
        Assert.Equal(shop.Server.ProcessId, instance.GetProperty("processId").GetInt32());
        Assert.Equal(["sale.publish", "sale.create"], live.Json.GetProperty("events").EnumerateArray().Select(one => one.GetProperty("action").GetString()));
        // Read twice: the time of the figures moves on by itself.
        var at = live.Json.GetProperty("at").GetDateTimeOffset();
        await Eventually.HoldsAsync(
            async () => (await ConsoleServer.SendAsync(shop.Operator, HttpMethod.Get, $"sales/{sale.Id}/live")).Json.GetProperty("at").GetDateTimeOffset() - at > TimeSpan.FromSeconds(1),
            "it moves on");
    }

    /// <summary>A figure is as old as the report that it comes from and the reading of that, also of an instance that has nothing to do.</summary>
    [Fact]
    public async Task Live_OfAnInstanceAtRest_IsAtMostASecondOld()
    {
        using var stalls = new Stalls();
        // What a busy machine may add now and then, not as a rule.
        var slack = TimeSpan.FromSeconds(1);
        var sale = await shop.PublishAsync();
        await Eventually.HoldsAsync(
            async () => await ConsoleServer.SendAsync(shop.Operator, HttpMethod.Get, $"sales/{sale.Id}/live") is { Status: HttpStatusCode.OK } live
                && live.Json.GetProperty("instances").EnumerateArray().Any(one => !one.GetProperty("gone").GetBoolean()),
            "the sale is watched");
        List<TimeSpan> ages = [];
        for (var i = 0; i < 40; i++)
        {
            var since = TimeProvider.System.GetTimestamp() - (long)(slack.TotalSeconds * TimeProvider.System.TimestampFrequency);
            var live = (await ConsoleServer.SendAsync(shop.Operator, HttpMethod.Get, $"sales/{sale.Id}/live")).Expect(HttpStatusCode.OK).Json;
            var instance = live.GetProperty("instances").EnumerateArray().Single(one => !one.GetProperty("gone").GetBoolean());
            var age = TimeProvider.System.GetUtcNow() - live.GetProperty("at").GetDateTimeOffset() + TimeSpan.FromMilliseconds(instance.GetProperty("ageMs").GetInt64());
            await Task.Delay(130);
            // Nobody can report or read while the machine stands still.
            ages.Add(age - stalls.LostSince(since));
        }

        ages.Sort();
        Assert.True(ages[^1] < TimeSpan.FromSeconds(1) + slack && ages[ages.Count * 9 / 10] < TimeSpan.FromSeconds(1), string.Join(' ', ages.Select(age => age.TotalMilliseconds.ToString("0"))));
    }

    [Fact]
    public async Task Stream_OfAViewer_BringsPartsAndMomentsUntilTheBrowserGoes()
    {
        var sale = await shop.PublishAsync();
        using var client = new HttpClient { BaseAddress = shop.Server.Address };
        client.DefaultRequestHeaders.Add("Cookie", "flashsale_console=" + shop.Server.CreateSession("vera", "viewer"));
        await Eventually.HoldsAsync(
            async () => (await ConsoleServer.SendAsync(shop.Operator, HttpMethod.Get, $"sales/{sale.Id}/live")).Status == HttpStatusCode.OK, "the sale is watched");

        using var response = await client.GetAsync($"/console/en/sales/{sale.Id}/live", HttpCompletionOption.ResponseHeadersRead);
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync());
        List<string> events = [];
        var html = "";
        while (events.Count(one => one == "parts") < 3 || !events.Contains("moment"))
        {
            var line = await lines.ReadLineAsync() ?? throw new InvalidOperationException("The stream has ended.");
            if (line.StartsWith("event: ", StringComparison.Ordinal))
            {
                events.Add(line[7..]);
            }

            html += line;
        }

        Assert.Equal("text/event-stream; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        Assert.Contains("data-part=\"figures\"", html);
        Assert.Contains("data-figure=\"available\"", html);
    }

    [Fact]
    public async Task Pages_OfTheBoardAndTheReport_AreInBothLanguages()
    {
        var sale = await shop.PublishAsync();
        await shop.OrderAsync(sale.OfferId, $"report{sale.Id}");
        await Eventually.HoldsAsync(
            async () => (await ConsoleServer.SendAsync(shop.Operator, HttpMethod.Get, $"sales/{sale.Id}/live")) is { Status: HttpStatusCode.OK } live && live.Json.GetProperty("placed").GetInt64() == 1,
            "the order is counted");
        using var viewer = new ConsoleBrowser(shop.Server, "vera", ["viewer"]);

        var zh = (await viewer.GetAsync($"/console/sales/{sale.Id}")).Expect(HttpStatusCode.OK);
        var en = (await viewer.GetAsync($"/console/en/sales/{sale.Id}")).Expect(HttpStatusCode.OK);
        var report = (await viewer.GetAsync($"/console/en/sales/{sale.Id}/report")).Expect(HttpStatusCode.OK);
        var csv = (await viewer.GetAsync($"/console/en/sales/{sale.Id}/report.csv")).Expect(HttpStatusCode.OK);
        var moments = (await viewer.GetAsync($"/console/sales/{sale.Id}/live.csv")).Expect(HttpStatusCode.OK);

        Assert.Contains("剩余（账本）", zh.Text);
        Assert.Contains("Left (ledger)", en.Text);
        Assert.Contains("Ledger, gate, change log, orders, coupons and payments agree.", report.Text);
        Assert.Contains("API", report.Text);
        Assert.Contains("From visit to redemption,Requests to order,1\r\n", csv.Html);
        Assert.StartsWith("时间,剩余（账本）,待支付,已售", moments.Html.TrimStart('\uFEFF'));
        (await viewer.GetAsync("/console/sales/999999")).Expect(HttpStatusCode.NotFound);
        (await viewer.GetAsync("/console/service")).Expect(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Report_AfterARestart_StillHasWhatTheInstanceBeforeCounted()
    {
        await using var own = await TestServer.StartAsync(("FlashSale__Tokens__MinimumAge", "00:00:00"));
        var definition = shop.Definition();
        var created = (await ConsoleServer.SendAsync(own.Operator(), HttpMethod.Post, "sales", definition)).Expect(HttpStatusCode.Created);
        (await ConsoleServer.SendAsync(own.Operator(), HttpMethod.Post, $"sales/{created.Id}/publication")).Expect(HttpStatusCode.OK);
        var shopper = own.SignedIn("carl");
        var token = (await ConsoleServer.SendAsync(shopper, HttpMethod.Post, $"/api/v1/offers/{created.OfferId}/order-tokens")).Expect(HttpStatusCode.Created).Json.GetProperty("token").GetString();
        (await ConsoleServer.SendAsync(shopper, HttpMethod.Post, "/api/v1/orders", new JsonObject { ["token"] = token })).Expect(HttpStatusCode.Created);

        await own.StopAsync();
        await own.RestartAsync();

        using var viewer = new ConsoleBrowser(own, "vera", ["viewer"]);
        var csv = (await viewer.GetAsync($"/console/en/sales/{created.Id}/report.csv")).Expect(HttpStatusCode.OK);
        Assert.Contains("From visit to redemption,Order tokens given out,1\r\n", csv.Html);
        Assert.Contains("From visit to redemption,Requests to order,1\r\n", csv.Html);
        Assert.Contains("\"Who won, by kind of client\",API: Won,1\r\n", csv.Html);
    }
}
