using FlashSale.Core.Orders;

using Xunit;

using static Microsoft.Playwright.Assertions;

namespace FlashSale.Tests.Browser;

/// <summary>Those who get none, or not at once: each is told the truth, and pays nothing for it.</summary>
public sealed class LoserTests(BrowserShop shop, OneChromium chromium) : BrowserTests(shop, chromium)
{
    [Fact]
    public async Task Loser_WhileTheLastPlaceIsUnpaidAndThenPaid_HasStillAChanceAndThenNone()
    {
        var sale = await Shop.PublishAsync(new Terms { Stock = 1 });
        var (winner, loser) = (NewUser("first"), await ComeSignedInAsync("loser"));
        await loser.GoAsync(sale.Checkout);
        await loser.SeesButtonAsync("grab");
        var order = await sale.OrderAsync(winner);

        await loser.SeesButtonAsync("maybe");
        loser.Faults.Expect("409");
        await loser.PressAsync();
        await loser.SeesAsync((await loser.TextsAsync()).MaybeText);
        await loser.SeesButtonAsync("maybe");
        await sale.PayAsync(order, winner);

        await loser.SeesButtonAsync("sold_out");
        await Expect(loser.Page.Locator("[data-sold]").Or(loser.Page.Locator("[data-main-button=sold_out]")).First).ToBeVisibleAsync();
        await loser.GoAsync("/orders");
        await loser.SeesAsync((await loser.TextsAsync()).NoOrders);
    }

    [Fact]
    public async Task Loser_WhenAPlaceComesBack_GetsItAfterAll()
    {
        var sale = await Shop.PublishAsync(new Terms { Stock = 1 });
        var (first, second) = (await ComeSignedInAsync("doubtful"), await ComeSignedInAsync("patient"));
        await first.GoAsync(sale.Checkout);
        await first.SeesButtonAsync("grab");
        await first.PressAsync();
        await first.SeesButtonAsync("won");
        await second.GoAsync(sale.Checkout);
        await second.SeesButtonAsync("maybe");

        // The first one thinks better of it.
        await first.PressAsync();
        await first.Page.ClickAsync("form[action$='/cancellation'] button");
        await first.SeesHeadingAsync((await first.TextsAsync()).StatusOf(OrderStatus.Cancelled));
        await first.GoAsync(sale.Path);
        await first.SeesButtonAsync("grab");

        await second.SeesButtonAsync("grab");
        await second.PressAsync();
        await second.SeesButtonAsync("won");
        await first.SeesButtonAsync("maybe");
        await sale.AssertReconciledAsync();
    }

    [Fact]
    public async Task LateOne_AfterTheEnd_IsToldSoAndNotTempted()
    {
        var visitor = await ComeSignedInAsync("late");
        visitor.Faults.Expect("410");
        var sale = await BeforeEndAsync(4, async sale =>
        {
            await visitor.GoAsync(sale.Path);
            await visitor.SeesButtonAsync("grab");
            return true;
        });

        await visitor.SeesButtonAsync("ended", sale.EndPatience);
        await visitor.GoAsync(sale.Checkout);
        await visitor.SeesButtonAsync("ended");
        await visitor.GoAsync(sale.Checkout + "/now");
        await visitor.SeesHeadingAsync("活动已结束");
    }

    [Theory]
    [InlineData(2, OrderStatus.Paid)]
    [InlineData(1, OrderStatus.RefundDue)]
    public async Task Payment_AfterTheTimeIsUp_TakesAPlaceAgainOrIsGivenBack(int stock, OrderStatus outcome)
    {
        var sale = await Shop.PublishAsync(new Terms { Stock = stock, PaymentSeconds = 20 });
        var visitor = await ComeSignedInAsync("slow");
        visitor.Faults.Expect("409");
        await visitor.GoAsync(sale.Checkout);
        await visitor.SeesButtonAsync("grab");
        await visitor.PressAsync();
        await visitor.SeesButtonAsync("won");
        await visitor.PressAsync();
        var address = await visitor.ArrivesAtOrderAsync();
        await visitor.PressAsync();
        await visitor.SeesHeadingAsync((await visitor.TextsAsync()).Sandbox);

        // The page of the order says by itself that the time is up.
        var payment = visitor.Page;
        await visitor.NewTabAsync(address);
        // An order ends up to a quarter of its time after it, and the page looks again every few seconds.
        await visitor.SeesHeadingAsync((await visitor.TextsAsync()).StatusOf(OrderStatus.Expired), 50_000);
        var next = NewUser("next");
        await sale.PayAsync(await sale.OrderAsync(next), next);

        visitor.LookAt(payment);
        await payment.ClickAsync("button[value=paid]");
        var texts = await visitor.TextsAsync();
        await visitor.SeesHeadingAsync(texts.StatusOf(outcome));
        await visitor.SeesAsync(texts.StatusText(outcome));
        await sale.AssertReconciledAsync();
    }

    [Fact]
    public async Task Limit_WhenItIsReachedInAnotherTab_LeadsToTheOneOrder()
    {
        var sale = await Shop.PublishAsync();
        var visitor = await ComeSignedInAsync("twice");
        visitor.Faults.Expect("409");
        await visitor.GoAsync(sale.Checkout);
        await visitor.SeesButtonAsync("grab");
        var first = visitor.Page;
        var second = await visitor.NewTabAsync(sale.Checkout);
        await visitor.SeesButtonAsync("grab");

        visitor.LookAt(first);
        await visitor.PressAsync();
        await visitor.SeesButtonAsync("won");
        visitor.LookAt(second);
        if (await visitor.Button().GetAttributeAsync("data-main-button") == "grab")
        {
            await visitor.PressAsync();
        }

        await visitor.SeesButtonAsync("won");
        await visitor.PressAsync();
        var order = await visitor.ArrivesAtOrderAsync();
        visitor.LookAt(first);
        await visitor.PressAsync();
        Assert.Equal(order, await visitor.ArrivesAtOrderAsync());
    }
}
