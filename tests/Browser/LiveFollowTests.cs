using System.Net;
using System.Text.Json.Nodes;

using FlashSale.Tests.Server;
using FlashSale.Tests.Server.Console;

using Xunit;

using static Microsoft.Playwright.Assertions;

namespace FlashSale.Tests.Browser;

/// <summary>How the pages of the console follow what moves, whatever is clicked, refused or over.</summary>
public sealed class LiveFollowTests(BrowserShop shop, ConsoleServer own, OneChromium chromium) : BrowserTests(shop, chromium), IClassFixture<ConsoleServer>
{
    [Fact]
    public async Task Board_WhenATableHasTheFocus_StillFollows()
    {
        var sale = await WatchedAsync();
        var visitor = await ComeAsync("viewer");
        await visitor.GoAsync($"/console/en/sales/{sale.Id}");
        var units = visitor.Page.Locator("[data-part=units] .wide");
        await units.ClickAsync();
        await Expect(units).ToBeFocusedAsync();
        await visitor.ReadAsync<object?>("document.activeElement.mine = 'yes'");

        await own.OrderAsync(sale.OfferId, NewUser("focus"));

        await Expect(units.Locator("tbody td").Nth(2)).ToHaveTextAsync("1");
        await Expect(units).ToBeFocusedAsync();
        Assert.Equal("yes", await visitor.ReadAsync<string>("document.activeElement.mine"));
    }

    [Fact]
    public async Task Board_WhenAnOperatorPauses_NamesTheLineInTheCharts()
    {
        var sale = await WatchedAsync();
        var visitor = await ComeAsync("viewer");
        await visitor.Profile.AddInitScriptAsync("""
            window.written = [];
            const write = CanvasRenderingContext2D.prototype.fillText;
            CanvasRenderingContext2D.prototype.fillText = function (text, ...place) { window.written.push(text); return write.call(this, text, ...place); };
            """);
        await visitor.GoAsync($"/console/en/sales/{sale.Id}");
        await Expect(visitor.Page.Locator("[data-chart] canvas")).ToHaveCountAsync(4);

        (await ConsoleServer.SendAsync(own.Operator, HttpMethod.Post, $"sales/{sale.Id}/pause", new JsonObject { ["reason"] = "a look" })).Expect(HttpStatusCode.OK);

        await visitor.WaitAsync("window.written.includes('Sale paused')");
        // Every layer of the chart has a colour of its own.
        Assert.Equal(7, await visitor.ReadAsync<int>("new Set([...document.querySelectorAll('[data-chart=decisions] .u-marker')].map((one) => one.style.background).filter(Boolean)).size"));
    }

    [Fact]
    public async Task Board_WhenTheStreamIsRefused_StaysAndComesBackByItself()
    {
        var sale = await WatchedAsync();
        var visitor = await ComeAsync("viewer");
        visitor.Faults.Expect("503", "502");
        var asked = 0;
        await visitor.Page.RouteAsync("**/live", async route =>
        {
            asked++;
            await route.FulfillAsync(new() { Status = asked % 2 == 0 ? 502 : 503, Headers = new Dictionary<string, string> { ["Retry-After"] = "10" } });
        });
        var loads = 0;
        visitor.Page.DOMContentLoaded += (_, _) => loads++;
        await visitor.GoAsync($"/console/en/sales/{sale.Id}");
        await Expect(visitor.Page.Locator("[data-late]")).ToBeVisibleAsync();
        await Task.Delay(4_000);

        Assert.Equal(1, loads);
        Assert.InRange(asked, 1, 2);
        await visitor.Page.UnrouteAsync("**/live");
        await Expect(visitor.Page.Locator("[data-late]")).ToBeHiddenAsync(new() { Timeout = 25_000 });
        Assert.Equal(1, loads);
    }

    [Fact]
    public async Task Board_WhenTheSessionHasEnded_LeadsToTheSignIn()
    {
        var sale = await WatchedAsync();
        var visitor = await ComeAsync("viewer");
        visitor.Faults.Expect("503", "MIME type");
        await visitor.Page.RouteAsync("**/live", route => route.FulfillAsync(new() { Status = 503 }));
        await visitor.GoAsync($"/console/en/sales/{sale.Id}");
        await Expect(visitor.Page.Locator("[data-late]")).ToBeVisibleAsync();

        await visitor.Profile.ClearCookiesAsync();
        await visitor.Page.UnrouteAsync("**/live");

        await Eventually.HoldsAsync(() => Task.FromResult(visitor.Path.Contains("/sign-in", StringComparison.Ordinal)), "the sign-in", TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Board_OfASaleThatIsFarOff_IsNotLoadedAgain()
    {
        var definition = own.Definition();
        var now = TimeProvider.System.GetUtcNow();
        definition["opensAt"] = ConsoleServer.Rfc3339(now.AddDays(2));
        definition["closesAt"] = ConsoleServer.Rfc3339(now.AddDays(3));
        var sale = await own.PublishAsync(definition);
        var visitor = await ComeAsync("viewer");
        var loads = 0;
        visitor.Page.DOMContentLoaded += (_, _) => loads++;

        await visitor.GoAsync($"/console/en/sales/{sale.Id}");
        await Task.Delay(5_000);

        Assert.Equal(1, loads);
    }

    [Fact]
    public async Task Service_WithScript_Follows()
    {
        var visitor = await ComeAsync("viewer");
        await visitor.GoAsync("/console/en/service");
        await visitor.Page.Locator(".wide").ClickAsync();
        await visitor.ReadAsync<object?>("window.mine = true");
        var at = visitor.Page.Locator("main [data-part]");
        var before = await at.TextContentAsync();

        await Expect(at).Not.ToHaveTextAsync(before!);
        Assert.True(await visitor.ReadAsync<bool>("window.mine"));
    }

    private async Task<Answer> WatchedAsync()
    {
        var sale = await own.PublishAsync();
        await Eventually.HoldsAsync(
            async () => (await ConsoleServer.SendAsync(own.Operator, HttpMethod.Get, $"sales/{sale.Id}/live")).Status == HttpStatusCode.OK, "the sale is watched");
        return sale;
    }

    private async Task<Visitor> ComeAsync(string role)
    {
        var visitor = await ComeAsync(Look.Desktop with { Width = 1280, Height = 900 }, own.Server);
        await visitor.HaveConsoleAsync("vera", role);
        return visitor;
    }
}
