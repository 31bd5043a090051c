using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Core.Stock;
using FlashSale.Server.Storefront;
using FlashSale.Storage;
using FlashSale.Tests.Server.Console;

using Xunit;

namespace FlashSale.Tests.Server.Storefront;

public sealed class SaleDocumentTests(DemoShop shop) : IClassFixture<DemoShop>
{
    private static readonly DateTimeOffset Opening = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Time_WhenAsked_IsNowAndNotCached()
    {
        using var answer = await GetAsync("/api/v1/time");
        var document = JsonElement.Parse(await answer.Content.ReadAsStringAsync());

        Assert.True(answer.Headers.CacheControl!.NoStore);
        Assert.Equal(document.GetProperty("serverTime").GetDateTimeOffset().ToUnixTimeMilliseconds(), document.GetProperty("epochMs").GetInt64());
        Assert.InRange(document.GetProperty("serverTime").GetDateTimeOffset(), TimeProvider.System.GetUtcNow().AddSeconds(-5), TimeProvider.System.GetUtcNow().AddSeconds(5));
    }

    [Fact]
    public async Task List_WhenTheDemoHasStarted_HasTwelveSalesThatOpenWithinAMinute()
    {
        List<JsonElement> demo = [];
        await Eventually.HoldsAsync(
            async () =>
            {
                using var answer = await GetAsync("/api/v1/sales");
                var document = JsonElement.Parse(await answer.Content.ReadAsStringAsync());
                Assert.Equal(JsonValueKind.Null, document.GetProperty("nextCursor").ValueKind);
                demo = [.. document.GetProperty("items").EnumerateArray().Where(sale => !sale.GetProperty("slug").GetString()!.StartsWith("shop-", StringComparison.Ordinal))];
                return demo.Count >= 12;
            },
            "the demo has made its sales");
        Assert.True(demo.Count(sale => sale.GetProperty("opensAt").GetDateTimeOffset() < TimeProvider.System.GetUtcNow().AddMinutes(1)) >= 12);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/state")]
    public async Task Get_WhenTheTagIsKnown_IsNotSentAgainUntilItChanges(string part)
    {
        var sale = await shop.PublishAsync(stock: 2);
        var path = $"/api/v1/sales/{sale.Id}{part}";
        using var first = await GetAsync(path);
        var tag = first.Headers.ETag!.ToString();
        Assert.True(first.Headers.CacheControl!.Public);
        Assert.Equal(TimeSpan.FromSeconds(1), first.Headers.CacheControl.MaxAge);

        using var same = await GetAsync(path, "\"other\", " + tag);
        Assert.Equal(HttpStatusCode.NotModified, same.StatusCode);
        Assert.Equal(tag, same.Headers.ETag!.ToString());
        Assert.Empty(await same.Content.ReadAsByteArrayAsync());

        using var browser = await shop.OpenSignedInAsync("buyer" + part.Trim('/'));
        await browser.OrderAsync($"/sales/{DemoShop.SlugOf(sale)}/checkout/{sale.OfferId}");
        await Eventually.HoldsAsync(
            async () =>
            {
                using var changed = await GetAsync(path, tag);
                return changed.StatusCode == HttpStatusCode.OK && (await changed.Content.ReadAsStringAsync()).Contains("\"soldPercent\":50", StringComparison.Ordinal);
            },
            "the order is seen");
    }

    [Fact]
    public async Task Get_WhenTheSaleIsADraftOrUnknown_IsNotFound()
    {
        var draft = await ConsoleServer.SendAsync(shop.Server.Operator(), HttpMethod.Post, "sales", new JsonObject
        {
            ["slug"] = "a-draft",
            ["title"] = new JsonObject { ["zh"] = "草稿", ["en"] = "Draft" },
            ["opensAt"] = "2030-01-01T00:00:00Z",
            ["closesAt"] = "2030-01-02T00:00:00Z",
            ["requiresReservation"] = false,
            ["offers"] = new JsonArray(ConsoleServer.Offer("A")),
        });
        foreach (var path in (string[])[$"/api/v1/sales/{draft.Id}", $"/api/v1/sales/{draft.Id}/state", "/api/v1/sales/999999", "/api/v1/sales/x/state"])
        {
            using var answer = await GetAsync(path);

            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        }

        using var page = await GetAsync("/sales/a-draft");
        Assert.Equal(HttpStatusCode.NotFound, page.StatusCode);
        using var list = await GetAsync("/api/v1/sales");
        Assert.DoesNotContain("a-draft", await list.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"userId":"a b"}""", HttpStatusCode.UnprocessableEntity, "userId")]
    [InlineData("""{}""", HttpStatusCode.UnprocessableEntity, "userId")]
    [InlineData("""{"userId":7,"roles":["king"]}""", HttpStatusCode.UnprocessableEntity, "userId,roles")]
    [InlineData("""{"userId":"ada","roles":["operator","auditor"]}""", HttpStatusCode.OK, "")]
    [InlineData("""[]""", HttpStatusCode.BadRequest, "")]
    public async Task DemoSession_WhateverIsAsked_NamesEveryWrongField(string body, HttpStatusCode expected, string fields)
    {
        using var client = new HttpClient { BaseAddress = shop.Server.Address };
        using var content = new StringContent(body, Encoding.UTF8, "application/json");

        using var answer = await client.PostAsync(new Uri("/api/v1/demo/sessions", UriKind.Relative), content);

        var document = JsonElement.Parse(await answer.Content.ReadAsStringAsync());
        Assert.Equal(expected, answer.StatusCode);
        Assert.Equal(fields, document.TryGetProperty("errors", out var errors) ? string.Join(',', errors.EnumerateObject().Select(error => error.Name)) : "");
        if (expected == HttpStatusCode.OK)
        {
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", document.GetProperty("token").GetString());
            using var admin = await client.GetAsync(new Uri("/api/v1/admin/sales", UriKind.Relative));
            Assert.Equal(HttpStatusCode.OK, admin.StatusCode);
        }
    }

    [Theory]
    [InlineData(-30 * 60, 0, 0)]
    [InlineData(-5 * 60, 0, 0)]
    [InlineData(1, 250, 125)]
    [InlineData(1, 500, 0)]
    [InlineData(1, 0, 500)]
    [InlineData(2 * 3600, 0, 500)]
    public void State_WhenThereAreFourOffers_IsAtMost400Bytes(int secondsAfterOpening, int held, int sold)
    {
        foreach (var millisecond in (int[])[0, 123])
        {
            var sale = MakeSale(Opening.AddMilliseconds(millisecond));
            var row = StockRow.Restore(500, 0, 500 - held - sold, held, sold, 1 + held + 2 * sold);
            var now = Opening.AddSeconds(secondsAfterOpening);
            foreach (var asOf in (DateTimeOffset[])[now, now - Limits.StaleAfter - TimeSpan.FromMilliseconds(1)])
            {
                var document = SaleState.Make(Load(sale, row, asOf), now);

                Assert.True(document.Body.Length <= SaleState.BytesMax, Encoding.UTF8.GetString(document.Body));
            }
        }
    }

    [Fact]
    public void State_WhenTheStockWasNotConfirmedForTwoSeconds_SaysSoWhileTheSaleRuns()
    {
        var sale = MakeSale(Opening);
        var asOf = Opening.AddMinutes(1);
        var live = Load(sale, StockRow.Restore(500, 0, 0, 0, 500, 1_001), asOf);

        var fresh = JsonElement.Parse(SaleState.Make(live, asOf + Limits.StaleAfter).Body);
        var stale = JsonElement.Parse(SaleState.Make(live, asOf + Limits.StaleAfter + TimeSpan.FromMilliseconds(1)).Body);

        Assert.False(fresh.TryGetProperty("stale", out _));
        Assert.True(stale.GetProperty("stale").GetBoolean());
        Assert.True(stale.GetProperty("offers")[0].GetProperty("soldOut").GetBoolean());
        Assert.False(stale.GetProperty("offers")[0].TryGetProperty("holds", out _));
        Assert.True(live.Describe(asOf.AddSeconds(3)).Stale);
        Assert.Null(live.Describe(asOf).Stale);
        Assert.False(live.IsStale(Opening.AddSeconds(-1)), "before the opening");
        Assert.False(live.IsStale(sale.ClosesAt), "after the end");
    }

    [Fact]
    public async Task Get_WhenGzipIsAccepted_IsTheSameDocumentCompressed()
    {
        var sale = await shop.PublishAsync(offers: 4);
        foreach (var path in (string[])["/api/v1/sales", $"/api/v1/sales/{sale.Id}", $"/api/v1/sales/{sale.Id}/state"])
        {
            using var client = new HttpClient(new HttpClientHandler { AutomaticDecompression = DecompressionMethods.GZip }) { BaseAddress = shop.Server.Address };
            // A sale of the demo may open between the two.
            await Eventually.HoldsAsync(
                async () =>
                {
                    using var plain = await GetAsync(path);
                    using var compressed = await client.GetAsync(new Uri(path, UriKind.Relative));
                    if (!Equals(plain.Headers.ETag, compressed.Headers.ETag))
                    {
                        return false;
                    }

                    Assert.Contains("Accept-Encoding", compressed.Headers.Vary);
                    Assert.NotEqual(plain.Content.Headers.ContentLength, compressed.Content.Headers.ContentLength);
                    Assert.Equal(
                        JsonElement.Parse(await plain.Content.ReadAsStringAsync()).EnumerateObject().Count(),
                        JsonElement.Parse(await compressed.Content.ReadAsStringAsync()).EnumerateObject().Count());
                    return true;
                },
                "both have the same tag");
        }
    }

    [Fact]
    public void State_WhenTheIdsAreAsLongAsTheyGet_IsAtMost400BytesCompressed()
    {
        var sale = MakeSale(Opening);
        sale = sale with { Offers = [.. sale.Offers.Select((offer, i) => offer with { Id = new OfferId(999_999_999_999_999_990 + i) })] };

        foreach (var asOf in (DateTimeOffset[])[Opening, Opening.AddMinutes(-1)])
        {
            var document = SaleState.Make(Load(sale, StockRow.Restore(1_000_000, 0, 0, 0, 1_000_000, 2_000_001), asOf), Opening.AddSeconds(1));

            Assert.True(document.Gzip.Length <= SaleState.BytesMax, $"{document.Gzip.Length} bytes");
        }
    }

    [Fact]
    public void State_WhenTimePassesOrStockMoves_RaisesItsRev()
    {
        var live = Load(MakeSale(Opening), StockRow.Create(500).Row, Opening.AddHours(2));
        long last = 0;
        string? lastDocument = null;
        for (var second = -1_800; second <= 3_700; second += 10)
        {
            var document = SaleState.Make(live, Opening.AddSeconds(second));
            var json = JsonElement.Parse(document.Body);
            var rev = json.GetProperty("rev").GetInt64();
            var rest = JsonNode.Parse(document.Body)!.AsObject();
            rest.Remove("serverTime");
            rest.Remove("rev");
            var changed = lastDocument is not null && rest.ToJsonString() != lastDocument;

            Assert.True(changed ? rev > last : rev >= last, $"{rev} after {last}: {rest.ToJsonString()}");
            (last, lastDocument) = (rev, rest.ToJsonString());
        }
    }

    private static Sale MakeSale(DateTimeOffset opensAt) => new()
    {
        Id = new SaleId(99),
        Slug = "s",
        Title = new LocalizedText("销", "s"),
        OpensAt = opensAt,
        ClosesAt = opensAt.AddHours(1),
        RequiresReservation = true,
        ReservationOpensAt = opensAt.AddMinutes(-20),
        ReservationClosesAt = opensAt.AddMinutes(-2),
        PaymentWindow = TimeSpan.FromMinutes(5),
        Status = SaleStatus.Published,
        Rev = 3,
        Offers = [.. Enumerable.Range(96, 4).Select(id => new Offer
        {
            Id = new OfferId(id),
            Sku = "A",
            Title = new LocalizedText("券", "c"),
            FaceValue = Money.Cny(3_000_000),
            Price = Money.Cny(9_900),
            Stock = 500,
            PerUserLimit = 1,
            ValidFrom = opensAt,
            ValidUntil = opensAt.AddDays(30),
        })],
    };

    /// <param name="sale">Its offers all have the same stock.</param>
    /// <param name="row">That stock.</param>
    /// <param name="asOf">When the ledger confirmed it.</param>
    private static LiveSale Load(Sale sale, StockRow row, DateTimeOffset asOf)
    {
        var catalog = new SaleCatalog();
        catalog.Put([sale]);
        foreach (var offer in sale.Offers)
        {
            catalog.Confirm(new OfferStock(offer.Id, 0, row), asOf);
        }

        return catalog.Find(sale.Id)!;
    }

    private async Task<HttpResponseMessage> GetAsync(string path, string? ifNoneMatch = null)
    {
        using var client = new HttpClient { BaseAddress = shop.Server.Address };
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
        if (ifNoneMatch is not null)
        {
            request.Headers.TryAddWithoutValidation("If-None-Match", ifNoneMatch);
        }

        return await client.SendAsync(request);
    }
}
