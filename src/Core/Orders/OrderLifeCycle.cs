using FlashSale.Core.Stock;

namespace FlashSale.Core.Orders;

/// <summary>What may happen to an order after it was placed.</summary>
public enum OrderEvent
{
    PaymentArrived,
    CancelAsked,
    PaymentTimeRanOut,

    /// <summary>An operator gave the money back.</summary>
    RefundMade,
}

/// <summary>
/// What an event does to an order: the state it moves to and what happens to its unit. <paramref name="Stock"/> is null where the stock does
/// not move.
/// </summary>
public readonly record struct OrderTransition(OrderTransitionOutcome Outcome, OrderStatus Next, StockChangeKind? Stock);

public enum OrderTransitionOutcome
{
    /// <summary>The order moves to the next state; written in one transaction with its stock change.</summary>
    Moves,

    /// <summary>The event has had its effect before. Nothing is written.</summary>
    Repeated,

    /// <summary>The event does not fit the state. Nothing is written.</summary>
    Refused,
}

/// <summary>
/// <c>held -> paid | cancelled | expired</c>, <c>cancelled | expired -> paid | refund_due</c> (a late payment),
/// <c>paid | refund_due -> refunded</c>. Payment, cancellation and expiry race; a compare-and-set on the state decides.
/// </summary>
public static class OrderLifeCycle
{
    /// <summary>A live order counts for the user's limit and holds a unit.</summary>
    public static bool IsLive(OrderStatus status) => status is OrderStatus.Held or OrderStatus.Paid;

    /// <param name="canTakeAgain">
    /// Asked only for a late payment: a unit is available, and the user's limit leaves room for this order.
    /// </param>
    public static OrderTransition Apply(OrderStatus status, OrderEvent what, bool canTakeAgain) =>
        (status, what) switch
        {
            (OrderStatus.Held, OrderEvent.PaymentArrived) => Moves(OrderStatus.Paid, StockChangeKind.Sell),
            (OrderStatus.Held, OrderEvent.CancelAsked) => Moves(OrderStatus.Cancelled, StockChangeKind.Release),
            (OrderStatus.Held, OrderEvent.PaymentTimeRanOut) => Moves(OrderStatus.Expired, StockChangeKind.Release),

            (OrderStatus.Cancelled or OrderStatus.Expired, OrderEvent.PaymentArrived) => canTakeAgain
                ? Moves(OrderStatus.Paid, StockChangeKind.Sell)
                : Moves(OrderStatus.RefundDue, null),
            (OrderStatus.Paid or OrderStatus.RefundDue or OrderStatus.Refunded, OrderEvent.PaymentArrived) => Repeated(status),

            (OrderStatus.Paid, OrderEvent.RefundMade) => Moves(OrderStatus.Refunded, StockChangeKind.Release),
            (OrderStatus.RefundDue, OrderEvent.RefundMade) => Moves(OrderStatus.Refunded, null),
            (OrderStatus.Refunded, OrderEvent.RefundMade) => Repeated(status),

            (OrderStatus.Cancelled, OrderEvent.CancelAsked) => Repeated(status),
            (OrderStatus.Expired, OrderEvent.PaymentTimeRanOut) => Repeated(status),
            _ => new OrderTransition(OrderTransitionOutcome.Refused, status, null),
        };

    private static OrderTransition Moves(OrderStatus next, StockChangeKind? stock) => new(OrderTransitionOutcome.Moves, next, stock);

    private static OrderTransition Repeated(OrderStatus status) => new(OrderTransitionOutcome.Repeated, status, null);
}
