using Xunit;

namespace FlashSale.Tests.Browser;

/// <summary>The busy pages of nginx, which are files of their own: no barrier, on any device, in both schemes.</summary>
public sealed class GatewayPageTests(BrowserShop shop, OneChromium chromium) : BrowserTests(shop, chromium)
{
    [Theory]
    [InlineData("busy.html", false)]
    [InlineData("busy.html", true)]
    [InlineData("busy.en.html", false)]
    [InlineData("busy.en.html", true)]
    public async Task BusyPage_OnAnyDevice_HasNoBarrierAndFits(string name, bool dark)
    {
        foreach (var width in new[] { 320, 360, 1280 })
        {
            var visitor = await ComeAsync(new Look { Width = width, Dark = dark, ReducedMotion = true });
            // As for a page (8) and for what a form brought (0).
            foreach (var seconds in new[] { "8", "0" })
            {
                var page = Repository.Read("deploy/nginx/html/" + name).Replace("{n}", seconds, StringComparison.Ordinal);
                await visitor.Page.RouteAsync("**/behind-the-gateway", route => route.FulfillAsync(new() { Body = page, ContentType = "text/html; charset=utf-8" }));
                await visitor.GoAsync("/behind-the-gateway");
                await visitor.AssertFitsAsync();
                await visitor.ReadAsync<object?>(AccessTests.Axe + "; undefined");
                var found = await visitor.ReadAsync<string[]>(AccessTests.Check);
                Assert.True(found.Length == 0, string.Join('\n', found));
                Assert.Equal(seconds == "8", await visitor.Page.Locator("#retry").IsVisibleAsync());
                await visitor.Page.UnrouteAllAsync();
            }
        }
    }

    /// <summary>Some sales are drawn: what holds for all of them is said of all.</summary>
    [Theory]
    [InlineData("busy.html", "名额按下单先后")]
    [InlineData("busy.en.html", "order of submission")]
    public void BusyPage_OfTheGateway_PromisesNoOrderOfPlaces(string name, string promise) =>
        Assert.DoesNotContain(promise, Repository.Read("deploy/nginx/html/" + name), StringComparison.Ordinal);
}
