using System.Net;
using System.Text.Json;

using FlashSale.Tests.Server.Risk;

using Xunit;

namespace FlashSale.Tests.Server.Telemetry;

/// <summary>Logs are for whoever looks after the machine, who needs to know nobody's name.</summary>
public sealed class LogTests
{
    private const string Name = "Wang-Xiaoming";
    private const string Phone = "+86 139 1234 5678";
    private const string ProviderKey = "a-secret-of-the-provider";

    /// <summary>Everything that people do, at the most talkative level that an operator may set.</summary>
    [Theory]
    [InlineData("text")]
    [InlineData("json")]
    public async Task Log_OfASaleWithEverything_HasNoSecretAndNobodysData(string format)
    {
        await using var sandbox = await RiskServers.StartSandboxAsync();
        await using var server = await TestServer.StartAsync(
        [
            .. RiskServers.Asking(sandbox), ("FlashSale__Demo", "true"), ("FlashSale__Telemetry__LogFormat", format), ("Logging__LogLevel__Default", "Debug"),
            ("Logging__LogLevel__Microsoft.AspNetCore", "Debug"), ("FlashSale__Tokens__SigningKey", TestServer.NewKey()),
        ]);
        var signedIn = (await SendAsync(server, "/api/v1/demo/sessions", new { userId = "user-of-the-log-test" })).Expect(HttpStatusCode.OK).Text("token");
        var sale = await ShopSale.OpenAsync(server, new ShopTerms());
        var shopper = sale.NewShopper();
        var token = await shopper.TokenAsync();
        var order = (await shopper.SubmitAsync(token)).Expect(HttpStatusCode.Created).Text("id");
        (await shopper.SendAsync(HttpMethod.Put, $"/api/v1/orders/{order}/contact", new { name = Name, phone = Phone, city = "Hangzhou" })).Expect(HttpStatusCode.OK);
        var payment = (await shopper.StartPaymentAsync(order)).Expect(HttpStatusCode.Created).Text("id");
        (await sale.CallbackAsync(payment, order)).Expect(HttpStatusCode.NoContent);
        (await sale.CallbackAsync(payment, order, signature: "forged-signature")).ExpectProblem();
        var coupon = (await shopper.ReadAsync(order)).Expect(HttpStatusCode.OK).Json.GetProperty("coupon").GetProperty("code").GetString()!;
        (await shopper.SubmitAsync(token + "x")).ExpectProblem(HttpStatusCode.Forbidden, "order-token-rejected");
        var reserving = await RiskServers.OpenAsync(server);
        await reserving.NewShopper().ReserveAsync();
        await RiskServers.BehaveAsync(sandbox, new { failPercent = 100 });
        await reserving.NewShopper().ReserveAsync();
        await Eventually.HoldsAsync(async () => (await reserving.AssessmentsAsync()).Exists(one => one.GetProperty("attempts").GetInt32() > 0), "a provider fails");
        await server.StopAsync();

        Assert.All(
            [signedIn, token, coupon, Name, Phone, "1234 5678", server.AuthKey, Convert.ToBase64String(server.SandboxSecret), ProviderKey, "forged-signature", sale.Sign([1]), server.CreateSession("x")[..20]],
            secret => Assert.DoesNotContain(secret, server.Log, StringComparison.Ordinal));
        Assert.Contains("Application started", server.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Log_InJson_HasOneObjectALineWithTheTraceId()
    {
        const string Trace = "0af7651916cd43dd8448eb211c80319c";
        await using var server = await TestServer.StartAsync(("FlashSale__Telemetry__LogFormat", "json"), ("FlashSale__Tokens__MinimumAge", "00:00:00"));
        var sale = await ShopSale.OpenAsync(server, new ShopTerms());
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1/orders", UriKind.Relative)) { Content = System.Net.Http.Json.JsonContent.Create(new { token = "forged" }) };
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + server.CreateSession("anna"));
        request.Headers.TryAddWithoutValidation("traceparent", $"00-{Trace}-b7ad6b7169203331-01");
        (await sale.SendAsync(request)).ExpectProblem(HttpStatusCode.Forbidden, "order-token-rejected");

        // Refusals have no line of their own: how many there were is said every ten seconds, with an example.
        await Eventually.HoldsAsync(() => server.Log.Contains(Trace, StringComparison.Ordinal), "the refusals are summed up");
        await server.StopAsync();

        var lines = server.Log.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line)).ToArray();
        Assert.NotEmpty(lines);
        Assert.All(lines, line => Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", line.GetProperty("Timestamp").GetString()!));
        Assert.Single(lines, line => line.GetProperty("Message").GetString()!.Contains(Trace, StringComparison.Ordinal));
    }

    private static async Task<Reply> SendAsync(TestServer server, string path, object body)
    {
        using var response = await System.Net.Http.Json.HttpClientJsonExtensions.PostAsJsonAsync(server.Anonymous(), new Uri(path, UriKind.Relative), body);
        return await Reply.ReadAsync(response);
    }
}
