using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Sales;
using FlashSale.Core.Stock;
using FlashSale.Core.Wire;

using Xunit;

namespace FlashSale.Tests.Storage;

public abstract partial class LedgerContract
{
    /// <summary>Random histories, applied to the ledger and to a model in memory, agree in every outcome and every row.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public async Task History_WhenRandom_AgreesWithTheModel(int seed)
    {
        var random = new Random(seed);
        var sale = await PublishAsync((random.Next(1, 8), random.Next(1, 4)), (random.Next(1, 20), 1));
        var model = new LedgerModel(sale);
        for (var step = 0; step < 150; step++)
        {
            await StepAsync(random, sale, model);
            Time.Advance(TimeSpan.FromSeconds(random.Next(0, 40)));
            foreach (var offer in sale.Offers)
            {
                var stock = await Ledger.ReadStockAsync([offer.Id], Stop);
                Assert.Equal(model.Stocks[offer.Id], Assert.Single(stock).Row);
            }
        }

        var rows = await AuditAsync(sale);
        Assert.Equal(
            model.Orders.Values.Select(order => (order.Draft.Id.ToString(), order.Status)).Order(),
            rows.Of("order").Select(line => (line.Id!, Enum.Parse<OrderStatus>(line.Status!.Replace("_", "", StringComparison.Ordinal), ignoreCase: true))).Order());
        foreach (var offer in sale.Offers)
        {
            Assert.Equal(
                model.Changes[offer.Id],
                rows.Of("stockChange").Where(line => line.OfferId == offer.Id.ToString()).Select(line => new StockChange(
                    line.Seq!.Value, line.Kind!.Value, line.Delta!.Value, line.BalanceAfter!.Value,
                    line.OrderId is null ? null : OrderId.TryParse(line.OrderId, out var id) ? id : throw new FormatException())));
        }
    }

    private async Task StepAsync(Random random, Sale sale, LedgerModel model)
    {
        var known = model.Orders.Values.ToList();
        var some = known.Count == 0 ? null : known[random.Next(known.Count)];
        switch (random.Next(11))
        {
            case < 4:
                var drafts = Enumerable.Range(0, random.Next(1, 6)).Select(_ => Order(sale, User(random.Next(6)), random.Next(2)))
                    .Concat(random.Next(4) == 0 && some is not null ? [some.Draft] : [])
                    .ToList();
                var batch = await Ledger.PlaceAsync(drafts, Stop);
                foreach (var draft in drafts)
                {
                    Assert.Equal(model.Place(draft, Time.GetUtcNow()), batch.Results[draft.Id].Outcome);
                    Assert.Equal(model.Orders.GetValueOrDefault(draft.Id)?.Status, batch.Results[draft.Id].Order?.Status);
                }

                break;
            case < 6 when some is not null:
                Assert.Equal(model.Cancel(some), (await Ledger.CancelAsync(some.Draft.Id, some.Draft.UserId, Stop)).Outcome);
                break;
            case < 8 when some is not null:
                var paid = random.Next(4) > 0;
                var started = (await Ledger.StartPaymentAsync(some.Draft.Id, some.Draft.UserId, PaymentId.Create(Time.GetUtcNow()), Stop))!.Value;
                Assert.Equal(model.StartPayment(some), started.Payable);
                // Now and then the callback comes later, when the order may have ended.
                if (started.Payment is { } payment && random.Next(3) > 0)
                {
                    Assert.Equal(model.Pay(some, paid), (await PayAsync(payment.Id, some.Draft, paid)).Outcome);
                }

                break;
            case 10 when some is not null:
                Assert.Equal(LedgerModel.Extend(some, Time.GetUtcNow()), (await ExtendAsync(some.Draft)).Outcome == ExtensionOutcome.Extended);
                break;
            case 8:
                var ended = (await Ledger.ExpireAsync(1_000, Stop)).Select(move => move.OrderId!.Value).ToList();
                model.Expire(Time.GetUtcNow(), ended);
                break;
            default:
                var offer = sale.Offers[random.Next(2)].Id;
                var delta = random.Next(-3, 4);
                var expected = model.Stocks[offer].Available - (random.Next(4) == 0 ? 1 : 0);
                var move = await Ledger.AdjustStockAsync(offer, new StockAdjustmentRequest(delta, "random", "walk", expected), Operator, Stop);
                Assert.Equal(model.Adjust(offer, delta, expected), move is not null);
                break;
        }
    }
}
