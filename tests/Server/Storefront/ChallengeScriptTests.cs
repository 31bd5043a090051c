using System.Text.Json.Nodes;

using FlashSale.Tests.Server.Console;
using FlashSale.Tests.Servers;

using Xunit;

namespace FlashSale.Tests.Server.Storefront;

/// <summary>The same in a real browser, with script.</summary>
public sealed class ChallengeScriptTests(DemoShop shop) : IClassFixture<DemoShop>
{
    [Fact]
    public async Task Challenge_InABrowserWithScript_IsSolvedByItselfAndTheFormsGoThrough()
    {
        var defences = new JsonObject { ["challenge"] = "always", ["challengeBits"] = 14 };
        var reserving = await shop.PublishAsync(definition => Reserving(definition, defences.DeepClone()));
        var open = await shop.PublishAsync(definition => definition["defences"] = defences);
        await using var browser = await Chromium.StartAsync();
        async Task OpenAsync(string path) => await browser.GoAsync(new Uri(shop.Server.Address, path));

        await OpenAsync("/sign-in?return=" + Uri.EscapeDataString("/sales/" + DemoShop.SlugOf(reserving)));
        await browser.WaitAsync("document.readyState === 'complete' && !!document.getElementById('user')");
        await browser.ReadAsync<bool>("document.getElementById('user').value = 'ada', document.querySelector('form.fields').requestSubmit(), true");

        // The question is there for those without script; here the button waits for the worker, and the screen reader hears of it once.
        await browser.WaitAsync("document.querySelector('[data-main-button=reserve]')?.disabled === false && document.querySelector('[data-challenge] [role=status]').textContent !== ''");
        Assert.Equal("验证完成。", await browser.ReadAsync<string>("document.querySelector('[data-challenge] [role=status]').textContent"));
        Assert.True(await browser.ReadAsync<bool>("document.querySelector('[data-question]').hidden"));
        Assert.Matches("^[0-9]{1,20}$", await browser.ReadAsync<string>("document.querySelector('[name=nonce]').value"));
        await browser.ReadAsync<bool>("document.querySelector('[data-main-button=reserve]').click(), true");
        await browser.WaitAsync("document.querySelector('[data-main-button=reserved]') !== null");

        // The checkout opens by itself, and its button orders.
        await OpenAsync($"/en/sales/{DemoShop.SlugOf(open)}/checkout/{open.OfferId}");
        await browser.WaitAsync("location.search.includes('nonce=') && !!document.querySelector('[name=token]')");
        // Whoever presses a moment too early presses again.
        await browser.WaitAsync("""
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
