using System.Net;
using System.Net.Http.Headers;
using System.Text;

using Xunit;

namespace FlashSale.Tests.Server.Http;

/// <summary>A server with every endpoint there is, the demo's too, and a sale with an order, a payment and a coupon that hostile requests name.</summary>
public sealed class HostileShop : IAsyncLifetime
{
    private string order = "";
    private string reservation = "";
    private string coupon = "";

    public TestServer Server { get; private set; } = null!;

    public ShopSale Victim { get; private set; } = null!;

    public IReadOnlyList<ApiCall> Calls { get; private set; } = [];

    /// <summary>May do everything, so that a request reaches what it attacks.</summary>
    public string Session { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        Server = await TestServer.StartAsync(("FlashSale__Tokens__MinimumAge", "00:00:00"), ("FlashSale__Demo", "true"));
        Session = Server.CreateSession("mallory", "operator", "approver", "risk", "dealer", "auditor");
        await RenewAsync();
        var coming = await ShopSale.OpenAsync(Server, new ShopTerms { RequiresReservation = true, OpensIn = TimeSpan.FromMinutes(30) });
        reservation = (await coming.Named("mallory").ReserveAsync()).Expect(HttpStatusCode.Created).Text("id");
        var document = await Victim.SendAsync(HttpMethod.Get, "/openapi/v1.json", session: null);
        Calls = ApiCall.ReadAll(document.Expect(HttpStatusCode.OK).Json);
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    /// <summary>A fresh victim, since a request that turns out to be right may close the sale.</summary>
    public async Task RenewAsync()
    {
        Victim = await ShopSale.OpenAsync(Server, new ShopTerms(Stock: 100, Limit: 10));
        var mallory = Victim.Named("mallory");
        coupon = (await mallory.BuyAsync()).Json.GetProperty("coupon").GetProperty("code").GetString()!;
        order = (await mallory.OrderAsync()).Text("id");
        (await mallory.StartPaymentAsync(order)).Expect(HttpStatusCode.Created);
    }

    /// <param name="hostile">Stands in for every parameter; null: those of the victim.</param>
    public string PathOf(ApiCall call, string? hostile = null) => call.Path
        .Replace("{saleId}", hostile ?? Victim.Id, StringComparison.Ordinal)
        .Replace("{offerId}", hostile ?? Victim.OfferId, StringComparison.Ordinal)
        .Replace("{orderId}", hostile ?? order, StringComparison.Ordinal)
        .Replace("{reservationId}", hostile ?? reservation, StringComparison.Ordinal)
        .Replace("{code}", hostile ?? coupon, StringComparison.Ordinal)
        .Replace("{device}", hostile ?? "00000000000000ab", StringComparison.Ordinal)
        .Replace("{address}", hostile ?? "203.0.113.0", StringComparison.Ordinal)
        .Replace("{prefix}", hostile ?? "24", StringComparison.Ordinal)
        .Replace("{userId}", hostile ?? "somebody", StringComparison.Ordinal);

    public async Task<Reply> SendAsync(ApiCall call, byte[]? body, string? mediaType = "application/json", string? path = null, Action<HttpRequestMessage>? with = null)
    {
        using var request = new HttpRequestMessage(call.Method, new Uri(path ?? PathOf(call), UriKind.Relative));
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + Session);
        request.Headers.TryAddWithoutValidation("If-Match", "*");
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = mediaType is null ? null : MediaTypeHeaderValue.Parse(mediaType);
            request.Headers.TryAddWithoutValidation("X-Signature", Victim.Sign(body));
        }

        with?.Invoke(request);
        return await Victim.SendAsync(request);
    }

    /// <summary>The server said no properly, or yes: it did not break.</summary>
    public static void AssertUnbroken(Reply reply, string what)
    {
        Assert.True((int)reply.Status < 500, $"{reply.Asked} with {what}: {(int)reply.Status} {reply.Body}");
        if ((int)reply.Status >= 400)
        {
            reply.ExpectProblem();
            Assert.Equal(reply.Text("code") == "coupon-already-redeemed" ? "applied" : "none", reply.Text("effect"));
        }
    }

    /// <summary>Afterwards: it is ready, sells, its books agree, and nothing broke inside.</summary>
    public async Task AssertHealthyAsync()
    {
        (await Victim.SendAsync(HttpMethod.Get, "/healthz/ready", session: null)).Expect(HttpStatusCode.OK);
        await Victim.AssertReconciledAsync();
        await RenewAsync();
        await Victim.AssertReconciledAsync();
        Assert.DoesNotContain(" broke (", Server.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled exception", Server.Log, StringComparison.Ordinal);
    }

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
