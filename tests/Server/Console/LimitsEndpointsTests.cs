using System.Net;
using System.Text.Json.Nodes;

using FlashSale.Tests.Server.Edge;

using Xunit;

namespace FlashSale.Tests.Server.Console;

public sealed class LimitsEndpointsTests(LimitedShop shop) : IClassFixture<LimitedShop>
{
    private const string Path = "/api/v1/admin/limits";

    private string Olga => shop.Server.CreateSession("olga", "operator");

    [Fact]
    public async Task Put_OfAPart_KeepsTheRestAndIsAudited()
    {
        var before = (await shop.AskAsync(HttpMethod.Get, Path, session: Olga)).Reply.Expect(HttpStatusCode.OK);

        var (after, response) = await shop.AskAsync(
            HttpMethod.Put, Path, session: Olga, body: new JsonObject { ["user"] = new JsonObject { ["burst"] = 77 }, ["reason"] = "a crowd" });

        after.Expect(HttpStatusCode.OK);
        Assert.Equal(77, after.Json.GetProperty("user").GetProperty("burst").GetInt32());
        Assert.Equal(before.Json.GetProperty("user").GetProperty("perSecond").GetInt32(), after.Json.GetProperty("user").GetProperty("perSecond").GetInt32());
        Assert.Equal(before.Json.GetProperty("shedding").GetRawText(), after.Json.GetProperty("shedding").GetRawText());
        Assert.Equal($"\"{after.Json.GetProperty("rev").GetInt64()}\"", response.Headers.ETag!.ToString());
        var audit = (await shop.AskAsync(HttpMethod.Get, "/api/v1/admin/audit", session: Olga)).Reply.Expect(HttpStatusCode.OK).Json.GetProperty("items")[0];
        Assert.Equal(("limits.set", "olga", "a crowd"), (audit.GetProperty("action").GetString(), audit.GetProperty("actor").GetString(), audit.GetProperty("reason").GetString()));
    }

    [Fact]
    public async Task Put_WithAStaleRevision_ChangesNothing()
    {
        var before = (await shop.AskAsync(HttpMethod.Get, Path, session: Olga)).Reply.Json.GetProperty("rev").GetInt64();
        (await shop.AskAsync(HttpMethod.Put, Path, session: Olga, body: new JsonObject { ["user"] = LimitedShop.Rate(5, 50) }, headers: ("If-Match", $"\"{before}\""))).Reply.Expect(HttpStatusCode.OK);

        var (stale, _) = await shop.AskAsync(HttpMethod.Put, Path, session: Olga, body: new JsonObject { ["user"] = LimitedShop.Rate(6, 60) }, headers: ("If-Match", $"\"{before}\""));

        stale.ExpectProblem(HttpStatusCode.PreconditionFailed, "precondition-failed");
        Assert.Equal(5, (await shop.AskAsync(HttpMethod.Get, Path, session: Olga)).Reply.Json.GetProperty("user").GetProperty("perSecond").GetInt32());
    }

    [Fact]
    public async Task Put_WithWrongFields_NamesEachOfThem()
    {
        var (refused, _) = await shop.AskAsync(HttpMethod.Put, Path, session: Olga, body: new JsonObject
        {
            ["total"] = LimitedShop.Rate(0, 1),
            ["address"] = LimitedShop.Rate(1, 10_000_001),
            ["user"] = "many",
            ["shedding"] = new JsonObject { ["inFlightMin"] = 500, ["inFlightMax"] = 400, ["pagesPercent"] = 90, ["documentsPercent"] = 101, ["targetLatencyMs"] = 1 },
        });

        refused.ExpectProblem(HttpStatusCode.UnprocessableEntity, "invalid-fields");
        Assert.Equal(
            ["address.burst", "shedding.documentsPercent", "shedding.inFlightMin", "shedding.ordersPercent", "shedding.targetLatencyMs", "total.perSecond", "user"],
            refused.Json.GetProperty("errors").EnumerateObject().Select(error => error.Name).Where(name => !name.StartsWith("user.", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Load_WhenAsked_SaysHowTheInstanceStands()
    {
        var load = (await shop.AskAsync(HttpMethod.Get, "/api/v1/admin/load", session: Olga)).Reply.Expect(HttpStatusCode.OK).Json;

        Assert.True(load.GetProperty("inFlight").GetInt32() >= 1);
        Assert.True(load.GetProperty("inFlightLimit").GetInt32() >= 128);
        Assert.Equal("closed", load.GetProperty("breakers").GetProperty("gate").GetString());
        Assert.Equal(HttpStatusCode.Forbidden, (await shop.AskAsync(HttpMethod.Get, "/api/v1/admin/load", session: shop.Server.CreateSession("anna"))).Reply.Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await shop.AskAsync(HttpMethod.Get, "/api/v1/admin/load")).Reply.Status);
    }
}
