using System.Net;
using System.Net.Http.Json;

using FlashSale.Tests.Server;
using FlashSale.Tests.Servers;

using Xunit;

namespace FlashSale.Tests.Gateway;

/// <summary>The gateway in front of the real server.</summary>
public sealed class BehindTheGatewayTests : IAsyncLifetime
{
    private static readonly string TokenKey = TestServer.NewKey();
    private TestServer server = null!;
    private Nginx nginx = null!;
    private HttpClient client = null!;

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync(
            ("FlashSale__Tokens__SigningKey", TokenKey), ("FlashSale__TrustedProxies", "127.0.0.1"), ("FlashSale__Limits__Enabled", "true"), ("FlashSale__Demo", "true"));
        nginx = await Nginx.StartAsync(NginxSite.Of(server.Address.Port) with { SessionKey = server.AuthKey, TokenKeys = [TokenKey] });
        client = new HttpClient(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = nginx.Address };
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await nginx.DisposeAsync();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task Sale_ThroughTheGateway_KeepsItsPromises()
    {
        var sale = await ShopSale.OpenAsync(server, new ShopTerms(Stock: 1));
        var token = await TokenAsync("alice", sale);
        var other = await TokenAsync("bob", sale);
        await Task.Delay(1_100);

        // Won, and said again by the same token, also when nothing is left.
        var order = (await OrderAsync("alice", token)).Expect(HttpStatusCode.Created);
        await EventuallyRefusedAsync("sold-out", () => OrderAsync("bob", other), HttpStatusCode.Conflict);
        Assert.Equal(order.Text("id"), (await OrderAsync("alice", token)).Expect(HttpStatusCode.OK).Text("id"));

        // Given back, and had by the next one with the token that was refused: within a second the gateway knows.
        (await PostAsync("alice", $"/api/v1/orders/{order.Text("id")}/cancellation")).Expect(HttpStatusCode.OK);
        Reply won;
        var since = TimeProvider.System.GetTimestamp();
        while ((won = await OrderAsync("bob", other)).Status == HttpStatusCode.Conflict && TimeProvider.System.GetElapsedTime(since) < TimeSpan.FromSeconds(10))
        {
            await Task.Delay(20);
        }

        won.Expect(HttpStatusCode.Created);

        // Paused and closed by an operator.
        var late = await TokenAsync("carol", sale);
        await Task.Delay(1_100);
        await sale.HaltAsync("pause");
        await EventuallyRefusedAsync("paused", () => OrderAsync("carol", late), HttpStatusCode.ServiceUnavailable);
        Assert.Equal(won.Text("id"), (await OrderAsync("bob", other)).Expect(HttpStatusCode.OK).Text("id"));

        // The application is gone: an error, and never "sold out".
        await server.KillAsync();
        await Task.Delay(600);
        (await OrderAsync("carol", late)).ExpectProblem(HttpStatusCode.ServiceUnavailable, "overloaded");
    }

    /// <summary>The longest window: the deadline that the gateway gives and its own patience allow it.</summary>
    [Fact]
    public async Task Draw_ThroughTheGateway_AnswersAllWhoWaited()
    {
        string[] users = ["alice", "bob", "carol"];
        var sale = await ShopSale.OpenAsync(server, new ShopTerms(Stock: 2) { OpensIn = TimeSpan.FromMinutes(1), DrawMs = 1_500 });
        string[] tokens = [await TokenAsync(users[0], sale), await TokenAsync(users[1], sale), await TokenAsync(users[2], sale)];
        await sale.MoveOpeningAsync(TimeSpan.FromMilliseconds(1_200));
        await Task.Delay(TimeSpan.FromMilliseconds(1_300));

        var answers = await Task.WhenAll(users.Zip(tokens, OrderAsync));

        Assert.Equal(2, answers.Count(answer => answer.Status == HttpStatusCode.Created));
        Assert.Single(answers, answer => answer.Status == HttpStatusCode.Conflict).ExpectProblem(HttpStatusCode.Conflict, "sold-out");
        Assert.Contains("\"seed\"", await client.GetStringAsync(new Uri($"/api/v1/sales/{sale.Id}/draw", UriKind.Relative)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sale_BeforeItOpens_IsRefusedByTheGatewayAsByTheApplication()
    {
        var sale = await ShopSale.OpenAsync(server, new ShopTerms { OpensIn = TimeSpan.FromMinutes(5) });
        var token = await TokenAsync("alice", sale);
        await Task.Delay(1_100);

        await EventuallyRefusedAsync("not-open", () => OrderAsync("alice", token), HttpStatusCode.Conflict);
        var here = await OrderAsync("alice", token);
        var there = await DirectAsync("alice", token);

        Assert.Equal(there.Json.EnumerateObject().Select(property => property.Name), here.Json.EnumerateObject().Select(property => property.Name));
        foreach (var name in new[] { "type", "title", "code", "effect", "opensAt" })
        {
            Assert.Equal(there.Text(name), here.Text(name));
        }
    }

    [Fact]
    public async Task Pages_AreTheSameAsWithout()
    {
        foreach (var path in new[] { "/", "/en", "/now", "/problems/sold-out", "/sign-in", "/api/v1/sales" })
        {
            using var direct = server.Anonymous();
            using var expected = await direct.GetAsync(new Uri(path, UriKind.Relative));
            using var found = await client.GetAsync(new Uri(path, UriKind.Relative));
            Assert.Equal(expected.StatusCode, found.StatusCode);
            Assert.Equal(expected.Headers.CacheControl?.ToString(), found.Headers.CacheControl?.ToString());
            Assert.Equal(expected.Content.Headers.ContentType?.ToString(), found.Content.Headers.ContentType?.ToString());
            Assert.Equal(expected.Headers.TryGetValues("Content-Security-Policy", out _), found.Headers.TryGetValues("Content-Security-Policy", out _));
        }
    }

    [Fact]
    public async Task Form_OfOurOwnPage_SignsIn_AndThePageIsTheirs()
    {
        var stranger = await client.GetStringAsync(new Uri("/now", UriKind.Relative));
        using var form = new HttpRequestMessage(HttpMethod.Post, new Uri("/sign-in", UriKind.Relative))
        {
            Content = new FormUrlEncodedContent([new("user", "dave"), new("return", "/")]),
        };
        form.Headers.Add("Origin", nginx.Address.ToString().TrimEnd('/'));
        using var signedIn = await client.SendAsync(form);
        Assert.Equal(HttpStatusCode.SeeOther, signedIn.StatusCode);

        using var asked = new HttpRequestMessage(HttpMethod.Get, new Uri("/now", UriKind.Relative));
        asked.Headers.Add("Cookie", signedIn.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);
        using var theirs = await client.SendAsync(asked);

        Assert.Contains("sign-out", await theirs.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain("sign-out", stranger, StringComparison.Ordinal);
        Assert.DoesNotContain("sign-out", await client.GetStringAsync(new Uri("/now", UriKind.Relative)), StringComparison.Ordinal);
    }

    private Task<Reply> OrderAsync(string user, string token) => SendAsync(client, user, "/api/v1/orders", new { token });

    private Task<Reply> PostAsync(string user, string path) => SendAsync(client, user, path, null);

    private async Task<Reply> DirectAsync(string user, string token)
    {
        using var direct = server.Anonymous();
        return await SendAsync(direct, user, "/api/v1/orders", new { token });
    }

    private async Task<string> TokenAsync(string user, ShopSale sale) =>
        (await PostAsync(user, $"/api/v1/offers/{sale.OfferId}/order-tokens")).Expect(HttpStatusCode.Created).Text("token");

    private async Task<Reply> SendAsync(HttpClient to, string user, string path, object? body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative)) { Content = body is null ? null : JsonContent.Create(body) };
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + server.CreateSession(user));
        using var response = await to.SendAsync(request);
        return await Reply.ReadAsync(response);
    }

    /// <summary>The gateway itself says so, as its own count tells.</summary>
    private async Task EventuallyRefusedAsync(string reason, Func<Task<Reply>> askAsync, HttpStatusCode status)
    {
        await Eventually.HoldsAsync(
            async () =>
            {
                var reply = await askAsync();
                return reply.Status == status
                    && (await client.GetStringAsync(new Uri("/gateway/metrics", UriKind.Relative))).Contains($"outcome=\"refused\",reason=\"{reason}\"", StringComparison.Ordinal);
            },
            $"the gateway refuses: {reason}");
    }
}
