using System.Net;
using System.Text.Json.Nodes;

using Xunit;

namespace FlashSale.Tests.Server.Edge;

/// <summary>Each layer refuses what is one too many, and nothing else. The tests of a class run one after the other, each with limits of its own.</summary>
public sealed class EdgeLimitTests(LimitedShop shop) : IClassFixture<LimitedShop>
{
    private const string Time = "/api/v1/time";

    [Fact]
    public async Task Address_WithOneMoreThanTheBurst_IsRefusedUntilTimePasses()
    {
        await shop.SetAsync(new JsonObject { ["address"] = LimitedShop.Rate(1, 3) });
        var address = shop.NewAddress();
        for (var i = 0; i < 3; i++)
        {
            (await shop.AskAsync(HttpMethod.Get, Time, address)).Reply.Expect(HttpStatusCode.OK);
        }

        var (refused, response) = await shop.AskAsync(HttpMethod.Get, Time, address);

        refused.ExpectProblem(HttpStatusCode.TooManyRequests, "rate-limited");
        Assert.Equal("\"address\";q=3;w=3", Assert.Single(response.Headers.GetValues("RateLimit-Policy")));
        Assert.Equal("\"address\";r=0;t=1", Assert.Single(response.Headers.GetValues("RateLimit")));
        (await shop.AskAsync(HttpMethod.Get, Time)).Reply.Expect(HttpStatusCode.OK);
        await Eventually.HoldsAsync(async () => (await shop.AskAsync(HttpMethod.Get, Time, address)).Reply.Status == HttpStatusCode.OK, "a permit is back");
        Assert.Equal(HttpStatusCode.TooManyRequests, (await shop.AskAsync(HttpMethod.Get, Time, address)).Reply.Status);
    }

    [Fact]
    public async Task Address_OfOneSubscriberOfIPv6_IsOneHoweverItEnds()
    {
        await shop.SetAsync(new JsonObject { ["address"] = LimitedShop.Rate(1, 2) });
        (await shop.AskAsync(HttpMethod.Get, Time, "2001:db8:5:5::1")).Reply.Expect(HttpStatusCode.OK);
        (await shop.AskAsync(HttpMethod.Get, Time, "2001:db8:5:5:ffff::2")).Reply.Expect(HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await shop.AskAsync(HttpMethod.Get, Time, "2001:db8:5:5::3")).Reply.Status);
        (await shop.AskAsync(HttpMethod.Get, Time, "2001:db8:5:6::1")).Reply.Expect(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Address_ThatAClientClaims_IsNotBelievedBeforeTheProxys()
    {
        await shop.SetAsync(new JsonObject { ["address"] = LimitedShop.Rate(1, 2) });
        var address = shop.NewAddress();
        for (var i = 0; i < 2; i++)
        {
            (await shop.AskAsync(HttpMethod.Get, Time, $"{shop.NewAddress()}, {address}")).Reply.Expect(HttpStatusCode.OK);
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, (await shop.AskAsync(HttpMethod.Get, Time, $"{shop.NewAddress()}, {address}")).Reply.Status);
        var named = await shop.AskAsync(
            HttpMethod.Get, Time, address, headers: [("Forwarded", "for=192.0.2.1"), ("X-Real-IP", "192.0.2.1"), ("True-Client-IP", "192.0.2.1")]);
        Assert.Equal(HttpStatusCode.TooManyRequests, named.Reply.Status);
    }

    /// <summary>It counts for the address, and asks neither who it is for nor whether there is room for one more: it is sent before anybody could say.</summary>
    [Fact]
    public async Task PublishedPage_CountsForItsAddress_AndForNothingElse()
    {
        await Eventually.HoldsAsync(async () => await shop.ReadMetricAsync("flashsale_site_version") > 0, "the pages are published");
        await shop.SetAsync(new JsonObject { ["address"] = LimitedShop.Rate(1, 8), ["user"] = LimitedShop.Rate(1, 1), ["shedding"] = new JsonObject { ["pagesPercent"] = 0, ["documentsPercent"] = 0, ["tokensPercent"] = 0 } });
        var (address, session, before) = (shop.NewAddress(), shop.Server.CreateSession("reader"), await shop.ReadMetricAsync("flashsale_edge_from_memory_total"));

        var first = Enumerable.Range(0, 8).Select(_ => shop.AskAsync(HttpMethod.Get, "/", address, session));
        Assert.All(await Task.WhenAll(first), page => page.Reply.Expect(HttpStatusCode.OK));
        var (refused, _) = await shop.AskAsync(HttpMethod.Get, "/en", address, session);

        refused.ExpectProblem(HttpStatusCode.TooManyRequests, "rate-limited");
        Assert.Equal(8, await shop.ReadMetricAsync("flashsale_edge_from_memory_total") - before);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await shop.AskAsync(HttpMethod.Get, "/now")).Reply.Status);
        await shop.SetAsync([]);
    }

    [Fact]
    public async Task User_FromManyAddresses_IsOneUser()
    {
        await shop.SetAsync(new JsonObject { ["user"] = LimitedShop.Rate(1, 3) });
        var anna = shop.Server.CreateSession("limit-anna");
        for (var i = 0; i < 3; i++)
        {
            (await shop.AskAsync(HttpMethod.Get, "/api/v1/orders", session: anna)).Reply.Expect(HttpStatusCode.OK);
        }

        var (refused, response) = await shop.AskAsync(HttpMethod.Get, "/api/v1/orders", session: anna);

        refused.ExpectProblem(HttpStatusCode.TooManyRequests, "rate-limited");
        Assert.StartsWith("\"user\";", Assert.Single(response.Headers.GetValues("RateLimit")), StringComparison.Ordinal);
        // The same user with another session is the same user; another user at the same address is not.
        var address = shop.NewAddress();
        Assert.Equal(HttpStatusCode.TooManyRequests, (await shop.AskAsync(HttpMethod.Get, "/api/v1/orders", address, shop.Server.CreateSession("limit-anna"))).Reply.Status);
        (await shop.AskAsync(HttpMethod.Get, "/api/v1/orders", address, shop.Server.CreateSession("limit-ben"))).Reply.Expect(HttpStatusCode.OK);
    }

    [Fact]
    public async Task User_WhoseNameStandsInAForgedSession_LosesNothing()
    {
        await shop.SetAsync(new JsonObject { ["user"] = LimitedShop.Rate(1, 1) });
        var good = shop.Server.CreateSession("limit-carl");
        var forged = good[..^4] + (good[^4..] == "AAAA" ? "BBBB" : "AAAA");
        for (var i = 0; i < 5; i++)
        {
            (await shop.AskAsync(HttpMethod.Get, "/api/v1/orders", session: forged)).Reply.Expect(HttpStatusCode.Unauthorized);
        }

        (await shop.AskAsync(HttpMethod.Get, "/api/v1/orders", session: good)).Reply.Expect(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Sale_WithOneMoreThanItsBurst_LeavesTheOtherSaleAlone()
    {
        await shop.SetAsync([]);
        var busy = await ShopSale.OpenAsync(shop.Server, new ShopTerms());
        var quiet = await ShopSale.OpenAsync(shop.Server, new ShopTerms());
        await shop.SetAsync(new JsonObject { ["sale"] = LimitedShop.Rate(1, 2) });

        await busy.NewShopper().TokenAsync();
        var shopper = busy.NewShopper();
        var token = await shopper.TokenAsync();
        var refused = await shopper.SubmitAsync(token);

        refused.ExpectProblem(HttpStatusCode.TooManyRequests, "rate-limited");
        (await quiet.NewShopper().AskTokenAsync()).Expect(HttpStatusCode.Created);
        Assert.Equal(1, await shop.ReadMetricAsync($"flashsale_sale_decisions_total{{layer=\"edge\",outcome=\"refused\",reason=\"sale_limit\",sale=\"{busy.Id}\"}}"));
        // Reading is no part of the crowd.
        (await shop.AskAsync(HttpMethod.Get, $"/api/v1/sales/{busy.Id}")).Reply.Expect(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Total_WhenItIsUsedUp_RefusesAllButWhatIsEssential()
    {
        await shop.SetAsync(new JsonObject { ["total"] = LimitedShop.Rate(1, 1) });
        var anna = shop.Server.CreateSession("total-anna");
        await Eventually.HoldsAsync(async () => (await shop.AskAsync(HttpMethod.Get, Time)).Reply.Status == HttpStatusCode.TooManyRequests, "the total is used up");

        var (refused, response) = await shop.AskAsync(HttpMethod.Get, Time);
        refused.ExpectProblem(HttpStatusCode.TooManyRequests, "rate-limited");
        Assert.StartsWith("\"total\";", Assert.Single(response.Headers.GetValues("RateLimit")), StringComparison.Ordinal);
        (await shop.AskAsync(HttpMethod.Post, "/api/v1/orders", session: anna, body: new { token = "x" })).Reply.ExpectProblem(HttpStatusCode.TooManyRequests, "rate-limited");
        (await shop.AskAsync(HttpMethod.Get, "/api/v1/orders", session: anna)).Reply.Expect(HttpStatusCode.OK);
        (await shop.AskAsync(HttpMethod.Get, "/healthz/ready")).Reply.Expect(HttpStatusCode.OK);
        await shop.SetAsync([]);
        await Eventually.HoldsAsync(async () => (await shop.AskAsync(HttpMethod.Get, Time)).Reply.Status == HttpStatusCode.OK, "the limit is wide again");
    }

    [Fact]
    public async Task Requests_ToOrder_AddUp()
    {
        await shop.SetAsync([]);
        var sale = await ShopSale.OpenAsync(shop.Server, new ShopTerms(Stock: 2));
        var before = (await ArrivalsAsync(), await DecisionsAsync());

        for (var i = 0; i < 4; i++)
        {
            var shopper = sale.NewShopper();
            var token = await shopper.TokenAsync();
            await shopper.SubmitAsync(token);
            await shopper.SubmitAsync(token);
            await shopper.SubmitAsync(token + "x");
        }

        await shop.AskAsync(HttpMethod.Post, "/api/v1/orders", body: new { token = "x" });
        await shop.AskAsync(HttpMethod.Post, "/api/v1/orders", session: shop.Server.CreateSession("sum"), body: "not an object");
        using (var broken = new System.Net.Sockets.TcpClient("127.0.0.1", shop.Server.Address.Port))
        {
            // A chunk that is none.
            await broken.GetStream().WriteAsync(System.Text.Encoding.ASCII.GetBytes(
                $"POST /api/v1/orders HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {shop.NewAddress()}\r\nAuthorization: Bearer {shop.Server.CreateSession("sum")}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"));
            Assert.True(await broken.GetStream().ReadAsync(new byte[64]) > 0);
        }

        // The form of the pages, without a session.
        await shop.AskAsync(HttpMethod.Post, $"/sales/{(await sale.AdminAsync(HttpMethod.Get, $"sales/{sale.Id}")).Text("slug")}/checkout/{sale.OfferId}");
        await sale.HaltAsync("pause");
        var late = sale.NewShopper();
        await late.SubmitAsync(await late.TokenAsync());

        var arrived = await ArrivalsAsync() - before.Item1;
        Assert.Equal(17, arrived);
        Assert.Equal(arrived, await DecisionsAsync() - before.Item2);
        Assert.Equal(10, await shop.SumMetricAsync("flashsale_sale_decisions_total", $"sale=\"{sale.Id}\""));

        Task<long> ArrivalsAsync() => shop.ReadMetricAsync("flashsale_requests_total{kind=\"order\"}");
        Task<long> DecisionsAsync() => shop.SumMetricAsync("flashsale_decisions_total", "layer=");
    }

    [Fact]
    public async Task Deadline_ThatAProxySays_IsKeptToAndAClientsIsNot()
    {
        await shop.SetAsync([]);
        var sale = await ShopSale.OpenAsync(shop.Server, new ShopTerms());
        var shopper = sale.NewShopper();
        var token = await shopper.TokenAsync();
        var session = shop.Server.CreateSession(shopper.UserId);

        var (late, _) = await shop.AskAsync(HttpMethod.Post, "/api/v1/orders", session: session, body: new { token }, headers: ("X-Deadline-Ms", "0"));
        late.ExpectProblem(HttpStatusCode.ServiceUnavailable, "overloaded");
        Assert.Equal(1, await shop.ReadMetricAsync($"flashsale_sale_decisions_total{{layer=\"ledger\",outcome=\"refused\",reason=\"deadline\",sale=\"{sale.Id}\"}}"));

        foreach (var odd in new[] { "-1", "9999999999", "soon", "1e3" })
        {
            var (fine, _) = await shop.AskAsync(HttpMethod.Post, "/api/v1/orders", session: session, body: new { token }, headers: ("X-Deadline-Ms", odd));
            Assert.Contains(fine.Status, new[] { HttpStatusCode.Created, HttpStatusCode.OK });
        }

        await using var open = await TestServer.StartAsync(("FlashSale__Tokens__MinimumAge", "00:00:00"));
        var direct = await ShopSale.OpenAsync(open, new ShopTerms());
        var buyer = direct.NewShopper();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1/orders", UriKind.Relative));
        request.Content = System.Net.Http.Json.JsonContent.Create(new { token = await buyer.TokenAsync() });
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + open.CreateSession(buyer.UserId));
        request.Headers.TryAddWithoutValidation("X-Deadline-Ms", "0");
        (await direct.SendAsync(request)).Expect(HttpStatusCode.Created);
    }
}
