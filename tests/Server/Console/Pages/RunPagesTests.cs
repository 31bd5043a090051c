using System.Net;

using Xunit;

namespace FlashSale.Tests.Server.Console.Pages;

/// <summary>Readiness, what is done with a sale, and its stock.</summary>
public sealed class RunPagesTests(ConsoleServer console) : IClassFixture<ConsoleServer>, IDisposable
{
    private readonly ConsoleBrowser olga = new(console.Server, "olga", "operator");
    private readonly ConsoleBrowser vera = new(console.Server, "vera", "viewer");

    public void Dispose()
    {
        olga.Dispose();
        vera.Dispose();
    }

    [Fact]
    public async Task Readiness_WhenTheSaleIsADraftThenPublished_SaysSoInBothLanguages()
    {
        var created = await console.CreateAsync();

        (await vera.GetAsync($"/console/sales/{created.Id}/readiness")).Expect(HttpStatusCode.OK).Says("尚未就绪。", "活动还是草稿。");
        (await vera.GetAsync($"/console/en/sales/{created.Id}/readiness")).Says("Not ready.", "The sale is a draft.");
        (await console.PostAsync($"sales/{created.Id}/publication")).Expect(HttpStatusCode.OK);
        var page = (await vera.GetAsync($"/console/sales/{created.Id}/readiness")).Says("一切就绪。", "1 / 1 个优惠券", "正常", "连接池", "写入 ", "读取 ");
        (await vera.GetAsync($"/console/en/sales/{created.Id}/readiness")).Says("Everything is ready.", "1 of 1 offers agree", "Good", "Connections", "writes ", " in use");
        Assert.Contains("<noscript><meta http-equiv=\"refresh\" content=\"2\" /></noscript>", page.Html, StringComparison.Ordinal);
        Assert.DoesNotContain("/warm-up", page.Html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WarmUp_WhenAnOperatorAsksForIt_LoadsTheSaleAndIsAudited()
    {
        var published = await console.PublishAsync();
        var form = (await olga.GetAsync($"/console/en/sales/{published.Id}/readiness")).Form($"/console/en/sales/{published.Id}/warm-up");

        (await olga.PostAsync($"/console/en/sales/{published.Id}/warm-up", form)).ExpectSeen($"/console/en/sales/{published.Id}/readiness?done=warmed");

        (await olga.GetAsync($"/console/en/sales/{published.Id}/readiness?done=warmed")).Says("Loaded into the gate.");
        Assert.Equal("sale.warm-up", await LastActionAsync());
    }

    [Fact]
    public async Task Pause_WhenAReasonIsGiven_HoldsAndCanBeResumed()
    {
        var published = await console.PublishAsync();
        var root = $"/console/en/sales/{published.Id}";
        var form = (await olga.GetAsync(root + "/stock")).Form(root + "/pause");
        form["reason"] = "a test";

        (await olga.PostAsync(root + "/pause", form)).ExpectSeen(root + "/stock?done=paused");
        Assert.Equal("paused", await PhaseAsync(published.Id));
        Assert.Equal("sale.pause", await LastActionAsync());
        (await olga.PostAsync(root + "/pause", form)).Expect(HttpStatusCode.Conflict).Says("this cannot be done");
        (await olga.PostAsync(root + "/resumption", ("reason", "it was one"))).ExpectSeen(root + "?done=resumed");

        Assert.Equal("open", await PhaseAsync(published.Id));
    }

    [Theory]
    [InlineData("/console", "请填 1 到 500 个字符。")]
    [InlineData("/console/en", "Must be a text of 1 to 500 characters.")]
    public async Task Pause_WhenNoReasonIsGiven_AsksForOne(string root, string error)
    {
        var published = await console.PublishAsync();

        var page = (await olga.PostAsync($"{root}/sales/{published.Id}/pause", ("reason", "  "), ("from", "stock"))).Expect(HttpStatusCode.UnprocessableEntity);

        Assert.Equal(error, page.ErrorOf("pause-reason"));
        Assert.Equal("stock", page.Form($"{root}/sales/{published.Id}/pause")["from"]);
        Assert.Equal("open", await PhaseAsync(published.Id));
    }

    [Fact]
    public async Task Close_WhenTheSlugIsNotTyped_ClosesNothing()
    {
        var published = await console.PublishAsync();
        var slug = published.Json.GetProperty("slug").GetString()!;
        var path = $"/console/en/sales/{published.Id}/closure";

        var refused = (await olga.PostAsync(path, ("reason", "over"), ("slug", slug + "x"))).Expect(HttpStatusCode.UnprocessableEntity);
        Assert.Contains("nothing was done", refused.ErrorOf("closure-slug"), StringComparison.Ordinal);
        Assert.Equal("over", refused.Form(path)["reason"]);
        Assert.Equal("open", await PhaseAsync(published.Id));
        (await olga.PostAsync(path, ("reason", "over"), ("slug", slug), ("from", "https://evil.example"))).ExpectSeen($"/console/en/sales/{published.Id}?done=closed");

        Assert.Equal("ended", await PhaseAsync(published.Id));
        (await olga.GetAsync(path)).Says("this cannot be done");
        (await olga.GetAsync($"/console/en/sales/{published.Id}/definition")).Says("The sale is over");
    }

    [Theory]
    [InlineData("pause")]
    [InlineData("resumption")]
    [InlineData("closure")]
    [InlineData("warm-up")]
    [InlineData("stock")]
    public async Task Actions_WhenTheRoleIsNotOperator_AreRefused(string action)
    {
        var published = await console.PublishAsync();
        foreach (var role in new[] { "viewer", "approver", "risk", "auditor", "dealer" })
        {
            using var somebody = new ConsoleBrowser(console.Server, "sam", role);
            (await somebody.PostAsync($"/console/en/sales/{published.Id}/{action}", ("reason", "no"))).Expect(HttpStatusCode.Forbidden);
        }

        (await olga.PostAsync($"/console/en/sales/{published.Id}/{action}", new Dictionary<string, string> { ["reason"] = "no" }, "https://evil.example")).Expect(HttpStatusCode.Forbidden);
        Assert.Equal("open", await PhaseAsync(published.Id));
        Assert.DoesNotContain("/pause", (await vera.GetAsync($"/console/en/sales/{published.Id}/stock")).Expect(HttpStatusCode.OK).Html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stock_WhenItIsAsExpected_IsAdjustedInLedgerAndGate()
    {
        var published = await console.PublishAsync();
        var path = $"/console/en/sales/{published.Id}/stock";
        var form = (await olga.GetAsync(path)).Form(path);
        Assert.Equal("10", form["expectedAvailable"]);

        (await olga.PostAsync(path, new Dictionary<string, string>(form) { ["delta"] = "5", ["reason"] = "more", ["reference"] = "OA-1" })).ExpectSeen($"{path}?offer={published.OfferId}&done=adjusted");

        var page = (await olga.GetAsync(path)).Says("+5", "Adjusted", "10 5 15 0 0 15 0 0");
        Assert.Equal("15", page.Form(path)["expectedAvailable"]);
        (await olga.GetAsync($"/console/sales/{published.Id}/stock")).Says("最近 50 条流水", "初始");
    }

    [Fact]
    public async Task Stock_WhenAnOrderCameBetween_SaysWhatItIsNowAndKeepsWhatWasTyped()
    {
        var published = await console.PublishAsync();
        var path = $"/console/sales/{published.Id}/stock";
        var form = (await olga.GetAsync(path)).Form(path);
        form["delta"] = "-3";
        form["reason"] = "少一些";
        form["reference"] = "OA-2";
        var order = await console.OrderAsync(published.OfferId, "anna");

        var conflict = (await olga.PostAsync(path, form)).Expect(HttpStatusCode.Conflict).Says("可售数现在是 9，不是 10");

        var again = conflict.Form(path);
        Assert.Equal(("-3", "少一些", "OA-2", "9"), (again["delta"], again["reason"], again["reference"], again["expectedAvailable"]));
        (await olga.PostAsync(path, again)).Expect(HttpStatusCode.SeeOther);
        (await olga.GetAsync(path)).Says(order.Id, "−3");
        (await vera.GetAsync(path)).DoesNotSay(order.Id);
    }

    [Fact]
    public async Task Stock_WhenTheFieldsAreInvalid_SaysSoBesideEach()
    {
        var published = await console.PublishAsync();
        var path = $"/console/en/sales/{published.Id}/stock";

        var page = (await olga.PostAsync(path, ("offer", published.OfferId), ("delta", "0"), ("reason", ""), ("reference", "r"), ("expectedAvailable", "ten"))).Expect(HttpStatusCode.UnprocessableEntity);

        Assert.Equal("Must not be 0.", page.ErrorOf("adjust-delta"));
        Assert.Equal("Must be a text of 1 to 500 characters.", page.ErrorOf("adjust-reason"));
        Assert.NotNull(page.ErrorOf("adjust-expectedAvailable"));
        Assert.Equal("ten", page.Form(path)["expectedAvailable"]);
        (await olga.PostAsync(path, ("offer", published.OfferId), ("delta", "-11"), ("reason", "r"), ("reference", "r"), ("expectedAvailable", "10")))
            .Expect(HttpStatusCode.UnprocessableEntity).Says("10 are available now");
        (await olga.PostAsync(path, ("offer", "999999"), ("delta", "1"), ("reason", "r"), ("reference", "r"), ("expectedAvailable", "10"))).Expect(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Stock_WhenTheSaleIsADraft_SaysWhereItIsDefined()
    {
        var created = await console.CreateAsync();

        (await olga.GetAsync($"/console/en/sales/{created.Id}/stock")).Expect(HttpStatusCode.OK).Says("The sale is a draft");
        (await olga.PostAsync($"/console/en/sales/{created.Id}/stock", ("offer", created.OfferId), ("delta", "1"), ("reason", "r"), ("reference", "r"), ("expectedAvailable", "10")))
            .Expect(HttpStatusCode.Conflict).Says("The sale is a draft");
    }

    [Theory]
    [InlineData("definition")]
    [InlineData("preview")]
    [InlineData("publication")]
    [InlineData("readiness")]
    [InlineData("stock")]
    [InlineData("pause")]
    public async Task Pages_WhenThereIsNoSuchSaleOrNobodyIsSignedIn_ShowNone(string page)
    {
        (await olga.GetAsync($"/console/sales/999999/{page}")).Expect(HttpStatusCode.NotFound);
        using var response = await console.Server.Anonymous().GetAsync(new Uri($"/console/sales/999999/{page}", UriKind.Relative));
        Assert.Contains("/console/sign-in?return=", response.RequestMessage!.RequestUri!.ToString(), StringComparison.Ordinal);
    }

    private async Task<string?> PhaseAsync(string id) => (await console.GetAsync($"sales/{id}")).Json.GetProperty("phase").GetString();

    private async Task<string?> LastActionAsync() => (await console.GetAsync("audit")).Json.GetProperty("items")[0].GetProperty("action").GetString();
}
