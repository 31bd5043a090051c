using System.Text.Json.Serialization;

using FlashSale.Core.Coupons;

namespace FlashSale.Core.Wire;

/// <summary>What may happen to an order.</summary>
[JsonConverter(typeof(WordEnumConverter<OrderEventKind>))]
public enum OrderEventKind
{
    /// <summary>The shopper got the token that the order was submitted with, or solved the challenge for it.</summary>
    TokenIssued,
    Held,
    Extended,
    PaymentStarted,
    PaymentFailed,
    Paid,
    CouponIssued,
    CouponRedeemed,
    Cancelled,
    Expired,

    /// <summary>It was cancelled or had expired, which of the two its later states no longer tell.</summary>
    Released,

    /// <summary>Paid when its unit was gone.</summary>
    RefundDue,
    Refunded,
}

/// <param name="Actor">Who of the staff did it; null where the shopper, a payment provider or the time did.</param>
public sealed record OrderEventDocument(DateTimeOffset At, OrderEventKind Kind, string? Actor = null, string? Reason = null);

/// <summary>What operators may do to an order as it stands.</summary>
[JsonConverter(typeof(WordEnumConverter<OrderDeskAction>))]
public enum OrderDeskAction
{
    Cancellation,
    Refund,
}

public sealed record OrderDeskPayment(string Id, PaymentStatus Status);

/// <param name="RedeemedBy">The dealer.</param>
public sealed record OrderDeskCoupon(string Code, CouponStatus Status, string? RedeemedBy);

/// <summary>An order as operators see it: without how its owner is reached.</summary>
/// <param name="Timeline">Oldest first.</param>
public sealed record OrderHistoryDocument(
    OrderDocument Order,
    OrderDeskPayment? Payment,
    OrderDeskCoupon? Coupon,
    IReadOnlyList<OrderEventDocument> Timeline,
    IReadOnlyList<OrderDeskAction> Actions);
