using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

using Microsoft.Data.Sqlite;

using Xunit;

namespace FlashSale.Tests.Server.Console;

/// <summary>One server for a class of tests, and the calls of an operator.</summary>
public sealed class ConsoleServer : IAsyncLifetime
{
    private int sales;

    public TestServer Server { get; private set; } = null!;

    public HttpClient Operator { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Server = await TestServer.StartAsync(("FlashSale__Tokens__MinimumAge", "00:00:00"));
        Operator = Server.Operator();
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    /// <summary>A definition that nothing is wrong with: one offer of 10 units, open from now for an hour.</summary>
    public JsonObject Definition()
    {
        var now = TimeProvider.System.GetUtcNow();
        return new JsonObject
        {
            ["slug"] = $"sale-{Interlocked.Increment(ref sales)}",
            ["title"] = new JsonObject { ["zh"] = "优惠券", ["en"] = "Coupons" },
            ["opensAt"] = Rfc3339(now.AddSeconds(-1)),
            ["closesAt"] = Rfc3339(now.AddHours(1)),
            ["requiresReservation"] = false,
            ["offers"] = new JsonArray(Offer("A")),
        };
    }

    public static JsonObject Offer(string sku, int stock = 10) => new()
    {
        ["sku"] = sku,
        ["title"] = new JsonObject { ["zh"] = "三万元", ["en"] = "30,000 yuan" },
        ["faceValue"] = new JsonObject { ["amount"] = 3_000_000, ["currency"] = "CNY" },
        ["price"] = new JsonObject { ["amount"] = 9_900, ["currency"] = "CNY" },
        ["stock"] = stock,
        ["perUserLimit"] = 1,
        ["validFrom"] = "2026-01-01T00:00:00Z",
        ["validUntil"] = "2099-01-01T00:00:00Z",
    };

    public static string Rfc3339(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'");

    public async Task<Answer> CreateAsync(JsonObject? definition = null) =>
        (await SendAsync(Operator, HttpMethod.Post, "sales", definition ?? Definition())).Expect(HttpStatusCode.Created);

    public async Task<Answer> PublishAsync(JsonObject? definition = null)
    {
        var created = await CreateAsync(definition);
        return (await SendAsync(Operator, HttpMethod.Post, $"sales/{created.Id}/publication")).Expect(HttpStatusCode.OK);
    }

    /// <summary>The order that this user now has.</summary>
    public async Task<Answer> OrderAsync(string offerId, string userId)
    {
        var shopper = Server.SignedIn(userId);
        var token = (await SendAsync(shopper, HttpMethod.Post, $"/api/v1/offers/{offerId}/order-tokens")).Expect(HttpStatusCode.Created);
        var body = new JsonObject { ["token"] = token.Json.GetProperty("token").GetString() };
        return (await SendAsync(shopper, HttpMethod.Post, "/api/v1/orders", body)).Expect(HttpStatusCode.Created);
    }

    /// <summary>The sandbox provider reports the payment of this user's order.</summary>
    public async Task PayAsync(string orderId, string userId)
    {
        var payment = (await SendAsync(Server.SignedIn(userId), HttpMethod.Post, $"/api/v1/orders/{orderId}/payments")).Expect(HttpStatusCode.Created);
        var callback = new JsonObject
        {
            ["paymentId"] = payment.Id,
            ["orderId"] = orderId,
            ["amount"] = new JsonObject { ["amount"] = 9_900, ["currency"] = "CNY" },
            ["status"] = "paid",
        };
        var bytes = Encoding.UTF8.GetBytes(callback.ToJsonString());
        using var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        content.Headers.Add("X-Signature", Convert.ToBase64String(HMACSHA256.HashData(Server.SandboxSecret, bytes)));
        using var answer = await Server.Anonymous().PostAsync(new Uri("/api/v1/payment-callbacks/sandbox", UriKind.Relative), content);
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
    }

    /// <summary>An order is placed and paid, and its books are edited by hand: a balance, a coupon that is gone, a payment that failed.</summary>
    public async Task TamperAsync(Answer published)
    {
        var order = await OrderAsync(published.OfferId, "anna");
        await PayAsync(order.Id, "anna");
        await Server.StopAsync();
        using (var connection = new SqliteConnection($"Data Source={Path.Combine(Server.DataDirectory, "flashsale.db")};Pooling=false"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "UPDATE stock_changes SET balance_after = 8 WHERE seq = 2; DELETE FROM coupons; UPDATE payments SET status = 'failed'";
            command.ExecuteNonQuery();
        }

        await Server.RestartAsync();
    }

    public Task<Answer> GetAsync(string path) => SendAsync(Operator, HttpMethod.Get, path);

    public Task<Answer> PostAsync(string path, JsonNode? body = null, string? ifMatch = null) => SendAsync(Operator, HttpMethod.Post, path, body, ifMatch);

    public Task<Answer> PutAsync(string path, JsonNode? body, string? ifMatch) => SendAsync(Operator, HttpMethod.Put, path, body, ifMatch);

    /// <param name="path">Below <c>/api/v1/admin/</c>; from the root with a slash in front.</param>
    public static async Task<Answer> SendAsync(HttpClient client, HttpMethod method, string path, JsonNode? body = null, string? ifMatch = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(path.StartsWith('/') ? path : "/api/v1/admin/" + path, UriKind.Relative));
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body.ToJsonString()));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        if (ifMatch is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        }

        using var response = await client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return new Answer(
            response.StatusCode, response.Headers.ETag?.ToString(), response.Headers.Location?.ToString(), response.Content.Headers.ContentType?.MediaType, text);
    }
}

/// <summary>What the server answered.</summary>
public sealed record Answer(HttpStatusCode Status, string? ETag, string? Location, string? MediaType, string Text)
{
    public JsonElement Json => JsonElement.Parse(Text);

    public string Id => Json.GetProperty("id").GetString()!;

    public string OfferId => Json.GetProperty("offers")[0].GetProperty("id").GetString()!;

    public string? Code => Json.GetProperty("code").GetString();

    /// <summary>The paths of the invalid fields.</summary>
    public IReadOnlyList<string> Errors => [.. Json.GetProperty("errors").EnumerateObject().Select(error => error.Name)];

    public Answer Expect(HttpStatusCode status)
    {
        Assert.True(Status == status, $"{(int)Status} instead of {(int)status}: {Text}");
        return this;
    }

    /// <summary>A problem document with this code.</summary>
    public Answer ExpectProblem(HttpStatusCode status, string code)
    {
        Expect(status);
        Assert.Equal("application/problem+json", MediaType);
        Assert.Equal(code, Code);
        Assert.Equal("none", Json.GetProperty("effect").GetString());
        return this;
    }
}
