using System.Net;
using System.Text.Json.Nodes;

using FlashSale.Tests.Browser;
using FlashSale.Tests.Server;
using FlashSale.Tests.Server.Console;
using FlashSale.Tests.Server.Storefront;

using Xunit;

[assembly: AssemblyFixture(typeof(BrowserShop))]

namespace FlashSale.Tests.Browser;

/// <summary>The shop of all tests in a browser, started when the first of them asks for it. Each test has sales of its own in it.</summary>
public sealed class BrowserShop : IAsyncDisposable
{
    private readonly Lazy<Task<DemoShop>> started = new(StartAsync);

    public async Task<TestServer> ServerAsync() => (await started.Value).Server;

    public async Task<SaleOfTest> PublishAsync(Terms? terms = null) => await SaleOfTest.PublishAsync(await started.Value, terms ?? new Terms());

    public async ValueTask DisposeAsync()
    {
        if (started.IsValueCreated && !started.Value.IsFaulted)
        {
            await (await started.Value).DisposeAsync();
        }
    }

    private static async Task<DemoShop> StartAsync()
    {
        var shop = new DemoShop();
        await shop.InitializeAsync();
        return shop;
    }
}

/// <summary>What the sale of a test is like: open since a second, unless they say otherwise.</summary>
public sealed record Terms
{
    public TimeSpan OpensIn { get; init; } = TimeSpan.FromSeconds(-1);

    /// <summary>After it was published.</summary>
    public TimeSpan ClosesIn { get; init; } = TimeSpan.FromHours(1);

    public int Stock { get; init; } = 10;

    public int Offers { get; init; } = 1;

    public int PaymentSeconds { get; init; } = 900;

    public int PerUserLimit { get; init; } = 1;

    /// <summary>When reservations are taken, from the publication; null: none are needed.</summary>
    public (TimeSpan OpensIn, TimeSpan ClosesIn)? Reservations { get; init; }
}

/// <summary>A sale that a test has published, and what happens to it behind the visitor's back.</summary>
public sealed class SaleOfTest
{
    private readonly DemoShop shop;
    private readonly Answer published;

    private SaleOfTest(DemoShop shop, Answer published)
    {
        this.shop = shop;
        this.published = published;
    }

    public string Id => published.Id;

    public string OfferId => published.OfferId;

    /// <summary>Its page, in Chinese.</summary>
    public string Path => "/sales/" + DemoShop.SlugOf(published);

    public string Checkout => $"{Path}/checkout/{OfferId}";

    public DateTimeOffset OpensAt => published.Json.GetProperty("opensAt").GetDateTimeOffset();

    public DateTimeOffset ClosesAt => published.Json.GetProperty("closesAt").GetDateTimeOffset();

    /// <summary>How long it may take until somebody sees that the sale has opened.</summary>
    public TimeSpan OpeningPatience => PatienceFor(OpensAt);

    /// <summary>How long it may take until somebody sees that the sale is over.</summary>
    public TimeSpan EndPatience => PatienceFor(ClosesAt);

    public static async Task<SaleOfTest> PublishAsync(DemoShop shop, Terms terms)
    {
        var answer = await shop.PublishAsync(
            definition =>
            {
                var now = TimeProvider.System.GetUtcNow();
                definition["title"] = new JsonObject { ["zh"] = "星途 L7 限时购车券", ["en"] = "Coupons for the Startrail L7" };
                definition["opensAt"] = ConsoleServer.Rfc3339(now + terms.OpensIn);
                definition["closesAt"] = ConsoleServer.Rfc3339(now + terms.ClosesIn);
                definition["paymentWindowSeconds"] = terms.PaymentSeconds;
                definition["offers"]![0]!["perUserLimit"] = terms.PerUserLimit;
                if (terms.Reservations is { } reservations)
                {
                    definition["requiresReservation"] = true;
                    definition["reservationOpensAt"] = ConsoleServer.Rfc3339(now + reservations.OpensIn);
                    definition["reservationClosesAt"] = ConsoleServer.Rfc3339(now + reservations.ClosesIn);
                }
            },
            terms.Stock,
            terms.Offers);
        return new SaleOfTest(shop, answer);
    }

    /// <summary>What is left until then, and what any other change of a page may take.</summary>
    private static TimeSpan PatienceFor(DateTimeOffset moment)
    {
        var left = moment - TimeProvider.System.GetUtcNow();
        return (left > TimeSpan.Zero ? left : TimeSpan.Zero) + Visitor.Patience;
    }

    /// <param name="action">pause, resumption, closure</param>
    public Task ChangeAsync(string action) => shop.ChangeAsync(published, action);

    public async Task ReserveAsync(string user) =>
        (await ConsoleServer.SendAsync(shop.Server.SignedIn(user), HttpMethod.Post, $"/api/v1/sales/{Id}/reservations")).Expect(HttpStatusCode.Created);

    /// <summary>Somebody else orders; the id of the order.</summary>
    public async Task<string> OrderAsync(string user)
    {
        var client = shop.Server.SignedIn(user);
        var token = (await ConsoleServer.SendAsync(client, HttpMethod.Post, $"/api/v1/offers/{OfferId}/order-tokens")).Expect(HttpStatusCode.Created);
        await Task.Delay(TimeSpan.FromSeconds(1.05));
        return (await SubmitAsync(user, token.Json.GetProperty("token").GetString()!)).Expect(HttpStatusCode.Created).Id;
    }

    /// <summary>The order of this token, once more.</summary>
    public Task<Answer> SubmitAsync(string user, string token) =>
        ConsoleServer.SendAsync(shop.Server.SignedIn(user), HttpMethod.Post, "/api/v1/orders", new JsonObject { ["token"] = token });

    /// <summary>The provider reports that this order of the user is paid, whenever it comes.</summary>
    public async Task PayAsync(string orderId, string user)
    {
        var payment = (await ConsoleServer.SendAsync(shop.Server.SignedIn(user), HttpMethod.Post, $"/api/v1/orders/{orderId}/payments")).Expect(HttpStatusCode.Created);
        await ReportPaidAsync(payment.Id);
    }

    public async Task ReportPaidAsync(string paymentId)
    {
        using var provider = shop.Open();
        Assert.Equal(HttpStatusCode.SeeOther, (await provider.PostFromAsync("https://pay.example", "/sandbox/payments/" + paymentId, ("status", "paid"))).Status);
    }

    /// <summary>The user's orders of this sale.</summary>
    public async Task<IReadOnlyList<string>> OrdersOfAsync(string user)
    {
        var list = (await ConsoleServer.SendAsync(shop.Server.SignedIn(user), HttpMethod.Get, "/api/v1/orders")).Expect(HttpStatusCode.OK);
        return [.. list.Json.GetProperty("items").EnumerateArray().Where(order => order.GetProperty("saleId").GetString() == Id).Select(order => order.GetProperty("id").GetString()!)];
    }

    /// <summary>The books of the sale agree.</summary>
    public async Task AssertReconciledAsync()
    {
        var report = (await ConsoleServer.SendAsync(shop.Server.Operator(), HttpMethod.Get, $"sales/{Id}/reconciliation")).Expect(HttpStatusCode.OK).Json;
        Assert.Equal("[]", report.GetProperty("violations").GetRawText());
    }
}
