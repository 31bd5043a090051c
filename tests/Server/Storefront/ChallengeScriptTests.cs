using System.Text.Json.Nodes;

using FlashSale.Tests.Browser;
using FlashSale.Tests.Server.Console;

using Xunit;

using static Microsoft.Playwright.Assertions;

namespace FlashSale.Tests.Server.Storefront;

/// <summary>The same in a real browser, with script.</summary>
public sealed class ChallengeScriptTests(DemoShop shop, BrowserShop browsers, OneChromium chromium) : BrowserTests(browsers, chromium), IClassFixture<DemoShop>
{
    [Fact]
    public async Task Challenge_InABrowserWithScript_IsSolvedByItselfAndTheFormsGoThrough()
    {
        var defences = new JsonObject { ["challenge"] = "always", ["challengeBits"] = 14 };
        var reserving = await shop.PublishAsync(definition => Reserving(definition, defences.DeepClone()));
        var open = await shop.PublishAsync(definition => definition["defences"] = defences);
        var visitor = await ComeAsync(server: shop.Server);
        var page = visitor.Page;

        await visitor.GoAsync("/sign-in?return=" + Uri.EscapeDataString($"/sales/{DemoShop.SlugOf(reserving)}/now"));
        await page.FillAsync("#user", "ada");
        await page.PressAsync("#user", "Enter");

        // The question is there for those without script; here the button waits for the worker, and the screen reader hears of it once.
        await Expect(page.Locator("[data-challenge] [role=status]")).ToHaveTextAsync("验证完成。");
        await Expect(page.Locator("[data-question]")).ToBeHiddenAsync();
        Assert.Matches("^[0-9]{1,20}$", await page.InputValueAsync("[name=nonce]"));
        await page.ClickAsync("[data-main-button=reserve]");
        await visitor.WaitAsync("location.pathname.endsWith('/reservation')");

        // The checkout opens by itself, and its button orders.
        await visitor.GoAsync($"/en/sales/{DemoShop.SlugOf(open)}/checkout/{open.OfferId}/now");
        await visitor.WaitAsync("location.search.includes('nonce=') && !!document.querySelector('[name=token]')");
        // Whoever presses a moment too early presses again.
        await visitor.WaitAsync("""
            (() => {
              const button = document.querySelector('[data-main-button=grab]');
              if (button && !button.disabled && !button.dataset.sent && performance.now() > 1200) button.click();
              return document.querySelector('[data-main-button=won]') !== null;
            })()
            """);
    }

    private static void Reserving(JsonObject definition, JsonNode defences)
    {
        var now = TimeProvider.System.GetUtcNow();
        definition["defences"] = defences;
        definition["requiresReservation"] = true;
        definition["reservationOpensAt"] = ConsoleServer.Rfc3339(now.AddMinutes(-1));
        definition["reservationClosesAt"] = ConsoleServer.Rfc3339(now.AddMinutes(20));
        definition["opensAt"] = ConsoleServer.Rfc3339(now.AddMinutes(20));
    }
}
