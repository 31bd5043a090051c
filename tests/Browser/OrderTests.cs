using System.Globalization;

using FlashSale.Core.Orders;

using Xunit;

using static Microsoft.Playwright.Assertions;

namespace FlashSale.Tests.Browser;

/// <summary>With an order in hand: time to pay, a dealer who redeems.</summary>
public sealed class OrderTests(BrowserShop shop, OneChromium chromium) : BrowserTests(shop, chromium)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Extension_WhenTheTimeRunsShort_IsGivenOnce(bool script)
    {
        var sale = await Shop.PublishAsync(new Terms { PaymentSeconds = 40 });
        var user = NewUser("hesitant");
        var order = await sale.OrderAsync(user);
        var visitor = await ComeAsync(script ? Look.Phone : Look.NoScript);
        await visitor.HaveSessionAsync(user);
        await visitor.GoAsync("/orders/" + order);
        var before = await PayBeforeAsync(visitor);
        if (script)
        {
            await Expect(visitor.Page.Locator("[data-warn]")).ToBeVisibleAsync();
        }

        await visitor.Page.ClickAsync($"form[action$='/orders/{order}/extension'] button");
        await Server.Eventually.HoldsAsync(async () => await PayBeforeAsync(visitor) == before + 20_000, "half the time more");
        await Expect(visitor.Page.Locator("form[action$='/extension']")).ToHaveCountAsync(0);
        Assert.StartsWith("/orders/" + order, visitor.Path, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Warning_WhileThereIsTime_IsNotShown()
    {
        var sale = await Shop.PublishAsync(new Terms { PaymentSeconds = 300 });
        var user = NewUser("calm");
        var order = await sale.OrderAsync(user);
        var visitor = await ComeAsync();
        await visitor.HaveSessionAsync(user);
        await visitor.GoAsync("/orders/" + order);
        await visitor.SeesButtonAsync("won");
        await Expect(visitor.Page.Locator("[data-warn]")).ToBeHiddenAsync();
    }

    [Fact]
    public async Task Dealer_WithTheCode_RedeemsItOnce()
    {
        var sale = await Shop.PublishAsync();
        var user = NewUser("owner");
        var order = await sale.OrderAsync(user);
        await sale.PayAsync(order, user);
        var owner = await ComeAsync();
        await owner.HaveSessionAsync(user);
        await owner.GoAsync("/coupons/" + order);
        var code = (await owner.Page.Locator(".code").TextContentAsync())!.Trim();

        foreach (var look in new[] { Look.NoScript, Look.Phone })
        {
            var dealer = await ComeAsync(look);
            await dealer.HaveSessionAsync("dora", "dealer");
            await dealer.GoAsync("/dealer");
            await dealer.Page.FillAsync("[name=code]", code);
            await dealer.Page.PressAsync("[name=code]", "Enter");
            await dealer.SeesAsync(code);
            if (look.Script)
            {
                // Another dealer was there first.
                await Expect(dealer.Page.Locator("form[method=post] button.main")).ToHaveCountAsync(0);
            }
            else
            {
                await dealer.Page.ClickAsync("form[method=post] button.main");
                await dealer.SeesAsync("核销成功");
            }

            await dealer.AssertFitsAsync();
        }

        var stranger = await ComeSignedInAsync("nosy");
        stranger.Faults.Expect("403");
        await stranger.GoAsync("/dealer?code=" + code);
        await Expect(stranger.Page.Locator("body")).Not.ToContainTextAsync(code);
    }

    [Fact]
    public async Task Contact_WhenItIsGivenLater_StandsWithTheOrder()
    {
        var sale = await Shop.PublishAsync();
        var user = NewUser("reachable");
        var order = await sale.OrderAsync(user);
        var visitor = await ComeAsync();
        await visitor.HaveSessionAsync(user);
        await visitor.GoAsync("/orders/" + order);
        await visitor.Page.FillAsync("[name=name]", "林一");
        await visitor.Page.FillAsync("[name=phone]", "138-0000-0000");
        await visitor.Page.FillAsync("[name=city]", "杭州");
        await visitor.Page.ClickAsync("form[action$='/contact'] button");

        await visitor.GoAsync("/orders/" + order);
        await Expect(visitor.Page.Locator("body")).ToContainTextAsync("138-0000-0000");
        await visitor.SeesHeadingAsync((await visitor.TextsAsync()).Won);
        Assert.Equal(OrderStatus.Held.ToString().ToLowerInvariant(), (await visitor.ReadAsync<string>("JSON.parse(document.body.dataset.json).status")).ToLowerInvariant());
    }

    private static async Task<long> PayBeforeAsync(Visitor visitor) =>
        long.Parse((await visitor.Page.Locator("[data-countdown]").First.GetAttributeAsync("data-countdown"))!, CultureInfo.InvariantCulture);
}
