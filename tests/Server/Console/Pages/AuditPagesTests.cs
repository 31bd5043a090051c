using System.Net;

using FlashSale.Server.Console.Pages;

using Xunit;

namespace FlashSale.Tests.Server.Console.Pages;

public sealed class AuditPagesTests(ConsoleServer shop) : IClassFixture<ConsoleServer>
{
    private DeskVisitor Ada => new(shop.Server, "ada", "auditor");

    [Fact]
    public async Task Page_OfOneSale_ShowsItsLifeNewestFirst()
    {
        var published = await shop.PublishAsync();
        (await shop.PostAsync($"sales/{published.Id}/pause", System.Text.Json.Nodes.JsonNode.Parse("""{"reason":"a <b>fault</b>"}"""))).Expect(HttpStatusCode.OK);

        var zh = (await Ada.GetAsync($"/console/audit?subject=sale/{published.Id}")).Expect(HttpStatusCode.OK);
        var en = (await Ada.GetAsync($"/console/en/audit?subject=sale/{published.Id}")).Expect(HttpStatusCode.OK);

        var order = new[] { "Sale paused", "Sale published", "Sale created" }.Select(action => en.Text.IndexOf($"{action}: sale/{published.Id}", StringComparison.Ordinal)).ToArray();
        Assert.DoesNotContain(-1, order);
        Assert.Equal(order.Order(), order);
        Assert.Contains("Reason: a <b>fault</b>", en.Text);
        Assert.DoesNotContain("<b>fault", en.Html);
        Assert.Contains("olga operator", en.Text);
        Assert.Contains("status published paused", en.Text);
        Assert.Contains("暂停活动： sale/" + published.Id, zh.Text);
        Assert.Contains("olga 运营", zh.Text);
        Assert.Contains("追踪 ID", zh.Text);
    }

    [Fact]
    public async Task Page_WithFilters_ShowsOnlyThoseAndKeepsThemOnTheNext()
    {
        for (var i = 0; i < 51; i++)
        {
            await shop.CreateAsync();
        }

        var first = (await Ada.GetAsync("/console/en/audit?action=sale.create&actor=olga")).Expect(HttpStatusCode.OK);
        Assert.Equal(50, first.Html.Split("<article").Length - 1);
        Assert.DoesNotContain("Sale published:", first.Text);
        var more = System.Text.RegularExpressions.Regex.Match(WebUtility.HtmlDecode(first.Html), "/console/en/audit\\?subject=&actor=olga&action=sale.create&cursor=\\d+").Value;
        var second = (await Ada.GetAsync(more)).Expect(HttpStatusCode.OK);
        Assert.NotEqual(1, second.Html.Split("<article").Length);
        Assert.Contains("Nothing matches.", (await Ada.GetAsync("/console/en/audit?actor=nobody")).Text);
        Assert.Contains("Sale created", (await Ada.GetAsync("/console/en/audit?action=sale.")).Text);
        (await Ada.GetAsync("/console/en/audit?cursor=x")).Expect(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Csv_WithAFilter_HasAllOfThoseAndNoFormula()
    {
        var published = await shop.PublishAsync();
        (await shop.PostAsync($"sales/{published.Id}/pause", System.Text.Json.Nodes.JsonNode.Parse("""{"reason":"=1+1"}"""))).Expect(HttpStatusCode.OK);

        var csv = (await Ada.GetAsync($"/console/audit.csv?subject=sale/{published.Id}")).Expect(HttpStatusCode.OK);

        Assert.Equal("text/csv; charset=utf-8", csv.Headers["Content-Type"]);
        Assert.StartsWith("编号,时间,操作人,角色,操作,对象,原因,之前,之后,追踪 ID", csv.Lines[0]);
        Assert.Equal(4, csv.Lines.Length);
        Assert.Contains($",olga,operator,sale.pause,sale/{published.Id},'=1+1,", csv.Lines[1]);
    }

    [Fact]
    public void Diff_OfTwoDocuments_NamesWhatChangedCameAndWent()
    {
        var changes = AuditDiff.Of(
            """{"a":1,"b":{"c":"x","gone":true},"list":[1,2],"same":null,"at":"2026-11-26T12:00:00Z"}""",
            """{"a":2,"b":{"c":"x"},"list":[1,3,4],"at":"2026-11-26T13:00:00Z","new":false}""",
            ConsoleLanguage.En.Texts);

        Assert.Equal(
            [
                new FieldChange("a", "1", "2"), new FieldChange("list[1]", "2", "3"), new FieldChange("list[2]", null, "4"),
                new FieldChange("at", "2026-11-26 20:00:00", "2026-11-26 21:00:00"), new FieldChange("new", null, "No"), new FieldChange("b.gone", "Yes", null),
            ],
            changes);
        Assert.Equal([new FieldChange("", null, "not json")], AuditDiff.Of(null, "not json", ConsoleLanguage.En.Texts));
        Assert.Equal([new FieldChange("", null, "\"word\"")], AuditDiff.Of(null, "\"\\\"word\\\"\"", ConsoleLanguage.En.Texts));
    }
}
