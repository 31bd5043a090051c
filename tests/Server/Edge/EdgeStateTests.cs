using System.Globalization;
using System.Net;
using System.Text.Json;

using FlashSale.Tests.Storage;

using Xunit;

namespace FlashSale.Tests.Server.Edge;

/// <summary>What a gateway is told (docs/gateway.md).</summary>
public sealed class EdgeStateTests(Shop shop)
{
    [Fact]
    public async Task State_WhileASaleHasUnits_SaysNothingOfItsOrders()
    {
        var sale = await shop.OpenAsync();
        await sale.NewShopper().OrderAsync();

        var (state, described) = await ReadAsync(sale);

        var offer = described.GetProperty("offers")[0];
        Assert.Equal(sale.OfferId, offer.GetProperty("id").GetString());
        Assert.False(offer.GetProperty("soldOut").GetBoolean());
        Assert.False(offer.TryGetProperty("orders", out _));
        Assert.Equal(long.Parse(sale.Id, CultureInfo.InvariantCulture), long.Parse(described.GetProperty("key").GetString()!, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
        Assert.Equal(sale.OpensAt.ToUnixTimeMilliseconds(), described.GetProperty("opensAtMs").GetInt64());
        Assert.False(described.GetProperty("paused").GetBoolean());
        Assert.InRange(state.GetProperty("epochMs").GetInt64(), TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() - 5_000, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() + 5_000);
        Assert.Equal(4_000, state.GetProperty("limits").GetProperty("address").GetProperty("burst").GetInt32());
        Assert.False(state.GetProperty("limits").GetProperty("enabled").GetBoolean());
        Assert.Equal(0, state.GetProperty("tokens").GetProperty("minimumAgeMs").GetInt64());
    }

    [Fact]
    public async Task State_OnceItIsSoldOut_HasEveryOrder_UntilAUnitComesBack()
    {
        var sale = await shop.OpenAsync(new ShopTerms(Stock: 3));
        var shoppers = Enumerable.Range(0, 3).Select(_ => sale.NewShopper()).ToArray();
        var orders = await Task.WhenAll(shoppers.Select(shopper => shopper.OrderAsync()));

        var offer = await SoldOutAsync(sale);
        var filter = Convert.FromBase64String(offer.GetProperty("orders").GetString()!);
        Assert.All(orders, order => Assert.True(OrderFilterTests.Has(filter, Guid.ParseExact(order.Text("id"), "N"))));
        Assert.False(OrderFilterTests.Has(filter, Guid.CreateVersion7()));

        (await shoppers[0].CancelAsync(orders[0].Text("id"))).Expect(HttpStatusCode.OK);
        Assert.False((await ReadAsync(sale)).Sale.GetProperty("offers")[0].GetProperty("soldOut").GetBoolean());

        // The one who cancelled is among them still: the token again must yield that order.
        await sale.NewShopper().OrderAsync();
        var again = await SoldOutAsync(sale);
        Assert.True(OrderFilterTests.Has(Convert.FromBase64String(again.GetProperty("orders").GetString()!), Guid.ParseExact(orders[0].Text("id"), "N")));
    }

    [Fact]
    public async Task State_WhenAnOperatorPausesOrCloses_SaysSo()
    {
        var sale = await shop.OpenAsync();
        await sale.HaltAsync("pause");
        Assert.True((await ReadAsync(sale)).Sale.GetProperty("paused").GetBoolean());
        // When this machine stands still for half a second after they were read, they are left out.
        await Eventually.HoldsAsync(async () => (await ReadAsync(sale)).Sale.GetProperty("offers")[0].TryGetProperty("orders", out _), "its orders are told");

        await sale.HaltAsync("closure");
        var before = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        Assert.InRange((await ReadAsync(sale)).Sale.GetProperty("closesAtMs").GetInt64(), before - 5_000, before + 5_000);
    }

    [Fact]
    public async Task State_OfADraft_IsNotTold()
    {
        var sale = await shop.OpenAsync();
        var body = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>((await sale.AdminAsync(HttpMethod.Get, $"sales/{sale.Id}")).Body)!;
        body["slug"] = JsonSerializer.SerializeToElement($"draft-{Guid.NewGuid():N}");
        body["riskThreshold"] = JsonSerializer.SerializeToElement(80);
        var draft = (await sale.AdminAsync(HttpMethod.Post, "sales", body)).Expect(HttpStatusCode.Created).Text("id");

        var (state, _) = await ReadAsync(sale);

        Assert.DoesNotContain(state.GetProperty("sales").EnumerateArray(), one => one.GetProperty("id").GetString() == draft);
    }

    /// <summary>The only offer of the sale. When this machine stands still for half a second after its orders were read, they are left out.</summary>
    private static async Task<JsonElement> SoldOutAsync(ShopSale sale)
    {
        JsonElement offer = default;
        await Eventually.HoldsAsync(
            async () =>
            {
                offer = (await ReadAsync(sale)).Sale.GetProperty("offers")[0];
                return offer.GetProperty("soldOut").GetBoolean();
            },
            "it is told as sold out");
        return offer;
    }

    private static async Task<(JsonElement State, JsonElement Sale)> ReadAsync(ShopSale sale)
    {
        var state = (await sale.SendAsync(HttpMethod.Get, "/edge/state", session: null)).Expect(HttpStatusCode.OK).Json;
        return (state, state.GetProperty("sales").EnumerateArray().Single(one => one.GetProperty("id").GetString() == sale.Id));
    }
}
