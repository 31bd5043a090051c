using System.Text.Json.Serialization;

using FlashSale.Core.Wire;

namespace FlashSale.Core.Coupons;

[JsonConverter(typeof(WordEnumConverter<CouponStatus>))]
public enum CouponStatus
{
    Issued,
    Redeemed,
    Revoked,
}

/// <summary>The unique code that a paid order yields; a dealer redeems it once.</summary>
public sealed record Coupon(
    string Code,
    OrderId OrderId,
    OfferId OfferId,
    CouponStatus Status,
    Money FaceValue,
    DateTimeOffset ValidFrom,
    DateTimeOffset ValidUntil,
    DateTimeOffset? RedeemedAt,
    string? RedeemedBy);
