using System.Net;
using System.Text;
using System.Text.Json;

using Xunit;

namespace FlashSale.Tests.Server.Payments;

public sealed class PaymentEndpointsTests(Shop shop)
{
    [Fact]
    public async Task Start_AskedTwice_GivesTheSamePayment()
    {
        var (_, alice, order, payment) = await HeldAsync(new ShopTerms());

        var again = (await alice.StartPaymentAsync(order)).Expect(HttpStatusCode.OK);
        Assert.Equal(payment, again.Text("id"));
        Assert.Equal("pending", again.Text("status"));
        Assert.Contains(payment, again.Text("payUrl"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Callback_WithAWrongSignature_ChangesNothing()
    {
        var (sale, alice, order, payment) = await HeldAsync(new ShopTerms());
        var body = JsonSerializer.SerializeToUtf8Bytes(new { paymentId = payment, orderId = order, amount = new { amount = ShopSale.Price, currency = "CNY" }, status = "paid" });
        var good = sale.Sign(body);
        foreach (var signature in new[] { "", "garbage", "AAAA", good[..^4], good.ToUpperInvariant(), sale.Sign("{}"u8.ToArray()), Convert.ToBase64String(new byte[32]), new('A', 8_000) })
        {
            (await sale.SignedAsync(body, signature)).ExpectProblem(HttpStatusCode.Unauthorized, "signature-rejected");
        }

        Assert.Equal("held", (await alice.ReadAsync(order)).Text("status"));
        (await sale.SignedAsync(body, good)).Expect(HttpStatusCode.NoContent);
        await sale.AssertReconciledAsync();
    }

    [Fact]
    public async Task Callback_WithAWrongAmount_ChangesNothing()
    {
        var (sale, alice, order, payment) = await HeldAsync(new ShopTerms());
        (long Amount, string Currency)[] wrong = [(ShopSale.Price - 1, "CNY"), (ShopSale.Price + 1, "CNY"), (0, "CNY"), (-ShopSale.Price, "CNY"), (long.MaxValue, "CNY"), (ShopSale.Price, "USD"), (ShopSale.Price, "cny"), (ShopSale.Price, "")];
        foreach (var (amount, currency) in wrong)
        {
            (await sale.CallbackAsync(payment, order, amount: amount, currency: currency)).ExpectProblem(HttpStatusCode.UnprocessableEntity, "amount-mismatch");
        }

        Assert.Equal("held", (await alice.ReadAsync(order)).Text("status"));
        Assert.Equal("pending", (await alice.StartPaymentAsync(order)).Text("status"));
        await sale.AssertReconciledAsync();
    }

    [Fact]
    public async Task Callback_ForAPaymentThatIsNotThere_ChangesNothing()
    {
        var (sale, alice, order, payment) = await HeldAsync(new ShopTerms());
        var (_, _, otherOrder, _) = await HeldAsync(new ShopTerms());
        foreach (var (paymentId, orderId) in new[] { (Guid.NewGuid().ToString("N"), order), (payment, otherOrder), (payment, Guid.NewGuid().ToString("N")), ("x", order), (payment, ""), (payment.ToUpperInvariant(), order) })
        {
            (await sale.CallbackAsync(paymentId, orderId)).ExpectProblem(HttpStatusCode.UnprocessableEntity, "invalid-fields");
        }

        (await sale.CallbackAsync(payment, order, status: "pending")).ExpectProblem(HttpStatusCode.UnprocessableEntity, "invalid-fields");
        Assert.Equal("held", (await alice.ReadAsync(order)).Text("status"));
    }

    [Fact]
    public async Task Callback_Repeated_PaysOnceAndShowsOneCoupon()
    {
        var (sale, alice, order, payment) = await HeldAsync(new ShopTerms());
        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => sale.CallbackAsync(payment, order)));
        Assert.All(answers, answer => answer.Expect(HttpStatusCode.NoContent));

        var paid = (await alice.ReadAsync(order)).Json;
        Assert.Equal("paid", paid.GetProperty("status").GetString());
        Assert.Matches("^[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$", paid.GetProperty("coupon").GetProperty("code").GetString()!);
        Assert.True(paid.GetProperty("coupon").GetProperty("validFrom").GetDateTimeOffset() < paid.GetProperty("coupon").GetProperty("validUntil").GetDateTimeOffset());
        (await alice.CancelAsync(order)).ExpectProblem(HttpStatusCode.Conflict, "order-not-cancellable");
        Assert.Equal("paid", (await alice.StartPaymentAsync(order)).Expect(HttpStatusCode.OK).Text("status"));

        // A late "failed" does not take it back.
        (await sale.CallbackAsync(payment, order, status: "failed")).Expect(HttpStatusCode.NoContent);
        Assert.Equal("paid", (await alice.ReadAsync(order)).Text("status"));
        var offer = await sale.AssertReconciledAsync();
        Assert.Equal(1, offer.GetProperty("sold").GetInt64());
        Assert.Equal(1, offer.GetProperty("coupons").GetInt64());
    }

    [Fact]
    public async Task Callback_FailedThenPaid_PaysTheOrder()
    {
        var (sale, alice, order, payment) = await HeldAsync(new ShopTerms());
        (await sale.CallbackAsync(payment, order, status: "failed")).Expect(HttpStatusCode.NoContent);
        Assert.Equal("held", (await alice.ReadAsync(order)).Text("status"));
        Assert.Equal(payment, (await alice.StartPaymentAsync(order)).Expect(HttpStatusCode.OK).Text("id"));

        (await sale.CallbackAsync(payment, order)).Expect(HttpStatusCode.NoContent);
        Assert.Equal("paid", (await alice.ReadAsync(order)).Text("status"));
        await sale.AssertReconciledAsync();
    }

    [Theory]
    [InlineData(false, "paid", 1)]
    [InlineData(true, "refund_due", 0)]
    public async Task Callback_AfterACancellation_TakesAUnitAgainIfThereIsOne(bool taken, string status, int sold)
    {
        var (sale, alice, order, payment) = await HeldAsync(new ShopTerms(Stock: 1));
        (await alice.CancelAsync(order)).Expect(HttpStatusCode.OK);
        if (taken)
        {
            await sale.NewShopper().OrderAsync();
        }

        (await sale.CallbackAsync(payment, order)).Expect(HttpStatusCode.NoContent);
        (await sale.CallbackAsync(payment, order)).Expect(HttpStatusCode.NoContent);

        var ended = (await alice.ReadAsync(order)).Json;
        Assert.Equal(status, ended.GetProperty("status").GetString());
        Assert.Equal(!taken, ended.TryGetProperty("coupon", out _));
        var offer = await sale.AssertReconciledAsync();
        Assert.Equal(sold, offer.GetProperty("sold").GetInt64());
        Assert.Equal(0, offer.GetProperty("available").GetInt64());
    }

    [Theory]
    [InlineData(false, "paid")]
    [InlineData(true, "refund_due")]
    public async Task Callback_AfterTheExpiry_TakesAUnitAgainIfThereIsOne(bool taken, string status)
    {
        var (sale, alice, order, payment) = await HeldAsync(new ShopTerms(Stock: 1) { PaymentWindowSeconds = 2 });
        await Eventually.HoldsAsync(async () => (await alice.ReadAsync(order)).Text("status") == "expired", "the order expires");
        if (taken)
        {
            await Eventually.HoldsAsync(
                async () => !(await sale.ReadStateAsync()).GetProperty("offers")[0].GetProperty("soldOut").GetBoolean(), "the unit is back");
            await sale.NewShopper().BuyAsync();
        }

        (await sale.CallbackAsync(payment, order)).Expect(HttpStatusCode.NoContent);

        Assert.Equal(status, (await alice.ReadAsync(order)).Text("status"));
        await sale.AssertReconciledAsync();
    }

    [Fact]
    public async Task Callback_AfterACancellationByAUserAtTheLimit_IsARefund()
    {
        var (sale, alice, order, payment) = await HeldAsync(new ShopTerms(Stock: 5));
        (await alice.CancelAsync(order)).Expect(HttpStatusCode.OK);
        await alice.OrderAsync();

        (await sale.CallbackAsync(payment, order)).Expect(HttpStatusCode.NoContent);

        Assert.Equal("refund_due", (await alice.ReadAsync(order)).Text("status"));
        await sale.AssertReconciledAsync();
    }

    [Fact]
    public async Task Callback_WithAnUnsignedHugeBody_IsTooLarge()
    {
        var sale = await shop.OpenAsync();
        (await sale.SignedAsync(Encoding.UTF8.GetBytes(new string('x', 5_000)), "")).ExpectProblem(HttpStatusCode.RequestEntityTooLarge, "body-too-large");
    }

    private async Task<(ShopSale Sale, Shopper Shopper, string Order, string Payment)> HeldAsync(ShopTerms terms)
    {
        for (var attempt = 1; ; attempt++)
        {
            var sale = await shop.OpenAsync(terms);
            var shopper = sale.NewShopper();
            // None where a short window was over before, on a machine that stood still.
            if (await shopper.HoldAsync() is var (order, payment))
            {
                return (sale, shopper, order.Text("id"), payment);
            }

            Assert.True(attempt < 5, "No payment is started in time.");
        }
    }
}
