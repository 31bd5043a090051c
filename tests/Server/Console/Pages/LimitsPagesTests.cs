using System.Net;

using Xunit;

namespace FlashSale.Tests.Server.Console.Pages;

public sealed class LimitsPagesTests(ConsoleServer shop) : IClassFixture<ConsoleServer>
{
    private DeskVisitor Olga => new(shop.Server, "olga", "operator");

    [Theory]
    [InlineData("/console/limits", "限流", "每秒许可")]
    [InlineData("/console/en/limits", "Limits", "Permits a second")]
    public async Task Page_InBothLanguages_SaysEveryLimit(string path, string title, string label)
    {
        var page = (await Olga.GetAsync(path)).Expect(HttpStatusCode.OK);

        Assert.Contains(title, page.Text);
        Assert.Contains(label, page.Text);
        Assert.Equal(17, page.Html.Split("inputmode=\"numeric\"").Length - 1);
    }

    [Fact]
    public async Task Page_OfAnAuditor_HasNoForm()
    {
        var page = (await new DeskVisitor(shop.Server, "ada", "auditor").GetAsync("/console/en/limits")).Expect(HttpStatusCode.OK);

        Assert.Contains("One user: Burst", page.Text);
        Assert.DoesNotContain("name=\"rev\"", page.Html);
    }

    [Fact]
    public async Task Check_OfAChange_SaysWhatItMeansAndChangesNothing()
    {
        var before = await ReadAsync();
        var fields = Fields(before).Select(field => field.Name == "user.burst" ? (field.Name, "31") : field).Append(("step", "check")).ToArray();

        var page = (await Olga.PostAsync("/console/limits", fields)).Expect(HttpStatusCode.OK);

        Assert.Contains($"单个用户：突发容量：{before.Value("user.burst")} → 31", page.Text);
        Assert.Equal("31", page.Value("user.burst"));
        Assert.Equal(before.Value("user.burst"), (await ReadAsync()).Value("user.burst"));
    }

    [Fact]
    public async Task Save_WithAReason_HoldsAndIsAudited()
    {
        var fields = Fields(await ReadAsync()).Select(field => field.Name == "user.burst" ? (field.Name, "77") : field).Append(("step", "save")).Append(("reason", "a crowd")).ToArray();

        var answer = (await Olga.PostAsync("/console/en/limits", fields)).Expect(HttpStatusCode.SeeOther);

        Assert.Equal("/console/en/limits?done=saved", answer.Location);
        Assert.Equal("77", (await ReadAsync()).Value("user.burst"));
        var audit = (await shop.GetAsync("audit")).Json.GetProperty("items").EnumerateArray().First(entry => entry.GetProperty("action").GetString() == "limits.set");
        Assert.Equal(("olga", "operator", "a crowd"), (audit.GetProperty("actor").GetString(), audit.GetProperty("role").GetString(), audit.GetProperty("reason").GetString()));
    }

    [Fact]
    public async Task Save_WithWrongFields_ShowsEachBesideItsFieldAndWhatWasTyped()
    {
        var before = await ReadAsync();
        var fields = Fields(before)
            .Select(field => field.Name switch { "total.burst" => (field.Name, "many"), "user.burst" => (field.Name, "0"), "shedding.pagesPercent" => (field.Name, "99"), _ => field })
            .Append(("step", "save")).ToArray();

        var page = (await Olga.PostAsync("/console/limits", fields)).Expect(HttpStatusCode.UnprocessableEntity);

        Assert.Equal("many", page.Value("total.burst"));
        foreach (var name in new[] { "total-burst", "user-burst", "shedding-ordersPercent", "reason" })
        {
            Assert.Contains($"id=\"f-{name}-error\"", page.Html);
        }

        Assert.DoesNotContain("must be", page.Html, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(before.Value("user.burst"), (await ReadAsync()).Value("user.burst"));
    }

    [Fact]
    public async Task Save_WhenSomebodyElseWasFaster_ChangesNothingAndSaysSo()
    {
        var seen = await ReadAsync();
        var mine = Fields(seen).Append(("step", "save")).Append(("reason", "mine")).ToArray();
        (await Olga.PostAsync("/console/en/limits", [.. mine.Where(field => field.Item1 != "sale.burst"), ("sale.burst", "123")])).Expect(HttpStatusCode.SeeOther);

        var page = (await Olga.PostAsync("/console/en/limits", [.. mine.Where(field => field.Item1 != "sale.burst"), ("sale.burst", "456")])).Expect(HttpStatusCode.Conflict);

        Assert.Contains("Somebody else has changed the limits", page.Text);
        Assert.Contains("123 → 456", page.Text);
        Assert.NotEqual(seen.Value("rev"), page.Value("rev"));
        Assert.Equal("123", (await ReadAsync()).Value("sale.burst"));
    }

    [Theory]
    [InlineData("check")]
    [InlineData("save")]
    public async Task Form_WhenSomebodyElseWasFaster_KeepsWhatTheyChangedWhereItWasLeftAlone(string step)
    {
        var opened = await ReadAsync();
        var theirs = int.Parse(opened.Value("sale.burst")) + 1;
        (await Olga.PostAsync("/console/en/limits", ("rev", opened.Value("rev")), ("sale.burst", $"{theirs}"), ("reason", "theirs"), ("step", "save"))).Expect(HttpStatusCode.SeeOther);
        var mine = int.Parse(opened.Value("total.burst")) + 1;

        // Without a reason, or to see what it means: either way what was left alone must not come back as if it was typed.
        var page = (await Olga.PostAsync("/console/en/limits", [.. Form(opened), ("total.burst", $"{mine}"), ("step", step)])).Expect(HttpStatusCode.Conflict);
        Assert.Contains("Somebody else has changed the limits", page.Text);
        Assert.Equal(($"{theirs}", $"{mine}"), (page.Value("sale.burst"), page.Value("total.burst")));
        (await Olga.PostAsync("/console/en/limits", [.. Form(page), ("total.burst", $"{mine}"), ("reason", "mine"), ("step", "save")])).Expect(HttpStatusCode.SeeOther);

        var now = await ReadAsync();
        Assert.Equal(($"{theirs}", $"{mine}"), (now.Value("sale.burst"), now.Value("total.burst")));
    }

    private async Task<DeskPage> ReadAsync() => (await Olga.GetAsync("/console/en/limits")).Expect(HttpStatusCode.OK);

    /// <summary>As a browser sends it, but for the one field that is typed.</summary>
    private static IEnumerable<(string Name, string Value)> Form(DeskPage page) =>
        Fields(page).SelectMany(field => field.Name == "rev" ? [field] : new[] { field, ("was." + field.Name, page.Value("was." + field.Name)) }).Where(field => field.Item1 != "total.burst");

    private static (string Name, string Value)[] Fields(DeskPage page) =>
    [
        .. new[]
        {
            "rev", "total.perSecond", "total.burst", "address.perSecond", "address.burst", "user.perSecond", "user.burst", "sale.perSecond", "sale.burst", "shedding.targetLatencyMs",
            "shedding.inFlightMin", "shedding.inFlightMax", "shedding.writerWaitMs", "shedding.busyClientsPercent", "shedding.pagesPercent", "shedding.documentsPercent",
            "shedding.tokensPercent", "shedding.ordersPercent",
        }.Select(name => (name, page.Value(name))),
    ];
}
