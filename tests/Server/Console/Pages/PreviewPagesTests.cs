using System.Net;
using System.Text.Json.Nodes;

using Xunit;

namespace FlashSale.Tests.Server.Console.Pages;

public sealed class PreviewPagesTests(ConsoleServer console) : IClassFixture<ConsoleServer>
{
    [Theory]
    [InlineData("2100-05-01T08:59:59", "running", "signed_in", "即将开抢", "soon")]
    [InlineData("2100-05-01T19:50:00", "running", "signed_in", "未预约，无法参与", "reservation_closed")]
    [InlineData("2100-05-01T09:00:00", "running", "signed_in", "立即预约", "reserve")]
    [InlineData("2100-05-01T09:00:00", "running", "stranger", "登录后参与", "sign_in")]
    [InlineData("2100-05-01T19:50:00", "running", "reserved", "已预约", "reserved")]
    [InlineData("2100-05-01T19:59:00", "running", "reserved", "即将开抢", "soon")]
    [InlineData("2100-05-01T20:00:00", "running", "reserved", "立即抢购", "grab")]
    [InlineData("2100-05-01T20:00:00", "sold_out", "reserved", "已抢光", "sold_out")]
    [InlineData("2100-05-01T20:00:00", "paused", "reserved", "活动暂停，请稍候", "paused")]
    [InlineData("2100-05-01T22:00:00", "running", "reserved", "已结束", "ended")]
    public async Task Page_WhenATimeIsChosen_IsTheShopsOwnPageAsItWillBe(string at, string state, string shopper, string label, string button)
    {
        var id = await DraftAsync();
        using var vera = new ConsoleBrowser(console.Server, "vera", "viewer");

        var page = (await vera.GetAsync($"/console/sales/{id}/preview/page?at={at}&state={state}&as={shopper}&lang=zh")).Expect(HttpStatusCode.OK);

        Assert.Equal("text/html; charset=utf-8", page.MediaType);
        Assert.Contains($"data-main-button=\"{button}\"", page.Html, StringComparison.Ordinal);
        page.Says(label);
        Assert.DoesNotContain("<script", page.Html, StringComparison.Ordinal);
        Assert.DoesNotContain("http-equiv", page.Html, StringComparison.Ordinal);
        var policy = page.Headers["Content-Security-Policy"];
        Assert.Contains("frame-ancestors 'self'", policy, StringComparison.Ordinal);
        Assert.Contains("form-action 'none'", policy, StringComparison.Ordinal);
        Assert.Contains("sandbox", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("script-src", policy, StringComparison.Ordinal);
        Assert.Equal("SAMEORIGIN", page.Headers["X-Frame-Options"]);
    }

    [Fact]
    public async Task Page_WhenEnglishIsChosen_IsEnglishOnAChinesePage()
    {
        var id = await DraftAsync();
        using var vera = new ConsoleBrowser(console.Server, "vera", "viewer");

        (await vera.GetAsync($"/console/sales/{id}/preview/page?at=2100-05-01T20:00&as=reserved&lang=en")).Says("Grab it", "Dragon Boat");
        (await vera.GetAsync($"/console/en/sales/{id}/preview/page?at=2100-05-01T20:00&as=reserved")).Says("Grab it");
    }

    [Theory]
    [InlineData("/console", "开抢前 60 秒")]
    [InlineData("/console/en", "60 s before")]
    public async Task Preview_WhenItIsOpened_LinksToTheMomentsAndFramesThePage(string root, string moment)
    {
        var id = await DraftAsync();
        using var vera = new ConsoleBrowser(console.Server, "vera", "viewer");

        var page = (await vera.GetAsync($"{root}/sales/{id}/preview?at=2100-05-01T20%3A00%3A00&width=desktop")).Expect(HttpStatusCode.OK).Says(moment, "2100-05-01 20:00:00");

        Assert.Contains("frame-src 'self'", page.Headers["Content-Security-Policy"], StringComparison.Ordinal);
        Assert.Equal("DENY", page.Headers["X-Frame-Options"]);
        Assert.Contains($"src=\"{root}/sales/{id}/preview/page?at=2100-05-01T20%3A00&amp;", page.Html, StringComparison.Ordinal);
        Assert.Matches("<iframe [^>]*sandbox[ >]", page.Html);
        Assert.Contains("?at=2100-05-01T19%3A59&amp;", page.Html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Preview_WhenTheTimeIsNone_SaysSoAndShowsNow()
    {
        var id = await DraftAsync();
        using var vera = new ConsoleBrowser(console.Server, "vera", "viewer");

        var page = (await vera.GetAsync($"/console/en/sales/{id}/preview?at=9999-99-99")).Expect(HttpStatusCode.OK);

        Assert.Equal("Must be a Beijing time, from the year 2000 to 2199, such as 2026-11-26 20:00.", page.ErrorOf("f-at"));
        using var risk = new ConsoleBrowser(console.Server, "rosa", "risk");
        (await risk.GetAsync($"/console/en/sales/{id}/preview")).Expect(HttpStatusCode.Forbidden);
        (await risk.GetAsync($"/console/en/sales/{id}/preview/page")).Expect(HttpStatusCode.Forbidden);
    }

    private async Task<string> DraftAsync()
    {
        var definition = console.Definition();
        definition["title"] = new JsonObject { ["zh"] = "端午", ["en"] = "Dragon Boat" };
        definition["requiresReservation"] = true;
        definition["reservationOpensAt"] = "2100-05-01T01:00:00Z";
        definition["reservationClosesAt"] = "2100-05-01T11:00:00Z";
        definition["opensAt"] = "2100-05-01T12:00:00Z";
        definition["closesAt"] = "2100-05-01T14:00:00Z";
        return (await console.CreateAsync(definition)).Id;
    }
}
