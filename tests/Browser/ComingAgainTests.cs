using System.Collections.Concurrent;

using FlashSale.Tests.Server;

using Xunit;

using static Microsoft.Playwright.Assertions;

namespace FlashSale.Tests.Browser;

/// <summary>Pages that load themselves again: when, how often, and what they never send again.</summary>
public sealed class ComingAgainTests(BrowserShop shop, OneChromium chromium) : BrowserTests(shop, chromium)
{
    [Fact]
    public async Task BusyPage_WithScript_ComesAgainWithinSecondsUnlessItIsHidden()
    {
        await Shop.PublishAsync();
        var visitor = await ComeAsync();
        await Eventually.HoldsAsync(async () => (await visitor.Page.GotoAsync("/busy?a=b"))!.Ok, "the busy page is published");
        visitor.Faults.Expect("404");
        var loads = Loads(visitor, "/busy?a=b");
        await Eventually.HoldsAsync(() => Task.FromResult(loads.Count >= 2), "it has come again twice", Visitor.Patience + TimeSpan.FromSeconds(16));
        var times = loads.ToArray();
        // From one load to the next. The moment is drawn by the page, which needs a moment itself; a busy machine may be late.
        Assert.True(TimeProvider.System.GetElapsedTime(times[0], times[1]) >= TimeSpan.FromSeconds(2.9));

        await Screens.StayAsync(visitor);
        var before = loads.Count;
        await Task.Delay(TimeSpan.FromSeconds(9));
        Assert.Equal(before, loads.Count);
        await visitor.HideAsync(false);
        await Eventually.HoldsAsync(() => Task.FromResult(loads.Count > before), "it comes when it is seen", Visitor.Patience);
    }

    /// <summary>Without script nobody could press too early before, nor can after: the token is that of the page which waited.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("/en")]
    public async Task Checkout_WithoutScript_OpenedBeforeTheOpening_OrdersWithTheFirstPress(string prefix)
    {
        Visitor visitor = null!;
        var sale = await BeforeOpeningAsync(8, async sale =>
        {
            visitor = await ComeSignedInAsync("plain", Look.NoScript);
            await visitor.GoAsync(prefix + sale.Checkout + "/now");
            await visitor.SeesButtonAsync("soon");
            return true;
        });

        await visitor.SeesButtonAsync("grab", sale.OpeningPatience);
        await visitor.PressAsync();

        await visitor.ArrivesAtOrderAsync(prefix);
    }

    [Fact]
    public async Task Result_OfAPausedSale_SaysSoUntilItTriesAgain()
    {
        var sale = await Shop.PublishAsync();
        var visitor = await ComeSignedInAsync("patient");
        visitor.Faults.Expect("503");
        await visitor.GoAsync(sale.Checkout + "/now");
        await sale.ChangeAsync("pause");
        // The button waits until its token is old enough.
        await visitor.PressAsync();

        await Expect(visitor.Page.Locator("[data-waiting]")).ToContainTextAsync("活动暂停，");
        await sale.ChangeAsync("resumption");
        await visitor.ArrivesAtOrderAsync();
    }

    [Fact]
    public async Task Warning_WhenAMinuteIsLeftToPay_Appears()
    {
        var sale = await Shop.PublishAsync(new Terms { PaymentSeconds = 80 });
        var user = NewUser("calm");
        var order = await sale.OrderAsync(user);
        var visitor = await ComeAsync();
        await visitor.HaveSessionAsync(user);
        await visitor.GoAsync("/orders/" + order);
        await visitor.SeesButtonAsync("won");
        var warning = visitor.Page.Locator("[data-warn]");
        await Expect(warning).ToBeHiddenAsync();
        await Expect(visitor.Page.Locator("[data-countdown]")).ToHaveTextAsync(new System.Text.RegularExpressions.Regex("^1 分 [0-9]+ 秒$"));

        await Expect(warning).ToBeVisibleAsync(new() { Timeout = 40_000 });

        await Expect(visitor.Page.Locator("[data-countdown]")).ToHaveTextAsync(new System.Text.RegularExpressions.Regex("^(1 分|[1-5]?[0-9] 秒)$"));
        Assert.Single(await visitor.AnnouncedAsync());
    }

    /// <summary>On a page that a form brought, of an order whose time is up: the form is not sent again, and a hidden tab asks nobody.</summary>
    [Fact]
    public async Task Order_WhenItsTimeIsUp_IsFetchedUnderItsOwnAddressAndNotWhileHidden()
    {
        var sale = await Shop.PublishAsync(new Terms { PaymentSeconds = 30 });
        var user = NewUser("late");
        var order = await sale.OrderAsync(user);
        var visitor = await ComeAsync();
        visitor.Faults.Expect("422");
        await visitor.HaveSessionAsync(user);
        await visitor.GoAsync("/orders/" + order);
        await visitor.Page.FillAsync("[name=phone]", "x");
        await visitor.Page.ClickAsync("form[action$='/contact'] button");
        await visitor.ArrivesAsync($"/orders/{order}/contact");
        await visitor.WaitAsync("!document.querySelector('[data-running]')");
        await visitor.HideAsync(true);
        var (posts, gets) = (0, 0);
        visitor.Page.Request += (_, request) => _ = request.Method == "POST" ? ++posts : request.IsNavigationRequest ? ++gets : 0;

        await Task.Delay(TimeSpan.FromSeconds(42));
        Assert.Equal((0, 0), (posts, gets));
        await visitor.HideAsync(false);

        await visitor.ArrivesAsync("/orders/" + order);
        Assert.Equal(0, posts);
        await visitor.SeesHeadingAsync((await visitor.TextsAsync()).StatusOf(FlashSale.Core.Orders.OrderStatus.Expired));
    }

    /// <summary>While an order has not ended, though its time is up, its page looks for it ever more seldom.</summary>
    [Fact]
    public async Task Order_WhenItDoesNotEnd_IsLookedForEverMoreSeldom()
    {
        var sale = await Shop.PublishAsync(new Terms { PaymentSeconds = 30 });
        var user = NewUser("forgotten");
        var order = await sale.OrderAsync(user);
        var visitor = await ComeAsync();
        await visitor.HaveSessionAsync(user);
        // As it was a minute after its time, for whoever looks then.
        string? html = null;
        var loads = new ConcurrentQueue<long>();
        await visitor.Page.RouteAsync("**/orders/" + order, async route =>
        {
            loads.Enqueue(TimeProvider.System.GetTimestamp());
            if (html is null)
            {
                var answer = await route.FetchAsync();
                var payBefore = TimeProvider.System.GetUtcNow().AddSeconds(-12).ToUnixTimeMilliseconds();
                html = System.Text.RegularExpressions.Regex.Replace(await answer.TextAsync(), "(payBefore(&quot;|\"):)[0-9]+", match => match.Groups[1].Value + payBefore);
                Assert.Contains(payBefore.ToString(System.Globalization.CultureInfo.InvariantCulture), html, StringComparison.Ordinal);
            }

            await route.FulfillAsync(new() { Body = html, ContentType = "text/html; charset=utf-8" });
        });
        await visitor.GoAsync("/orders/" + order);
        await Eventually.HoldsAsync(() => Task.FromResult(loads.Count >= 3), "it is looked for twice", Visitor.Patience + TimeSpan.FromSeconds(30));

        var times = loads.ToArray();
        Assert.True(TimeProvider.System.GetElapsedTime(times[0], times[1]) >= TimeSpan.FromSeconds(5.9));
        Assert.True(TimeProvider.System.GetElapsedTime(times[1], times[2]) >= TimeSpan.FromSeconds(8.9));
    }

    private static ConcurrentQueue<long> Loads(Visitor visitor, string path)
    {
        var loads = new ConcurrentQueue<long>();
        visitor.Page.Request += (_, request) =>
        {
            if (request.IsNavigationRequest && new Uri(request.Url).PathAndQuery == path)
            {
                loads.Enqueue(TimeProvider.System.GetTimestamp());
            }
        };
        return loads;
    }
}
