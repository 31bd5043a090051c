using System.Text.Json.Serialization;

using FlashSale.Core.Wire;

namespace FlashSale.Core.Orders;

[JsonConverter(typeof(WordEnumConverter<OrderStatus>))]
public enum OrderStatus
{
    /// <summary>A unit is held until <c>payBefore</c>.</summary>
    Held,
    Paid,
    Cancelled,
    Expired,

    /// <summary>Paid too late, and no unit could be had: the money goes back. Holds no unit.</summary>
    RefundDue,
    Refunded,
}

/// <summary>What a shopper bought.</summary>
/// <param name="PayBefore">By the ledger's clock, like <paramref name="CreatedAt"/>.</param>
/// <param name="Coupon">Only of a paid order.</param>
public sealed record Order(
    OrderId Id,
    SaleId SaleId,
    OfferId OfferId,
    UserId UserId,
    OrderStatus Status,
    Money Price,
    DateTimeOffset CreatedAt,
    DateTimeOffset PayBefore,
    OrderCoupon? Coupon = null);

public sealed record OrderCoupon(string Code, DateTimeOffset ValidFrom, DateTimeOffset ValidUntil);
