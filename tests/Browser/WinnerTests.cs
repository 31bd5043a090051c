using System.Text.RegularExpressions;

using Xunit;

using static Microsoft.Playwright.Assertions;

namespace FlashSale.Tests.Browser;

/// <summary>Somebody gets one: from the sign-in to the coupon.</summary>
public sealed partial class WinnerTests(BrowserShop shop, OneChromium chromium) : BrowserTests(shop, chromium)
{
    private static readonly Terms Reserving = new()
    {
        OpensIn = TimeSpan.FromSeconds(14),
        Reservations = (TimeSpan.FromMinutes(-1), TimeSpan.FromSeconds(12)),
    };

    [Theory]
    [InlineData("")]
    [InlineData("/en")]
    public async Task Journey_WithScript_GoesFromTheListToTheCoupon(string prefix)
    {
        var sale = await Shop.PublishAsync(Reserving);
        var visitor = await ComeAsync();
        var user = NewUser("winner");

        await visitor.GoAsync(prefix + sale.Path);
        await visitor.SeesButtonAsync("sign_in");
        await visitor.PressAsync();
        await visitor.SignInAsync(user);
        Assert.Equal(prefix + sale.Path, visitor.Path);
        await visitor.SeesButtonAsync("reserve");
        await visitor.PressAsync();
        await visitor.SeesButtonAsync("soon");

        // The checkout is opened before the sale is, so that its token is old enough when it counts.
        await visitor.GoAsync(prefix + sale.Checkout);
        await visitor.SeesButtonAsync("soon");
        await Expect(visitor.Page.Locator("[data-countdown]")).ToHaveTextAsync(prefix.Length == 0 ? CountdownZh() : CountdownEn());
        await FillContactAsync(visitor);
        await visitor.SeesButtonAsync("grab");
        Assert.True(TimeProvider.System.GetUtcNow() >= sale.OpensAt);
        await visitor.PressAsync();
        await visitor.SeesButtonAsync("won");
        await Expect(visitor.Page.Locator("[data-result]")).ToBeFocusedAsync();
        await visitor.AssertFitsAsync();
        await visitor.PressAsync();

        await PayAsync(visitor);
        await AssertCouponAsync(visitor);
        await Expect(visitor.Page.Locator("text=Lin Yi")).ToHaveCountAsync(0);
        await visitor.GoAsync(prefix + sale.Path);
        await visitor.SeesButtonAsync("already");
        await visitor.PressAsync();
        Assert.StartsWith(prefix + "/orders/", visitor.Path, StringComparison.Ordinal);
        await sale.AssertReconciledAsync();
    }

    [Theory]
    [InlineData("")]
    [InlineData("/en")]
    public async Task Journey_WithoutScript_GoesFromTheSaleToTheCoupon(string prefix)
    {
        var sale = await Shop.PublishAsync(Reserving);
        var visitor = await ComeAsync(Look.NoScript);
        var page = visitor.Page;

        // The published page sends a browser without script on to the live one.
        await visitor.GoAsync(prefix + sale.Path);
        await visitor.ArrivesAsync(prefix + sale.Path + "/now");
        await visitor.SeesButtonAsync("sign_in");
        await visitor.PressAsync();
        await visitor.SignInAsync(NewUser("plain"));
        await visitor.SeesButtonAsync("reserve");
        await visitor.PressAsync();
        await visitor.ArrivesAsync(prefix + sale.Path + "/reservation");
        await page.ClickAsync(".action a");

        // The page comes again by itself, and the button with it.
        await visitor.SeesButtonAsync("soon");
        await visitor.SeesButtonAsync("grab");
        await visitor.PressAsync();
        await visitor.SeesButtonAsync("grab");
        Assert.Equal(prefix + sale.Checkout + "/now", visitor.Path);
        await Task.Delay(TimeSpan.FromSeconds(1.1));
        await visitor.PressAsync();

        await PayAsync(visitor);
        await AssertCouponAsync(visitor);
        await visitor.GoAsync(prefix + sale.Path + "/now");
        await visitor.SeesButtonAsync("already");
    }

    /// <summary>As the browser would fill it in by itself.</summary>
    private static async Task FillContactAsync(Visitor visitor)
    {
        foreach (var (name, fill, value) in new[] { ("name", "name", "Lin Yi"), ("phone", "tel", "+86 138 0000 0000"), ("city", "address-level2", "杭州") })
        {
            var field = visitor.Page.Locator($"[name={name}]");
            await Expect(field).ToHaveAttributeAsync("autocomplete", fill);
            await field.FillAsync(value);
        }
    }

    private static async Task PayAsync(Visitor visitor)
    {
        var texts = await visitor.TextsAsync();
        await visitor.SeesHeadingAsync(texts.Won);
        await visitor.SeesButtonAsync("won");
        await Expect(visitor.Page.Locator("[data-countdown]")).ToBeVisibleAsync();
        await visitor.PressAsync();
        await visitor.SeesHeadingAsync(texts.Sandbox);
        await visitor.Page.ClickAsync("button[value=failed]");
        await visitor.SeesHeadingAsync(texts.Won);
        await visitor.PressAsync();
        await visitor.SeesAsync(texts.PaymentFailed);
        await visitor.Page.ClickAsync("button[value=paid]");
        await visitor.SeesHeadingAsync(texts.StatusOf(FlashSale.Core.Orders.OrderStatus.Paid));
    }

    private static async Task AssertCouponAsync(Visitor visitor)
    {
        await visitor.Page.ClickAsync("a.main");
        await visitor.SeesHeadingAsync((await visitor.TextsAsync()).Coupon);
        await Expect(visitor.Page.Locator(".code")).ToHaveTextAsync(CouponCode());
        var qr = visitor.Page.Locator(".coupon svg[role=img]");
        await Expect(qr).ToBeVisibleAsync();
        Assert.NotEmpty((await qr.GetAttributeAsync("aria-label"))!);
        await visitor.AssertFitsAsync();
    }

    [GeneratedRegex("^(1?[0-9]) 秒$", RegexOptions.None, 1_000)]
    private static partial Regex CountdownZh();

    [GeneratedRegex("^(1?[0-9]) s$", RegexOptions.None, 1_000)]
    private static partial Regex CountdownEn();

    [GeneratedRegex("^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$", RegexOptions.None, 1_000)]
    private static partial Regex CouponCode();
}
