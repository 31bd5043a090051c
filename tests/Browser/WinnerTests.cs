using System.Text.RegularExpressions;

using Xunit;

using static Microsoft.Playwright.Assertions;

namespace FlashSale.Tests.Browser;

/// <summary>Somebody gets one: from the sign-in to the coupon.</summary>
public sealed partial class WinnerTests(BrowserShop shop, OneChromium chromium) : BrowserTests(shop, chromium)
{
    private const int OpensInSeconds = 14;

    private static Terms Reserving(TimeSpan time) => new()
    {
        OpensIn = time,
        Reservations = (TimeSpan.FromMinutes(-1), time - TimeSpan.FromSeconds(2)),
    };

    [Theory]
    [InlineData("")]
    [InlineData("/en")]
    public async Task Journey_WithScript_GoesFromTheListToTheCoupon(string prefix)
    {
        Visitor visitor = null!;
        var sale = await BeforeOpeningAsync(
            OpensInSeconds,
            async sale =>
            {
                visitor = await ComeAsync();
                await visitor.GoAsync(prefix + sale.Path);
                await SignInAndReserveAsync(visitor, prefix, sale);

                // The checkout is opened before the sale is, so that its token is old enough when it counts.
                await visitor.GoAsync(prefix + sale.Checkout);
                await visitor.SeesButtonAsync("soon");
                await Expect(visitor.Page.Locator("[data-countdown]")).ToHaveTextAsync(prefix.Length == 0 ? CountdownZh() : CountdownEn());
                return true;
            },
            Reserving);

        await FillContactAsync(visitor);
        await visitor.SeesButtonAsync("grab", sale.OpeningPatience);
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
        await visitor.ArrivesAtOrderAsync(prefix);
        await sale.AssertReconciledAsync();
    }

    [Theory]
    [InlineData("")]
    [InlineData("/en")]
    public async Task Journey_WithoutScript_GoesFromTheSaleToTheCoupon(string prefix)
    {
        Visitor visitor = null!;
        var sale = await BeforeOpeningAsync(
            OpensInSeconds,
            async sale =>
            {
                visitor = await ComeAsync(Look.NoScript);
                // The published page sends a browser without script on to the live one.
                await visitor.GoAsync(prefix + sale.Path);
                await visitor.ArrivesAsync(prefix + sale.Path + "/now");
                await visitor.SeesButtonAsync("sign_in");
                await visitor.PressAsync();
                await visitor.SignInAsync(NewUser("plain"));
                await visitor.SeesButtonAsync("reserve");
                await visitor.PressAsync();
                await visitor.ArrivesAsync(prefix + sale.Path + "/reservation");
                await visitor.Page.ClickAsync(".action a");
                await visitor.SeesButtonAsync("soon", sale.OpeningPatience);
                return true;
            },
            Reserving);

        // The page comes again by itself, and the button with it.
        await visitor.SeesButtonAsync("grab", sale.OpeningPatience);
        await visitor.PressAsync();
        await visitor.ArrivesAsync(prefix + sale.Checkout + "/now");
        await visitor.SeesButtonAsync("grab");
        await Task.Delay(TimeSpan.FromSeconds(1.1));
        await visitor.PressAsync();

        await PayAsync(visitor);
        await AssertCouponAsync(visitor);
        await visitor.GoAsync(prefix + sale.Path + "/now");
        await visitor.SeesButtonAsync("already");
    }

    /// <summary>On the page of the sale, which the visitor comes back to.</summary>
    private static async Task SignInAndReserveAsync(Visitor visitor, string prefix, SaleOfTest sale)
    {
        await visitor.SeesButtonAsync("sign_in");
        await visitor.PressAsync();
        await visitor.SignInAsync(NewUser("winner"));
        Assert.Equal(prefix + sale.Path, visitor.Path);
        await visitor.SeesButtonAsync("reserve");
        await visitor.PressAsync();
        await visitor.SeesButtonAsync("soon", sale.OpeningPatience);
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

    [GeneratedRegex("^[1-5]?[0-9] 秒$", RegexOptions.None, 1_000)]
    private static partial Regex CountdownZh();

    [GeneratedRegex("^[1-5]?[0-9] s$", RegexOptions.None, 1_000)]
    private static partial Regex CountdownEn();

    [GeneratedRegex("^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$", RegexOptions.None, 1_000)]
    private static partial Regex CouponCode();
}
