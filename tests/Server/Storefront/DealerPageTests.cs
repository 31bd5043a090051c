using System.Net;
using System.Text.RegularExpressions;

using Xunit;

namespace FlashSale.Tests.Server.Storefront;

/// <summary>A dealer redeems what a shopper shows, with forms only.</summary>
public sealed class DealerPageTests(DemoShop shop) : IClassFixture<DemoShop>
{
    [Theory]
    [InlineData("", "可以核销", "核销成功", "此券已核销过", "没有这张券")]
    [InlineData("/en", "Good to redeem", "Redeemed", "Redeemed before", "No such coupon")]
    public async Task Redeem_OnceAndAgain_SaysWhatItIsWorthThenThatItIsUsed(string prefix, string good, string done, string before, string unknown)
    {
        using var dealer = await OpenAsync("dealer-" + prefix.Trim('/'), "dealer");
        var code = await BuyAsync("buyer" + prefix.Trim('/'));
        var typed = code.ToLowerInvariant().Replace("-", " ", StringComparison.Ordinal);

        Assert.Contains($"<h2>{unknown}</h2>", (await dealer.GetAsync(prefix + "/dealer?code=AAAA-BBBB-CCCC")).Html, StringComparison.Ordinal);
        var found = await dealer.GetAsync($"{prefix}/dealer?code={Uri.EscapeDataString(typed)}");
        Assert.Contains($"<h2>{good}</h2>", found.Html, StringComparison.Ordinal);
        Assert.Contains(prefix.Length == 0 ? "¥30,000" : "CNY 30,000", found.Html, StringComparison.Ordinal);

        var redeemed = await dealer.PostAsync(prefix + "/dealer", ("code", code));
        Assert.Equal(HttpStatusCode.OK, redeemed.Status);
        Assert.Contains($"<h2>{done}</h2>", redeemed.Html, StringComparison.Ordinal);

        // Whoever shows it again, within the same second or by a link that was kept, does not look like the first.
        var again = await dealer.PostAsync(prefix + "/dealer", ("code", code));
        Assert.Equal(HttpStatusCode.Conflict, again.Status);
        foreach (var page in new[] { again, await dealer.GetAsync($"{prefix}/dealer?code={code}") })
        {
            Assert.Contains($"<h2>{before}</h2>", page.Html, StringComparison.Ordinal);
            Assert.Contains("dealer-" + prefix.Trim('/'), page.Html, StringComparison.Ordinal);
            Assert.DoesNotContain("method=\"post\" class=\"action\"", page.Html, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Dealer_ForOthers_IsTheSignInOrARefusal()
    {
        using var stranger = shop.Open();
        using var shopper = await OpenAsync("no-dealer", "");
        using var dealer = await OpenAsync("dealer-of-another-site", "dealer");
        var code = await BuyAsync("buyer-of-others");

        Assert.Equal($"/sign-in?return={Uri.EscapeDataString("/dealer?code=" + code)}", (await stranger.GetAsync("/dealer?code=" + code)).Location);
        Assert.Equal(HttpStatusCode.Forbidden, (await shopper.GetAsync("/dealer")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await shopper.PostAsync("/dealer", ("code", code))).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await dealer.PostFromAsync("https://evil.example", "/dealer", ("code", code))).Status);
        Assert.Contains("可以核销", (await dealer.GetAsync("/dealer?code=" + code)).Html, StringComparison.Ordinal);
    }

    /// <summary>The code of a coupon, as the page shows it.</summary>
    private async Task<string> BuyAsync(string user)
    {
        var sale = await shop.PublishAsync();
        using var browser = await shop.OpenSignedInAsync(user);
        var order = (await browser.OrderAsync($"/sales/{DemoShop.SlugOf(sale)}/checkout/{sale.OfferId}")).Location!;
        var payment = (await browser.PostAsync(order + "/payment")).Location!;
        await browser.PostAsync(payment, ("status", "paid"));
        var coupon = await browser.GetAsync(order.Replace("/orders/", "/coupons/", StringComparison.Ordinal));
        return Regex.Match(coupon.Html, "<code>([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})</code>", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1)).Groups[1].Value;
    }

    private async Task<Browser> OpenAsync(string user, string role)
    {
        var browser = shop.Open();
        await browser.PostAsync("/sign-in", ("user", user), ("role", role), ("return", "/"));
        return browser;
    }
}
