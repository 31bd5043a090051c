using System.Net;

using Xunit;

namespace FlashSale.Tests.Server.Orders;

/// <summary>Many requests at one instant, many times over (invariants I1, I3, I5, I8, I10).</summary>
public sealed class OrderRaceTests(Shop shop)
{
    private const int Rounds = 20;
    private const int Requests = 50;

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Submit_FiftyTokensOfOneUserAtOnce_PlacesExactlyTheLimit(int limit)
    {
        var sale = await shop.OpenAsync(new ShopTerms(Stock: 1_000, Limit: limit));
        for (var round = 0; round < Rounds; round++)
        {
            var bot = sale.NewShopper();
            var tokens = await Task.WhenAll(Enumerable.Range(0, Requests).Select(_ => bot.TokenAsync()));
            var answers = await Task.WhenAll(tokens.Select(bot.SubmitAsync));

            Assert.Equal(limit, answers.Count(answer => answer.Status == HttpStatusCode.Created));
            Assert.All(
                answers.Where(answer => answer.Status != HttpStatusCode.Created),
                answer => answer.ExpectProblem(HttpStatusCode.Conflict, "purchase-limit-reached"));
        }

        Assert.Equal(Rounds * limit, (await sale.AssertReconciledAsync()).GetProperty("held").GetInt64());
    }

    [Fact]
    public async Task Submit_OneTokenFiftyTimesAtOnce_PlacesOneOrder()
    {
        // The limit leaves room for more: only the token holds them together.
        var sale = await shop.OpenAsync(new ShopTerms(Stock: 1_000, Limit: 10));
        for (var round = 0; round < Rounds; round++)
        {
            var alice = sale.NewShopper();
            var token = await alice.TokenAsync();
            var answers = await Task.WhenAll(Enumerable.Range(0, Requests).Select(_ => alice.SubmitAsync(token)));

            Assert.Single(answers, answer => answer.Status == HttpStatusCode.Created);
            Assert.Equal(Requests - 1, answers.Count(answer => answer.Status == HttpStatusCode.OK));
            Assert.Single(answers.Select(answer => answer.Body).Distinct());
        }

        Assert.Equal(Rounds, (await sale.AssertReconciledAsync()).GetProperty("held").GetInt64());
    }

    [Fact]
    public async Task Submit_ManyUsersForFewUnits_SellsExactlyTheStock()
    {
        const int Stock = 7;
        for (var round = 0; round < 5; round++)
        {
            var sale = await shop.OpenAsync(new ShopTerms(Stock));
            var crowd = await Task.WhenAll(Enumerable.Range(0, 100).Select(async _ =>
            {
                var shopper = sale.NewShopper();
                return (Shopper: shopper, Token: await shopper.TokenAsync());
            }));

            var answers = await Task.WhenAll(crowd.Select(one => one.Shopper.SubmitAsync(one.Token)));

            Assert.Equal(Stock, answers.Count(answer => answer.Status == HttpStatusCode.Created));
            Assert.All(
                answers.Where(answer => answer.Status != HttpStatusCode.Created),
                answer => answer.ExpectProblem(HttpStatusCode.Conflict, "sold-out"));
            var offer = await sale.AssertReconciledAsync();
            Assert.Equal(Stock, offer.GetProperty("held").GetInt64());
            Assert.Equal(0, offer.GetProperty("available").GetInt64());
        }
    }

    [Fact]
    public async Task PayAndCancel_AtOnce_EndTheOrderOnceAndLoseNoMoney()
    {
        const int Orders = 40;
        var sale = await shop.OpenAsync(new ShopTerms(Stock: Orders));
        var ended = await Task.WhenAll(Enumerable.Range(0, Orders).Select(async i =>
        {
            var (shopper, order, payment) = await HoldAsync(sale);
            var pays = new Func<Task<Reply>>(() => sale.CallbackAsync(payment, order));
            var cancels = new Func<Task<Reply>>(() => shopper.CancelAsync(order));
            var answers = await Task.WhenAll((i % 2 == 0 ? new[] { pays, cancels, pays } : [cancels, pays, cancels]).Select(call => call()));
            Assert.All(answers, answer => Assert.Contains((int)answer.Status, new[] { 200, 204, 409 }));
            return (await shopper.ReadAsync(order)).Text("status");
        }));

        // The unit of a cancelled order is there for its late payment, unless another late one took it: then the money goes back.
        Assert.All(ended, status => Assert.Contains(status, new[] { "paid", "refund_due" }));
        await sale.AssertReconciledAsync();
    }

    [Fact]
    public async Task PayAndCancel_AtTheInstantOfExpiry_EndTheOrderOnceAndLoseNoMoney()
    {
        const int Orders = 30;
        var (sale, held) = await HoldForTwoSecondsAsync(Orders);

        // The first that expires gives the start.
        await Eventually.HoldsAsync(
            async () => (await Task.WhenAll(held.Where(one => one.Number % 10 == 0).Select(one => one.Shopper.ReadAsync(one.Order)))).Any(order => order.Text("status") == "expired"),
            "the first order expires");
        await Task.WhenAll(held.Select(async one =>
        {
            var cancels = one.Shopper.CancelAsync(one.Order);
            if (one.Number % 3 != 0)
            {
                (await sale.CallbackAsync(one.Payment, one.Order)).Expect(HttpStatusCode.NoContent);
            }

            await cancels;
        }));

        foreach (var one in held)
        {
            string[] may = one.Number % 3 == 0 ? ["cancelled", "expired", "held"] : ["paid", "refund_due"];
            Assert.Contains((await one.Shopper.ReadAsync(one.Order)).Text("status"), may);
        }

        await sale.AssertReconciledAsync();
    }

    private static async Task<(Shopper Shopper, string Order, string Payment)> HoldAsync(ShopSale sale)
    {
        var shopper = sale.NewShopper();
        var (order, payment) = (await shopper.HoldAsync())!.Value;
        return (shopper, order.Text("id"), payment);
    }

    /// <summary>All payments are started in time; on a machine that stood still meanwhile, those of the next sale.</summary>
    private async Task<(ShopSale Sale, (int Number, Shopper Shopper, string Order, string Payment)[] Held)> HoldForTwoSecondsAsync(int orders)
    {
        for (var attempt = 1; ; attempt++)
        {
            var sale = await shop.OpenAsync(new ShopTerms(Stock: orders) { PaymentWindowSeconds = 2 });
            var held = await Task.WhenAll(Enumerable.Range(0, orders).Select(async number =>
            {
                var shopper = sale.NewShopper();
                return (Number: number, Shopper: shopper, Hold: await shopper.HoldAsync());
            }));
            if (attempt == 5 || held.All(one => one.Hold is not null))
            {
                return (sale, [.. held.Select(one => (one.Number, one.Shopper, one.Hold!.Value.Order.Text("id"), one.Hold!.Value.Payment))]);
            }
        }
    }
}
