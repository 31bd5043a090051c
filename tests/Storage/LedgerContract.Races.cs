using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Storage;

using Xunit;

namespace FlashSale.Tests.Storage;

public abstract partial class LedgerContract
{
    [Fact]
    public async Task PlaceAsync_WhenFiftyOrdersOfOneUserComeAtOnce_TheLimitHolds()
    {
        var sale = await PublishAsync((100, 2));
        var drafts = Enumerable.Range(0, 50).Select(_ => Order(sale, User(1))).ToList();

        var outcomes = await AtOnceAsync(50, i => PlaceAsync(drafts[i]));

        Assert.Equal(2, outcomes.Count(outcome => outcome == PlacementOutcome.Placed));
        Assert.Equal(48, outcomes.Count(outcome => outcome == PlacementOutcome.LimitReached));
        Assert.Equal(2, (await AuditAsync(sale)).Of("order").Count());
    }

    [Fact]
    public async Task PlaceAsync_WhenOneOrderComesFiftyTimesAtOnce_ItIsPlacedOnce()
    {
        var sale = await PublishAsync((100, 10));
        var draft = Order(sale, User(1));

        var outcomes = await AtOnceAsync(50, _ => PlaceAsync(draft));

        Assert.Single(outcomes, outcome => outcome == PlacementOutcome.Placed);
        Assert.Equal(49, outcomes.Count(outcome => outcome == PlacementOutcome.AlreadyPlaced));
        Assert.Equal(Row(100, 0, 99, 1, 0, 2), await StockAsync(sale));
    }

    [Fact]
    public async Task PlaceAsync_WhenManyWantFew_ExactlyTheStockIsSold()
    {
        var sale = await PublishAsync((37, 1));

        var batches = await AtOnceAsync(40, i => Ledger.PlaceAsync([.. Enumerable.Range(0, 5).Select(j => Order(sale, User((i * 5) + j)))], Stop));

        Assert.Equal(37, batches.SelectMany(batch => batch.Results.Values).Count(result => result.Outcome == PlacementOutcome.Placed));
        Assert.Equal(Row(37, 0, 0, 37, 0, 38), await StockAsync(sale));
        await AuditAsync(sale);
    }

    /// <summary>Payment, cancellation and expiry of the same orders from many threads, begun in every order.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task PayCancelExpire_WhenTheyRace_EachOrderEndsOnce(int first)
    {
        var sale = await PublishAsync((1_000, 1));
        for (var round = 0; round < 8; round++)
        {
            var bought = new List<(OrderDraft Order, PaymentId Payment)>();
            for (var i = 0; i < 8; i++)
            {
                bought.Add(await BuyAsync(sale, User((round * 8) + i)));
            }

            Time.Advance(WindowAndSpread);
            var paid = 0;
            var cancelled = 0;
            var expired = 0;
            Func<int, Task>[] racers =
            [
                async i => Interlocked.Add(ref paid, (await PayAsync(bought[i].Payment, bought[i].Order)).Outcome == PaymentOutcome.Paid ? 1 : 0),
                async i => Interlocked.Add(
                    ref cancelled,
                    (await Ledger.CancelAsync(bought[i].Order.Id, bought[i].Order.UserId, Stop)).Outcome == CancellationOutcome.Cancelled ? 1 : 0),
                async _ => Interlocked.Add(ref expired, (await Ledger.ExpireAsync(3, Stop)).Count),
            ];
            await AtOnceAsync(24, async i =>
            {
                await racers[(i + first) % 3](i / 3);
                return 0;
            });

            // Every payment came, early or late, and there were units: all are paid in the end, each with its own history.
            Assert.Equal(8, paid);
            Assert.InRange(cancelled + expired, 0, 8);
            await AuditAsync(sale);
        }

        Assert.Equal(64, (await StockAsync(sale)).Sold);
    }

    [Fact]
    public async Task CancelAndExpire_WhenTheyRaceWithBuyers_NoUnitIsLostOrMade()
    {
        var sale = await PublishAsync((5, 1));
        await AtOnceAsync(12, async worker =>
        {
            for (var round = 0; round < 20; round++)
            {
                var draft = Order(sale, User(worker));
                if (await PlaceAsync(draft) == PlacementOutcome.Placed && round % 3 != 0)
                {
                    await Ledger.CancelAsync(draft.Id, draft.UserId, Stop);
                }
                else
                {
                    Time.Advance(WindowAndSpread);
                    await Ledger.ExpireAsync(2, Stop);
                }
            }

            return 0;
        });

        await AuditAsync(sale);
        Time.Advance(WindowAndSpread);
        await Ledger.ExpireAsync(10, Stop);
        Assert.Equal(5, (await StockAsync(sale)).Available);
    }
}
