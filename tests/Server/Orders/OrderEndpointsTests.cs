using System.Net;

using Xunit;

namespace FlashSale.Tests.Server.Orders;

public sealed class OrderEndpointsTests(Shop shop)
{
    [Fact]
    public async Task Submit_WithAToken_CreatesAnOrderThatCanBeRead()
    {
        var sale = await shop.OpenAsync();
        var alice = sale.NewShopper();

        var order = await alice.OrderAsync();

        Assert.Equal("/api/v1/orders/" + order.Text("id"), order.Location);
        Assert.Equal("application/json", order.MediaType);
        Assert.Equal(sale.Id, order.Text("saleId"));
        Assert.Equal(sale.OfferId, order.Text("offerId"));
        Assert.Equal(alice.UserId, order.Text("userId"));
        Assert.Equal("held", order.Text("status"));
        Assert.Equal(ShopSale.Price, order.Json.GetProperty("price").GetProperty("amount").GetInt64());
        Assert.Equal("CNY", order.Json.GetProperty("price").GetProperty("currency").GetString());
        Assert.EndsWith("Z", order.Text("createdAt"), StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromMinutes(15), order.Json.GetProperty("payBefore").GetDateTimeOffset() - order.Json.GetProperty("createdAt").GetDateTimeOffset());
        Assert.False(order.Json.TryGetProperty("coupon", out _));
        Assert.Equal(order.Body, (await alice.SendAsync(HttpMethod.Get, order.Location!)).Expect(HttpStatusCode.OK).Body);
        await sale.AssertReconciledAsync();
    }

    [Fact]
    public async Task Submit_WithTheSameTokenAgain_AnswersTheSameOrderEvenAfterItsCancellation()
    {
        var sale = await shop.OpenAsync();
        var alice = sale.NewShopper();
        var token = await alice.TokenAsync();
        var order = (await alice.SubmitAsync(token)).Expect(HttpStatusCode.Created);

        var again = (await alice.SubmitAsync(token)).Expect(HttpStatusCode.OK);
        Assert.Equal(order.Body, again.Body);
        Assert.Equal(order.Location, again.Location);

        var cancelled = (await alice.CancelAsync(order.Text("id"))).Expect(HttpStatusCode.OK);
        Assert.Equal("cancelled", cancelled.Text("status"));
        Assert.Equal(cancelled.Body, (await alice.SubmitAsync(token)).Expect(HttpStatusCode.OK).Body);
        Assert.Equal(cancelled.Body, (await alice.CancelAsync(order.Text("id"))).Expect(HttpStatusCode.OK).Body);
        Assert.Equal(0, (await sale.AssertReconciledAsync()).GetProperty("held").GetInt64());
    }

    [Fact]
    public async Task Submit_BeforeTheOpening_SaysWhenItOpens()
    {
        var sale = await shop.OpenAsync(new ShopTerms { OpensIn = TimeSpan.FromMinutes(5) });
        var alice = sale.NewShopper();

        var refused = (await alice.SubmitAsync(await alice.TokenAsync())).ExpectProblem(HttpStatusCode.Conflict, "sale-not-open");

        Assert.Equal(sale.OpensAt, refused.Json.GetProperty("opensAt").GetDateTimeOffset(), TimeSpan.FromMilliseconds(1));
        Assert.Equal(TimeProvider.System.GetUtcNow(), refused.Json.GetProperty("serverTime").GetDateTimeOffset(), TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task Submit_WhenRefusedBeforeTheOpening_WorksWithTheSameTokenAfterIt()
    {
        var sale = await shop.OpenAsync(new ShopTerms { OpensIn = TimeSpan.FromMinutes(5) });
        var alice = sale.NewShopper();
        var token = await alice.TokenAsync();
        (await alice.SubmitAsync(token)).ExpectProblem(HttpStatusCode.Conflict, "sale-not-open");
        // Only now: a machine that stands still before must not open it too early.
        await sale.MoveOpeningAsync(TimeSpan.FromMilliseconds(500));

        Reply? last = null;
        await Eventually.HoldsAsync(async () => (last = await alice.SubmitAsync(token)).Status != HttpStatusCode.Conflict, "the sale opens");
        last!.Expect(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Submit_WhenTheSaleIsPausedResumedAndClosed_FollowsAtOnce()
    {
        var sale = await shop.OpenAsync();
        var (alice, bob) = (sale.NewShopper(), sale.NewShopper());
        var (first, second) = (await alice.TokenAsync(), await bob.TokenAsync());
        await sale.HaltAsync("pause");
        (await alice.SubmitAsync(first)).ExpectProblem(HttpStatusCode.ServiceUnavailable, "sale-paused");

        await sale.HaltAsync("resumption");
        var order = (await alice.SubmitAsync(first)).Expect(HttpStatusCode.Created);

        await sale.HaltAsync("closure");
        (await bob.SubmitAsync(second)).ExpectProblem(HttpStatusCode.Gone, "sale-ended");
        (await bob.AskTokenAsync()).ExpectProblem(HttpStatusCode.Gone, "sale-ended");

        // What was ordered before stays, and can be paid.
        Assert.Equal(order.Body, (await alice.SubmitAsync(first)).Expect(HttpStatusCode.OK).Body);
        (await alice.StartPaymentAsync(order.Text("id"))).Expect(HttpStatusCode.Created);
        await sale.AssertReconciledAsync();
    }

    [Fact]
    public async Task Submit_WhenSoldOut_WorksWithTheSameTokenAfterACancellation()
    {
        var sale = await shop.OpenAsync(new ShopTerms(Stock: 1));
        var (alice, bob) = (sale.NewShopper(), sale.NewShopper());
        var token = await bob.TokenAsync();
        var order = await alice.OrderAsync();
        (await bob.SubmitAsync(token)).ExpectProblem(HttpStatusCode.Conflict, "sold-out");
        await Eventually.HoldsAsync(
            async () => (await sale.ReadStateAsync()).GetProperty("offers")[0] is var offer
                && offer.GetProperty("soldOut").GetBoolean() && offer.GetProperty("holds").GetBoolean(),
            "the state says sold out, with holds");

        (await alice.CancelAsync(order.Text("id"))).Expect(HttpStatusCode.OK);

        (await bob.SubmitAsync(token)).Expect(HttpStatusCode.Created);
        Assert.Equal(1, (await sale.AssertReconciledAsync()).GetProperty("held").GetInt64());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Submit_BeyondTheLimit_IsRefusedUntilAnOrderIsCancelled(int limit)
    {
        var sale = await shop.OpenAsync(new ShopTerms(Limit: limit));
        var alice = sale.NewShopper();
        var order = await alice.OrderAsync();
        for (var i = 1; i < limit; i++)
        {
            await alice.OrderAsync();
        }

        var token = await alice.TokenAsync();
        (await alice.SubmitAsync(token)).ExpectProblem(HttpStatusCode.Conflict, "purchase-limit-reached");
        (await alice.CancelAsync(order.Text("id"))).Expect(HttpStatusCode.OK);
        (await alice.SubmitAsync(token)).Expect(HttpStatusCode.Created);
        Assert.Equal(limit, (await sale.AssertReconciledAsync()).GetProperty("held").GetInt64());
    }

    [Fact]
    public async Task Submit_WhenTheUserIsBarredAndLetInAgain_FollowsWithinASecond()
    {
        var sale = await shop.OpenAsync();
        var mallory = sale.NewShopper();
        var token = await mallory.TokenAsync();
        (await sale.AdminAsync(HttpMethod.Put, "blacklist/" + mallory.UserId, new { reason = "scalper", source = "test" })).Expect(HttpStatusCode.OK);

        await WithinASecondAsync(async () => (await mallory.SubmitAsync(token)).Status == HttpStatusCode.Forbidden);
        (await mallory.SubmitAsync(token)).ExpectProblem(HttpStatusCode.Forbidden, "not-eligible");
        (await mallory.AskTokenAsync()).ExpectProblem(HttpStatusCode.Forbidden, "not-eligible");

        (await sale.AdminAsync(HttpMethod.Delete, "blacklist/" + mallory.UserId)).Expect(HttpStatusCode.NoContent);
        await WithinASecondAsync(async () => (await mallory.AskTokenAsync()).Status == HttpStatusCode.Created);
        (await mallory.SubmitAsync(token)).Expect(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Find_WhenTheOrderIsAnothers_AnswersAsIfThereWereNone()
    {
        var sale = await shop.OpenAsync();
        var (alice, mallory) = (sale.NewShopper(), sale.NewShopper("operator", "dealer"));
        var order = (await alice.OrderAsync()).Text("id");

        (await mallory.ReadAsync(order)).ExpectProblem(HttpStatusCode.NotFound, "not-found");
        (await mallory.CancelAsync(order)).ExpectProblem(HttpStatusCode.NotFound, "not-found");
        (await mallory.StartPaymentAsync(order)).ExpectProblem(HttpStatusCode.NotFound, "not-found");
        Assert.Equal("held", (await alice.ReadAsync(order)).Text("status"));
    }

    [Fact]
    public async Task List_WithMoreOrdersThanAPage_GivesEachOnceNewestFirst()
    {
        var sale = await shop.OpenAsync();
        var alice = sale.NewShopper();
        List<string> made = [];
        for (var i = 0; i < 53; i++)
        {
            var order = (await alice.OrderAsync()).Text("id");
            made.Insert(0, order);
            if (i < 52)
            {
                (await alice.CancelAsync(order)).Expect(HttpStatusCode.OK);
            }
        }

        var first = (await alice.SendAsync(HttpMethod.Get, "/api/v1/orders")).Expect(HttpStatusCode.OK).Json;
        var cursor = first.GetProperty("nextCursor").GetString();
        var second = (await alice.SendAsync(HttpMethod.Get, "/api/v1/orders?cursor=" + cursor)).Expect(HttpStatusCode.OK).Json;

        Assert.Equal(50, first.GetProperty("items").GetArrayLength());
        Assert.Equal("null", second.GetProperty("nextCursor").GetRawText());
        Assert.Equal(made, first.GetProperty("items").EnumerateArray().Concat(second.GetProperty("items").EnumerateArray()).Select(order => order.GetProperty("id").GetString()));
    }

    [Fact]
    public async Task Expiry_WhenThePaymentWindowIsOver_GivesTheUnitBack()
    {
        var (sale, alice, bob, order) = await SellOutAsync();

        await Eventually.HoldsAsync(async () => (await alice.ReadAsync(order)).Text("status") == "expired", "the order expires");

        await Eventually.HoldsAsync(
            async () => !(await sale.ReadStateAsync()).GetProperty("offers")[0].GetProperty("soldOut").GetBoolean(), "the state shows the unit");
        (await alice.CancelAsync(order)).ExpectProblem(HttpStatusCode.Conflict, "order-not-cancellable");
        (await alice.StartPaymentAsync(order)).ExpectProblem(HttpStatusCode.Conflict, "order-not-payable");
        await bob.OrderAsync();
        await sale.AssertReconciledAsync();
    }

    /// <summary>The only unit is held, for two seconds, and another is refused meanwhile.</summary>
    private async Task<(ShopSale Sale, Shopper Holder, Shopper Other, string Order)> SellOutAsync()
    {
        for (var attempt = 1; ; attempt++)
        {
            var sale = await shop.OpenAsync(new ShopTerms(Stock: 1) { PaymentWindowSeconds = 2 });
            var (alice, bob) = (sale.NewShopper(), sale.NewShopper());
            var token = await bob.TokenAsync();
            var order = await alice.OrderAsync();
            var refused = await bob.SubmitAsync(token);
            // A machine that stood still may have let the window end first: then it proves nothing.
            if (attempt == 5 || refused.Status != HttpStatusCode.Created || TimeProvider.System.GetUtcNow() < Shopper.PayBeforeOf(order))
            {
                refused.ExpectProblem(HttpStatusCode.Conflict, "sold-out");
                return (sale, alice, bob, order.Text("id"));
            }
        }
    }

    private static async Task WithinASecondAsync(Func<Task<bool>> condition)
    {
        using var stalls = new Stalls();
        var since = TimeProvider.System.GetTimestamp();
        await Eventually.HoldsAsync(condition, "the change takes effect");
        // A busy machine is allowed a second more, and what it stood still.
        Assert.InRange(TimeProvider.System.GetElapsedTime(since) - stalls.LostSince(since), TimeSpan.MinValue, TimeSpan.FromSeconds(2));
    }
}
