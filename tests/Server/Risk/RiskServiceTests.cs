using System.Net;
using System.Text.Json.Nodes;

using FlashSale.Core;

using Xunit;

namespace FlashSale.Tests.Server.Risk;

/// <summary>A server, its providers, and everything that they can do wrong.</summary>
public sealed class RiskServiceTests(RiskServers servers) : IClassFixture<RiskServers>
{
    private static int people;

    private static Shopper Person(ShopSale sale, string kind) => sale.Named($"{kind}-{Interlocked.Increment(ref people)}");

    [Fact]
    public async Task Reserve_WithProviders_IsPendingFirstAndThenDecidedByWhatTheyKnow()
    {
        await servers.BehaveAsync(new { latencyMs = 50 });
        using var stalls = new Stalls();
        var sale = await servers.OpenAsync();
        var (good, bad) = (Person(sale, "good"), Person(sale, "bad"));

        Assert.Equal("pending", (await good.ReserveAsync()).Expect(HttpStatusCode.Created).Text("status"));
        (await bad.ReserveAsync()).Expect(HttpStatusCode.Created);
        await Eventually.HoldsAsync(async () => await sale.ReservationStatusAsync(good) == "approved" && await sale.ReservationStatusAsync(bad) == "rejected", "both are assessed");

        await good.TokenAsync();
        (await bad.AskTokenAsync()).ExpectProblem(HttpStatusCode.Forbidden, "not-eligible");
        var found = await sale.AssessmentOfAsync(bad);
        Assert.Equal(("done", "rejected"), (found.Text("state"), found.Text("status")));
        // A provider that stood still with the machine was not waited for.
        Assert.InRange(found.GetProperty("attempts").GetInt32(), 0, stalls.Longest < Limits.ProviderTimeout / 2 ? 0 : 2);
        Assert.InRange(found.GetProperty("score").GetInt32(), 60, 100);
        Assert.Contains(found.GetProperty("signals").EnumerateArray(), signal => signal.Text("name") == "bad-credit" && signal.Text("reason") == "Bad credit");
        Assert.Equal(95, found.GetProperty("inputs").GetProperty("creditRisk").GetInt32());
        var entry = (await sale.AdminAsync(HttpMethod.Get, "blacklist/" + bad.UserId)).Expect(HttpStatusCode.OK);
        Assert.Equal("risk", entry.Text("source"));
        Assert.Contains("Bad credit", entry.Text("reason"));
    }

    [Fact]
    public async Task Decision_OfAnOperator_StandsAgainstTheRules()
    {
        var sale = await servers.OpenAsync();
        var (bad, good) = (Person(sale, "bad"), Person(sale, "good"));
        await bad.ReserveAsync();
        await good.ReserveAsync();
        await Eventually.HoldsAsync(async () => (await sale.AssessmentsAsync("state=done")).Count == 2, "both are assessed");

        var approved = await DecideAsync(sale, bad, "approved");
        await DecideAsync(sale, good, "rejected");

        Assert.Equal("approved", approved.Text("status"));
        await bad.TokenAsync();
        (await sale.AdminAsync(HttpMethod.Get, "blacklist/" + bad.UserId)).Expect(HttpStatusCode.NotFound);
        (await good.AskTokenAsync()).ExpectProblem(HttpStatusCode.Forbidden, "not-eligible");
        var id = (await sale.AssessmentOfAsync(bad)).Text("reservationId");
        (await sale.AdminAsync(HttpMethod.Post, $"assessments/{id}/decision", new { status = "pending" })).ExpectProblem(HttpStatusCode.UnprocessableEntity, "invalid-fields");
        (await sale.AdminAsync(HttpMethod.Post, $"assessments/{Guid.NewGuid():N}/decision", new { status = "approved", reason = "x" })).ExpectProblem(HttpStatusCode.NotFound, "not-found");
        (await bad.SendAsync(HttpMethod.Post, $"/api/v1/admin/assessments/{id}/decision", new { status = "approved", reason = "me" })).ExpectProblem(HttpStatusCode.Forbidden, "forbidden");
    }

    private static async Task<Reply> DecideAsync(ShopSale sale, Shopper shopper, string status)
    {
        var rita = sale.NewShopper("risk");
        var id = (await sale.AssessmentOfAsync(shopper)).Text("reservationId");
        return (await rita.SendAsync(HttpMethod.Post, $"/api/v1/admin/assessments/{id}/decision", new { status, reason = "known here" })).Expect(HttpStatusCode.OK);
    }

    /// <summary>Nobody is approved because something failed, nobody is rejected for it, and nobody is forgotten.</summary>
    [Theory]
    [InlineData("""{"failPercent": 100}""")]
    [InlineData("""{"malformedPercent": 100}""")]
    [InlineData("""{"down": true}""")]
    [InlineData("""{"latencyMs": 2600}""")]
    public async Task Reserve_WhileTheProvidersFail_WaitsAndIsNotEligibleUntilTheyAreBack(string behaviour)
    {
        await servers.BehaveAsync(JsonNode.Parse(behaviour)!);
        var sale = await servers.OpenAsync();
        var (good, bad) = (Person(sale, "good"), Person(sale, "bad"));

        await good.ReserveAsync();
        await bad.ReserveAsync();
        await Eventually.HoldsAsync(async () => (await sale.AssessmentsAsync()).Exists(one => one.GetProperty("attempts").GetInt32() > 0), "an attempt fails");
        Assert.All(await sale.AssessmentsAsync(), one => Assert.Equal(("waiting", "pending"), (one.Text("state"), one.Text("status"))));
        (await good.AskTokenAsync()).ExpectProblem(HttpStatusCode.Forbidden, "not-eligible");
        var readiness = (await sale.AdminAsync(HttpMethod.Get, $"sales/{sale.Id}/readiness")).Expect(HttpStatusCode.OK).Json;
        Assert.Contains(readiness.GetProperty("reasons").EnumerateArray(), reason => reason.GetString()!.Contains("2 reservations wait", StringComparison.Ordinal));

        await servers.BehaveAsync(new { });
        await Eventually.HoldsAsync(async () => await sale.ReservationStatusAsync(good) == "approved" && await sale.ReservationStatusAsync(bad) == "rejected", "both are assessed");
        await good.TokenAsync();
    }

    /// <summary>What the dry run foretells is what the same people meet in a sale with that threshold.</summary>
    [Fact]
    public async Task DryRun_WithAnotherThresholdOrOtherRules_TellsWhatWouldHappenAndChangesNothing()
    {
        await servers.BehaveAsync(new { });
        string[] names = [.. Enumerable.Range(0, 12).Select(i => $"{(i % 4 == 0 ? "bad" : i % 4 == 1 ? "fair" : "good")}-dry-{Interlocked.Increment(ref people)}")];
        var lenient = await servers.OpenAsync(riskThreshold: 100);
        await AssessAsync(lenient, names);

        var dry = (await lenient.AdminAsync(HttpMethod.Post, $"sales/{lenient.Id}/risk-dry-run", new { threshold = 60 })).Expect(HttpStatusCode.OK).Json;
        var unchanged = (await lenient.AdminAsync(HttpMethod.Post, $"sales/{lenient.Id}/risk-dry-run")).Expect(HttpStatusCode.OK).Json;
        var strict = await servers.OpenAsync(riskThreshold: 60);
        await AssessAsync(strict, names);

        var rejected = (await strict.AssessmentsAsync()).Where(one => one.Text("status") == "rejected").Select(one => one.Text("userId")).Order().ToList();
        Assert.Equal(3, rejected.Count);
        Assert.Equal(rejected, dry.GetProperty("examples").EnumerateArray().Select(one => one.Text("userId")).Order());
        Assert.Equal((12, 3, 0, 3, 0), Counts(dry));
        Assert.Equal(3, dry.GetProperty("byRule").EnumerateArray().Single(rule => rule.Text("name") == "bad-credit").GetProperty("hits").GetInt32());
        Assert.Equal((12, 0, 0, 0, 0), Counts(unchanged));
        Assert.All(await lenient.AssessmentsAsync(), one => Assert.Equal("approved", one.Text("status")));

        var rules = new { version = "try", banDays = 1, rules = new[] { new { name = "fair", when = new { creditRisk = new { atLeast = 50, below = 90 } }, weight = 100, reason = "a try" } } };
        var other = (await strict.AdminAsync(HttpMethod.Post, $"sales/{strict.Id}/risk-dry-run", new { rules })).Expect(HttpStatusCode.OK).Json;
        Assert.Equal((12, 3, 3, 3, 3), Counts(other));
        Assert.Equal("try", other.Text("rules"));
        var wrong = new { threshold = 101, rules = new { version = "x", banDays = 1, rules = new[] { new { name = "a", when = new { nose = new { @is = 1 } }, weight = 1, reason = "b" } } } };
        var refused = (await strict.AdminAsync(HttpMethod.Post, $"sales/{strict.Id}/risk-dry-run", wrong)).ExpectProblem(HttpStatusCode.UnprocessableEntity, "invalid-fields");
        Assert.Equal(["rules.rules[0].when.nose", "threshold"], refused.Json.GetProperty("errors").EnumerateObject().Select(error => error.Name).Order(StringComparer.Ordinal));
    }

    private static async Task AssessAsync(ShopSale sale, string[] names)
    {
        await Task.WhenAll(names.Select(name => sale.Named(name).ReserveAsync()));
        await Eventually.HoldsAsync(async () => (await sale.AssessmentsAsync("state=done")).Count == names.Length, "all are assessed");
    }

    private static (int Assessed, int Barred, int Now, int Newly, int NoLonger) Counts(System.Text.Json.JsonElement run)
    {
        int Of(string name) => run.GetProperty(name).GetInt32();
        return (Of("assessed"), Of("barred"), Of("barredNow"), Of("newlyBarred"), Of("noLongerBarred"));
    }

    [Fact]
    public async Task Rules_Always_AreShownWithAllThatTheyMayAsk()
    {
        var rules = (await (await servers.OpenAsync()).AdminAsync(HttpMethod.Get, "risk/rules")).Expect(HttpStatusCode.OK).Json;

        Assert.Contains("creditRisk", rules.GetProperty("inputs").EnumerateArray().Select(name => name.GetString()));
        var quick = rules.GetProperty("rules").EnumerateArray().Single(rule => rule.Text("name") == "quick");
        Assert.Equal("""{"below":1200,"atLeast":500}""", quick.GetProperty("when").GetProperty("pageToReservationMs").GetRawText());
    }

    [Fact]
    public async Task Erase_OfAUser_LeavesTheDecisionAndNoInputs()
    {
        await servers.BehaveAsync(new { });
        var sale = await servers.OpenAsync();
        var person = Person(sale, "good");
        await person.ReserveAsync();
        await Eventually.HoldsAsync(async () => await sale.ReservationStatusAsync(person) == "approved", "it is assessed");

        var erased = (await sale.AdminAsync(HttpMethod.Delete, "risk/users/" + person.UserId)).Expect(HttpStatusCode.OK).Json;

        Assert.Equal(1, erased.GetProperty("assessments").GetInt32());
        var one = await sale.AssessmentOfAsync(person);
        Assert.False(one.TryGetProperty("inputs", out _));
        Assert.Equal("approved", one.Text("status"));
        (await sale.AdminAsync(HttpMethod.Delete, "risk/users/not%20a%20user")).ExpectProblem(HttpStatusCode.NotFound, "not-found");
    }

    [Fact]
    public async Task Metrics_AndBreakers_ShowTheRiskService()
    {
        var sale = await servers.OpenAsync();
        var metrics = (await sale.SendAsync(HttpMethod.Get, "/metrics", session: null)).Body;

        Assert.Contains("flashsale_assessments_total{outcome=\"approved\"}", metrics);
        Assert.Contains("flashsale_assessments_waiting ", metrics);
        Assert.Contains("flashsale_assessments_dead ", metrics);
        Assert.Contains("flashsale_risk_provider_failures_total{provider=\"credit\"}", metrics);
        Assert.Contains("flashsale_breaker_state{breaker=\"profile\"}", metrics);
        Assert.DoesNotContain("a-secret-of-the-provider", servers.Server.Log);
    }

    [Fact]
    public async Task Assessments_ByAWordOrCursorThatIsNone_AreRefused()
    {
        var sale = await servers.OpenAsync();

        (await sale.AdminAsync(HttpMethod.Get, $"sales/{sale.Id}/assessments?state=lost")).ExpectProblem(HttpStatusCode.UnprocessableEntity, "invalid-fields");
        (await sale.AdminAsync(HttpMethod.Get, $"sales/{sale.Id}/assessments?cursor=x")).ExpectProblem(HttpStatusCode.UnprocessableEntity, "invalid-fields");
        (await sale.AdminAsync(HttpMethod.Get, "sales/999999/assessments")).ExpectProblem(HttpStatusCode.NotFound, "not-found");
    }
}
