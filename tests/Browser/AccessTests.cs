using Xunit;

using static Microsoft.Playwright.Assertions;

namespace FlashSale.Tests.Browser;

/// <summary>WCAG 2.2 AA on every screen, the way with the keyboard, and what a screen reader is told.</summary>
public sealed class AccessTests(BrowserShop shop, ScreenShop screens, OneChromium chromium) : BrowserTests(shop, chromium), IClassFixture<ScreenShop>
{
    /// <summary>axe-core, as the build of the script installs it.</summary>
    private static readonly Lazy<string> AxeSource = new(() => Repository.Read("src/Server/Storefront/Script/node_modules/axe-core/axe.min.js"));

    internal static string Axe => AxeSource.Value;

    /// <summary>What axe finds wrong, once it is in the page.</summary>
    internal const string Check = """
        async () => {
          const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
          const { violations } = await axe.run(document, { runOnly: { type: "tag", values: tags }, resultTypes: ["violations"] });
          return violations.flatMap((found) => found.nodes.map((node) => `${found.id}: ${node.target.join(" ")}: ${node.failureSummary.replaceAll("\n", " ")}`));
        }
        """;

    /// <summary>Buttons, links that stand alone and fields that are smaller than a finger. A field within its label is pressed anywhere on it.</summary>
    private const string SmallTargets = """
        () => [...document.querySelectorAll("button, input:not([type=hidden]), a.main, a.back, a.quiet, a.brand, a.simple, nav a, .user a")].map((e) => e.closest("label") ?? e)
          .filter((e) => e.checkVisibility() && (e.getBoundingClientRect().height < 43.5 || e.getBoundingClientRect().width < 43.5))
          .map((e) => `${e.outerHTML.slice(0, 100)} ${e.getBoundingClientRect().width} x ${e.getBoundingClientRect().height}`)
        """;

    [Theory]
    [InlineData("", false)]
    [InlineData("/en", false)]
    [InlineData("", true)]
    [InlineData("/en", true)]
    public async Task Screens_OnAPhone_HaveNoBarrier(string prefix, bool dark)
    {
        var state = await screens.StateAsync();
        var visitor = await ComeAsync(Look.Phone with { Dark = dark, ReducedMotion = true }, screens.Server);
        visitor.Faults.Expect("problems/");
        List<string> found = [];
        foreach (var screen in Screens.All)
        {
            await visitor.ShowAsync(screen, state, prefix);
            await visitor.AssertFitsAsync();
            await visitor.ReadAsync<object?>(Axe + "; undefined");
            found.AddRange((await visitor.ReadAsync<string[]>(Check)).Concat(await visitor.ReadAsync<string[]>(SmallTargets)).Select(fault => $"{prefix}/{screen.Name}{(dark ? " dark" : "")}: {fault}"));
        }

        Assert.True(found.Count == 0, string.Join('\n', found));
    }

    [Theory]
    [InlineData(768, 1024)]
    [InlineData(1280, 800)]
    [InlineData(320, 640)]
    public async Task Screens_OnOtherDevices_Fit(int width, int height)
    {
        var state = await screens.StateAsync();
        var visitor = await ComeAsync(new Look { Width = width, Height = height }, screens.Server);
        foreach (var screen in Screens.All)
        {
            await visitor.ShowAsync(screen, state, "/en");
            await visitor.AssertFitsAsync();
        }
    }

    [Fact]
    public async Task Keyboard_AloneOnTheCheckout_OrdersAndIsTakenToTheResult()
    {
        var sale = await Shop.PublishAsync();
        var visitor = await ComeSignedInAsync("keys");
        await visitor.GoAsync(sale.Path);
        await visitor.SeesButtonAsync("grab");
        await TabToAsync(visitor, "[data-main-button]");
        await visitor.Page.Keyboard.PressAsync("Enter");

        // The button of the page before may be pressed too.
        await visitor.ArrivesAsync(sale.Checkout);
        await visitor.SeesButtonAsync("grab");
        await TabToAsync(visitor, "#content");
        await TabToAsync(visitor, "[data-main-button]");
        Assert.NotEqual("none", await visitor.ReadAsync<string>("getComputedStyle(document.activeElement).outlineStyle"));
        await visitor.Page.Keyboard.PressAsync("Enter");
        await visitor.SeesButtonAsync("won");
        await Expect(visitor.Page.Locator("[data-result]")).ToBeFocusedAsync();
        await TabToAsync(visitor, "[data-main-button]");
        await visitor.Page.Keyboard.PressAsync("Enter");
        await visitor.SeesHeadingAsync((await visitor.TextsAsync()).Won);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/en")]
    public async Task Announcements_FromTheLastMinuteToTheOrder_AreMadeAtTheirMomentsOnly(string prefix)
    {
        var visitor = await ComeSignedInAsync("listener");
        await BeforeOpeningAsync(13, async sale =>
        {
            await visitor.GoAsync(prefix + sale.Checkout);
            await visitor.SeesButtonAsync("soon");
            await Expect(visitor.Page.Locator("[role=timer]")).ToHaveAttributeAsync("aria-live", "off");
            await visitor.SeesButtonAsync("grab", sale.OpeningPatience);
            return await HasCountedTenAsync(visitor);
        });
        await visitor.PressAsync();
        await visitor.SeesButtonAsync("won");

        // Ten seconds before, open, won: three moments, and not every second.
        await Server.Eventually.HoldsAsync(async () => (await visitor.AnnouncedAsync()).Length == 3, "three announcements");
        var announced = await visitor.AnnouncedAsync();
        Assert.Contains("10", announced[0], StringComparison.Ordinal);
        Assert.Equal(3, announced.Distinct().Count());
    }

    [Fact]
    public async Task Announcements_WhenItSellsOut_SaySoOnce()
    {
        var sale = await Shop.PublishAsync(new Terms { Stock = 1 });
        var visitor = await ComeSignedInAsync("listener");
        await visitor.GoAsync(sale.Path);
        await visitor.SeesButtonAsync("grab");
        var other = NewUser("other");
        await sale.PayAsync(await sale.OrderAsync(other), other);
        await visitor.SeesButtonAsync("sold_out");

        await Server.Eventually.HoldsAsync(async () => (await visitor.AnnouncedAsync()).Length > 0, "an announcement");
        Assert.Contains("已抢光", Assert.Single(await visitor.AnnouncedAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Announcements_BeforeTheEnd_AreNotThoseOfAnOpening()
    {
        var visitor = await ComeSignedInAsync("listener");
        await BeforeEndAsync(13, async sale =>
        {
            await visitor.GoAsync(sale.Path);
            await visitor.SeesButtonAsync("grab");
            await visitor.SeesButtonAsync("ended", sale.EndPatience);
            return await HasCountedTenAsync(visitor);
        });
        Assert.Empty(await visitor.AnnouncedAsync());
    }

    [Fact]
    public async Task Motion_WhenItIsNotWanted_DoesNotHappen()
    {
        var sale = await Shop.PublishAsync();
        var visitor = await ComeAsync(Look.Phone with { ReducedMotion = true });
        foreach (var path in new[] { "/", sale.Path })
        {
            await visitor.GoAsync(path);
            Assert.Equal(0, await visitor.ReadAsync<int>("""
                [...document.querySelectorAll("*")].filter((e) => [getComputedStyle(e), getComputedStyle(e, "::before"), getComputedStyle(e, "::after")]
                  .some((style) => parseFloat(style.animationDuration) > 0.01 || parseFloat(style.transitionDuration) > 0.01)).length
                """));
        }
    }

    /// <summary>
    /// Whether the page counted before the tenth second from the end and again while that was worth saying, which is three seconds (countdown.ts): who comes later, or sleeps over it, is told nothing.
    /// </summary>
    private static async Task<bool> HasCountedTenAsync(Visitor visitor)
    {
        var seconds = (await visitor.ChangesAsync()).Select(change => change.SecondsLeft()).ToArray();
        return seconds.Any(left => left > 10) && seconds.Any(left => left is 8 or 9 or 10);
    }

    /// <summary>Presses Tab until the element has the focus, as many times as a patient person would.</summary>
    private static async Task TabToAsync(Visitor visitor, string selector)
    {
        if (selector == "#content")
        {
            // The first key of a page leads past the navigation.
            await visitor.Page.Keyboard.PressAsync("Tab");
            await Expect(visitor.Page.Locator("a.skip")).ToBeFocusedAsync();
            await visitor.Page.Keyboard.PressAsync("Enter");
            await Expect(visitor.Page.Locator(selector)).ToBeFocusedAsync();
            return;
        }

        const int Patience = 30;
        for (var i = 0; i < Patience; i++)
        {
            await visitor.Page.Keyboard.PressAsync("Tab");
            if (await visitor.ReadAsync<bool>($"document.activeElement.matches(\"{selector}\")"))
            {
                return;
            }
        }

        Assert.Fail($"{selector} cannot be reached with the keyboard on {visitor.Path}.");
    }
}
