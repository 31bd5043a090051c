using System.Net;
using System.Text.Json.Nodes;

using Xunit;

namespace FlashSale.Tests.Server.Console;

public sealed class StockAndPeopleTests(ConsoleServer console) : IClassFixture<ConsoleServer>
{
    [Fact]
    public async Task Adjust_WhenTheStockIsAsExpected_MovesItInLedgerAndGate()
    {
        var published = await console.PublishAsync();

        var stock = (await console.PostAsync(Adjustments(published.OfferId), Adjustment(5, 10))).Expect(HttpStatusCode.OK);

        Assert.Equal(15, stock.Json.GetProperty("available").GetInt64());
        Assert.Equal(5, stock.Json.GetProperty("adjustments").GetInt64());
        var offer = (await console.GetAsync($"sales/{published.Id}/readiness")).Expect(HttpStatusCode.OK).Json.GetProperty("offers")[0];
        Assert.Equal(15, offer.GetProperty("gateStock").GetInt64());
    }

    [Fact]
    public async Task Adjust_WhenTheStockIsAnother_SaysWhatItIs()
    {
        var published = await console.PublishAsync();

        var answer = await console.PostAsync(Adjustments(published.OfferId), Adjustment(5, 9));

        answer.ExpectProblem(HttpStatusCode.Conflict, "stock-conflict");
        Assert.Contains("10", answer.Json.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task Adjust_WhenItCannotBe_NamesTheReason()
    {
        var created = await console.CreateAsync();
        (await console.PostAsync(Adjustments(created.OfferId), Adjustment(5, 10))).ExpectProblem(HttpStatusCode.Conflict, "sale-state-conflict");
        var published = await console.PublishAsync();

        Assert.Equal(["delta"], (await console.PostAsync(Adjustments(published.OfferId), Adjustment(-11, 10))).Errors);
        Assert.Equal(["delta"], (await console.PostAsync(Adjustments(published.OfferId), Adjustment(0, 10))).Errors);
        Assert.Equal(
            ["delta", "expectedAvailable", "reason", "reference"],
            (await console.PostAsync(Adjustments(published.OfferId), new JsonObject { ["delta"] = 1.5 })).Errors);
        (await console.PostAsync(Adjustments("999999"), Adjustment(1, 1))).ExpectProblem(HttpStatusCode.NotFound, "not-found");
        (await console.PostAsync(Adjustments("x"), Adjustment(1, 1))).ExpectProblem(HttpStatusCode.NotFound, "not-found");
    }

    [Fact]
    public async Task Blacklist_WhenAUserIsBarredAndLetInAgain_HoldsAtOnce()
    {
        var published = await console.PublishAsync();
        const string Entry = "blacklist/mallory";
        var tokens = $"/api/v1/offers/{published.OfferId}/order-tokens";
        var shopper = console.Server.SignedIn("mallory");
        (await console.GetAsync(Entry)).ExpectProblem(HttpStatusCode.NotFound, "not-found");
        (await ConsoleServer.SendAsync(console.Operator, HttpMethod.Delete, Entry)).ExpectProblem(HttpStatusCode.NotFound, "not-found");

        var barred = (await console.PutAsync(Entry, new JsonObject { ["reason"] = "scalper", ["source"] = "manual" }, null)).Expect(HttpStatusCode.OK);

        Assert.Equal("olga", barred.Json.GetProperty("actor").GetString());
        Assert.Equal(barred.Text, (await console.GetAsync(Entry)).Text);
        (await ConsoleServer.SendAsync(shopper, HttpMethod.Post, tokens)).ExpectProblem(HttpStatusCode.Forbidden, "not-eligible");
        (await ConsoleServer.SendAsync(console.Operator, HttpMethod.Delete, Entry)).Expect(HttpStatusCode.NoContent);
        (await ConsoleServer.SendAsync(shopper, HttpMethod.Post, tokens)).Expect(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Blacklist_WhenFieldsAreInvalid_NamesThemAll()
    {
        var entry = new JsonObject { ["reason"] = "", ["expiresAt"] = "2020-01-01T00:00:00Z" };

        Assert.Equal(["expiresAt", "reason", "source"], (await console.PutAsync("blacklist/eve", entry, null)).Errors);
        (await console.PutAsync("blacklist/not%20a%20user", entry, null)).ExpectProblem(HttpStatusCode.NotFound, "not-found");
    }

    private static string Adjustments(string offerId) => $"offers/{offerId}/stock-adjustments";

    private static JsonObject Adjustment(long delta, long expected) =>
        new() { ["delta"] = delta, ["reason"] = "more came", ["reference"] = "PO-1", ["expectedAvailable"] = expected };
}
