using System.Net;

using Xunit;

namespace FlashSale.Tests.Server.Console.Pages;

public sealed class PublicationPagesTests(FourEyesServer console) : IClassFixture<FourEyesServer>
{
    [Theory]
    [InlineData("/console", "您修改过此活动，须由未修改过的人发布。", "需要由另一位具有审批角色的人发布。")]
    [InlineData("/console/en", "You have edited it; somebody who has not must publish it.", "A second person with the role approver publishes.")]
    public async Task Publication_WhenTheEditorLooks_SaysWhyNotAndHasNoButton(string root, string why, string rule)
    {
        var created = await CreateAsync("olga");
        using var olga = new ConsoleBrowser(console.Server, "olga", "operator", "approver");

        var page = (await olga.GetAsync($"{root}/sales/{created.Id}/publication")).Expect(HttpStatusCode.OK).Says(why, rule, "olga");

        Assert.DoesNotContain($"action=\"{root}/sales/{created.Id}/publication\"", page.Html, StringComparison.Ordinal);
        (await olga.PostAsync($"{root}/sales/{created.Id}/publication", ("rev", "1"))).Expect(HttpStatusCode.Forbidden).Says(why);
        Assert.Equal("draft", await PhaseAsync(created.Id));
    }

    [Fact]
    public async Task Publication_WhenASecondPersonAgrees_PublishesWhatWasSeen()
    {
        var created = await CreateAsync("olga");
        using var paul = new ConsoleBrowser(console.Server, "paul", "approver");
        var path = $"/console/en/sales/{created.Id}/publication";

        var page = (await paul.GetAsync(path)).Expect(HttpStatusCode.OK).Says("You may publish it.", "Nothing has changed.", "Price (yuan)", "¥99");
        var form = page.Form(path);
        form["reason"] = "as agreed";
        (await paul.PostAsync(path, form)).ExpectSeen($"/console/en/sales/{created.Id}/readiness?done=published");

        Assert.Equal("scheduled", await PhaseAsync(created.Id));
        var entry = (await ConsoleServer.SendAsync(console.Operator, HttpMethod.Get, "audit")).Json.GetProperty("items")[0];
        Assert.Equal("paul", entry.GetProperty("actor").GetString());
        Assert.Equal("approver", entry.GetProperty("role").GetString());
        Assert.Equal("as agreed", entry.GetProperty("reason").GetString());
        (await paul.PostAsync(path, form)).Expect(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task Publication_WhenTheDraftWasChangedMeanwhile_ShowsTheNewDiffAndPublishesNothing()
    {
        var created = await CreateAsync("olga");
        using var paul = new ConsoleBrowser(console.Server, "paul", "approver");
        var path = $"/console/en/sales/{created.Id}/publication";
        var seen = (await paul.GetAsync(path)).Form(path);
        var changed = console.Definition();
        changed["offers"]![0]!["price"]!["amount"] = 100;
        changed["offers"]!.AsArray().Add(ConsoleServer.Offer("B"));
        (await ConsoleServer.SendAsync(console.Server.Operator("omar"), HttpMethod.Put, $"sales/{created.Id}", changed, "*")).Expect(HttpStatusCode.OK);

        var stale = (await paul.PostAsync(path, seen)).Expect(HttpStatusCode.Conflict);

        stale.Says("was changed after you opened this page", "omar");
        Assert.Contains("<del>¥99</del>", stale.Html, StringComparison.Ordinal);
        Assert.Contains("<ins>¥1</ins>", stale.Html, StringComparison.Ordinal);
        stale.Says("B Stock added");
        Assert.Equal("draft", await PhaseAsync(created.Id));
        (await paul.PostAsync(path, stale.Form(path))).Expect(HttpStatusCode.SeeOther);
    }

    [Fact]
    public async Task Publication_WhenAPublishedSaleWasChanged_ShowsWhatSinceThen()
    {
        var definition = Later();
        var created = (await ConsoleServer.SendAsync(console.Operator, HttpMethod.Post, "sales", definition)).Expect(HttpStatusCode.Created);
        (await ConsoleServer.SendAsync(console.Server.SignedIn("paul", "approver"), HttpMethod.Post, $"sales/{created.Id}/publication")).Expect(HttpStatusCode.OK);
        definition["title"]!["zh"] = "改名";
        (await ConsoleServer.SendAsync(console.Operator, HttpMethod.Put, $"sales/{created.Id}", definition, "*")).Expect(HttpStatusCode.OK);
        using var ada = new ConsoleBrowser(console.Server, "ada", "auditor");

        var page = (await ada.GetAsync($"/console/sales/{created.Id}/publication")).Expect(HttpStatusCode.OK);

        Assert.Contains("<del>优惠券</del>", page.Html, StringComparison.Ordinal);
        Assert.Contains("<ins>改名</ins>", page.Html, StringComparison.Ordinal);
        page.Says("与 paul 于", "1 处变化。");
    }

    [Fact]
    public async Task Publication_WhenTheReasonIsTooLong_SaysSoAndPublishesNothing()
    {
        var created = await CreateAsync("olga");
        using var paul = new ConsoleBrowser(console.Server, "paul", "approver");
        var path = $"/console/en/sales/{created.Id}/publication";

        var page = (await paul.PostAsync(path, ("rev", "1"), ("reason", new string('x', 501)))).Expect(HttpStatusCode.UnprocessableEntity);

        Assert.Equal("Must be a text of 1 to 500 characters.", page.ErrorOf("publication-reason"));
        Assert.Equal("draft", await PhaseAsync(created.Id));
    }

    [Theory]
    [InlineData("viewer", HttpStatusCode.Forbidden)]
    [InlineData("risk", HttpStatusCode.Forbidden)]
    [InlineData("auditor", HttpStatusCode.OK)]
    public async Task Publication_WhenTheRoleDoesNotPublish_IsRefused(string role, HttpStatusCode status)
    {
        var created = await CreateAsync("olga");
        using var somebody = new ConsoleBrowser(console.Server, "sam", role);

        (await somebody.GetAsync($"/console/en/sales/{created.Id}/publication")).Expect(status);
        (await somebody.PostAsync($"/console/en/sales/{created.Id}/publication", ("rev", "1"))).Expect(HttpStatusCode.Forbidden);
        Assert.Equal("draft", await PhaseAsync(created.Id));
    }

    private System.Text.Json.Nodes.JsonObject Later()
    {
        var definition = console.Definition();
        definition["opensAt"] = "2100-05-01T12:00:00Z";
        definition["closesAt"] = "2100-05-01T14:00:00Z";
        return definition;
    }

    private async Task<Answer> CreateAsync(string user) =>
        (await ConsoleServer.SendAsync(console.Server.Operator(user), HttpMethod.Post, "sales", Later())).Expect(HttpStatusCode.Created);

    private async Task<string?> PhaseAsync(string id) =>
        (await ConsoleServer.SendAsync(console.Operator, HttpMethod.Get, $"sales/{id}")).Json.GetProperty("phase").GetString();
}

/// <summary>Publication asks for a second person.</summary>
public sealed class FourEyesServer : IAsyncLifetime
{
    private readonly ConsoleServer definitions = new();

    public TestServer Server { get; private set; } = null!;

    public HttpClient Operator { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Server = await TestServer.StartAsync(("FlashSale__Console__FourEyes", "true"));
        Operator = Server.Operator();
    }

    public System.Text.Json.Nodes.JsonObject Definition() => definitions.Definition();

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
