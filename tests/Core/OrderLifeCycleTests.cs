using FlashSale.Core.Orders;
using FlashSale.Core.Stock;

using Xunit;

using static FlashSale.Core.Orders.OrderEvent;
using static FlashSale.Core.Orders.OrderStatus;
using static FlashSale.Core.Orders.OrderTransitionOutcome;

namespace FlashSale.Tests.Core;

public sealed class OrderLifeCycleTests
{
    public static TheoryData<OrderStatus, OrderEvent, bool, OrderTransitionOutcome, OrderStatus, StockChangeKind?> Table => new()
    {
        { Held, PaymentArrived, false, Moves, Paid, StockChangeKind.Sell },
        { Held, PaymentArrived, true, Moves, Paid, StockChangeKind.Sell },
        { Held, CancelAsked, false, Moves, Cancelled, StockChangeKind.Release },
        { Held, PaymentTimeRanOut, false, Moves, Expired, StockChangeKind.Release },
        { Held, RefundMade, false, Refused, Held, null },
        { Paid, RefundMade, false, Moves, Refunded, StockChangeKind.Release },
        { Cancelled, RefundMade, false, Refused, Cancelled, null },
        { Expired, RefundMade, false, Refused, Expired, null },
        { RefundDue, RefundMade, false, Moves, Refunded, null },
        { Refunded, RefundMade, false, Repeated, Refunded, null },
        { Paid, PaymentArrived, false, Repeated, Paid, null },
        { Paid, CancelAsked, false, Refused, Paid, null },
        { Paid, PaymentTimeRanOut, false, Refused, Paid, null },
        { Cancelled, PaymentArrived, true, Moves, Paid, StockChangeKind.Sell },
        { Cancelled, PaymentArrived, false, Moves, RefundDue, null },
        { Cancelled, CancelAsked, false, Repeated, Cancelled, null },
        { Cancelled, PaymentTimeRanOut, false, Refused, Cancelled, null },
        { Expired, PaymentArrived, true, Moves, Paid, StockChangeKind.Sell },
        { Expired, PaymentArrived, false, Moves, RefundDue, null },
        { Expired, CancelAsked, false, Refused, Expired, null },
        { Expired, PaymentTimeRanOut, false, Repeated, Expired, null },
        { RefundDue, PaymentArrived, true, Repeated, RefundDue, null },
        { RefundDue, CancelAsked, false, Refused, RefundDue, null },
        { RefundDue, PaymentTimeRanOut, false, Refused, RefundDue, null },
        { Refunded, PaymentArrived, true, Repeated, Refunded, null },
        { Refunded, CancelAsked, false, Refused, Refunded, null },
        { Refunded, PaymentTimeRanOut, false, Refused, Refunded, null },
    };

    [Theory]
    [MemberData(nameof(Table))]
    public void Apply_WhenEveryEventMeetsEveryStatus_IsAsTheTableSays(
        OrderStatus status, OrderEvent what, bool canTakeAgain, OrderTransitionOutcome outcome, OrderStatus next, StockChangeKind? stock) =>
        Assert.Equal(new OrderTransition(outcome, next, stock), OrderLifeCycle.Apply(status, what, canTakeAgain));

    [Fact]
    public void Apply_WhenAllStatusesAndEventsAreCounted_TheTableHasThemAll() =>
        Assert.Equal(
            Enum.GetValues<OrderStatus>().Length * Enum.GetValues<OrderEvent>().Length,
            Table.Select(row => (row.Data.Item1, row.Data.Item2)).Distinct().Count());

    [Theory]
    [InlineData(Held, true)]
    [InlineData(Paid, true)]
    [InlineData(Cancelled, false)]
    [InlineData(Expired, false)]
    [InlineData(RefundDue, false)]
    [InlineData(Refunded, false)]
    public void IsLive_WhenItHoldsAUnit_IsTrue(OrderStatus status, bool live) => Assert.Equal(live, OrderLifeCycle.IsLive(status));
}
