using FlashSale.Core;
using FlashSale.Core.Coupons;
using FlashSale.Core.Orders;
using FlashSale.Core.Wire;

namespace FlashSale.Storage.Sql;

public abstract partial class SqlLedger
{
    private const string SelectPayments = "SELECT id, order_id, amount, currency, status FROM payments";

    public Task<(bool Payable, Payment? Payment)?> StartPaymentAsync(OrderId order, UserId user, PaymentId newId, CancellationToken cancellation) =>
        KeepAsync<(bool, Payment?)?>(
            session =>
            {
                if (LockOrder(session, order) is not { } found || found.UserId != user)
                {
                    return null;
                }

                if (session.First(SelectPayments + " WHERE order_id = ?1", Mapping.Payment, order.Bytes()) is { } known)
                {
                    return (true, known);
                }

                if (found.Status != OrderStatus.Held)
                {
                    return (false, null);
                }

                session.Execute(
                    "INSERT INTO payments (id, order_id, amount, currency, status, created_at, changed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
                    newId.Bytes(), order.Bytes(), found.Price.Amount, found.Price.Currency, PaymentStatus.Pending.Word(), session.Now.Ms());
                return (true, new Payment(newId, order, found.Price, PaymentStatus.Pending));
            },
            cancellation);

    public Task<Payment?> FindPaymentAsync(PaymentId id, CancellationToken cancellation) =>
        ReadAsync(session => FindPayment(session, id), cancellation);

    /// <inheritdoc/>
    /// <exception cref="BatchRejectedException">Another coupon has this code. Nothing was written: call again with a new one.</exception>
    public Task<(PaymentOutcome Outcome, StockMove? Move)> CompletePaymentAsync(
        PaymentId id, OrderId order, Money amount, bool paid, string couponCode, CancellationToken cancellation) =>
        WriteAsync<(PaymentOutcome, StockMove?)>(
            session =>
            {
                if (LockPayment(session, id) is not { } payment || payment.OrderId != order)
                {
                    return (PaymentOutcome.UnknownPayment, null);
                }

                if (payment.Amount != amount)
                {
                    return (PaymentOutcome.WrongAmount, null);
                }

                var next = paid ? PaymentStatus.Paid : PaymentStatus.Failed;
                if (payment.Status == next || payment.Status == PaymentStatus.Paid)
                {
                    return (PaymentOutcome.Repeated, null);
                }

                SetPayment(session, payment, next);
                return paid ? Book(session, order, couponCode) : (PaymentOutcome.Failed, null);
            },
            cancellation);

    public Task<Coupon?> FindCouponAsync(string code, CancellationToken cancellation) =>
        ReadAsync(session => FindCoupon(session, code), cancellation);

    public async Task<(RedemptionOutcome Outcome, Coupon? Coupon)> RedeemAsync(string code, UserId dealer, CancellationToken cancellation)
    {
        // Guessed codes cost a look-up, and no transaction.
        if (await FindCouponAsync(code, cancellation) is null)
        {
            return (RedemptionOutcome.NotFound, null);
        }

        return await WriteAsync(session => Redeem(session, code, dealer), cancellation);
    }

    private (PaymentOutcome Outcome, StockMove? Move) Book(SqlSession session, OrderId id, string couponCode)
    {
        var order = LockOrder(session, id)!;
        var slot = OrderLifeCycle.IsLive(order.Status) ? null : FindSlotAgain(session, order);
        var transition = OrderLifeCycle.Apply(order.Status, OrderEvent.PaymentArrived, canTakeAgain: slot is not null);
        if (transition.Outcome != OrderTransitionOutcome.Moves)
        {
            // The order has only one payment, and that one had not been paid.
            throw new InvalidOperationException($"Order {id} is {order.Status} without a payment");
        }

        var paid = transition.Next == OrderStatus.Paid;
        if (paid)
        {
            session.Execute(
                "INSERT INTO coupons (code, order_id, offer_id, status, issued_at) VALUES (?1, ?2, ?3, ?4, ?5)",
                couponCode, id.Bytes(), order.OfferId.Value, CouponStatus.Issued.Word(), session.Now.Ms());
        }

        // The stock row last: it is everybody's.
        return (paid ? PaymentOutcome.Paid : PaymentOutcome.RefundDue, MoveOne(session, order, transition, slot));
    }

    /// <summary>For an order that was paid too late: its slot, when a unit is available and the user's newer orders have left one
    /// free.</summary>
    private static int? FindSlotAgain(SqlSession session, Order order)
    {
        if (LockLine(session, order.OfferId).Row.Available == 0)
        {
            return null;
        }

        var limit = session.First("SELECT user_limit FROM orders WHERE id = ?1", row => row.Int(0), order.Id.Bytes());
        return FindFreeSlot(session, order.UserId, order.OfferId, limit);
    }

    private static void SetPayment(SqlSession session, Payment payment, PaymentStatus next)
    {
        if (session.Execute(
            "UPDATE payments SET status = ?1, changed_at = ?2 WHERE id = ?3 AND status = ?4",
            next.Word(), session.Now.Ms(), payment.Id.Bytes(), payment.Status.Word()) != 1)
        {
            throw new InvalidOperationException($"Payment {payment.Id} is no longer {payment.Status}");
        }
    }

    private static (RedemptionOutcome Outcome, Coupon? Coupon) Redeem(SqlSession session, string code, UserId dealer)
    {
        // Of two dealers at once the second waits here, and then sees what the first has done.
        session.First("SELECT 1 FROM coupons WHERE code = ?1" + session.ForUpdate, row => row.Long(0), code);
        if (FindCoupon(session, code) is not { } coupon)
        {
            return (RedemptionOutcome.NotFound, null);
        }

        if (coupon.Status == CouponStatus.Redeemed)
        {
            return (RedemptionOutcome.AlreadyRedeemed, coupon);
        }

        var now = session.Now;
        if (coupon.Status != CouponStatus.Issued || now < coupon.ValidFrom || now >= coupon.ValidUntil)
        {
            return (RedemptionOutcome.NotValid, coupon);
        }

        if (session.Execute(
            "UPDATE coupons SET status = ?1, redeemed_at = ?2, redeemed_by = ?3 WHERE code = ?4 AND status = ?5",
            CouponStatus.Redeemed.Word(), now.Ms(), dealer.Value, code, CouponStatus.Issued.Word()) != 1)
        {
            throw new InvalidOperationException($"The coupon of order {coupon.OrderId} is no longer issued");
        }

        return (RedemptionOutcome.Redeemed, coupon with { Status = CouponStatus.Redeemed, RedeemedAt = now, RedeemedBy = dealer.Value });
    }

    private static Payment? FindPayment(SqlSession session, PaymentId id) => session.First(SelectPayments + " WHERE id = ?1", Mapping.Payment, id.Bytes());

    private static Payment? LockPayment(SqlSession session, PaymentId id) =>
        session.First(SelectPayments + " WHERE id = ?1" + session.ForUpdate, Mapping.Payment, id.Bytes());

    private static Coupon? FindCoupon(SqlSession session, string code) => session.First(Mapping.SelectCoupon, Mapping.Coupon, code);
}
