using System.Net;
using System.Text.Json.Nodes;

using Xunit;

namespace FlashSale.Tests.Server.Console.Pages;

public sealed class OrderPagesTests(ConsoleServer shop) : IClassFixture<ConsoleServer>
{
    private static int people;

    private DeskVisitor Olga => new(shop.Server, "olga", "operator");

    private DeskVisitor Ada => new(shop.Server, "ada", "auditor");

    private static string NewUser() => $"buyer-{Interlocked.Increment(ref people)}";

    private async Task<(string Order, string User, string Code)> BuyAsync(string offerId)
    {
        var user = NewUser();
        var order = await shop.OrderAsync(offerId, user);
        await shop.PayAsync(order.Id, user);
        var paid = await ConsoleServer.SendAsync(shop.Server.SignedIn(user), HttpMethod.Get, "/api/v1/orders/" + order.Id);
        return (order.Id, user, paid.Json.GetProperty("coupon").GetProperty("code").GetString()!);
    }

    [Fact]
    public async Task Search_ByEachField_FindsTheOrder()
    {
        var sale = await shop.PublishAsync();
        var (order, user, code) = await BuyAsync(sale.OfferId);
        var held = NewUser();
        var other = (await shop.OrderAsync(sale.OfferId, held)).Id;

        foreach (var query in new[] { $"sale={sale.Id}&status=paid", $"offer={sale.OfferId}&sale={sale.Id}&user={user}", $"user={user}", $"order={order}", $"coupon={code.ToLowerInvariant()}" })
        {
            var page = (await Olga.GetAsync("/console/en/orders?" + query)).Expect(HttpStatusCode.OK);
            Assert.Contains($"{order} paid {user} Coupons 30,000 yuan ¥99", page.Text);
            Assert.DoesNotContain(other, page.Text);
        }

        Assert.Contains($"{other} 待支付 {held}", (await Olga.GetAsync($"/console/orders?sale={sale.Id}")).Text);
        Assert.Contains("Nothing matches.", (await Olga.GetAsync($"/console/en/orders?order={order}&status=held")).Text);
        var csv = (await Ada.GetAsync($"/console/orders.csv?sale={sale.Id}")).Expect(HttpStatusCode.OK);
        Assert.Equal(3, csv.Lines.Length);
        Assert.StartsWith($"{order},已支付,{user},{sale.Id},{sale.OfferId},99.00,CNY,", csv.Lines[2]);
        Assert.DoesNotContain(code, csv.Html);
    }

    [Fact]
    public async Task Search_OfManyOrders_ComesPageByPage()
    {
        var definition = shop.Definition();
        definition["offers"] = new JsonArray(ConsoleServer.Offer("A", stock: 60));
        var sale = await shop.PublishAsync(definition);
        for (var i = 0; i < 51; i++)
        {
            await shop.OrderAsync(sale.OfferId, NewUser());
        }

        var first = (await Olga.GetAsync($"/console/orders?sale={sale.Id}")).Expect(HttpStatusCode.OK);
        Assert.Equal(50, first.Html.Split("scope=\"row\"").Length - 1);
        var more = System.Text.RegularExpressions.Regex.Match(WebUtility.HtmlDecode(first.Html), $"/console/orders\\?sale={sale.Id}&cursor=\\d+").Value;
        Assert.Equal(1, (await Olga.GetAsync(more)).Expect(HttpStatusCode.OK).Html.Split("scope=\"row\"").Length - 1);
        Assert.Equal(52, (await Olga.GetAsync($"/console/orders.csv?sale={sale.Id}")).Lines.Length);
    }

    [Theory]
    [InlineData("user=%20x%20y", "f-user-error")]
    [InlineData("order=7", "f-order-error")]
    [InlineData("coupon=AAAA", "f-coupon-error")]
    public async Task Search_ForWhatIsNone_SaysSoBesideTheField(string query, string error)
    {
        var page = (await Olga.GetAsync("/console/orders?" + query)).Expect(HttpStatusCode.UnprocessableEntity);

        Assert.Contains($"id=\"{error}\"", page.Html);
        (await Olga.GetAsync("/console/orders.csv?" + query)).Expect(HttpStatusCode.UnprocessableEntity);
    }

    [Fact]
    public async Task Page_OfAnOrder_ShowsContactAndCodeToOperatorsOnly()
    {
        var sale = await shop.PublishAsync();
        var (order, user, code) = await BuyAsync(sale.OfferId);
        (await ConsoleServer.SendAsync(
            shop.Server.SignedIn(user), HttpMethod.Put, $"/api/v1/orders/{order}/contact", JsonNode.Parse("""{"name":"张三","phone":"+86 139 0000","city":"上海"}"""))).Expect(HttpStatusCode.OK);

        var zh = (await Olga.GetAsync("/console/orders/" + order)).Expect(HttpStatusCode.OK);
        var en = (await Ada.GetAsync("/console/en/orders/" + order)).Expect(HttpStatusCode.OK);

        Assert.Contains("张三 · +86 139 0000 · 上海", zh.Text);
        Assert.Contains(code, zh.Text);
        Assert.Contains("付款成功", zh.Text);
        Assert.DoesNotContain("张三", en.Html);
        Assert.DoesNotContain("139", en.Text);
        Assert.DoesNotContain(code, en.Html);
        Assert.Contains(code[..4] + "-••••-••••", en.Text);
        var steps = new[] { "Order token made", "Placed, a unit is held", "Payment started", "Paid", "Coupon issued" }.Select(step => en.Text.IndexOf(step, en.Text.IndexOf("Timeline", StringComparison.Ordinal), StringComparison.Ordinal)).ToArray();
        Assert.DoesNotContain(-1, steps);
        Assert.Equal(steps.Order(), steps);
        Assert.DoesNotContain("<form method=\"post\" action=\"/console/en/orders", en.Html);
        (await Olga.GetAsync("/console/orders/" + new string('0', 32))).Expect(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Cancel_WithAReason_EndsTheOrderAndStandsInItsTimelineAndTheAuditLog()
    {
        var sale = await shop.PublishAsync();
        var order = (await shop.OrderAsync(sale.OfferId, NewUser())).Id;

        var refused = (await Olga.PostAsync($"/console/en/orders/{order}/cancellation", ("reason", " "))).Expect(HttpStatusCode.UnprocessableEntity);
        Assert.Contains("Reason: Must be a text of 1 to 500 characters", refused.Text);
        Assert.Contains("held", refused.Text);
        var done = (await Olga.PostAsync($"/console/en/orders/{order}/cancellation", ("reason", "asked by phone"))).Expect(HttpStatusCode.SeeOther);

        Assert.Equal($"/console/en/orders/{order}?done=cancelled", done.Location);
        var page = (await Olga.GetAsync(done.Location!)).Expect(HttpStatusCode.OK);
        Assert.Contains("The order was cancelled.", page.Text);
        Assert.Contains("Cancelled · olga Reason: asked by phone", page.Text);
        Assert.Contains("There is nothing to be done", page.Text);
        Assert.Contains("asked by phone", (await Ada.GetAsync($"/console/audit?subject=order/{order}")).Text);
        Assert.Contains("Available 10 Held 0", (await Ada.GetAsync($"/console/en/sales/{sale.Id}/reconciliation")).Text);
    }

    [Fact]
    public async Task Refund_OfAPaidOrder_RevokesItsCouponOnce()
    {
        var sale = await shop.PublishAsync();
        var (order, _, _) = await BuyAsync(sale.OfferId);

        (await Olga.PostAsync($"/console/orders/{order}/cancellation", ("reason", "no"))).Expect(HttpStatusCode.Conflict);
        (await Olga.PostAsync($"/console/orders/{order}/refund", ("reason", "wrong car"))).Expect(HttpStatusCode.SeeOther);
        (await Olga.PostAsync($"/console/orders/{order}/refund", ("reason", "pressed twice"))).Expect(HttpStatusCode.SeeOther);

        var page = (await Olga.GetAsync("/console/orders/" + order)).Expect(HttpStatusCode.OK);
        Assert.Contains("已作废", page.Text);
        Assert.Contains("原因：wrong car", page.Text);
        Assert.DoesNotContain("pressed twice", page.Text);
        Assert.Contains("账实相符", (await Ada.GetAsync($"/console/sales/{sale.Id}/reconciliation")).Text);
    }

    [Fact]
    public async Task Refund_OfWhatNobodyPaid_IsRefusedInTheLanguageOfThePage()
    {
        var sale = await shop.PublishAsync();
        var order = (await shop.OrderAsync(sale.OfferId, NewUser())).Id;

        Assert.Contains("订单没有付款", (await Olga.PostAsync($"/console/orders/{order}/refund", ("reason", "x"))).Expect(HttpStatusCode.Conflict).Text);
        Assert.Contains("Nobody has paid", (await Olga.PostAsync($"/console/en/orders/{order}/refund", ("reason", "x"))).Expect(HttpStatusCode.Conflict).Text);
        (await Olga.PostAsync($"/console/orders/{new string('0', 32)}/refund", ("reason", "x"))).Expect(HttpStatusCode.NotFound);
    }
}
