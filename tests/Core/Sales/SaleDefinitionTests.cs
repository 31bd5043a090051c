using System.Text.Json;
using System.Text.Json.Nodes;

using FlashSale.Core;
using FlashSale.Core.Sales;

using Xunit;

namespace FlashSale.Tests.Core.Sales;

public sealed class SaleDefinitionTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Read_WhenOnlyWhatIsNeededIsThere_FillsInTheDefaults()
    {
        var (sale, errors) = Read(Valid());

        Assert.Empty(errors);
        Assert.Equal(TimeSpan.FromMinutes(15), sale!.PaymentWindow);
        Assert.Equal(100, sale.RiskThreshold);
        Assert.Equal(Ordering.Synchronous, sale.Ordering);
        Assert.Equal(Deduction.Order, sale.Deduction);
        Assert.False(sale.RequiresReservation);
        var offer = Assert.Single(sale.Offers);
        Assert.Equal(1, offer.PerUserLimit);
        Assert.Equal(Money.Cny(3_000_000), offer.FaceValue);
        Assert.Equal(Now.AddHours(1), sale.OpensAt);
    }

    [Theory]
    [InlineData("slug", "\"Big\"")]
    [InlineData("slug", "\"-x\"")]
    [InlineData("slug", "\"a b\"")]
    [InlineData("slug", "17")]
    [InlineData("title", "\"text\"")]
    [InlineData("title.zh", "\" \"")]
    [InlineData("title.en", "\"a\\u0000b\"")]
    [InlineData("opensAt", "\"2030-01-01T01:00:00\"")]
    [InlineData("opensAt", "\"tomorrow\"")]
    [InlineData("opensAt", "\"9999-12-31T23:59:59Z\"")]
    [InlineData("opensAt", "\"2030-01-02T00:00:00Z\"")]
    [InlineData("closesAt", "\"2029-12-31T00:00:00Z\"")]
    [InlineData("closesAt", "\"2030-03-01T00:00:00Z\"")]
    [InlineData("closesAt", "null")]
    [InlineData("requiresReservation", "1")]
    [InlineData("ordering", "\"queued\"")]
    [InlineData("ordering", "\"Synchronous\"")]
    [InlineData("ordering", "0")]
    [InlineData("deduction", "\"payment\"")]
    [InlineData("deduction", "\"never\"")]
    [InlineData("paymentWindowSeconds", "1")]
    [InlineData("paymentWindowSeconds", "86401")]
    [InlineData("paymentWindowSeconds", "\"900\"")]
    [InlineData("riskThreshold", "101")]
    [InlineData("riskThreshold", "0.5")]
    [InlineData("offers", "[]")]
    [InlineData("offers", "{}")]
    [InlineData("offers[0].sku", "\"\"")]
    [InlineData("offers[0].stock", "0")]
    [InlineData("offers[0].stock", "1000001")]
    [InlineData("offers[0].stock", "99999999999999999999")]
    [InlineData("offers[0].perUserLimit", "11")]
    [InlineData("offers[0].faceValue", "100")]
    [InlineData("offers[0].price.amount", "-1")]
    [InlineData("offers[0].price.amount", "3000001")]
    [InlineData("offers[0].price.currency", "\"cny\"")]
    [InlineData("offers[0].price.currency", "\"USD\"")]
    [InlineData("offers[0].validUntil", "null")]
    [InlineData("offers[0].validFrom", "\"2100-01-01T00:00:00Z\"")]
    public void Read_WhenAFieldIsInvalid_NamesIt(string path, string value)
    {
        var body = Valid();
        Set(body, path, value);

        var (sale, errors) = Read(body);

        Assert.Null(sale);
        Assert.Contains(path, errors.Keys);
    }

    [Fact]
    public void Read_WhenTheObjectIsEmpty_NamesAllThatMustBeThere()
    {
        var (_, errors) = Read([]);

        Assert.Equal(["closesAt", "offers", "opensAt", "slug", "title", "title.en", "title.zh"], errors.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Read_WhenTwoOffersHaveOneSku_NamesTheSecond()
    {
        var body = Valid();
        body["offers"]!.AsArray().Add(body["offers"]![0]!.DeepClone());

        Assert.Equal(["offers[1].sku"], Read(body).Errors.Keys);
    }

    [Theory]
    [InlineData(null, null, "reservationClosesAt,reservationOpensAt")]
    [InlineData("2029-12-01T00:00:00Z", "2030-01-01T01:00:01Z", "reservationClosesAt")]
    [InlineData("2029-12-02T00:00:00Z", "2029-12-01T00:00:00Z", "reservationOpensAt")]
    [InlineData("2029-12-01T00:00:00Z", "2030-01-01T01:00:00Z", "")]
    public void Read_WhenAReservationIsAskedFor_NeedsItsTimesBeforeTheOpening(string? opens, string? closes, string expected)
    {
        var body = Valid();
        body["requiresReservation"] = true;
        body["reservationOpensAt"] = opens;
        body["reservationClosesAt"] = closes;

        Assert.Equal(expected, string.Join(',', Read(body).Errors.Keys.Order(StringComparer.Ordinal)));
    }

    [Fact]
    public void Read_WhenANameOrTextIsNoUnicode_DoesNotBreak()
    {
        using var body = JsonDocument.Parse("""{"\ud800name": 1, "slug": "\udc00"}""");

        Assert.Contains("slug", SaleDefinition.Read(body.RootElement, Now).Errors.Keys);
    }

    [Fact]
    public void Change_WhenTheSaleHasNotOpened_MovesItsTimesAndKeepsIdsAndRevision()
    {
        var published = Published();
        var body = Valid();
        body["opensAt"] = "2030-01-01T02:00:00Z";
        body["riskThreshold"] = 50;

        var (sale, errors) = SaleDefinition.Change(published, Read(body).Sale!, Now);

        Assert.Empty(errors);
        Assert.Equal((published.Id, published.Rev, SaleStatus.Published), (sale!.Id, sale.Rev, sale.Status));
        Assert.Equal(Now.AddHours(2), sale.OpensAt);
        Assert.Equal(50, sale.RiskThreshold);
        Assert.Equal(published.Offers, sale.Offers);
    }

    [Fact]
    public void Change_WhenTheSaleHasOpened_KeepsItsOpening()
    {
        var body = Valid();
        body["opensAt"] = "2030-01-01T02:00:00Z";
        body["riskThreshold"] = 50;

        var (_, errors) = SaleDefinition.Change(Published(), Read(body).Sale!, Now.AddHours(1));

        Assert.Equal(["opensAt", "riskThreshold"], errors.Keys);
    }

    [Theory]
    [InlineData("slug", "\"other\"", "slug")]
    [InlineData("paymentWindowSeconds", "60", "paymentWindowSeconds")]
    [InlineData("offers[0].stock", "11", "offers[0].stock")]
    [InlineData("offers[0].price.amount", "1", "offers[0].price")]
    [InlineData("offers[0].perUserLimit", "2", "offers[0].perUserLimit")]
    [InlineData("offers[0].sku", "\"B\"", "offers,offers[0].sku")]
    [InlineData("title.zh", "\"新\"", "")]
    [InlineData("closesAt", "\"2030-01-01T03:00:00Z\"", "")]
    public void Change_WhenTheSaleIsPublished_AllowsTitlesAndTimesOnly(string path, string value, string expected)
    {
        var body = Valid();
        Set(body, path, value);

        var (_, errors) = SaleDefinition.Change(Published(), Read(body).Sale!, Now);

        Assert.Equal(expected, string.Join(',', errors.Keys));
    }

    [Theory]
    [InlineData("2030-01-01T01:00:02.5Z", "closesAt")]
    [InlineData("2030-01-01T01:00:02.6Z", "")]
    public void Read_WhenTheSaleDraws_LeavesTheDrawItsTime(string closesAt, string expected)
    {
        var body = Valid();
        body["opensAt"] = "2030-01-01T01:00:00Z";
        body["closesAt"] = closesAt;
        body["defences"] = new JsonObject { ["drawMs"] = 1_000 };

        Assert.Equal(expected, string.Join(',', Read(body).Errors.Keys));
    }

    private static Sale Published()
    {
        var sale = Read(Valid()).Sale!;
        return sale with { Id = new SaleId(7), Rev = 3, Status = SaleStatus.Published, Offers = [sale.Offers[0] with { Id = new OfferId(9) }] };
    }

    private static (Sale? Sale, IReadOnlyDictionary<string, string[]> Errors) Read(JsonObject body)
    {
        using var document = JsonDocument.Parse(body.ToJsonString());
        return SaleDefinition.Read(document.RootElement, Now);
    }

    private static void Set(JsonObject body, string path, string value)
    {
        JsonNode node = body;
        var steps = path.Replace("[0]", ".0", StringComparison.Ordinal).Split('.');
        foreach (var step in steps[..^1])
        {
            node = node is JsonArray list ? list[int.Parse(step)]! : node[step]!;
        }

        node[steps[^1]] = JsonNode.Parse(value);
    }

    private static JsonObject Valid() => JsonNode.Parse(
        """
        {
          "slug": "new-year-2030",
          "title": { "zh": "新年", "en": "New year" },
          "opensAt": "2030-01-01T09:00:00.0001+08:00",
          "closesAt": "2030-01-01T02:30:00Z",
          "offers": [{
            "sku": "A",
            "title": { "zh": "三万元", "en": "30,000 yuan" },
            "faceValue": { "amount": 3000000, "currency": "CNY" },
            "price": { "amount": 9900, "currency": "CNY" },
            "stock": 10,
            "validFrom": "2030-01-01T00:00:00Z",
            "validUntil": "2031-01-01T00:00:00Z"
          }],
          "unknown": { "ignored": true }
        }
        """)!.AsObject();
}
