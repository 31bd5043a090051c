using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

using FlashSale.Core.Orders;
using FlashSale.Core.Sales;

namespace FlashSale.Server.Storefront;

/// <summary>What the script of a page is told in <c>body[data-json]</c>. Times are milliseconds since 1970.</summary>
/// <param name="Page">What <c>body[data-page]</c> says: which part of the script is wanted.</param>
public sealed record PageData([property: JsonIgnore] string Page)
{
    // The page encodes it as an attribute: encoded twice it would only be longer.
    private static readonly PageJson Json = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    public string Prefix { get; init; } = "";

    public SaleData? Sale { get; init; }

    /// <summary>On the checkout: of which offer.</summary>
    public string? OfferId { get; init; }

    /// <summary>Of the order's page, which comes again under its own address: the one that it stands at may be that of a form.</summary>
    public string? OrderId { get; init; }

    public OrderStatus? Status { get; init; }

    public long? PayBefore { get; init; }

    public static PageData Of(Order order) => new("order") { OrderId = order.Id.ToString(), Status = order.Status, PayBefore = order.PayBefore.ToUnixTimeMilliseconds() };

    public string ToJson() => JsonSerializer.Serialize(this, Json.PageData);
}

public sealed record SaleData(
    string Id, string Slug, long OpensAt, long? ReservationOpensAt, long? ReservationClosesAt, bool RequiresReservation, IReadOnlyList<OfferData> Offers)
{
    public static SaleData Of(Sale sale) => new(
        sale.Id.ToString(),
        sale.Slug,
        sale.OpensAt.ToUnixTimeMilliseconds(),
        sale.ReservationOpensAt?.ToUnixTimeMilliseconds(),
        sale.ReservationClosesAt?.ToUnixTimeMilliseconds(),
        sale.RequiresReservation,
        [.. sale.Offers.Select(offer => new OfferData(offer.Id.ToString(), offer.PerUserLimit))]);
}

public sealed record OfferData(string Id, int PerUserLimit);

[JsonSerializable(typeof(PageData))]
public sealed partial class PageJson : JsonSerializerContext;
