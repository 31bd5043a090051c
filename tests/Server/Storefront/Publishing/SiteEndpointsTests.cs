using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;

using FlashSale.Tests.Server.Console;

using Xunit;

namespace FlashSale.Tests.Server.Storefront.Publishing;

/// <summary>What operators do about the published pages.</summary>
public sealed class SiteEndpointsTests : IAsyncLifetime
{
    private TestServer server = null!;

    public async ValueTask InitializeAsync() => server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task Rollback_ThenPublication_ShowsTheVersionBeforeAndTheNewestAgain()
    {
        // Nothing was published but the list without sales, if that.
        await Eventually.HoldsAsync(async () => Current(await SiteAsync()) == 1, "the first version is there");
        (await PostAsync("site/rollback", "too far")).ExpectProblem(HttpStatusCode.Conflict, "no-earlier-version");
        await ShopSale.OpenAsync(server, new ShopTerms());
        await Eventually.HoldsAsync(async () => (await PageAsync()).Contains("/sales/shop-", StringComparison.Ordinal), "the list has the sale");
        var newest = Current(await SiteAsync());

        var back = (await PostAsync("site/rollback", "the price is wrong")).Expect(HttpStatusCode.OK).Json;

        Assert.Equal((newest - 1, true), (Current(back), back.GetProperty("held").GetBoolean()));
        Assert.Equal(newest - 1, back.GetProperty("instance").GetProperty("shown").GetInt64());
        Assert.DoesNotContain("/sales/shop-", await PageAsync(), StringComparison.Ordinal);
        // Nobody but an operator publishes again, whatever changes.
        await ShopSale.OpenAsync(server, new ShopTerms());
        await Task.Delay(800);
        Assert.Equal(newest - 1, Current(await SiteAsync()));

        var again = (await PostAsync("site/publication", "it is right")).Expect(HttpStatusCode.OK).Json;

        Assert.Equal((newest + 1, false), (Current(again), again.GetProperty("held").GetBoolean()));
        Assert.Contains("/sales/shop-", await PageAsync(), StringComparison.Ordinal);
        Assert.Equal("olga", again.GetProperty("versions")[0].GetProperty("madeBy").GetString());
        Assert.Equal("system", again.GetProperty("versions")[1].GetProperty("madeBy").GetString());
        // The same again is nothing new.
        Assert.Equal(newest + 1, Current((await PostAsync("site/publication", "once more")).Expect(HttpStatusCode.OK).Json));
        var audit = (await ConsoleServer.SendAsync(server.Operator(), HttpMethod.Get, "audit")).Json.GetProperty("items").EnumerateArray()
            .Where(entry => entry.GetProperty("action").GetString()!.StartsWith("site.", StringComparison.Ordinal))
            .Select(entry => (entry.GetProperty("action").GetString(), entry.GetProperty("actor").GetString(), entry.GetProperty("reason").GetString()));
        Assert.Equal([("site.publish", "olga", "it is right"), ("site.rollback", "olga", "the price is wrong")], audit);
        await Eventually.HoldsAsync(async () => (await SiteAsync()).GetProperty("instance").GetProperty("onDisk").GetInt64() == newest + 1, "it is on disk");
        var metrics = await server.Anonymous().GetStringAsync(new Uri("/metrics", UriKind.Relative));
        Assert.Contains($"flashsale_site_version {newest + 1}\n", metrics, StringComparison.Ordinal);
        Assert.DoesNotContain("flashsale_edge_from_memory_total 0\n", metrics, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("site/rollback")]
    [InlineData("site/publication")]
    public async Task Post_WithoutARightOrAReason_ChangesNothing(string path)
    {
        var before = await SiteAsync();

        (await ConsoleServer.SendAsync(server.SignedIn("anna", "auditor"), HttpMethod.Post, path, Reason("x"))).ExpectProblem(HttpStatusCode.Forbidden, "forbidden");
        (await ConsoleServer.SendAsync(server.Anonymous(), HttpMethod.Post, path, Reason("x"))).ExpectProblem(HttpStatusCode.Unauthorized, "unauthenticated");
        Assert.Equal(["reason"], (await ConsoleServer.SendAsync(server.Operator(), HttpMethod.Post, path, new JsonObject())).ExpectProblem(HttpStatusCode.UnprocessableEntity, "invalid-fields").Errors);
        (await ConsoleServer.SendAsync(server.SignedIn("anna", "auditor"), HttpMethod.Get, "site")).Expect(HttpStatusCode.OK);
        (await ConsoleServer.SendAsync(server.SignedIn("shopper"), HttpMethod.Get, "site")).ExpectProblem(HttpStatusCode.Forbidden, "forbidden");

        Assert.False((await SiteAsync()).GetProperty("held").GetBoolean());
        Assert.Equal(before.GetProperty("versions").GetArrayLength() > 0 ? Current(before) : 1, Math.Max(1, Current(await SiteAsync())));
    }

    private static JsonObject Reason(string text) => new() { ["reason"] = text };

    private static long Current(JsonElement site) => site.TryGetProperty("current", out var current) ? current.GetInt64() : 0;

    private async Task<JsonElement> SiteAsync() => (await ConsoleServer.SendAsync(server.Operator(), HttpMethod.Get, "site")).Expect(HttpStatusCode.OK).Json;

    private Task<Answer> PostAsync(string path, string reason) => ConsoleServer.SendAsync(server.Operator(), HttpMethod.Post, path, Reason(reason));

    private Task<string> PageAsync() => server.Anonymous().GetStringAsync(new Uri("/", UriKind.Relative));
}
