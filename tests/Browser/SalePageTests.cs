using Xunit;

using static Microsoft.Playwright.Assertions;

namespace FlashSale.Tests.Browser;

/// <summary>The page of a sale says what is so, to each shopper, and takes back what is so no more.</summary>
public sealed class SalePageTests(BrowserShop shop, OneChromium chromium) : BrowserTests(shop, chromium)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Chance_OfAUnitThatMayComeBack_IsForThoseWhoMayTakeIt(bool checkout)
    {
        var sale = await Shop.PublishAsync(new Terms { Stock = 1 });
        var reserved = await Shop.PublishAsync(new Terms { Stock = 1, OpensIn = TimeSpan.FromSeconds(5), Reservations = (TimeSpan.FromSeconds(-5), TimeSpan.FromSeconds(5)) });
        await sale.OrderAsync(NewUser("holder"));
        var holder = NewUser("holder");
        await reserved.ReserveAsync(holder);
        await Server.Eventually.HoldsAsync(() => TimeProvider.System.GetUtcNow() > reserved.OpensAt, "it opens");
        await reserved.OrderAsync(holder);

        var stranger = await ComeAsync();
        await stranger.GoAsync(checkout ? sale.Checkout : sale.Path);
        await stranger.SeesButtonAsync("sign_in");
        var unreserved = await ComeSignedInAsync("unreserved");
        await unreserved.GoAsync(checkout ? reserved.Checkout : reserved.Path);
        await unreserved.SeesButtonAsync("reservation_closed");
        var shopper = await ComeSignedInAsync("shopper");
        await shopper.GoAsync(checkout ? sale.Checkout : sale.Path);
        await shopper.SeesButtonAsync("maybe");
    }

    [Fact]
    public async Task SoldOut_WhileAUnitMayComeBack_IsNotSaidYet()
    {
        var sale = await Shop.PublishAsync(new Terms { Stock = 1 });
        var visitor = await ComeSignedInAsync("listener");
        await visitor.GoAsync(sale.Path);
        await visitor.SeesButtonAsync("grab");
        var other = NewUser("other");

        var order = await sale.OrderAsync(other);
        await visitor.SeesButtonAsync("maybe");
        Assert.Equal("还有机会", await visitor.Page.Locator("[data-phase]").TextContentAsync());
        await visitor.SeesAsync("可以再试");
        Assert.Empty(await visitor.AnnouncedAsync());
        var stranger = await ComeAsync();
        Assert.Equal("还有机会", await OnTheListAsync(stranger, "/"));
        Assert.Equal("Still a chance", await OnTheListAsync(stranger, "/en/now"));

        await sale.PayAsync(order, other);
        await visitor.SeesButtonAsync("sold_out");
        await Server.Eventually.HoldsAsync(async () => (await visitor.AnnouncedAsync()).Length > 0, "an announcement");
        Assert.Contains("已抢光", Assert.Single(await visitor.AnnouncedAsync()), StringComparison.Ordinal);
        Assert.Equal("已抢光", await visitor.Page.Locator("[data-phase]").TextContentAsync());
        Assert.Equal("", await visitor.Page.Locator("[data-note]").TextContentAsync());
        Assert.Equal("已抢光", await OnTheListAsync(stranger, "/"));

        async Task<string?> OnTheListAsync(Visitor reader, string list)
        {
            await reader.GoAsync(list);
            var chip = reader.Page.Locator($"[data-card=\"{sale.Id}\"] [data-phase]");
            await Expect(chip).Not.ToBeEmptyAsync();
            return await chip.TextContentAsync();
        }
    }

    [Fact]
    public async Task Countdown_OfASaleThatIsPausedOrClosedBeforeItsTime_IsNotFalse()
    {
        var sale = await Shop.PublishAsync(new Terms { OpensIn = TimeSpan.FromHours(1), ClosesIn = TimeSpan.FromHours(2) });
        var visitor = await ComeSignedInAsync("waiting");
        await visitor.GoAsync("/en" + sale.Path);
        await visitor.SeesButtonAsync("soon");

        await sale.ChangeAsync("pause");
        await visitor.GoAsync("/en" + sale.Path);
        await visitor.SeesButtonAsync("paused");
        Assert.Equal("Opens in", await visitor.Page.Locator("[data-countdown-label]").TextContentAsync());

        await sale.ChangeAsync("closure");
        await visitor.GoAsync("/en" + sale.Path);
        await visitor.SeesButtonAsync("ended");
        Assert.False(await visitor.Page.Locator("[data-countdown]").IsVisibleAsync());
    }

    [Fact]
    public async Task Another_WhenOneMayHaveTwo_IsOffered()
    {
        var sale = await Shop.PublishAsync(new Terms { PerUserLimit = 2 });
        var user = NewUser("collector");
        var visitor = await ComeAsync();
        await visitor.HaveSessionAsync(user);
        await visitor.GoAsync(sale.Path);
        await visitor.SeesButtonAsync("grab");
        Assert.False(await visitor.Page.Locator("[data-another]").IsVisibleAsync());
        await sale.OrderAsync(user);

        await visitor.GoAsync(sale.Path);
        await visitor.SeesButtonAsync("won");
        await visitor.Page.ClickAsync("[data-another] a");
        await visitor.ArrivesAsync(sale.Checkout);
        await visitor.SeesButtonAsync("grab");
        await visitor.PressAsync();
        await visitor.SeesButtonAsync("won");

        Assert.Equal(2, (await sale.OrdersOfAsync(user)).Count);
        await visitor.GoAsync(sale.Path);
        await visitor.SeesButtonAsync("won");
        Assert.False(await visitor.Page.Locator("[data-another]").IsVisibleAsync());
    }
}
