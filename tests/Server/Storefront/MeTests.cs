using System.Net;

using FlashSale.Tests.Server.Console;

using Xunit;

namespace FlashSale.Tests.Server.Storefront;

public sealed class MeTests(Shop shop)
{
    [Fact]
    public async Task Me_OfAStranger_IsTheTimeAndNothingElse()
    {
        var sale = await shop.OpenAsync();
        var before = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

        using var answer = await sale.Server.Anonymous().GetAsync(PathOf(sale));

        var reply = (await Reply.ReadAsync(answer)).Expect(HttpStatusCode.OK);
        Assert.Equal(["epochMs", "orders"], reply.Json.EnumerateObject().Select(property => property.Name));
        Assert.InRange(reply.Json.GetProperty("epochMs").GetInt64(), before, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());
        Assert.Equal(0, reply.Json.GetProperty("orders").GetArrayLength());
        Assert.Equal("no-store", answer.Headers.CacheControl?.ToString());
        Assert.False(answer.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task Me_OfAShopper_HasTheirReservationOrdersAndVisit()
    {
        var sale = await shop.OpenAsync(new ShopTerms { RequiresReservation = true, OpensIn = TimeSpan.FromMinutes(5) });
        var alice = sale.NewShopper();
        var other = await shop.OpenAsync();
        await other.Named(alice.UserId).OrderAsync();

        Assert.False((await MeAsync(alice)).Json.TryGetProperty("reservation", out _));
        var visit = (await MeAsync(alice)).Text("visit");
        (await alice.SendAsync(HttpMethod.Post, $"/api/v1/sales/{sale.Id}/reservations", new { visit })).Expect(HttpStatusCode.Created);
        var token = await alice.TokenAsync();
        // Only now: a machine that stands still before must not open it too early.
        await sale.MoveOpeningAsync(TimeSpan.FromMilliseconds(500));
        await Eventually.HoldsAsync(async () => (await alice.SubmitAsync(token)).Status == HttpStatusCode.Created, "the sale opens");

        var me = await MeAsync(alice);
        Assert.Equal((alice.UserId, "approved"), (me.Text("userId"), me.Text("reservation")));
        var order = Assert.Single(me.Json.GetProperty("orders").EnumerateArray());
        var known = (await alice.ReadAsync(order.GetProperty("id").GetString()!)).Expect(HttpStatusCode.OK);
        Assert.Equal(
            (sale.OfferId, "held", known.Text("payBefore")),
            (order.GetProperty("offerId").GetString(), order.GetProperty("status").GetString(), order.GetProperty("payBefore").GetString()));
        Assert.False(me.Json.TryGetProperty("barred", out _));

        Task<Reply> MeAsync(Shopper shopper) => MeOfAsync(shopper, sale);
    }

    [Fact]
    public async Task Me_OfWhoIsOnTheBlacklist_SaysSoAndNotWhy()
    {
        var sale = await shop.OpenAsync();
        var mallory = sale.NewShopper();
        (await ConsoleServer.SendAsync(sale.Server.Operator(), HttpMethod.Put, "blacklist/" + mallory.UserId, new System.Text.Json.Nodes.JsonObject { ["reason"] = "scalper", ["source"] = "test" }))
            .Expect(HttpStatusCode.OK);

        var me = await MeOfAsync(mallory, sale);

        Assert.True(me.Json.GetProperty("barred").GetBoolean());
        Assert.DoesNotContain("scalper", me.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Me_OfAShopper_KeepsTheirDevice()
    {
        var sale = await shop.OpenAsync();
        var client = sale.Server.SignedIn("device-keeper");

        using var first = await client.GetAsync(PathOf(sale));
        var device = Assert.Single(first.Headers.GetValues("Set-Cookie"), cookie => cookie.StartsWith("fs_device=", StringComparison.Ordinal)).Split(';')[0];
        using var request = new HttpRequestMessage(HttpMethod.Get, PathOf(sale));
        request.Headers.Add("Cookie", device);
        using var second = await client.SendAsync(request);

        Assert.Equal(device, Assert.Single(second.Headers.GetValues("Set-Cookie")).Split(';')[0]);
    }

    [Theory]
    [InlineData("/api/v1/sales/999999/me")]
    [InlineData("/api/v1/sales/none/me")]
    public async Task Me_OfNoSale_IsNotFound(string path) =>
        (await (await shop.OpenAsync()).NewShopper().SendAsync(HttpMethod.Get, path)).ExpectProblem(HttpStatusCode.NotFound, "not-found");

    private static async Task<Reply> MeOfAsync(Shopper shopper, ShopSale sale) =>
        (await shopper.SendAsync(HttpMethod.Get, PathOf(sale).OriginalString)).Expect(HttpStatusCode.OK);

    private static Uri PathOf(ShopSale sale) => new($"/api/v1/sales/{sale.Id}/me", UriKind.Relative);
}
