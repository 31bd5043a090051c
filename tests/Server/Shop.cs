using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;

using FlashSale.Tests.Server;

using Xunit;

[assembly: AssemblyFixture(typeof(Shop))]

namespace FlashSale.Tests.Server;

/// <summary>
/// Servers that many tests share, each started when the first of them asks: one as it comes, and one whose order tokens are good at once, so that a test of
/// something else does not wait for them. Every test has a sale of its own.
/// </summary>
public sealed class Shop : IAsyncDisposable
{
    private readonly Lazy<Task<TestServer>> strict = new(() => TestServer.StartAsync());
    private readonly Lazy<Task<TestServer>> quick = new(() => TestServer.StartAsync(("FlashSale__Tokens__MinimumAge", "00:00:00")));

    public Task<TestServer> StrictAsync() => strict.Value;

    public Task<TestServer> QuickAsync() => quick.Value;

    public async Task<ShopSale> OpenAsync(ShopTerms? terms = null) => await ShopSale.OpenAsync(await QuickAsync(), terms ?? new ShopTerms());

    public async ValueTask DisposeAsync()
    {
        foreach (var server in new[] { strict, quick }.Where(server => server.IsValueCreated))
        {
            await (await server.Value).DisposeAsync();
        }
    }
}

/// <summary>What the sale of a test is like.</summary>
public sealed record ShopTerms(int Stock = 10, int Limit = 1)
{
    public TimeSpan OpensIn { get; init; } = TimeSpan.FromSeconds(-1);

    public int PaymentWindowSeconds { get; init; } = 900;

    /// <summary>Orders of so many milliseconds after the opening are drawn by lot.</summary>
    public int DrawMs { get; init; }

    /// <summary>Reservations are taken until the sale opens.</summary>
    public bool RequiresReservation { get; init; }

    public int RiskThreshold { get; init; } = 100;

    /// <summary>As operators send them; null: the defaults.</summary>
    public object? Defences { get; init; }
}

/// <summary>A published sale with one offer, and the calls that people make about it.</summary>
public sealed class ShopSale
{
    public const int Price = 9_900;
    private static int numbers;
    private readonly HttpClient client;
    private readonly string admin;
    private Dictionary<string, object?> definition = [];

    private ShopSale(TestServer server)
    {
        Server = server;
        client = server.Anonymous();
        admin = server.CreateSession("olga", "operator", "auditor");
    }

    public TestServer Server { get; }

    public string Id { get; private set; } = "";

    public string OfferId { get; private set; } = "";

    public DateTimeOffset OpensAt { get; private set; }

    public static async Task<ShopSale> OpenAsync(TestServer server, ShopTerms terms)
    {
        var sale = new ShopSale(server);
        var now = TimeProvider.System.GetUtcNow();
        sale.OpensAt = now + terms.OpensIn;
        sale.definition = new Dictionary<string, object?>
        {
            ["slug"] = $"shop-{Interlocked.Increment(ref numbers)}",
            ["title"] = new { zh = "端午", en = "Dragon Boat" },
            ["reservationOpensAt"] = terms.RequiresReservation ? now.AddHours(-1) : null,
            ["reservationClosesAt"] = terms.RequiresReservation ? sale.OpensAt : null,
            ["opensAt"] = sale.OpensAt,
            ["closesAt"] = now.AddHours(1),
            ["requiresReservation"] = terms.RequiresReservation,
            ["ordering"] = "synchronous",
            ["deduction"] = "order",
            ["paymentWindowSeconds"] = terms.PaymentWindowSeconds,
            ["riskThreshold"] = terms.RiskThreshold,
            ["defences"] = terms.Defences ?? new { drawMs = terms.DrawMs },
            ["offers"] = new[] { Offer(terms, now) },
        };
        var created = (await sale.AdminAsync(HttpMethod.Post, "sales", sale.definition)).Expect(HttpStatusCode.Created);
        sale.Id = created.Text("id");
        sale.OfferId = created.Json.GetProperty("offers")[0].GetProperty("id").GetString()!;
        (await sale.AdminAsync(HttpMethod.Post, $"sales/{sale.Id}/publication")).Expect(HttpStatusCode.OK);
        (await sale.AdminAsync(HttpMethod.Post, $"sales/{sale.Id}/warm-up")).Expect(HttpStatusCode.OK);
        return sale;
    }

    /// <summary>Somebody whom no test has seen before.</summary>
    public Shopper NewShopper(params string[] roles) => Named($"user-{Interlocked.Increment(ref numbers)}", roles);

    public Shopper Named(string user, params string[] roles) => new(this, user, Server.CreateSession(user, roles));

    public Task<Reply> AdminAsync(HttpMethod method, string path, object? body = null) => SendAsync(method, "/api/v1/admin/" + path, admin, body);

    /// <summary>What an operator may do until it opens. Reservations, where the sale takes any, end at the opening as before.</summary>
    public async Task MoveOpeningAsync(TimeSpan opensIn)
    {
        OpensAt = TimeProvider.System.GetUtcNow() + opensIn;
        definition["opensAt"] = OpensAt;
        definition["reservationClosesAt"] = definition["reservationClosesAt"] is null ? null : OpensAt;
        using var request = new HttpRequestMessage(HttpMethod.Put, new Uri($"/api/v1/admin/sales/{Id}", UriKind.Relative)) { Content = JsonContent.Create(definition) };
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + admin);
        request.Headers.TryAddWithoutValidation("If-Match", "*");
        (await SendAsync(request)).Expect(HttpStatusCode.OK);
    }

    public async Task HaltAsync(string action) =>
        (await AdminAsync(HttpMethod.Post, $"sales/{Id}/{action}", new { reason = "a test" })).Expect(HttpStatusCode.OK);

    public async Task<JsonElement> ReadStateAsync() =>
        (await SendAsync(HttpMethod.Get, $"/api/v1/sales/{Id}/state", session: null)).Expect(HttpStatusCode.OK).Json;

    /// <summary>The books of the sale agree, and the gate with them.</summary>
    public async Task<JsonElement> AssertReconciledAsync()
    {
        var report = (await AdminAsync(HttpMethod.Get, $"sales/{Id}/reconciliation")).Expect(HttpStatusCode.OK).Json;
        Assert.Equal("[]", report.GetProperty("violations").GetRawText());
        return report.GetProperty("offers")[0];
    }

    /// <summary>What the payment provider sends; everything is as it should be unless a test says otherwise.</summary>
    public async Task<Reply> CallbackAsync(string paymentId, string orderId, string status = "paid", long amount = Price, string currency = "CNY", string? signature = null)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(new { paymentId, orderId, amount = new { amount, currency }, status });
        return await SignedAsync(body, signature ?? Sign(body));
    }

    public string Sign(byte[] body) => Convert.ToBase64String(HMACSHA256.HashData(Server.SandboxSecret, body));

    /// <param name="signature">Empty: none is sent.</param>
    public async Task<Reply> SignedAsync(byte[] body, string signature)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1/payment-callbacks/sandbox", UriKind.Relative));
        request.Content = new ByteArrayContent(body);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        if (signature.Length > 0)
        {
            request.Headers.TryAddWithoutValidation("X-Signature", signature);
        }

        return await SendAsync(request);
    }

    public async Task<Reply> SendAsync(HttpMethod method, string path, string? session, object? body = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        request.Content = body as HttpContent ?? (body is null ? null : JsonContent.Create(body));
        if (session is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + session);
        }

        return await SendAsync(request);
    }

    public async Task<Reply> SendAsync(HttpRequestMessage request)
    {
        using var response = await client.SendAsync(request);
        return await Reply.ReadAsync(response);
    }

    private static object Offer(ShopTerms terms, DateTimeOffset now) => new
    {
        sku = "coupon",
        title = new { zh = "三万元", en = "30,000 yuan" },
        faceValue = new { amount = 3_000_000, currency = "CNY" },
        price = new { amount = Price, currency = "CNY" },
        stock = terms.Stock,
        perUserLimit = terms.Limit,
        validFrom = now.AddHours(-1),
        validUntil = now.AddDays(30),
    };
}

/// <summary>One shopper of a sale.</summary>
public sealed class Shopper(ShopSale sale, string userId, string session)
{
    public string UserId { get; } = userId;

    public Task<Reply> AskTokenAsync() => SendAsync(HttpMethod.Post, $"/api/v1/offers/{sale.OfferId}/order-tokens");

    public async Task<string> TokenAsync() => (await AskTokenAsync()).Expect(HttpStatusCode.Created).Text("token");

    public Task<Reply> SubmitAsync(string token) => SendAsync(HttpMethod.Post, "/api/v1/orders", new { token });

    /// <summary>An order, which must succeed.</summary>
    public async Task<Reply> OrderAsync() => (await SubmitAsync(await TokenAsync())).Expect(HttpStatusCode.Created);

    public Task<Reply> ReadAsync(string orderId) => SendAsync(HttpMethod.Get, "/api/v1/orders/" + orderId);

    public Task<Reply> CancelAsync(string orderId) => SendAsync(HttpMethod.Post, $"/api/v1/orders/{orderId}/cancellation");

    public Task<Reply> ExtendAsync(string orderId) => SendAsync(HttpMethod.Post, $"/api/v1/orders/{orderId}/extension");

    public Task<Reply> StartPaymentAsync(string orderId) => SendAsync(HttpMethod.Post, $"/api/v1/orders/{orderId}/payments");

    /// <summary>An order whose payment is started; null when its payment window was over before, because the machine stood still.</summary>
    public async Task<(Reply Order, string Payment)?> HoldAsync()
    {
        var order = await OrderAsync();
        var started = await StartPaymentAsync(order.Text("id"));
        return started.Status == HttpStatusCode.Conflict && TimeProvider.System.GetUtcNow() >= PayBeforeOf(order)
            ? null
            : (order, started.Expect(HttpStatusCode.Created).Text("id"));
    }

    public static DateTimeOffset PayBeforeOf(Reply order) => order.Json.GetProperty("payBefore").GetDateTimeOffset();

    /// <summary>An order that is paid; its document.</summary>
    public async Task<Reply> BuyAsync()
    {
        var order = (await OrderAsync()).Text("id");
        var payment = (await StartPaymentAsync(order)).Expect(HttpStatusCode.Created).Text("id");
        (await sale.CallbackAsync(payment, order)).Expect(HttpStatusCode.NoContent);
        return (await ReadAsync(order)).Expect(HttpStatusCode.OK);
    }

    public Task<Reply> ReserveAsync() => SendAsync(HttpMethod.Post, $"/api/v1/sales/{sale.Id}/reservations");

    public Task<Reply> SendAsync(HttpMethod method, string path, object? body = null) => sale.SendAsync(method, path, session, body);
}
