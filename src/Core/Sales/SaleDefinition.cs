using System.Text.Json;

using FlashSale.Core.Draws;
using FlashSale.Core.Wire;

namespace FlashSale.Core.Sales;

/// <summary>What an operator sends to define or change a sale (api.md, Operators): read whole, so that every invalid field is named at once.</summary>
public static class SaleDefinition
{
    private const string CannotChange = "cannot change once published";

    /// <summary>
    /// A draft without ids, or all errors by path. Absent: <c>requiresReservation</c> false, <c>ordering</c> synchronous, <c>deduction</c> order,
    /// <c>paymentWindowSeconds</c> 900, <c>riskThreshold</c> 100, <c>perUserLimit</c> 1.
    /// </summary>
    public static (Sale? Sale, IReadOnlyDictionary<string, string[]> Errors) Read(JsonElement body, DateTimeOffset now)
    {
        var fields = new FieldReader(body);
        var sale = ReadSale(fields, now) with { Offers = ReadOffers(fields) };
        return (fields.IsValid ? sale : null, fields.Errors);
    }

    /// <summary>
    /// What a published sale becomes: its title and its closing may change, before the opening also the opening, the reservation times, the risk
    /// threshold and the draw; the other defences at any time. Everything else was promised to shoppers, or stands in the ledger.
    /// </summary>
    /// <param name="wanted">As <see cref="Read"/> gave it.</param>
    public static (Sale? Sale, IReadOnlyDictionary<string, string[]> Errors) Change(Sale published, Sale wanted, DateTimeOffset now)
    {
        var errors = new SortedDictionary<string, string[]>(StringComparer.Ordinal);
        Keep("slug", published.Slug == wanted.Slug);
        Keep("requiresReservation", published.RequiresReservation == wanted.RequiresReservation);
        Keep("ordering", published.Ordering == wanted.Ordering);
        Keep("deduction", published.Deduction == wanted.Deduction);
        Keep("paymentWindowSeconds", published.PaymentWindow == wanted.PaymentWindow);
        if (now >= published.OpensAt)
        {
            const string Opened = "cannot change once the sale has opened";
            Keep("opensAt", published.OpensAt == wanted.OpensAt, Opened);
            Keep("reservationOpensAt", published.ReservationOpensAt == wanted.ReservationOpensAt, Opened);
            Keep("reservationClosesAt", published.ReservationClosesAt == wanted.ReservationClosesAt, Opened);
            Keep("riskThreshold", published.RiskThreshold == wanted.RiskThreshold, Opened);
            Keep("defences.drawMs", published.Defences.DrawMs == wanted.Defences.DrawMs, Opened);
        }

        Keep("offers", published.Offers.Select(offer => offer.Sku).ToHashSet().SetEquals(wanted.Offers.Select(offer => offer.Sku)));
        for (var i = 0; i < wanted.Offers.Count; i++)
        {
            KeepOffer($"offers[{i}]", published.Offers.FirstOrDefault(offer => offer.Sku == wanted.Offers[i].Sku), wanted.Offers[i]);
        }

        return errors.Count > 0
            ? (null, errors)
            : (wanted with { Id = published.Id, Status = published.Status, Rev = published.Rev, Offers = published.Offers }, errors);

        void KeepOffer(string at, Offer? was, Offer offer)
        {
            if (was is null)
            {
                Keep($"{at}.sku", same: false, CannotChange);
                return;
            }

            Keep($"{at}.title", was.Title == offer.Title);
            Keep($"{at}.faceValue", was.FaceValue == offer.FaceValue);
            Keep($"{at}.price", was.Price == offer.Price);
            Keep($"{at}.stock", was.Stock == offer.Stock, CannotChange + "; adjust the stock instead");
            Keep($"{at}.perUserLimit", was.PerUserLimit == offer.PerUserLimit);
            Keep($"{at}.validFrom", was.ValidFrom == offer.ValidFrom);
            Keep($"{at}.validUntil", was.ValidUntil == offer.ValidUntil);
        }

        void Keep(string field, bool same, string otherwise = CannotChange)
        {
            if (!same)
            {
                errors[field] = [otherwise];
            }
        }
    }

    private static Sale ReadSale(FieldReader fields, DateTimeOffset now)
    {
        var sale = new Sale
        {
            Slug = ReadSlug(fields),
            Title = ReadTitle(fields),
            ReservationOpensAt = fields.TimeOrNull("reservationOpensAt"),
            ReservationClosesAt = fields.TimeOrNull("reservationClosesAt"),
            OpensAt = fields.Time("opensAt"),
            ClosesAt = fields.Time("closesAt"),
            RequiresReservation = fields.Flag("requiresReservation", otherwise: false),
            Ordering = fields.Word<Ordering>("ordering"),
            Deduction = fields.Word<Deduction>("deduction"),
            PaymentWindow = TimeSpan.FromSeconds(fields.Number(
                "paymentWindowSeconds", (long)Limits.PaymentWindowMin.TotalSeconds, (long)Limits.PaymentWindowMax.TotalSeconds, otherwise: 900)),
            RiskThreshold = (int)fields.Number("riskThreshold", 0, Limits.RiskScoreMax, otherwise: Limits.RiskScoreMax),
            WarmUpLead = TimeSpan.FromSeconds(fields.Number(
                "warmUpLeadSeconds", (long)Limits.WarmUpLeadMin.TotalSeconds, (long)Limits.WarmUpLeadMax.TotalSeconds,
                otherwise: (long)Limits.WarmUpLead.TotalSeconds)),
            Defences = fields.Has("defences") ? SaleDefences.Read(fields.Object("defences")) : SaleDefences.Default,
            Offers = [],
        };
        if (sale.Ordering != Ordering.Synchronous)
        {
            fields.Fail("ordering", "must be synchronous: this version does not have queued ordering yet");
        }

        if (sale.Deduction != Deduction.Order)
        {
            fields.Fail("deduction", "must be order: this version does not deduct at payment or reservation yet");
        }

        CheckTimes(fields, sale, now);
        return sale;
    }

    /// <summary>Times that are missing or unreadable are named already; they are not compared on top.</summary>
    private static void CheckTimes(FieldReader fields, Sale sale, DateTimeOffset now)
    {
        if (fields.IsGood("closesAt") && sale.ClosesAt <= now)
        {
            fields.Fail("closesAt", "must be in the future");
        }

        if (fields.IsGood("opensAt") && fields.IsGood("closesAt"))
        {
            if (sale.OpensAt >= sale.ClosesAt)
            {
                fields.Fail("opensAt", "must be before closesAt");
            }
            else if (sale.ClosesAt - sale.OpensAt > Limits.SaleLengthMax)
            {
                fields.Fail("closesAt", $"must be at most {Limits.SaleLengthMax.TotalDays} days after opensAt");
            }
            else if (sale.Defences.DrawMs > 0 && sale.ClosesAt <= DrawTimes.Of(sale).EndsAt)
            {
                fields.Fail("closesAt", $"must be more than {(DrawTimes.Of(sale).EndsAt - sale.OpensAt).TotalMilliseconds:0} ms after opensAt, which the draw may take");
            }
        }

        if (sale.RequiresReservation)
        {
            Require("reservationOpensAt", sale.ReservationOpensAt);
            Require("reservationClosesAt", sale.ReservationClosesAt);
        }

        if (sale.ReservationOpensAt >= sale.ReservationClosesAt)
        {
            fields.Fail("reservationOpensAt", "must be before reservationClosesAt");
        }

        if (fields.IsGood("opensAt") && sale.ReservationClosesAt > sale.OpensAt)
        {
            fields.Fail("reservationClosesAt", "must not be after opensAt");
        }

        void Require(string name, DateTimeOffset? time)
        {
            if (time is null && fields.IsGood(name))
            {
                fields.Fail(name, "must be there when requiresReservation is true");
            }
        }
    }

    private static List<Offer> ReadOffers(FieldReader fields)
    {
        var offers = new List<Offer>();
        var skus = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in fields.List("offers", 1, Limits.OffersPerSale))
        {
            var offer = ReadOffer(item);
            if (item.IsGood("sku") && !skus.Add(offer.Sku))
            {
                item.Fail("sku", "must be another than those of the sale's other offers");
            }

            offers.Add(offer);
        }

        return offers;
    }

    private static Offer ReadOffer(FieldReader fields)
    {
        var offer = new Offer
        {
            Sku = fields.Text("sku", Limits.SkuLength),
            Title = ReadTitle(fields),
            FaceValue = fields.Money("faceValue"),
            Price = fields.Money("price"),
            Stock = (int)fields.Number("stock", 1, Limits.StockMax),
            PerUserLimit = (int)fields.Number("perUserLimit", 1, Limits.PerUserLimitMax, otherwise: 1),
            ValidFrom = fields.Time("validFrom"),
            ValidUntil = fields.Time("validUntil"),
        };
        if (fields.IsGood("price") && fields.IsGood("faceValue"))
        {
            if (offer.Price.Currency != offer.FaceValue.Currency)
            {
                fields.Fail("price.currency", "must be the currency of faceValue");
            }
            else if (offer.Price.Amount > offer.FaceValue.Amount)
            {
                // Nobody pays more for a coupon than it is worth; an operator who asks for it has mistyped.
                fields.Fail("price.amount", "must not be more than faceValue");
            }
        }

        if (fields.IsGood("validFrom") && fields.IsGood("validUntil") && offer.ValidFrom >= offer.ValidUntil)
        {
            fields.Fail("validFrom", "must be before validUntil");
        }

        return offer;
    }

    private static LocalizedText ReadTitle(FieldReader fields)
    {
        var title = fields.Object("title");
        return new LocalizedText(title.Text("zh", Limits.TitleLength), title.Text("en", Limits.TitleLength));
    }

    /// <summary>Part of an address: <c>/sales/{slug}</c>.</summary>
    private static string ReadSlug(FieldReader fields)
    {
        var slug = fields.Text("slug", Limits.SlugLength);
        if (fields.IsGood("slug")
            && (!slug.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-') || slug.StartsWith('-') || slug.EndsWith('-')))
        {
            fields.Fail("slug", "must be of lower-case letters a-z, digits and hyphens, with no hyphen at either end");
        }

        return slug;
    }
}
