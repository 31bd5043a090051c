using System.Text.Json.Serialization;

using FlashSale.Core.Wire;

namespace FlashSale.Core.Sales;

/// <summary>The same text in both languages of the shop.</summary>
public sealed record LocalizedText(string Zh, string En);

/// <summary>What an operator has decided about a sale; what shoppers see of it is the <see cref="SalePhase"/>.</summary>
public enum SaleStatus
{
    Draft,
    Published,
    Paused,
    Closed,
}

/// <summary>How an order is answered. Only <see cref="Synchronous"/> is built so far.</summary>
[JsonConverter(typeof(WordEnumConverter<Ordering>))]
public enum Ordering
{
    Synchronous,
    Queued,
}

/// <summary>When a unit leaves the stock. Only <see cref="Order"/> is built so far.</summary>
[JsonConverter(typeof(WordEnumConverter<Deduction>))]
public enum Deduction
{
    Order,
    Payment,
    Reservation,
}

/// <summary>One coupon sold in a sale, with its own stock.</summary>
public sealed record Offer
{
    public OfferId Id { get; init; }
    public required string Sku { get; init; }
    public required LocalizedText Title { get; init; }

    /// <summary>What the coupon is worth at the dealer.</summary>
    public required Money FaceValue { get; init; }

    /// <summary>What the shopper pays for it.</summary>
    public required Money Price { get; init; }

    /// <summary>Units at publication; adjustments come on top, in the stock row.</summary>
    public required int Stock { get; init; }

    /// <summary>Live orders (held or paid) that a user may have, 1 to 10.</summary>
    public required int PerUserLimit { get; init; }
    public required DateTimeOffset ValidFrom { get; init; }
    public required DateTimeOffset ValidUntil { get; init; }
}

/// <summary>A scheduled event (活动) with its offers, as an operator defined it.</summary>
public sealed record Sale
{
    public SaleId Id { get; init; }
    public required string Slug { get; init; }
    public required LocalizedText Title { get; init; }
    public DateTimeOffset? ReservationOpensAt { get; init; }
    public DateTimeOffset? ReservationClosesAt { get; init; }
    public required DateTimeOffset OpensAt { get; init; }
    public required DateTimeOffset ClosesAt { get; init; }
    public required bool RequiresReservation { get; init; }
    public Ordering Ordering { get; init; }
    public Deduction Deduction { get; init; }
    public required TimeSpan PaymentWindow { get; init; }

    /// <summary>A reservation whose risk score reaches it is rejected, 0 to 100.</summary>
    public int RiskThreshold { get; init; } = Limits.RiskScoreMax;

    /// <summary>How long before the opening the sale is loaded into a gate that instances share.</summary>
    public TimeSpan WarmUpLead { get; init; } = Limits.WarmUpLead;
    public SaleDefences Defences { get; init; } = SaleDefences.Default;

    /// <summary>SHA-256 of the seed of its draw, from the publication of one that draws on; the ledger makes it, and it never changes.</summary>
    public string? DrawCommitment { get; init; }
    public SaleStatus Status { get; init; }

    /// <summary>Raised by every change of the sale; the value of its ETag.</summary>
    public long Rev { get; init; } = 1;
    public required IReadOnlyList<Offer> Offers { get; init; }
}
