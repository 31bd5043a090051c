using System.Net;

using Xunit;

namespace FlashSale.Tests.Server.Risk;

public sealed class UnpaidHoldsTests(Shop shop)
{
    [Fact]
    public async Task Expiry_OfTheLastOrderThatASaleLetsGo_BarsTheUserAtOnce()
    {
        var sale = await shop.OpenAsync(new ShopTerms(Limit: 2) { PaymentWindowSeconds = 2, Defences = new { unpaidHolds = 2, barMinutes = 5 } });
        var holder = sale.NewShopper();
        var token = await holder.TokenAsync();
        await holder.OrderAsync();
        var last = (await holder.OrderAsync()).Text("id");
        var payer = await PayOneOfTwoAsync(sale);

        await Eventually.HoldsAsync(async () => (await sale.AdminAsync(HttpMethod.Get, "blacklist/" + holder.UserId)).Status == HttpStatusCode.OK, "both orders expire");

        Assert.Equal("expired", (await holder.ReadAsync(last)).Text("status"));
        await Eventually.HoldsAsync(async () => (await holder.AskTokenAsync()).Status == HttpStatusCode.Forbidden, "the gate is told");
        (await holder.SubmitAsync(token)).ExpectProblem(HttpStatusCode.Forbidden, "not-eligible");
        Assert.Equal("unpaid-holds", (await sale.AdminAsync(HttpMethod.Get, "blacklist/" + holder.UserId)).Text("source"));
        await payer.TokenAsync();
        await sale.AssertReconciledAsync();
    }

    /// <summary>Somebody with one order that is paid in time; who was too late, on a machine that stood still, is barred as well.</summary>
    private static async Task<Shopper> PayOneOfTwoAsync(ShopSale sale)
    {
        for (var attempt = 1; ; attempt++)
        {
            var payer = sale.NewShopper();
            await payer.OrderAsync();
            if (await payer.HoldAsync() is var (order, payment))
            {
                (await sale.CallbackAsync(payment, order.Text("id"))).Expect(HttpStatusCode.NoContent);
                if (TimeProvider.System.GetUtcNow() < Shopper.PayBeforeOf(order))
                {
                    return payer;
                }
            }

            Assert.True(attempt < 5, "Nobody has paid in time.");
        }
    }
}
