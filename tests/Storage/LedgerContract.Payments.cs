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
    public async Task StartPaymentAsync_WhenAskedAgain_GivesTheSamePaymentForEver()
    {
        var sale = await PublishAsync((5, 1));
        var draft = Order(sale, User(1));
        await PlaceAsync(draft);
        var id = PaymentId.Create(Time.GetUtcNow());

        var first = await Ledger.StartPaymentAsync(draft.Id, User(1), id, Stop);
        await Ledger.CancelAsync(draft.Id, User(1), Stop);
        var again = await Ledger.StartPaymentAsync(draft.Id, User(1), PaymentId.Create(Time.GetUtcNow()), Stop);

        Assert.Equal((true, new Payment(id, draft.Id, Price, PaymentStatus.Pending)), first);
        Assert.Equal(first, again);
        Assert.Equal(first!.Value.Payment, await Ledger.FindPaymentAsync(id, Stop));
    }

    [Fact]
    public async Task StartPaymentAsync_WhenThereIsNothingToPay_SaysSo()
    {
        var sale = await PublishAsync((5, 1));
        var draft = Order(sale, User(1));
        await PlaceAsync(draft);
        await Ledger.CancelAsync(draft.Id, User(1), Stop);
        var id = PaymentId.Create(Time.GetUtcNow());

        Assert.Equal((false, null), await Ledger.StartPaymentAsync(draft.Id, User(1), id, Stop));
        Assert.Null(await Ledger.StartPaymentAsync(draft.Id, User(2), id, Stop));
        Assert.Null(await Ledger.StartPaymentAsync(OrderId.Create(Time.GetUtcNow()), User(1), id, Stop));
        Assert.Null(await Ledger.FindPaymentAsync(id, Stop));
    }

    [Fact]
    public async Task CompletePaymentAsync_WhenPaid_SellsTheUnitAndIssuesOneCoupon()
    {
        var sale = await PublishAsync((5, 1));
        var (draft, payment) = await BuyAsync(sale, User(1));
        var code = CouponCode.Create();

        var (outcome, move) = await Ledger.CompletePaymentAsync(payment, draft.Id, Price, true, code, Stop);

        Assert.Equal(PaymentOutcome.Paid, outcome);
        Assert.Equal(new StockMove(new OfferStock(draft.OfferId, 0, Row(5, 0, 4, 0, 1, 3)), draft.Id, User(1), OrderStatus.Paid), move);
        Assert.Equal(
            new Coupon(code, draft.Id, draft.OfferId, CouponStatus.Issued, Money.Cny(10_000), sale.Offers[0].ValidFrom, sale.Offers[0].ValidUntil, null, null),
            await Ledger.FindCouponAsync(code, Stop));
        var order = await Ledger.FindOrderAsync(draft.Id, Stop);
        Assert.Equal(new OrderCoupon(code, sale.Offers[0].ValidFrom, sale.Offers[0].ValidUntil), order!.Coupon);
        Assert.Equal(PaymentStatus.Paid, (await Ledger.FindPaymentAsync(payment, Stop))!.Status);

        Assert.Equal((PaymentOutcome.Repeated, null), await PayAsync(payment, draft));
        Assert.Equal((PaymentOutcome.Repeated, null), await PayAsync(payment, draft, paid: false));
        await AuditAsync(sale);
    }

    [Fact]
    public async Task CompletePaymentAsync_WhenItDoesNotFit_WritesNothing()
    {
        var sale = await PublishAsync((5, 1));
        var (draft, payment) = await BuyAsync(sale, User(1));
        var (other, _) = await BuyAsync(sale, User(2));
        var before = await AuditAsync(sale);

        Assert.Equal(
            (PaymentOutcome.UnknownPayment, null),
            await Ledger.CompletePaymentAsync(PaymentId.Create(Time.GetUtcNow()), draft.Id, Price, true, CouponCodes(), Stop));
        Assert.Equal((PaymentOutcome.UnknownPayment, null), await Ledger.CompletePaymentAsync(payment, other.Id, Price, true, CouponCodes(), Stop));
        Assert.Equal((PaymentOutcome.WrongAmount, null), await Ledger.CompletePaymentAsync(payment, draft.Id, Money.Cny(1), true, CouponCodes(), Stop));
        Assert.Equal(
            (PaymentOutcome.WrongAmount, null),
            await Ledger.CompletePaymentAsync(payment, draft.Id, new Money(Price.Amount, "USD"), false, CouponCodes(), Stop));

        var after = await AuditAsync(sale);
        Assert.Equal(before.Of("payment"), after.Of("payment"));
        Assert.Equal(before.Of("stockChange"), after.Of("stockChange"));
        Assert.Equal(before.Of("order"), after.Of("order"));
    }

    [Fact]
    public async Task CompletePaymentAsync_WhenFailedFirst_MayStillBePaid()
    {
        var sale = await PublishAsync((5, 1));
        var (draft, payment) = await BuyAsync(sale, User(1));

        Assert.Equal((PaymentOutcome.Failed, null), await PayAsync(payment, draft, paid: false));
        Assert.Equal((PaymentOutcome.Repeated, null), await PayAsync(payment, draft, paid: false));
        Assert.Equal(OrderStatus.Held, await StatusAsync(draft.Id));
        Assert.Equal(PaymentStatus.Failed, (await Ledger.FindPaymentAsync(payment, Stop))!.Status);
        Assert.Equal(PaymentOutcome.Paid, (await PayAsync(payment, draft)).Outcome);
        await AuditAsync(sale);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CompletePaymentAsync_WhenLateAndAUnitIsThere_TakesItAgain(bool expired)
    {
        var sale = await PublishAsync((1, 1));
        var (draft, payment) = await BuyAsync(sale, User(1));
        await EndAsync(draft, expired);

        var (outcome, move) = await PayAsync(payment, draft);

        Assert.Equal(PaymentOutcome.Paid, outcome);
        Assert.Equal(Row(1, 0, 0, 0, 1, 4), move!.Value.Stock.Row);
        var rows = await AuditAsync(sale);
        Assert.Equal([1L, -1L, 1L, -1L], rows.Of("stockChange").Select(change => change.Delta!.Value));
        Assert.NotNull((await Ledger.FindOrderAsync(draft.Id, Stop))!.Coupon);

        // It counts for the limit again.
        await Ledger.AdjustStockAsync(draft.OfferId, new StockAdjustmentRequest(1, "more", "ref", 0), Operator, Stop);
        Assert.Equal(PlacementOutcome.LimitReached, await PlaceAsync(Order(sale, User(1))));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CompletePaymentAsync_WhenLateAndSoldOut_ARefundIsDue(bool expired)
    {
        var sale = await PublishAsync((1, 1));
        var (draft, payment) = await BuyAsync(sale, User(1));
        await EndAsync(draft, expired);
        await PlaceAsync(Order(sale, User(2)));

        Assert.Equal((PaymentOutcome.RefundDue, null), await PayAsync(payment, draft));

        Assert.Equal(OrderStatus.RefundDue, await StatusAsync(draft.Id));
        Assert.Equal(Row(1, 0, 0, 1, 0, 4), await StockAsync(sale));
        Assert.Equal((PaymentOutcome.Repeated, null), await PayAsync(payment, draft));
        Assert.Equal(CancellationOutcome.NotCancellable, (await Ledger.CancelAsync(draft.Id, User(1), Stop)).Outcome);
        await AuditAsync(sale);
    }

    [Fact]
    public async Task CompletePaymentAsync_WhenLateAndANewerOrderHasTheLimit_ARefundIsDue()
    {
        var sale = await PublishAsync((5, 2));
        var (late, payment) = await BuyAsync(sale, User(1));
        await EndAsync(late, expired: false);
        var newer = new[] { Order(sale, User(1)), Order(sale, User(1)) };
        await Ledger.PlaceAsync(newer, Stop);

        Assert.Equal((PaymentOutcome.RefundDue, null), await PayAsync(payment, late));
        Assert.Equal(Row(5, 0, 3, 2, 0, 5), await StockAsync(sale));

        var (again, second) = await BuyAsync(sale, User(2));
        await EndAsync(again, expired: false);
        await PlaceAsync(Order(sale, User(2)));
        Assert.Equal(PaymentOutcome.Paid, (await PayAsync(second, again)).Outcome);
        await AuditAsync(sale);
    }

    [Fact]
    public async Task CompletePaymentAsync_WhenTheCouponCodeIsTaken_NothingIsBookedAndANewCodeWorks()
    {
        var sale = await PublishAsync((5, 1));
        var (first, firstPayment) = await BuyAsync(sale, User(1));
        var (second, secondPayment) = await BuyAsync(sale, User(2));
        var code = CouponCodes();
        await Ledger.CompletePaymentAsync(firstPayment, first.Id, Price, true, code, Stop);

        await Assert.ThrowsAsync<BatchRejectedException>(() => Ledger.CompletePaymentAsync(secondPayment, second.Id, Price, true, code, Stop));

        Assert.Equal(OrderStatus.Held, await StatusAsync(second.Id));
        Assert.Equal(PaymentStatus.Pending, (await Ledger.FindPaymentAsync(secondPayment, Stop))!.Status);
        Assert.Equal(PaymentOutcome.Paid, (await PayAsync(secondPayment, second)).Outcome);
        await AuditAsync(sale);
    }

    [Fact]
    public async Task RedeemAsync_WhenFiftyDealersTry_OneDoes()
    {
        var sale = await PublishAsync((5, 1));
        var (draft, payment) = await BuyAsync(sale, User(1));
        var code = CouponCodes();
        await Ledger.CompletePaymentAsync(payment, draft.Id, Price, true, code, Stop);

        var results = await AtOnceAsync(50, i => Ledger.RedeemAsync(code, User(900 + i), Stop));

        var winner = Assert.Single(results, result => result.Outcome == RedemptionOutcome.Redeemed);
        Assert.Equal(49, results.Count(result => result.Outcome == RedemptionOutcome.AlreadyRedeemed));
        Assert.Equal(winner.Coupon, await Ledger.FindCouponAsync(code, Stop));
        Assert.All(results, result => Assert.Equal(winner.Coupon, result.Coupon));
        Assert.Equal(Time.GetUtcNow(), winner.Coupon!.RedeemedAt);
        Assert.Equal("redeemed", Assert.Single((await AuditAsync(sale)).Of("coupon")).Status);
    }

    [Fact]
    public async Task RedeemAsync_WhenUnknownOrOutOfTime_WritesNothing()
    {
        var sale = await PublishAsync((5, 1));
        var (draft, payment) = await BuyAsync(sale, User(1));
        var code = CouponCodes();
        await Ledger.CompletePaymentAsync(payment, draft.Id, Price, true, code, Stop);

        Assert.Equal((RedemptionOutcome.NotFound, null), await Ledger.RedeemAsync(CouponCodes(), User(9), Stop));
        Time.Advance(TimeSpan.FromDays(30));
        Assert.Equal(RedemptionOutcome.NotValid, (await Ledger.RedeemAsync(code, User(9), Stop)).Outcome);
        Assert.Equal(CouponStatus.Issued, (await Ledger.FindCouponAsync(code, Stop))!.Status);
        Time.Advance(-TimeSpan.FromTicks(1));
        Assert.Equal(RedemptionOutcome.Redeemed, (await Ledger.RedeemAsync(code, User(9), Stop)).Outcome);
    }

    private async Task EndAsync(OrderDraft draft, bool expired)
    {
        if (expired)
        {
            Time.Advance(WindowAndSpread);
            Assert.Single(await Ledger.ExpireAsync(10, Stop));
        }
        else
        {
            Assert.Equal(CancellationOutcome.Cancelled, (await Ledger.CancelAsync(draft.Id, draft.UserId, Stop)).Outcome);
        }
    }
}
