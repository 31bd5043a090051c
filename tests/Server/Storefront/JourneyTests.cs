using System.Net;

using FlashSale.Tests.Server.Console;

using Xunit;

namespace FlashSale.Tests.Server.Storefront;

/// <summary>What a shopper does from the sign-in to the coupon, with forms only.</summary>
public sealed class JourneyTests(DemoShop shop) : IClassFixture<DemoShop>
{
    [Theory]
    [InlineData("", "立即预约", "立即抢购", "还差一点点，请再点一次。", "抢到了，去支付", "券码", "已抢到，查看订单")]
    [InlineData("/en", "Reserve", "Grab it", "That was a moment too early. Please press again.", "You got it – pay now", "Code", "View your order")]
    public async Task Journey_WhenEveryStepIsAForm_EndsWithTheCoupon(
        string prefix, string reserve, string grab, string again, string won, string code, string already)
    {
        var opensAt = TimeProvider.System.GetUtcNow().AddSeconds(15);
        var sale = await shop.PublishAsync(definition =>
        {
            definition["requiresReservation"] = true;
            definition["reservationOpensAt"] = ConsoleServer.Rfc3339(opensAt.AddMinutes(-1));
            definition["reservationClosesAt"] = ConsoleServer.Rfc3339(opensAt.AddSeconds(-1));
            definition["opensAt"] = ConsoleServer.Rfc3339(opensAt);
        });
        using var browser = shop.Open();
        var page = $"{prefix}/sales/{DemoShop.SlugOf(sale)}";
        var checkout = $"{page}/checkout/{sale.OfferId}";

        var now = page + "/now";
        Assert.Equal(["sign_in"], (await browser.GetAsync(now)).Buttons);
        var signedIn = await browser.PostAsync(prefix + "/sign-in", ("user", "ada" + prefix.Trim('/')), ("return", now[prefix.Length..]));
        Assert.Equal((HttpStatusCode.SeeOther, now), (signedIn.Status, signedIn.Location));
        Assert.Contains(">" + reserve + "</button>", (await browser.GetAsync(now)).Html, StringComparison.Ordinal);
        Assert.Equal(page + "/reservation", (await browser.PostAsync(page + "/reservation")).Location);
        var reserved = await browser.GetAsync(page + "/reservation");
        Assert.Contains($"<h1>{(prefix.Length == 0 ? "已预约" : "Reserved")}</h1>", reserved.Html, StringComparison.Ordinal);
        Assert.Contains("role=\"timer\"", reserved.Html, StringComparison.Ordinal);
        Assert.Equal(["soon"], (await browser.GetAsync(now)).Buttons);

        await Eventually.PassesAsync(opensAt - TimeProvider.System.GetUtcNow() + TimeSpan.FromMilliseconds(200));
        Assert.Contains(">" + grab + "</a>", (await browser.GetAsync(now)).Html, StringComparison.Ordinal);
        var asked = TimeProvider.System.GetTimestamp();
        var token = await browser.OpenCheckoutAsync(checkout);
        var tooEarly = await browser.PostAsync(checkout, ("token", token));
        // A token is too young for a second: on a machine that stood still meanwhile it may be no more, and then there is an order.
        if (tooEarly.Status != HttpStatusCode.SeeOther || TimeProvider.System.GetElapsedTime(asked) < TimeSpan.FromSeconds(1))
        {
            Assert.Equal(HttpStatusCode.OK, tooEarly.Status);
            Assert.Contains(again, tooEarly.Html, StringComparison.Ordinal);
            Assert.Equal(token, Browser.TokenOf(tooEarly));
        }

        await Task.Delay(TimeSpan.FromSeconds(1.1));
        var order = (await browser.PostAsync(checkout, ("token", token))).Location!;
        Assert.StartsWith(prefix + "/orders/", order, StringComparison.Ordinal);
        Assert.Equal(order, (await browser.PostAsync(checkout, ("token", token))).Location);
        Assert.Contains(won, (await browser.GetAsync(order)).Html, StringComparison.Ordinal);
        Assert.Equal(["won"], (await browser.GetAsync(now)).Buttons);

        var payment = (await browser.PostAsync(order + "/payment")).Location!;
        Assert.StartsWith(prefix + "/sandbox/payments/", payment, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync(payment)).Status);
        Assert.Equal(order, (await browser.PostAsync(payment, ("status", "failed"))).Location);
        Assert.Equal(order, (await browser.PostAsync(payment, ("status", "paid"))).Location);

        var coupon = await browser.GetAsync(order.Replace("/orders/", "/coupons/", StringComparison.Ordinal));
        Assert.Contains(code, coupon.Html, StringComparison.Ordinal);
        Assert.Matches("<svg class=\"qr\"[^>]* role=\"img\" aria-label=\"[^\"]+\"", coupon.Html);
        Assert.Matches("[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", coupon.Html);
        Assert.Contains(already, (await browser.GetAsync(now)).Html, StringComparison.Ordinal);
        Assert.Contains(order, (await browser.GetAsync(prefix + "/orders")).Html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Submit_WhenTheLastUnitIsHeldAndThenPaid_SaysStillAChanceAndThenSoldOut()
    {
        var sale = await shop.PublishAsync(stock: 1);
        var page = "/sales/" + DemoShop.SlugOf(sale);
        var checkout = $"{page}/checkout/{sale.OfferId}";
        using var winner = await shop.OpenSignedInAsync("winner");
        using var loser = await shop.OpenSignedInAsync("loser");
        var token = await loser.OpenCheckoutAsync(checkout);
        var order = (await winner.OrderAsync(checkout)).Location!;

        var maybe = await loser.PostAsync(checkout, ("token", token));
        Assert.Equal(HttpStatusCode.Conflict, maybe.Status);
        Assert.Contains("还有机会", maybe.Html, StringComparison.Ordinal);
        Assert.Equal(token, Browser.TokenOf(maybe));
        Assert.Equal(["maybe"], (await loser.GetAsync(page + "/now")).Buttons);

        var payment = (await winner.PostAsync(order + "/payment")).Location!;
        using var provider = shop.Open();
        Assert.Equal(HttpStatusCode.SeeOther, (await provider.PostFromAsync("https://pay.example", payment, ("status", "paid"))).Status);

        var soldOut = await loser.PostAsync("/en" + checkout, ("token", token));
        Assert.Equal(HttpStatusCode.Conflict, soldOut.Status);
        Assert.Contains("<h1>Sold out</h1>", soldOut.Html, StringComparison.Ordinal);
        Assert.Equal(["sold_out"], (await loser.GetAsync(page + "/now")).Buttons);
        Assert.Equal(HttpStatusCode.NotFound, (await loser.GetAsync(order)).Status);
    }

    [Fact]
    public async Task Submit_WhenTheLimitIsReached_LeadsToTheOrders()
    {
        var sale = await shop.PublishAsync();
        var checkout = $"/sales/{DemoShop.SlugOf(sale)}/checkout/{sale.OfferId}";
        using var browser = await shop.OpenSignedInAsync("twice");
        await browser.OrderAsync(checkout);

        var second = await browser.OrderAsync(checkout);

        Assert.Equal(HttpStatusCode.Conflict, second.Status);
        Assert.Contains("已达限购数量", second.Html, StringComparison.Ordinal);
        Assert.Contains("href=\"/orders\"", second.Html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Submit_WhenTheSaleIsPausedAndResumed_SucceedsWithTheSameToken()
    {
        var sale = await shop.PublishAsync();
        var page = "/sales/" + DemoShop.SlugOf(sale);
        var checkout = $"{page}/checkout/{sale.OfferId}";
        using var browser = await shop.OpenSignedInAsync("patient");
        var token = await browser.OpenCheckoutAsync(checkout);
        await Task.Delay(TimeSpan.FromSeconds(1.1));
        await shop.ChangeAsync(sale, "pause");

        var paused = await browser.PostAsync(checkout, ("token", token));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, paused.Status);
        Assert.NotNull(paused.RetryAfter);
        Assert.Contains("活动暂停，请稍候", paused.Html, StringComparison.Ordinal);
        Assert.Equal(["paused"], (await browser.GetAsync(page + "/now")).Buttons);

        await shop.ChangeAsync(sale, "resumption");
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.PostAsync(checkout, ("token", Browser.TokenOf(paused)))).Status);
    }

    [Fact]
    public async Task Cancel_WhenTheOrderIsHeld_GivesThePlaceBack()
    {
        var sale = await shop.PublishAsync(stock: 1);
        var page = "/sales/" + DemoShop.SlugOf(sale);
        using var browser = await shop.OpenSignedInAsync("doubtful");
        var order = (await browser.OrderAsync($"{page}/checkout/{sale.OfferId}")).Location!;

        Assert.Equal(order, (await browser.PostAsync(order + "/cancellation")).Location);

        Assert.Contains("已取消", (await browser.GetAsync(order)).Html, StringComparison.Ordinal);
        Assert.Equal(["grab"], (await browser.GetAsync(page + "/now")).Buttons);
        Assert.Equal(HttpStatusCode.Conflict, (await browser.PostAsync(order + "/payment")).Status);
    }
}
