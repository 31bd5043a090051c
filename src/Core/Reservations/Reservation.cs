using System.Text.Json.Serialization;

using FlashSale.Core.Wire;

namespace FlashSale.Core.Reservations;

[JsonConverter(typeof(WordEnumConverter<ReservationStatus>))]
public enum ReservationStatus
{
    /// <summary>Not assessed yet; at the opening it counts as not eligible.</summary>
    Pending,
    Approved,
    Rejected,
}

/// <summary>A shopper's registration before the sale (预约); one for each user and sale.</summary>
public sealed record Reservation(Guid Id, SaleId SaleId, UserId UserId, ReservationStatus Status);
