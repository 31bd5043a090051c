using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;

namespace FlashSale.Server.Console.Pages;

/// <summary>
/// The definition of a sale as it is typed: by the paths of the API (<c>offers[0].title.zh</c>), times in Beijing's, money in yuan. Whatever was typed is kept, so
/// that a form that is refused comes back as it was sent.
/// </summary>
/// <param name="Offers">How many offers there are; none is blank.</param>
public sealed partial record SaleForm(IReadOnlyDictionary<string, string> Values, int Offers)
{
    /// <summary>In the order of the form.</summary>
    public static readonly IReadOnlyList<string> SaleFields =
    [
        "slug", "title.zh", "title.en", "opensAt", "closesAt", "requiresReservation", "reservationOpensAt", "reservationClosesAt", "ordering", "deduction",
        "paymentWindowSeconds", "riskThreshold", "warmUpLeadSeconds", "defences.challenge", "defences.challengeBits", "defences.tokensPerUser",
        "defences.accountsPerDevice", "defences.accountsPerAddress", "defences.unpaidHolds", "defences.barMinutes", "defences.drawMs",
    ];

    public static readonly IReadOnlyList<string> OfferFields =
        ["sku", "title.zh", "title.en", "faceValue", "price", "currency", "stock", "perUserLimit", "validFrom", "validUntil"];

    /// <summary>Of these, at least one is typed in an offer that counts; the others are filled in beforehand.</summary>
    private static readonly string[] OfferWords = ["sku", "title.zh", "title.en", "faceValue", "price", "stock"];

    public string this[string path] => Values.GetValueOrDefault(path, "");

    public static string OfferPath(int offer, string field) => $"offers[{offer}].{field}";

    /// <summary>A sale that is not defined yet, with what an absent field means.</summary>
    public static SaleForm Blank { get; } = new(
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["ordering"] = Ordering.Synchronous.Word(),
            ["deduction"] = Deduction.Order.Word(),
            ["paymentWindowSeconds"] = "900",
            ["riskThreshold"] = Say(Limits.RiskScoreMax),
            ["warmUpLeadSeconds"] = Say(Limits.WarmUpLead),
            ["defences.challenge"] = ChallengePolicy.Off.Word(),
            ["defences.challengeBits"] = Say(Limits.ChallengeBits),
            ["defences.tokensPerUser"] = Say(Limits.TokensPerUser),
            ["defences.accountsPerDevice"] = "0",
            ["defences.accountsPerAddress"] = "0",
            ["defences.unpaidHolds"] = Say(Limits.UnpaidHolds),
            ["defences.barMinutes"] = Say(Limits.BarMinutes),
            ["defences.drawMs"] = "0",
        },
        0);

    public static SaleForm Of(Sale sale)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["slug"] = sale.Slug,
            ["title.zh"] = sale.Title.Zh,
            ["title.en"] = sale.Title.En,
            ["opensAt"] = BeijingTime.Format(sale.OpensAt),
            ["closesAt"] = BeijingTime.Format(sale.ClosesAt),
            ["requiresReservation"] = sale.RequiresReservation ? "true" : "",
            ["reservationOpensAt"] = BeijingTime.Format(sale.ReservationOpensAt),
            ["reservationClosesAt"] = BeijingTime.Format(sale.ReservationClosesAt),
            ["ordering"] = sale.Ordering.Word(),
            ["deduction"] = sale.Deduction.Word(),
            ["paymentWindowSeconds"] = Say(sale.PaymentWindow),
            ["riskThreshold"] = Say(sale.RiskThreshold),
            ["warmUpLeadSeconds"] = Say(sale.WarmUpLead),
            ["defences.challenge"] = sale.Defences.Challenge.Word(),
            ["defences.challengeBits"] = Say(sale.Defences.ChallengeBits),
            ["defences.tokensPerUser"] = Say(sale.Defences.TokensPerUser),
            ["defences.accountsPerDevice"] = Say(sale.Defences.AccountsPerDevice),
            ["defences.accountsPerAddress"] = Say(sale.Defences.AccountsPerAddress),
            ["defences.unpaidHolds"] = Say(sale.Defences.UnpaidHolds),
            ["defences.barMinutes"] = Say(sale.Defences.BarMinutes),
            ["defences.drawMs"] = Say(sale.Defences.DrawMs),
        };
        for (var i = 0; i < sale.Offers.Count; i++)
        {
            Put(values, i, sale.Offers[i]);
        }

        return new SaleForm(values, sale.Offers.Count);
    }

    /// <summary>
    /// A new sale after the pattern of another: at the same time of the next day that is still to come, everything else moved by as many days, under a slug with that
    /// day.
    /// </summary>
    public static SaleForm After(Sale pattern, DateTimeOffset now)
    {
        var days = Math.Max(1, (int)Math.Ceiling((now - pattern.OpensAt).TotalDays));
        var by = TimeSpan.FromDays(days);
        var day = (pattern.OpensAt + by).ToOffset(ConsoleTexts.Shanghai).ToString("-yyyyMMdd", CultureInfo.InvariantCulture);
        var stem = DaySuffix().Replace(pattern.Slug, "");
        return Of(pattern with
        {
            Slug = stem[..Math.Min(stem.Length, Limits.SlugLength - day.Length)].TrimEnd('-') + day,
            OpensAt = pattern.OpensAt + by,
            ClosesAt = pattern.ClosesAt + by,
            ReservationOpensAt = pattern.ReservationOpensAt + by,
            ReservationClosesAt = pattern.ReservationClosesAt + by,
            Offers = [.. pattern.Offers.Select(offer => offer with { ValidFrom = offer.ValidFrom + by, ValidUntil = offer.ValidUntil + by })],
        });
    }

    /// <summary>As it was sent; blank offers are left out, and those behind them move up.</summary>
    public static SaleForm Read(IFormCollection form)
    {
        var values = SaleFields.ToDictionary(field => field, field => form[field].ToString(), StringComparer.Ordinal);
        var offers = 0;
        for (var i = 0; i < Limits.OffersPerSale; i++)
        {
            if (OfferWords.All(field => string.IsNullOrWhiteSpace(form[OfferPath(i, field)])))
            {
                continue;
            }

            foreach (var field in OfferFields)
            {
                values[OfferPath(offers, field)] = form[OfferPath(i, field)].ToString();
            }

            offers++;
        }

        return new SaleForm(values, offers);
    }

    /// <summary>As the API takes it (api.md, Operators).</summary>
    public JsonElement ToJson()
    {
        var defences = new JsonObject { ["challenge"] = FormFields.Text(this["defences.challenge"]) };
        foreach (var field in SaleFields.Where(field => field.StartsWith("defences.", StringComparison.Ordinal) && field != "defences.challenge"))
        {
            defences[field["defences.".Length..]] = FormFields.Number(this[field]);
        }

        return FormFields.Element(new JsonObject
        {
            ["slug"] = FormFields.Text(this["slug"]),
            ["title"] = Title(""),
            ["opensAt"] = FormFields.Time(this["opensAt"]),
            ["closesAt"] = FormFields.Time(this["closesAt"]),
            ["requiresReservation"] = this["requiresReservation"].Length > 0,
            ["reservationOpensAt"] = FormFields.Time(this["reservationOpensAt"]),
            ["reservationClosesAt"] = FormFields.Time(this["reservationClosesAt"]),
            ["ordering"] = FormFields.Text(this["ordering"]),
            ["deduction"] = FormFields.Text(this["deduction"]),
            ["paymentWindowSeconds"] = FormFields.Number(this["paymentWindowSeconds"]),
            ["riskThreshold"] = FormFields.Number(this["riskThreshold"]),
            ["warmUpLeadSeconds"] = FormFields.Number(this["warmUpLeadSeconds"]),
            ["defences"] = defences,
            ["offers"] = new JsonArray([.. Enumerable.Range(0, Offers).Select(OfferJson)]),
        });
    }

    /// <summary>What somebody else changed meanwhile, where this form left it as it was; everything that was typed stays.</summary>
    /// <param name="was">As this form was when it was opened.</param>
    /// <param name="now">As the sale is by now.</param>
    public SaleForm FollowUp(SaleForm was, SaleForm now)
    {
        var sameOffers = Offers == was.Offers && Offers == now.Offers
            && Enumerable.Range(0, Offers).Select(i => OfferPath(i, "sku")).All(sku => was[sku] == now[sku]);
        return this with
        {
            Values = Values.ToDictionary(
                value => value.Key,
                value => value.Value == was[value.Key] && (sameOffers || !value.Key.StartsWith("offers[", StringComparison.Ordinal)) ? now[value.Key] : value.Value,
                StringComparer.Ordinal),
        };
    }

    private static void Put(Dictionary<string, string> values, int i, Offer offer)
    {
        values[OfferPath(i, "sku")] = offer.Sku;
        values[OfferPath(i, "title.zh")] = offer.Title.Zh;
        values[OfferPath(i, "title.en")] = offer.Title.En;
        values[OfferPath(i, "faceValue")] = Yuan(offer.FaceValue);
        values[OfferPath(i, "price")] = Yuan(offer.Price);
        values[OfferPath(i, "currency")] = offer.Price.Currency;
        values[OfferPath(i, "stock")] = Say(offer.Stock);
        values[OfferPath(i, "perUserLimit")] = Say(offer.PerUserLimit);
        values[OfferPath(i, "validFrom")] = BeijingTime.Format(offer.ValidFrom);
        values[OfferPath(i, "validUntil")] = BeijingTime.Format(offer.ValidUntil);
    }

    private JsonNode OfferJson(int i)
    {
        var at = $"offers[{i}].";
        var currency = this[at + "currency"] is { Length: > 0 } other ? other : "CNY";
        return new JsonObject
        {
            ["sku"] = FormFields.Text(this[at + "sku"]),
            ["title"] = Title(at),
            ["faceValue"] = FormFields.Money(this[at + "faceValue"], currency),
            ["price"] = FormFields.Money(this[at + "price"], currency),
            ["stock"] = FormFields.Number(this[at + "stock"]),
            ["perUserLimit"] = FormFields.Number(this[at + "perUserLimit"]),
            ["validFrom"] = FormFields.Time(this[at + "validFrom"]),
            ["validUntil"] = FormFields.Time(this[at + "validUntil"]),
        };
    }

    private JsonObject Title(string at) =>
        new() { ["zh"] = FormFields.Text(this[at + "title.zh"]), ["en"] = FormFields.Text(this[at + "title.en"]) };

    private static string Say(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Say(TimeSpan time) => Say((long)time.TotalSeconds);

    private static string Yuan(Money money) => (money.Amount / 100m).ToString("0.00", CultureInfo.InvariantCulture);

    [GeneratedRegex(@"-\d{8}$", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex DaySuffix();
}
