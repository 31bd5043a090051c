using FlashSale.Core;
using FlashSale.Core.Coupons;
using FlashSale.Core.Orders;
using FlashSale.Core.Wire;
using FlashSale.Storage;

using Xunit;

namespace FlashSale.Tests.Storage;

public abstract partial class LedgerContract
{
    [Fact]
    public async Task CancelAsync_ByAnOperator_EndsAnybodysHeldOrderAndIsAudited()
    {
        var sale = await PublishAsync((5, 1));
        var order = Order(sale, User(1));
        await PlaceAsync(order);
        var head = (await Ledger.ReadAuditHeadAsync(Stop)).Seq;

        var (outcome, cancelled, move) = await Ledger.CancelAsync(order.Id, Operator, Stop);
        var again = await Ledger.CancelAsync(order.Id, Operator, Stop);
        var nobodys = await Ledger.CancelAsync(OrderId.Create(Time.GetUtcNow()), Operator, Stop);

        Assert.Equal((CancellationOutcome.Cancelled, OrderStatus.Cancelled), (outcome, cancelled!.Status));
        Assert.Equal((User(1), OrderStatus.Cancelled, 5), (move!.Value.UserId, move.Value.Status, move.Value.Stock.Row.Available));
        Assert.Equal((CancellationOutcome.AlreadyCancelled, CancellationOutcome.NotFound), (again.Outcome, nobodys.Outcome));
        Assert.Null(again.Move);
        Assert.Equal(head + 1, (await Ledger.ReadAuditHeadAsync(Stop)).Seq);
        var entry = (await Ledger.ListAuditAsync(null, 1, Stop))[0];
        Assert.Equal(("order.cancel", $"order/{order.Id}", "olivia", "as agreed"), (entry.Action, entry.Subject, entry.Actor, entry.Reason));
        Assert.Contains("\"status\":\"held\"", entry.Before);
        Assert.Contains("\"status\":\"cancelled\"", entry.After);
        Assert.DoesNotContain("user-1", entry.Before);
        await AuditAsync(sale);
    }

    [Fact]
    public async Task CancelAsync_ByAnOperatorOfAPaidOrder_ChangesNothing()
    {
        var sale = await PublishAsync((5, 1));
        var (order, payment) = await BuyAsync(sale, User(1));
        await PayAsync(payment, order);
        var head = await Ledger.ReadAuditHeadAsync(Stop);

        Assert.Equal(CancellationOutcome.NotCancellable, (await Ledger.CancelAsync(order.Id, Operator, Stop)).Outcome);

        Assert.Equal(head, await Ledger.ReadAuditHeadAsync(Stop));
        Assert.Equal(OrderStatus.Paid, await StatusAsync(order.Id));
    }

    [Fact]
    public async Task RefundAsync_OfAPaidOrder_RevokesTheCouponAndGivesTheUnitBackOnce()
    {
        var sale = await PublishAsync((1, 1));
        var (order, payment) = await BuyAsync(sale, User(1));
        await PayAsync(payment, order);
        var code = (await Ledger.FindOrderAsync(order.Id, Stop))!.Coupon!.Code;

        var refunds = await AtOnceAsync(8, _ => Ledger.RefundAsync(order.Id, Operator, Stop));

        var refund = Assert.Single(refunds, one => one.Outcome == RefundOutcome.Refunded);
        Assert.Equal(7, refunds.Count(one => one.Outcome == RefundOutcome.AlreadyRefunded && one.Move is null));
        Assert.Equal((1, 0, 0), (refund.Move!.Value.Stock.Row.Available, refund.Move.Value.Stock.Row.Held, refund.Move.Value.Stock.Row.Sold));
        Assert.Equal(OrderStatus.Refunded, await StatusAsync(order.Id));
        Assert.Equal(RedemptionOutcome.NotValid, (await Ledger.RedeemAsync(code, UserId.Parse("dealer"), Stop)).Outcome);
        Assert.Single(await Ledger.ListAuditAsync(null, 50, Stop), entry => entry.Action == "order.refund" && entry.Subject == $"order/{order.Id}");
        Assert.Equal(1, (await Ledger.CountOrdersAsync(Stop))[OrderStatus.Refunded]);
        // The user's slot is free again, and the unit can be sold.
        Assert.Equal(PlacementOutcome.Placed, await PlaceAsync(Order(sale, User(1))));
        Assert.Equal(PaymentOutcome.Repeated, (await PayAsync(payment, order)).Outcome);
        await AuditAsync(sale);
    }

    [Fact]
    public async Task RefundAsync_OfAnOrderThatWaitsForIt_MovesNoStock()
    {
        var sale = await PublishAsync((1, 1));
        var (order, payment) = await BuyAsync(sale, User(1));
        await Ledger.CancelAsync(order.Id, User(1), Stop);
        await BuyAsync(sale, User(2));
        Assert.Equal(PaymentOutcome.RefundDue, (await PayAsync(payment, order)).Outcome);
        Assert.Equal([order.Id], (await Ledger.ListOrdersAsync(new OrderQuery(Status: OrderStatus.RefundDue), 10, Stop)).Orders.Select(one => one.Id));

        var (outcome, refunded, move) = await Ledger.RefundAsync(order.Id, Operator, Stop);

        Assert.Equal((RefundOutcome.Refunded, OrderStatus.Refunded), (outcome, refunded!.Status));
        Assert.Null(move);
        Assert.Equal(Row(1, 0, 0, 1, 0, 4), await StockAsync(sale));
        Assert.Empty((await Ledger.ListOrdersAsync(new OrderQuery(Status: OrderStatus.RefundDue), 10, Stop)).Orders);
        var counts = await Ledger.CountOrdersAsync(Stop);
        Assert.Equal((0, 1), (counts[OrderStatus.RefundDue], counts[OrderStatus.Refunded]));
        await AuditAsync(sale);
    }

    [Fact]
    public async Task RefundAsync_WhenItCannotBe_ChangesNothing()
    {
        var sale = await PublishAsync((5, 1));
        var held = Order(sale, User(1));
        await PlaceAsync(held);
        var (redeemed, first) = await BuyAsync(sale, User(2));
        await PayAsync(first, redeemed);
        await Ledger.RedeemAsync((await Ledger.FindOrderAsync(redeemed.Id, Stop))!.Coupon!.Code, UserId.Parse("dealer"), Stop);
        var (late, second) = await BuyAsync(sale, User(3));
        await Ledger.CancelAsync(late.Id, User(3), Stop);
        await PayAsync(second, late);
        var head = await Ledger.ReadAuditHeadAsync(Stop);
        var stock = await StockAsync(sale);

        Assert.Equal(RefundOutcome.NotPaid, (await Ledger.RefundAsync(held.Id, Operator, Stop)).Outcome);
        Assert.Equal(RefundOutcome.Redeemed, (await Ledger.RefundAsync(redeemed.Id, Operator, Stop)).Outcome);
        Assert.Equal(RefundOutcome.PaidLate, (await Ledger.RefundAsync(late.Id, Operator, Stop)).Outcome);
        Assert.Equal(RefundOutcome.NotFound, (await Ledger.RefundAsync(OrderId.Create(Time.GetUtcNow()), Operator, Stop)).Outcome);

        Assert.Equal(head, await Ledger.ReadAuditHeadAsync(Stop));
        Assert.Equal(stock, await StockAsync(sale));
        Assert.NotNull((await Ledger.FindOrderAsync(late.Id, Stop))!.Coupon);
        await AuditAsync(sale);
    }

    [Fact]
    public async Task RefundAsync_WhenADealerRedeemsAtTheSameTime_OneOfThemWins()
    {
        var sale = await PublishAsync((8, 1));
        for (var i = 0; i < 8; i++)
        {
            var (order, payment) = await BuyAsync(sale, User(i));
            await PayAsync(payment, order);
            var code = (await Ledger.FindOrderAsync(order.Id, Stop))!.Coupon!.Code;
            var won = await AtOnceAsync(2, async number => number == 0
                ? (await Ledger.RefundAsync(order.Id, Operator, Stop)).Outcome == RefundOutcome.Refunded
                : (await Ledger.RedeemAsync(code, UserId.Parse("dealer"), Stop)).Outcome == RedemptionOutcome.Redeemed);
            Assert.Single(won, one => one);
        }

        await AuditAsync(sale);
    }

    [Fact]
    public async Task ListOrdersAsync_ByAnyQuery_FindsTheNewestFirstPageByPage()
    {
        var sale = await PublishAsync((100, 1), (100, 2));
        var other = await PublishAsync((100, 1));
        List<OrderDraft> all = [];
        for (var i = 0; i < 40; i++)
        {
            var draft = i % 3 == 0 ? Order(other, User(i)) : Order(sale, User(i % 7 == 1 ? 100 : i), i % 3 - 1);
            if (await PlaceAsync(draft) == PlacementOutcome.Placed)
            {
                all.Add(draft);
            }
        }

        foreach (var draft in all.Where((_, i) => i % 4 == 0))
        {
            await Ledger.CancelAsync(draft.Id, draft.UserId, Stop);
        }

        all.Reverse();
        var cancelled = all.AsEnumerable().Reverse().Where((_, i) => i % 4 == 0).Select(draft => draft.Id).ToHashSet();
        (OrderQuery Query, Func<OrderDraft, bool> Fits)[] queries =
        [
            (new OrderQuery(), _ => true),
            (new OrderQuery(Status: OrderStatus.Held), draft => !cancelled.Contains(draft.Id)),
            (new OrderQuery(Sale: sale.Id), draft => draft.SaleId == sale.Id),
            (new OrderQuery(Sale: sale.Id, Status: OrderStatus.Cancelled), draft => draft.SaleId == sale.Id && cancelled.Contains(draft.Id)),
            (new OrderQuery(Offer: sale.Offers[1].Id), draft => draft.OfferId == sale.Offers[1].Id),
            (new OrderQuery(Sale: other.Id, Offer: sale.Offers[1].Id), _ => false),
            (new OrderQuery(User: User(100)), draft => draft.UserId == User(100)),
            (new OrderQuery(User: User(100), Sale: sale.Id, Offer: sale.Offers[1].Id, Status: OrderStatus.Held),
                draft => draft.UserId == User(100) && draft.OfferId == sale.Offers[1].Id && !cancelled.Contains(draft.Id)),
            (new OrderQuery(Sale: new SaleId(999_999)), _ => false),
            (new OrderQuery(Offer: new OfferId(999_999)), _ => false),
        ];
        foreach (var (query, fits) in queries)
        {
            foreach (var count in (int[])[1, 4, 100])
            {
                List<OrderId> found = [];
                long? before = null;
                do
                {
                    var page = await Ledger.ListOrdersAsync(query with { Before = before }, count, Stop);
                    Assert.InRange(page.Orders.Count, 0, count);
                    found.AddRange(page.Orders.Select(order => order.Id));
                    Assert.True(page.Next is null || before is null || page.Next < before);
                    before = page.Next;
                }
                while (before is not null);

                Assert.Equal(all.Where(fits).Select(draft => draft.Id), found);
            }
        }
    }

    [Fact]
    public async Task ReadOrderHistoryAsync_WhenMuchHappened_TellsAllOfItWithItsTime()
    {
        var sale = await PublishAsync((5, 1));
        DateTimeOffset Later() { Time.Advance(TimeSpan.FromSeconds(1)); return Time.GetUtcNow(); }
        var placed = Time.GetUtcNow();
        var order = Order(sale, User(1));
        await PlaceAsync(order);
        var extended = Later();
        await Ledger.ExtendAsync(order.Id, User(1), Stop);
        var started = Later();
        var payment = (await Ledger.StartPaymentAsync(order.Id, User(1), PaymentId.Create(started), Stop))!.Value.Payment!.Id;
        var paid = Later();
        await PayAsync(payment, order);
        var refunded = Later();
        await Ledger.RefundAsync(order.Id, Operator, Stop);

        var history = (await Ledger.ReadOrderHistoryAsync(order.Id, Stop))!;

        Assert.Equal((OrderStatus.Refunded, placed, placed), (history.Order.Status, history.Order.CreatedAt, history.Order.Id.CreatedAt));
        Assert.Equal(extended, history.ExtendedAt);
        Assert.Equal(new OrderPayment(payment, PaymentStatus.Paid, started, paid), history.Payment);
        Assert.Equal((CouponStatus.Revoked, paid, null), (history.Coupon!.Status, history.Coupon.IssuedAt, history.Coupon.RedeemedAt));
        Assert.Equal((paid, refunded), (history.SoldAt, history.ReleasedAt));
        Assert.Equal([("order.refund", refunded)], history.Deeds.Select(deed => (deed.Action, deed.At)));
        Assert.Null(await Ledger.ReadOrderHistoryAsync(OrderId.Create(placed), Stop));
        var plain = Order(sale, User(2));
        await PlaceAsync(plain);
        Assert.Equal((null, null, null, null, 0), ((await Ledger.ReadOrderHistoryAsync(plain.Id, Stop))! is var one
            ? (one.ExtendedAt, one.Payment, one.Coupon, one.SoldAt ?? one.ReleasedAt, one.Deeds.Count) : default));
    }
}
