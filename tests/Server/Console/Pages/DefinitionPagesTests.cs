using System.Net;
using System.Text.Json.Nodes;

using Xunit;

namespace FlashSale.Tests.Server.Console.Pages;

public sealed class DefinitionPagesTests(ConsoleServer console) : IClassFixture<ConsoleServer>, IDisposable
{
    private readonly ConsoleBrowser olga = new(console.Server, "olga", "operator");
    private static int slugs;

    public void Dispose() => olga.Dispose();

    [Theory]
    [InlineData("/console", "新建活动", "基本信息")]
    [InlineData("/console/en", "New sale", "Basics")]
    public async Task New_WhenItIsOpened_ShowsTheFormInBothLanguages(string root, string title, string basics)
    {
        var page = (await olga.GetAsync(root + "/sales/new")).Expect(HttpStatusCode.OK).Says(title, basics);

        var form = page.Form(root + "/sales/new");
        Assert.Equal("900", form["paymentWindowSeconds"]);
        Assert.Equal("", form["offers[0].sku"]);
        Assert.DoesNotContain("style=", page.Html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_WhenEverythingIsValid_MakesTheDraftInBeijingTimeAndYuan()
    {
        var fields = Valid();
        fields["offers[0].price"] = "99.5";

        var id = await CreateAsync(fields);

        var sale = (await console.GetAsync($"sales/{id}")).Expect(HttpStatusCode.OK).Json;
        Assert.Equal("draft", sale.GetProperty("phase").GetString());
        Assert.Equal("2100-05-01T12:00:00.000Z", sale.GetProperty("opensAt").GetString());
        Assert.Equal(9_950, sale.GetProperty("offers")[0].GetProperty("price").GetProperty("amount").GetInt64());
        Assert.Equal("suspicious", sale.GetProperty("defences").GetProperty("challenge").GetString());
        var page = (await olga.GetAsync($"/console/en/sales/{id}/definition?done=saved")).Says("Saved.");
        var form = page.Form($"/console/en/sales/{id}/definition");
        Assert.Equal("2100-05-01T20:00", form["opensAt"]);
        Assert.Equal("99.50", form["offers[0].price"]);
    }

    [Theory]
    [InlineData("/console", "请填 0 到 100,000,000.00 元，最多两位小数。", "须早于结束时间。", "同一活动中 SKU 不得重复。")]
    [InlineData("/console/en", "Must be an amount from 0 to 100,000,000.00 yuan, with at most two decimals.", "Must be before the closing.", "Must be another than those of the sale's other offers.")]
    public async Task Create_WhenFieldsAreInvalid_SaysSoBesideEachAndKeepsWhatWasTyped(string root, string money, string times, string sku)
    {
        var fields = Valid();
        fields["opensAt"] = "2100-06-01T20:00";
        fields["offers[0].price"] = "9.999";
        // The blank offer between them does not count.
        Offer(fields, 2, fields["offers[0].sku"]);

        var page = (await olga.PostAsync(root + "/sales/new", fields)).Expect(HttpStatusCode.UnprocessableEntity);

        Assert.Equal(money, page.ErrorOf("f-offers-0-price"));
        Assert.Equal(times, page.ErrorOf("f-opensAt"));
        Assert.Equal(sku, page.ErrorOf("f-offers-1-sku"));
        Assert.Null(page.ErrorOf("f-slug"));
        var form = page.Form(root + "/sales/new");
        Assert.Equal("9.999", form["offers[0].price"]);
        Assert.Equal(fields["slug"], form["slug"]);
        Assert.Equal(fields["offers[2].title.zh"], form["offers[1].title.zh"]);
    }

    [Fact]
    public async Task Create_WhenTheSlugIsTaken_SaysSoBesideIt()
    {
        var fields = Valid();
        await CreateAsync(fields);

        var page = (await olga.PostAsync("/console/en/sales/new", fields)).Expect(HttpStatusCode.Conflict);

        Assert.Equal("Another sale has this slug.", page.ErrorOf("f-slug"));
    }

    [Fact]
    public async Task AddOffer_WhenItIsPressed_GivesABlankOneAndSavesNothing()
    {
        var fields = Valid();
        fields["spare"] = "0";
        fields["do"] = "add-offer";

        var page = (await olga.PostAsync("/console/en/sales/new", fields)).Expect(HttpStatusCode.OK);

        var form = page.Form("/console/en/sales/new");
        Assert.Equal("A", form["offers[0].sku"]);
        Assert.Equal("", form["offers[1].sku"]);
        Assert.False(form.ContainsKey("offers[2].sku"));
        Assert.DoesNotContain(fields["slug"], (await console.GetAsync("sales")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task From_WhenASaleIsThePattern_TakesEverythingAtALaterDayUnderAnotherSlug()
    {
        var id = await CreateAsync(Valid());
        var pattern = (await olga.GetAsync($"/console/en/sales/{id}/definition")).Form($"/console/en/sales/{id}/definition");

        var form = (await olga.GetAsync($"/console/en/sales/new?from={id}")).Expect(HttpStatusCode.OK).Form("/console/en/sales/new");

        Assert.Equal("2100-05-02T20:00", form["opensAt"]);
        Assert.Equal("2100-05-02T22:00", form["closesAt"]);
        Assert.Equal(pattern["slug"] + "-21000502", form["slug"]);
        Assert.Equal(pattern["offers[0].price"], form["offers[0].price"]);
        await CreateAsync(form);
        (await olga.GetAsync("/console/en/sales/new?from=999999")).Expect(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Change_WhenSomebodyElseWasFaster_ShowsWhatChangedAndLosesNothingTyped()
    {
        var id = await CreateAsync(Valid());
        var path = $"/console/en/sales/{id}/definition";
        var mine = (await olga.GetAsync(path)).Form(path);
        using var omar = new ConsoleBrowser(console.Server, "omar", "operator");
        var theirs = new Dictionary<string, string>(mine) { ["title.en"] = "Theirs", ["closesAt"] = "2100-05-01T23:00" };
        (await omar.PostAsync(path, theirs)).ExpectSeen(path + "?done=saved");
        mine["title.zh"] = "我的";
        mine["closesAt"] = "2100-05-02T01:00";

        var stale = (await olga.PostAsync(path, mine)).Expect(HttpStatusCode.Conflict);

        stale.Says("Somebody changed the sale before you saved", "omar", "Theirs", "2100-05-01 23:00:00");
        var form = stale.Form(path);
        Assert.Equal("我的", form["title.zh"]);
        Assert.Equal("2100-05-02T01:00", form["closesAt"]);
        Assert.Equal("Theirs", form["title.en"]);
        (await olga.PostAsync(path, form)).ExpectSeen(path + "?done=saved");
        var sale = (await console.GetAsync($"sales/{id}")).Json;
        Assert.Equal("我的", sale.GetProperty("title").GetProperty("zh").GetString());
        Assert.Equal("Theirs", sale.GetProperty("title").GetProperty("en").GetString());
    }

    [Fact]
    public async Task Change_WhenTheSaleIsPublished_MayChangeTitlesAndTimesOnly()
    {
        var id = await CreateAsync(Valid());
        (await console.PostAsync($"sales/{id}/publication")).Expect(HttpStatusCode.OK);
        var path = $"/console/sales/{id}/definition";
        var page = await olga.GetAsync(path);
        var form = page.Form(path);
        Assert.Contains("name=\"slug\" type=\"text\" value=\"" + form["slug"] + "\" required readonly", page.Html, StringComparison.Ordinal);

        (await olga.PostAsync(path, new Dictionary<string, string>(form) { ["title.zh"] = "新名称", ["closesAt"] = "2100-05-01T23:30" })).ExpectSeen(path + "?done=saved");
        form = (await olga.GetAsync(path)).Form(path);
        Assert.Equal("新名称", form["title.zh"]);
        var refused = (await olga.PostAsync(path, new Dictionary<string, string>(form) { ["offers[0].stock"] = "11" })).Expect(HttpStatusCode.UnprocessableEntity);

        Assert.Equal("发布后不能更改；请改用库存调整。", refused.ErrorOf("f-offers-0-stock"));
    }

    [Fact]
    public async Task Change_WhenATimeHasMilliseconds_KeepsThem()
    {
        var definition = console.Definition();
        definition["opensAt"] = "2100-05-01T12:00:00.123Z";
        definition["closesAt"] = "2100-05-01T14:00:00.456Z";
        var created = await console.CreateAsync(definition);
        var path = $"/console/en/sales/{created.Id}/definition";

        var form = (await olga.GetAsync(path)).Form(path);
        (await olga.PostAsync(path, form)).ExpectSeen(path + "?done=saved");

        Assert.Equal("2100-05-01T12:00:00.123Z", (await console.GetAsync($"sales/{created.Id}")).Json.GetProperty("opensAt").GetString());
    }

    [Theory]
    [InlineData("viewer", HttpStatusCode.OK)]
    [InlineData("approver", HttpStatusCode.OK)]
    [InlineData("auditor", HttpStatusCode.OK)]
    [InlineData("risk", HttpStatusCode.Forbidden)]
    public async Task Definition_WhenOthersThanOperatorsLook_HasNoForm(string role, HttpStatusCode status)
    {
        var id = await CreateAsync(Valid());
        var path = $"/console/en/sales/{id}/definition";
        using var reader = new ConsoleBrowser(console.Server, "rita", role);

        var page = (await reader.GetAsync(path)).Expect(status);

        Assert.DoesNotContain($"action=\"{path}\"", page.Html, StringComparison.Ordinal);
        (await reader.PostAsync(path, Valid())).Expect(HttpStatusCode.Forbidden);
        (await reader.PostAsync("/console/en/sales/new", Valid())).Expect(HttpStatusCode.Forbidden);
        (await reader.GetAsync("/console/en/sales/new")).Expect(HttpStatusCode.Forbidden);
        if (status == HttpStatusCode.OK)
        {
            page.Says("Opens at", "2100-05-01 20:00:00", "¥99");
        }
    }

    [Fact]
    public async Task Definition_WhenTheFormComesFromElsewhere_ChangesNothing()
    {
        (await olga.PostAsync("/console/en/sales/new", Valid(), "https://evil.example")).Expect(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Plan_WhenThereAreSales_ShowsTimelineTableAndTemplates()
    {
        var definition = console.Definition();
        definition["title"] = new JsonObject { ["zh"] = "今日<b>", ["en"] = "Today's <b>" };
        var created = await console.PublishAsync(definition);

        foreach (var (root, title) in new[] { ("/console", "今日<b>"), ("/console/en", "Today's <b>") })
        {
            var page = (await olga.GetAsync(root)).Expect(HttpStatusCode.OK).Says(title, "Asia/Shanghai");
            Assert.Contains("<svg class=\"timeline\"", page.Html, StringComparison.Ordinal);
            Assert.Contains($"{root}/sales/new?from={created.Id}", page.Html, StringComparison.Ordinal);
            Assert.DoesNotContain("<b>", page.Html, StringComparison.Ordinal);
        }

        using var viewer = new ConsoleBrowser(console.Server, "vera", "viewer");
        Assert.DoesNotContain("/sales/new", (await viewer.GetAsync("/console")).Expect(HttpStatusCode.OK).Html, StringComparison.Ordinal);
    }

    private async Task<string> CreateAsync(Dictionary<string, string> fields)
    {
        var answer = (await olga.PostAsync("/console/en/sales/new", fields)).Expect(HttpStatusCode.SeeOther);
        return answer.Location!.Split('/')[4];
    }

    private static Dictionary<string, string> Valid()
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["slug"] = $"page-{Interlocked.Increment(ref slugs)}",
            ["title.zh"] = "端午",
            ["title.en"] = "Dragon Boat",
            ["opensAt"] = "2100-05-01T20:00",
            ["closesAt"] = "2100-05-01T22:00",
            ["paymentWindowSeconds"] = "900",
            ["defences.challenge"] = "suspicious",
        };
        Offer(fields, 0, "A");
        return fields;
    }

    private static void Offer(Dictionary<string, string> fields, int i, string sku)
    {
        fields[$"offers[{i}].sku"] = sku;
        fields[$"offers[{i}].title.zh"] = "三万元" + i;
        fields[$"offers[{i}].title.en"] = "30,000 yuan";
        fields[$"offers[{i}].faceValue"] = "30000";
        fields[$"offers[{i}].price"] = "99";
        fields[$"offers[{i}].stock"] = "10";
        fields[$"offers[{i}].validFrom"] = "2100-05-01T20:00";
        fields[$"offers[{i}].validUntil"] = "2100-09-01T20:00";
    }
}
