using FlashSale.Core;
using FlashSale.Core.Coupons;
using FlashSale.Core.Orders;
using FlashSale.Core.Wire;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Console;

/// <summary>What operators do to somebody's order, told to the gate; and what happened to it, in its order.</summary>
public sealed class OrderDesk(ILedger ledger, Settlements settlements, SaleMetrics metrics)
{
    /// <summary>The word of the ledger's audit log for a refund.</summary>
    private const string RefundDeed = "order.refund";
    private const string CancelDeed = "order.cancel";

    /// <summary>Orders by what the query asks, or the one of <paramref name="id"/> when it is one of those.</summary>
    /// <param name="count">On a page, which may be short though more follow.</param>
    public async Task<FoundOrders> FindAsync(OrderId? id, OrderQuery query, int count, CancellationToken cancellation) => id is { } wanted
        ? new FoundOrders(await ledger.FindOrderAsync(wanted, cancellation) is { } order && query.Asks(order) ? [order] : [], null)
        : await ledger.ListOrdersAsync(query, count, cancellation);

    public async Task<(CancellationOutcome Outcome, Order? Order)> CancelAsync(OrderId id, Actor actor)
    {
        // Not ended with the request: once begun, the gate must learn of it.
        var (outcome, order, move) = await ledger.CancelAsync(id, actor, CancellationToken.None);
        if (move is { } moved)
        {
            metrics.CountOrder(OrderStatus.Cancelled);
            await settlements.SettleAsync(moved, CancellationToken.None);
        }

        return (outcome, order);
    }

    public async Task<(RefundOutcome Outcome, Order? Order)> RefundAsync(OrderId id, Actor actor)
    {
        var (outcome, order, move) = await ledger.RefundAsync(id, actor, CancellationToken.None);
        if (outcome == RefundOutcome.Refunded)
        {
            metrics.CountOrder(OrderStatus.Refunded);
        }

        if (move is { } moved)
        {
            await settlements.SettleAsync(moved, CancellationToken.None);
        }

        return (outcome, order);
    }

    /// <summary>Without the coupon, whose code is as good as money.</summary>
    public static OrderDocument Document(Order order) => new(
        order.Id.ToString(), order.SaleId.ToString(), order.OfferId.ToString(), order.UserId.Value, order.Status, order.Price, order.CreatedAt, order.PayBefore);

    public static OrderHistoryDocument Document(OrderHistory history) => new(
        Document(history.Order),
        history.Payment is { } payment ? new OrderDeskPayment(payment.Id.ToString(), payment.Status) : null,
        history.Coupon is { } coupon ? new OrderDeskCoupon(coupon.Code, coupon.Status, coupon.RedeemedBy) : null,
        [.. Timeline(history).OrderBy(one => one.At)],
        [.. Actions(history)]);

    private static IEnumerable<OrderDeskAction> Actions(OrderHistory history)
    {
        if (history.Order.Status == OrderStatus.Held)
        {
            yield return OrderDeskAction.Cancellation;
        }

        if (history.Order.Status == OrderStatus.RefundDue
            || history is { Order.Status: OrderStatus.Paid, Coupon.Status: CouponStatus.Issued, ReleasedAt: null })
        {
            yield return OrderDeskAction.Refund;
        }
    }

    /// <summary>What falls into one millisecond stays in this order.</summary>
    private static IEnumerable<OrderEventDocument> Timeline(OrderHistory history)
    {
        var order = history.Order;
        yield return new OrderEventDocument(order.Id.CreatedAt, OrderEventKind.TokenIssued);
        yield return new OrderEventDocument(order.CreatedAt, OrderEventKind.Held);
        if (history.ExtendedAt is { } extended)
        {
            yield return new OrderEventDocument(extended, OrderEventKind.Extended);
        }

        if (history.Payment is { } payment)
        {
            yield return new OrderEventDocument(payment.StartedAt, OrderEventKind.PaymentStarted);
            if (payment.Status != PaymentStatus.Pending)
            {
                yield return new OrderEventDocument(payment.ChangedAt, payment.Status == PaymentStatus.Paid ? OrderEventKind.Paid : OrderEventKind.PaymentFailed);
            }

            if (payment.Status == PaymentStatus.Paid && history.SoldAt is null)
            {
                yield return new OrderEventDocument(payment.ChangedAt, OrderEventKind.RefundDue);
            }
        }

        if (history.Coupon is { } coupon)
        {
            yield return new OrderEventDocument(coupon.IssuedAt, OrderEventKind.CouponIssued);
            if (coupon.RedeemedAt is { } redeemed)
            {
                yield return new OrderEventDocument(redeemed, OrderEventKind.CouponRedeemed, coupon.RedeemedBy);
            }
        }

        if (Released(history) is { } end)
        {
            yield return end;
        }

        foreach (var deed in history.Deeds.Where(deed => deed.Action == RefundDeed))
        {
            yield return new OrderEventDocument(deed.At, OrderEventKind.Refunded, deed.Actor, deed.Reason);
        }
    }

    /// <summary>The end of what it held; null where that is told otherwise: by its refund.</summary>
    private static OrderEventDocument? Released(OrderHistory history)
    {
        if (history.ReleasedAt is not { } at || (history.SoldAt is { } sold && sold <= at && history.Order.Status == OrderStatus.Refunded))
        {
            return null;
        }

        if (history.Deeds.FirstOrDefault(deed => deed.Action == CancelDeed) is { } deed)
        {
            return new OrderEventDocument(at, OrderEventKind.Cancelled, deed.Actor, deed.Reason);
        }

        return new OrderEventDocument(at, history.Order.Status switch
        {
            OrderStatus.Cancelled => OrderEventKind.Cancelled,
            OrderStatus.Expired => OrderEventKind.Expired,
            _ => OrderEventKind.Released,
        });
    }
}
