using System.Net;
using System.Text.Json;

using FlashSale.Tests.Server.Console;

using Xunit;

namespace FlashSale.Tests.Server.Hosting;

public sealed class OpenApiTests(ConsoleServer console) : IClassFixture<ConsoleServer>
{
    [Theory]
    [InlineData("/api/v1/time", "get")]
    [InlineData("/api/v1/sales", "get")]
    [InlineData("/api/v1/sales/{saleId}", "get")]
    [InlineData("/api/v1/sales/{saleId}/state", "get")]
    [InlineData("/api/v1/sales/{saleId}/me", "get")]
    [InlineData("/api/v1/sales/{saleId}/reservations", "post")]
    [InlineData("/api/v1/sales/{saleId}/reservations/me", "get")]
    [InlineData("/api/v1/offers/{offerId}/order-tokens", "post")]
    [InlineData("/api/v1/orders", "post")]
    [InlineData("/api/v1/orders", "get")]
    [InlineData("/api/v1/orders/{orderId}", "get")]
    [InlineData("/api/v1/orders/{orderId}/payments", "post")]
    [InlineData("/api/v1/orders/{orderId}/cancellation", "post")]
    [InlineData("/api/v1/payment-callbacks/sandbox", "post")]
    [InlineData("/api/v1/coupons/{code}", "get")]
    [InlineData("/api/v1/coupons/{code}/redemption", "post")]
    [InlineData("/api/v1/admin/sales", "post")]
    [InlineData("/api/v1/admin/sales", "get")]
    [InlineData("/api/v1/admin/sales/{saleId}", "get")]
    [InlineData("/api/v1/admin/sales/{saleId}", "put")]
    [InlineData("/api/v1/admin/sales/{saleId}/publication", "post")]
    [InlineData("/api/v1/admin/sales/{saleId}/warm-up", "post")]
    [InlineData("/api/v1/admin/sales/{saleId}/pause", "post")]
    [InlineData("/api/v1/admin/sales/{saleId}/resumption", "post")]
    [InlineData("/api/v1/admin/sales/{saleId}/closure", "post")]
    [InlineData("/api/v1/admin/sales/{saleId}/readiness", "get")]
    [InlineData("/api/v1/admin/sales/{saleId}/reconciliation", "get")]
    [InlineData("/api/v1/admin/sales/{saleId}/export", "get")]
    [InlineData("/api/v1/admin/offers/{offerId}/stock-adjustments", "post")]
    [InlineData("/api/v1/admin/blacklist/{userId}", "get")]
    [InlineData("/api/v1/admin/blacklist/{userId}", "put")]
    [InlineData("/api/v1/admin/blacklist/{userId}", "delete")]
    [InlineData("/api/v1/admin/blacklist", "get")]
    [InlineData("/api/v1/admin/blacklist/devices/{device}", "put")]
    [InlineData("/api/v1/admin/blacklist/addresses/{address}/{prefix}", "put")]
    [InlineData("/api/v1/admin/blacklist-entries", "post")]
    [InlineData("/api/v1/admin/audit", "get")]
    [InlineData("/api/v1/admin/audit/head", "get")]
    [InlineData("/api/v1/admin/audit/export", "get")]
    [InlineData("/api/v1/admin/orders", "get")]
    [InlineData("/api/v1/admin/orders/{orderId}", "get")]
    [InlineData("/api/v1/admin/orders/{orderId}/cancellation", "post")]
    [InlineData("/api/v1/admin/orders/{orderId}/refund", "post")]
    [InlineData("/api/v1/admin/sales/{saleId}/assessments", "get")]
    [InlineData("/api/v1/admin/sales/{saleId}/risk-dry-run", "post")]
    [InlineData("/api/v1/admin/assessments/{reservationId}/retry", "post")]
    [InlineData("/api/v1/admin/assessments/{reservationId}/decision", "post")]
    [InlineData("/api/v1/admin/risk/rules", "get")]
    [InlineData("/api/v1/admin/risk/users/{userId}", "delete")]
    public async Task Document_ForEveryCallOfTheApi_DescribesItAndItsProblems(string path, string method)
    {
        var call = (await ReadAsync()).GetProperty("paths").GetProperty(path).GetProperty(method);

        Assert.False(string.IsNullOrWhiteSpace(call.GetProperty("summary").GetString()));
        var responses = call.GetProperty("responses").EnumerateObject().ToList();
        Assert.Contains(responses, response => response.Name.StartsWith('2'));
        Assert.All(
            responses.Where(response => response.Name[0] is not ('2' or '3')),
            response => Assert.Equal(
                "#/components/schemas/ProblemDocument",
                response.Value.GetProperty("content").GetProperty("application/problem+json").GetProperty("schema").GetProperty("$ref").GetString()));
    }

    [Fact]
    public async Task Document_ForTheTypesOfTheApi_SaysWhatTheJsonIs()
    {
        var document = await ReadAsync();

        Assert.StartsWith("3.1.", document.GetProperty("openapi").GetString());
        Assert.Equal("MIT", document.GetProperty("info").GetProperty("license").GetProperty("identifier").GetString());
        var schemas = document.GetProperty("components").GetProperty("schemas");
        var phase = schemas.GetProperty("SalePhase");
        Assert.Equal("string", phase.GetProperty("type").GetString());
        Assert.Contains("sold_out", phase.GetProperty("enum").EnumerateArray().Select(word => word.GetString()));
        var sale = schemas.GetProperty("SaleDocument");
        var opensAt = sale.GetProperty("properties").GetProperty("opensAt");
        Assert.Equal(("string", "date-time"), (opensAt.GetProperty("type").GetString(), opensAt.GetProperty("format").GetString()));
        var required = sale.GetProperty("required").EnumerateArray().Select(name => name.GetString()).ToList();
        Assert.Contains("opensAt", required);
        Assert.DoesNotContain("reservationOpensAt", required);
        Assert.Contains("nextCursor", schemas.GetProperty("PageOfSaleDocument").GetProperty("required").EnumerateArray().Select(name => name.GetString()));
        Assert.Equal("integer", schemas.GetProperty("Money").GetProperty("properties").GetProperty("amount").GetProperty("type").GetString());
        var errors = schemas.GetProperty("ProblemDocument").GetProperty("properties").GetProperty("errors").GetProperty("additionalProperties");
        Assert.Equal("array", errors.GetProperty("type").GetString());
    }

    [Fact]
    public async Task Calls_WhenTheDocumentSaysThatTheyNeedASession_RefuseWhoHasNone()
    {
        var document = await ReadAsync();
        var stranger = console.Server.Anonymous();
        var shopper = console.Server.SignedIn("anna", "dealer");
        foreach (var path in document.GetProperty("paths").EnumerateObject())
        {
            foreach (var call in path.Value.EnumerateObject().Where(call => call.Value.TryGetProperty("security", out _)))
            {
                var address = path.Name.Replace("{", "", StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal);
                var answer = await ConsoleServer.SendAsync(stranger, new HttpMethod(call.Name), address, call.Name == "post" ? new System.Text.Json.Nodes.JsonObject() : null);
                answer.ExpectProblem(HttpStatusCode.Unauthorized, "unauthenticated");
                if (address.StartsWith("/api/v1/admin/", StringComparison.Ordinal))
                {
                    (await ConsoleServer.SendAsync(shopper, new HttpMethod(call.Name), address)).ExpectProblem(HttpStatusCode.Forbidden, "forbidden");
                }
            }
        }
    }

    private async Task<JsonElement> ReadAsync() =>
        (await ConsoleServer.SendAsync(console.Server.Anonymous(), HttpMethod.Get, "/openapi/v1.json")).Expect(HttpStatusCode.OK).Json;
}
