using System.Text.Json;
using System.Text.Json.Nodes;

namespace FlashSale.Tests.Server.Http;

/// <summary>One call of the API, as the OpenAPI document lists it.</summary>
public sealed record ApiCall(HttpMethod Method, string Path, bool HasBody)
{
    public bool HasParameter => Path.Contains('{', StringComparison.Ordinal);

    /// <summary>Open to everybody; the callback and the demo have no session, the rest is public reading.</summary>
    public bool NeedsSession => Path is not ("/api/v1/time" or "/api/v1/payment-callbacks/sandbox" or "/api/v1/demo/sessions")
        && !(Method == HttpMethod.Get && Path.StartsWith("/api/v1/sales", StringComparison.Ordinal) && !Path.EndsWith("/reservations/me", StringComparison.Ordinal));

    public bool NeedsRole => Path.StartsWith("/api/v1/admin/", StringComparison.Ordinal) || Path.StartsWith("/api/v1/coupons/", StringComparison.Ordinal);

    public override string ToString() => $"{Method} {Path}";

    /// <summary>Every call that a server offers: a new one cannot be forgotten.</summary>
    public static IReadOnlyList<ApiCall> ReadAll(JsonElement openApi) =>
    [
        .. openApi.GetProperty("paths").EnumerateObject().SelectMany(path => path.Value.EnumerateObject().Select(operation => new ApiCall(
            HttpMethod.Parse(operation.Name), path.Name, operation.Value.TryGetProperty("requestBody", out _)))),
    ];
}

/// <summary>A body that is right, for every call that takes one.</summary>
public static class GoodBodies
{
    private static int numbers;

    public static JsonObject Of(ApiCall call)
    {
        var now = TimeProvider.System.GetUtcNow();
        return call.Path switch
        {
            "/api/v1/orders" => new JsonObject { ["token"] = "AQ" },
            "/api/v1/orders/{orderId}/contact" => new JsonObject { ["name"] = "王小明", ["phone"] = "+86 139 0000 0000", ["city"] = "杭州" },
            "/api/v1/payment-callbacks/sandbox" => new JsonObject
            {
                ["paymentId"] = Guid.NewGuid().ToString("N"),
                ["orderId"] = Guid.NewGuid().ToString("N"),
                ["amount"] = new JsonObject { ["amount"] = ShopSale.Price, ["currency"] = "CNY" },
                ["status"] = "paid",
            },
            "/api/v1/sales/{saleId}/reservations" or "/api/v1/offers/{offerId}/order-tokens" => new JsonObject
            {
                ["visit"] = "AQ", ["solution"] = new JsonObject { ["challenge"] = "AQ", ["nonce"] = "17", ["answer"] = "7" },
            },
            "/api/v1/demo/sessions" => new JsonObject { ["userId"] = "alice", ["roles"] = new JsonArray("dealer") },
            "/api/v1/admin/sales" or "/api/v1/admin/sales/{saleId}" => Sale(now),
            "/api/v1/admin/offers/{offerId}/stock-adjustments" => new JsonObject
            {
                ["delta"] = 1, ["reason"] = "found one", ["reference"] = "T-1", ["expectedAvailable"] = 10,
            },
            "/api/v1/admin/limits" => new JsonObject { ["address"] = new JsonObject { ["perSecond"] = 1_000, ["burst"] = 4_000 } },
            _ when call.Path.StartsWith("/api/v1/admin/blacklist/", StringComparison.Ordinal) => new JsonObject { ["reason"] = "scalper", ["source"] = "test", ["expiresAt"] = now.AddDays(1).ToString("O") },
            "/api/v1/admin/orders/{orderId}/cancellation" or "/api/v1/admin/orders/{orderId}/refund" => new JsonObject { ["reason"] = "a test" },
            "/api/v1/admin/assessments/{reservationId}/decision" => new JsonObject { ["status"] = "rejected", ["reason"] = "a farm" },
            "/api/v1/admin/site/rollback" or "/api/v1/admin/site/publication" => new JsonObject { ["reason"] = "a test" },
            "/api/v1/admin/assessments/{reservationId}/retry" => new JsonObject { ["reason"] = "the provider is back" },
            "/api/v1/admin/sales/{saleId}/risk-dry-run" => new JsonObject { ["threshold"] = 40 },
            _ when call.Path.StartsWith("/api/v1/admin/sales/{saleId}/", StringComparison.Ordinal) => new JsonObject { ["reason"] = "a test" },
            _ => throw new InvalidOperationException($"{call} takes a body that no test knows: add it here."),
        };
    }

    private static JsonObject Sale(DateTimeOffset now) => new()
    {
        ["slug"] = $"hostile-{Interlocked.Increment(ref numbers)}",
        ["title"] = new JsonObject { ["zh"] = "端午", ["en"] = "Dragon Boat" },
        ["reservationOpensAt"] = now.AddHours(1).ToString("O"),
        ["reservationClosesAt"] = now.AddHours(2).ToString("O"),
        ["opensAt"] = now.AddHours(3).ToString("O"),
        ["closesAt"] = now.AddHours(4).ToString("O"),
        ["requiresReservation"] = true,
        ["ordering"] = "synchronous",
        ["deduction"] = "order",
        ["paymentWindowSeconds"] = 900,
        ["riskThreshold"] = 50,
        ["offers"] = new JsonArray(new JsonObject
        {
            ["sku"] = "coupon",
            ["title"] = new JsonObject { ["zh"] = "三万元", ["en"] = "30,000 yuan" },
            ["faceValue"] = new JsonObject { ["amount"] = 3_000_000, ["currency"] = "CNY" },
            ["price"] = new JsonObject { ["amount"] = ShopSale.Price, ["currency"] = "CNY" },
            ["stock"] = 10,
            ["perUserLimit"] = 1,
            ["validFrom"] = now.ToString("O"),
            ["validUntil"] = now.AddDays(30).ToString("O"),
        }),
    };
}
