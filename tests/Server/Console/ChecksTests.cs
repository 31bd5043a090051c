using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;

using Xunit;

namespace FlashSale.Tests.Server.Console;

public sealed class ChecksTests(ConsoleServer console) : IClassFixture<ConsoleServer>
{
    [Fact]
    public async Task Readiness_WhenTheSaleIsADraftThenPublished_SaysSo()
    {
        var created = await console.CreateAsync();

        var draft = (await console.GetAsync($"sales/{created.Id}/readiness")).Expect(HttpStatusCode.OK).Json;

        Assert.False(draft.GetProperty("ready").GetBoolean());
        Assert.False(draft.GetProperty("warmUp").GetProperty("warm").GetBoolean());
        await console.PostAsync($"sales/{created.Id}/publication");
        var published = (await console.GetAsync($"sales/{created.Id}/readiness")).Expect(HttpStatusCode.OK).Json;
        Assert.True(published.GetProperty("ready").GetBoolean(), published.ToString());
        var offer = published.GetProperty("offers")[0];
        Assert.True(offer.GetProperty("warm").GetBoolean());
        Assert.Equal(10, offer.GetProperty("ledgerAvailable").GetInt64());
        Assert.Equal(0, offer.GetProperty("drift").GetInt64());
        Assert.InRange(published.GetProperty("clockSkewMs").GetInt64(), -500, 500);
        Assert.Equal(JsonValueKind.Object, published.GetProperty("breakers").ValueKind);
        Assert.Equal(["writes", "reads"], published.GetProperty("pools").EnumerateArray().Select(pool => pool.GetProperty("name").GetString()));
        Assert.False(draft.TryGetProperty("pages", out _));
        await Eventually.HoldsAsync(
            async () => (await console.GetAsync($"sales/{created.Id}/readiness")).Json.TryGetProperty("pages", out var pages) && pages.GetInt64() > 0, "its pages are published");
    }

    [Fact]
    public async Task Reconciliation_WhenOrdersWerePlacedPaidAndCancelled_FindsNoViolation()
    {
        var published = await console.PublishAsync();
        var paid = await console.OrderAsync(published.OfferId, "anna");
        await console.PayAsync(paid.Id, "anna");
        await console.OrderAsync(published.OfferId, "bert");
        var cancelled = await console.OrderAsync(published.OfferId, "carl");
        await ConsoleServer.SendAsync(console.Server.SignedIn("carl"), HttpMethod.Post, $"/api/v1/orders/{cancelled.Id}/cancellation");

        var books = (await console.GetAsync($"sales/{published.Id}/reconciliation")).Expect(HttpStatusCode.OK).Json;

        Assert.Empty(books.GetProperty("violations").EnumerateArray());
        var offer = books.GetProperty("offers")[0];
        (string, long)[] expected =
        [
            ("initial", 10), ("available", 8), ("held", 1), ("sold", 1), ("changes", 6), ("ordersHeld", 1), ("ordersPaid", 1), ("coupons", 1),
            ("paymentsPaid", 1), ("gateStock", 8), ("gatePending", 0),
        ];
        Assert.All(expected, figure => Assert.Equal(figure.Item2, offer.GetProperty(figure.Item1).GetInt64()));
    }

    [Fact]
    public async Task Reconciliation_WhenTheBooksWereTamperedWith_NamesEachViolation()
    {
        await using var server = new ConsoleServer();
        await server.InitializeAsync();
        var published = await server.PublishAsync();
        await server.TamperAsync(published);

        var books = (await server.GetAsync($"sales/{published.Id}/reconciliation")).Expect(HttpStatusCode.OK).Json;
        var violations = books.GetProperty("violations").EnumerateArray().Select(violation => violation.GetString()!).ToList();
        Assert.Contains(violations, violation => violation.Contains("does not replay at seq 2", StringComparison.Ordinal));
        Assert.Contains(violations, violation => violation.Contains("orders paid and their coupons differ: 1 and 0", StringComparison.Ordinal));
        Assert.Contains(violations, violation => violation.Contains("payments paid differ: 1 and 0", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Export_WhenAnAuditorAsks_StreamsALineForEachRow()
    {
        var published = await console.PublishAsync();
        var order = await console.OrderAsync(published.OfferId, "dora");
        var auditor = console.Server.SignedIn("ada", "auditor");

        var export = (await ConsoleServer.SendAsync(auditor, HttpMethod.Get, $"sales/{published.Id}/export")).Expect(HttpStatusCode.OK);

        Assert.Equal("application/x-ndjson", export.MediaType);
        Assert.EndsWith("\n", export.Text);
        var lines = export.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line)).ToList();
        Assert.Equal(
            ["order", "stock", "stockChange", "stockChange"], lines.Select(line => line.GetProperty("type").GetString()!).Order(StringComparer.Ordinal));
        Assert.Equal(order.Id, lines.Single(line => line.GetProperty("type").GetString() == "order").GetProperty("id").GetString());
        (await ConsoleServer.SendAsync(auditor, HttpMethod.Get, "sales/999999/export")).ExpectProblem(HttpStatusCode.NotFound, "not-found");
        (await console.GetAsync($"sales/{published.Id}/export")).ExpectProblem(HttpStatusCode.Forbidden, "forbidden");
    }

    [Fact]
    public async Task Publication_WhenFourEyesAreAsked_NeedsAnApproverWhoDidNotEdit()
    {
        await using var server = await TestServer.StartAsync(("FlashSale__Console__FourEyes", "true"));
        var both = server.SignedIn("olga", "operator", "approver");
        var other = server.SignedIn("paul", "approver");
        var definition = console.Definition();
        var created = (await ConsoleServer.SendAsync(both, HttpMethod.Post, "sales", definition)).Expect(HttpStatusCode.Created);
        var publication = $"sales/{created.Id}/publication";

        (await ConsoleServer.SendAsync(server.Operator("quinn"), HttpMethod.Post, publication)).ExpectProblem(HttpStatusCode.Forbidden, "forbidden");
        (await ConsoleServer.SendAsync(both, HttpMethod.Post, publication)).ExpectProblem(HttpStatusCode.Forbidden, "forbidden");
        (await ConsoleServer.SendAsync(other, HttpMethod.Put, $"sales/{created.Id}", definition, "*")).ExpectProblem(HttpStatusCode.Forbidden, "forbidden");
        (await ConsoleServer.SendAsync(server.Operator("quinn"), HttpMethod.Put, $"sales/{created.Id}", definition, "*")).Expect(HttpStatusCode.OK);
        // Not the last who edited it, and an editor all the same.
        (await ConsoleServer.SendAsync(both, HttpMethod.Post, publication)).ExpectProblem(HttpStatusCode.Forbidden, "forbidden");
        (await ConsoleServer.SendAsync(other, HttpMethod.Post, publication, ifMatch: "\"7\""))
            .ExpectProblem(HttpStatusCode.PreconditionFailed, "precondition-failed");
        (await ConsoleServer.SendAsync(other, HttpMethod.Post, publication)).Expect(HttpStatusCode.OK);
        var entry = (await ConsoleServer.SendAsync(both, HttpMethod.Get, "audit")).Json.GetProperty("items")[0];
        Assert.Equal("approver", entry.GetProperty("role").GetString());
        await server.StopAsync();
    }

    [Fact]
    public async Task Sales_WhenTheServerWasKilled_AreThereAgain()
    {
        await using var server = await TestServer.StartAsync();
        var created = (await ConsoleServer.SendAsync(server.Operator(), HttpMethod.Post, "sales", console.Definition())).Expect(HttpStatusCode.Created);
        (await ConsoleServer.SendAsync(server.Operator(), HttpMethod.Post, $"sales/{created.Id}/pause", new JsonObject { ["reason"] = "x" }))
            .ExpectProblem(HttpStatusCode.Conflict, "sale-state-conflict");
        await ConsoleServer.SendAsync(server.Operator(), HttpMethod.Post, $"sales/{created.Id}/publication");

        await server.KillAsync();
        await server.RestartAsync();

        // The instance that was killed may be missed until the one in its place has reported.
        await Eventually.HoldsAsync(
            async () => (await ConsoleServer.SendAsync(server.Operator(), HttpMethod.Get, $"sales/{created.Id}/readiness")).Expect(HttpStatusCode.OK).Json.GetProperty("ready").GetBoolean(),
            "the sale is ready");
    }
}
