using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

using FlashSale.Tests.Server.Console;

using Xunit;

namespace FlashSale.Tests.Server.Storefront;

/// <summary>The checkout without script, and what becomes of it: when its pages come again, with what.</summary>
public sealed partial class LiveCheckoutTests(DemoShop shop) : IClassFixture<DemoShop>
{
    [Theory]
    [InlineData("")]
    [InlineData("/en")]
    public async Task Open_BeforeTheOpening_ComesAgainWithTheSameTokenWhichCanBeUsedAtOnce(string prefix)
    {
        for (var opensIn = 4; !await ComesAgainAsync(prefix, opensIn); opensIn *= 2)
        {
            Assert.True(opensIn < 30, "The page is never there in time.");
        }
    }

    /// <returns>False when the machine stood still for so long that the token would be too young at the opening.</returns>
    private async Task<bool> ComesAgainAsync(string prefix, int opensIn)
    {
        var (sale, checkout) = await PublishAsync(opensIn, prefix);
        using var browser = await shop.OpenSignedInAsync("early" + prefix.Trim('/'));
        var early = await browser.GetAsync(checkout + "/now");
        if (TimeProvider.System.GetUtcNow() > OpensAt(sale).AddSeconds(-1.5))
        {
            return false;
        }

        var token = Browser.TokenOf(early);
        var (seconds, address) = RefreshOf(early);
        Assert.Equal(["soon"], early.Buttons);
        Assert.InRange(seconds, 1, opensIn + 3);

        await Eventually.PassesAsync(OpensAt(sale) - TimeProvider.System.GetUtcNow() + TimeSpan.FromMilliseconds(100));
        var opened = await browser.GetAsync(address);

        Assert.Equal(["grab"], opened.Buttons);
        Assert.Equal(token, Browser.TokenOf(opened));
        // Nor does the script, if there is one, make anybody wait.
        Assert.DoesNotContain("data-ready-ms", opened.Html, StringComparison.Ordinal);
        Assert.StartsWith(prefix + "/orders/", (await browser.PostAsync(checkout, ("token", token))).Location, StringComparison.Ordinal);
        return true;
    }

    [Fact]
    public async Task Open_WithATokenThatIsNoneHere_GetsAnother()
    {
        var (_, checkout) = await PublishAsync(opensIn: 60);
        var (_, elsewhere) = await PublishAsync(opensIn: 60);
        using var browser = await shop.OpenSignedInAsync("careful");
        using var other = await shop.OpenSignedInAsync("other");
        foreach (var token in new[] { "", "nonsense", await other.OpenCheckoutAsync(checkout), await browser.OpenCheckoutAsync(elsewhere) })
        {
            var page = await browser.GetAsync($"{checkout}/now?kept={Uri.EscapeDataString(token)}");

            Assert.Equal(HttpStatusCode.OK, page.Status);
            Assert.NotEqual(token, Browser.TokenOf(page));
        }
    }

    [Fact]
    public async Task Refresh_OfManyWhoWaitForTheSameOpening_IsDrawnForEach()
    {
        var (_, checkout) = await PublishAsync(opensIn: 300);
        HashSet<int> drawn = [];
        for (var i = 0; i < 20; i++)
        {
            using var browser = await shop.OpenSignedInAsync($"one-of-many-{i}");
            drawn.Add(RefreshOf(await browser.GetAsync(checkout + "/now")).Seconds);
        }

        Assert.True(drawn.Count >= 3, string.Join(' ', drawn));
    }

    /// <summary>A token is good for ten minutes, and there is none sooner than ten minutes before the opening.</summary>
    [Fact]
    public async Task Refresh_OfATokenThatRunsOutAtTheOpening_IsForAnotherBeforeThat()
    {
        var (sale, checkout) = await PublishAsync(opensIn: 590);
        using var browser = await shop.OpenSignedInAsync("first");
        var asked = TimeProvider.System.GetUtcNow();
        var page = await browser.GetAsync(checkout + "/now");
        var (seconds, address) = RefreshOf(page);

        Assert.DoesNotContain("kept", address, StringComparison.Ordinal);
        // Old enough at the opening, whenever between question and answer the page was made.
        Assert.InRange(asked.AddSeconds(seconds), DateTimeOffset.MinValue, OpensAt(sale).AddSeconds(-2));
        Assert.InRange(TimeProvider.System.GetUtcNow().AddSeconds(seconds), OpensAt(sale).AddSeconds(-60), DateTimeOffset.MaxValue);
        Assert.NotEqual(Browser.TokenOf(page), Browser.TokenOf(await browser.GetAsync($"{checkout}/now?kept={Uri.EscapeDataString(Browser.TokenOf(page))}")));
    }

    [Theory]
    [InlineData("", "活动暂停，{n} 秒后自动再试")]
    [InlineData("/en", "Paused, trying again in {n} s")]
    public async Task Result_WhenTheSaleIsPaused_SaysSoWhileItWaits(string prefix, string waiting)
    {
        var (sale, checkout) = await PublishAsync(opensIn: -1, prefix);
        using var browser = await shop.OpenSignedInAsync("patient" + prefix.Trim('/'));
        var token = await browser.OpenCheckoutAsync(checkout);
        await Task.Delay(TimeSpan.FromSeconds(1.1));
        await shop.ChangeAsync(sale, "pause");

        var paused = await browser.PostAsync(checkout, ("token", token));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, paused.Status);
        Assert.Contains($"data-waiting=\"{waiting}\"", WebUtility.HtmlDecode(paused.Html), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Result_BeforeTheOpening_WaitsUntilThen()
    {
        var (_, checkout) = await PublishAsync(opensIn: 60);
        using var browser = await shop.OpenSignedInAsync("eager");
        var token = await browser.OpenCheckoutAsync(checkout);
        await Task.Delay(TimeSpan.FromSeconds(1.1));

        var early = await browser.PostAsync(checkout, ("token", token));

        Assert.Equal(HttpStatusCode.Conflict, early.Status);
        Assert.Contains("data-waiting=\"还没有开始，{n} 秒后自动再试\"", WebUtility.HtmlDecode(early.Html), StringComparison.Ordinal);
        Assert.InRange(int.Parse(Retry().Match(early.Html).Groups[1].Value, CultureInfo.InvariantCulture), 40, 66);
    }

    /// <summary>What is left when a page is made is wrong a second later.</summary>
    [Fact]
    public async Task Countdown_WithoutScript_IsTheMomentItself()
    {
        var (sale, checkout) = await PublishAsync(opensIn: 300);
        var (_, open) = await PublishAsync(opensIn: -1);
        using var browser = await shop.OpenSignedInAsync("plain");
        var order = (await browser.OrderAsync(open)).Location!;
        var opens = FlashSale.Server.Storefront.Language.Zh.Texts.Time(OpensAt(sale));
        foreach (var (path, moment) in new[] { ("/sales/" + DemoShop.SlugOf(sale) + "/now", opens), (checkout + "/now", opens), (order, null) })
        {
            var timer = Timer().Match(WebUtility.HtmlDecode((await browser.GetAsync(path)).Html));

            Assert.Equal(moment is null ? "支付截止" : "开抢", timer.Groups[1].Value);
            Assert.Matches("^20[0-9]{2}年[0-9]+月[0-9]+日 [0-9]{2}:[0-9]{2}(:[0-9]{2})?$", timer.Groups[2].Value);
            Assert.Equal(moment ?? timer.Groups[2].Value, timer.Groups[2].Value);
        }
    }

    [Fact]
    public async Task Warning_OfTheTimeToPay_IsForPageAndScriptAMinuteBeforeTheEnd()
    {
        foreach (var (seconds, hidden) in new[] { (300, true), (40, false) })
        {
            var (_, checkout) = await PublishAsync(opensIn: -1, payment: seconds);
            using var browser = await shop.OpenSignedInAsync($"payer-{seconds}");
            var page = await browser.GetAsync((await browser.OrderAsync(checkout)).Location!);
            var payBefore = long.Parse(PayBefore().Match(WebUtility.HtmlDecode(page.Html)).Groups[1].Value, CultureInfo.InvariantCulture);

            Assert.Matches($" data-warn=\"{payBefore - 60_000}\"{(hidden ? " hidden" : ">")}", page.Html);
        }
    }

    private async Task<(Answer Sale, string Checkout)> PublishAsync(int opensIn, string prefix = "", int payment = 900)
    {
        var sale = await shop.PublishAsync(definition =>
        {
            definition["opensAt"] = ConsoleServer.Rfc3339(TimeProvider.System.GetUtcNow().AddSeconds(opensIn));
            definition["paymentWindowSeconds"] = payment;
        });
        return (sale, $"{prefix}/sales/{DemoShop.SlugOf(sale)}/checkout/{sale.OfferId}");
    }

    private static DateTimeOffset OpensAt(Answer sale) => sale.Json.GetProperty("opensAt").GetDateTimeOffset();

    private static (int Seconds, string Address) RefreshOf(Page page)
    {
        var refresh = Refresh().Match(WebUtility.HtmlDecode(page.Html));
        Assert.True(refresh.Success, page.Html);
        return (int.Parse(refresh.Groups[1].Value, CultureInfo.InvariantCulture), refresh.Groups[2].Value);
    }

    [GeneratedRegex("http-equiv=\"refresh\" content=\"([0-9]+); url=([^\"]+)\"", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex Refresh();

    [GeneratedRegex("data-retry-seconds=\"([0-9]+)\"", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex Retry();

    [GeneratedRegex("data-countdown-label>([^<]+)</span> <strong [^>]*data-countdown=\"[0-9]+\">([^<]+)<", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex Timer();

    [GeneratedRegex("\"payBefore\":([0-9]+)", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex PayBefore();
}
