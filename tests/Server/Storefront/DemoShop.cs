using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

using FlashSale.Tests.Server.Console;

using Xunit;

namespace FlashSale.Tests.Server.Storefront;

/// <summary>A server in the demo mode, an operator who publishes sales, and browsers.</summary>
public sealed class DemoShop : IAsyncLifetime
{
    private int sales;

    public TestServer Server { get; private set; } = null!;

    private HttpClient Operator { get; set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Server = await TestServer.StartAsync(("FlashSale__Demo", "true"));
        Operator = Server.Operator();
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    public Browser Open() => new(Server.Address);

    public async Task<Browser> OpenSignedInAsync(string user)
    {
        var browser = Open();
        await browser.PostAsync("/sign-in", ("user", user), ("return", "/"));
        return browser;
    }

    /// <summary>A published sale, open since a second, unless <paramref name="change"/> says otherwise.</summary>
    public async Task<Answer> PublishAsync(Action<JsonObject>? change = null, int stock = 10, int offers = 1)
    {
        var now = TimeProvider.System.GetUtcNow();
        var definition = new JsonObject
        {
            ["slug"] = $"shop-{Interlocked.Increment(ref sales)}",
            ["title"] = new JsonObject { ["zh"] = "购车券", ["en"] = "Coupons" },
            ["opensAt"] = ConsoleServer.Rfc3339(now.AddSeconds(-1)),
            ["closesAt"] = ConsoleServer.Rfc3339(now.AddHours(1)),
            ["requiresReservation"] = false,
            ["offers"] = new JsonArray([.. Enumerable.Range(0, offers).Select(i => ConsoleServer.Offer($"SKU-{i}", stock))]),
        };
        change?.Invoke(definition);
        var created = (await ConsoleServer.SendAsync(Operator, HttpMethod.Post, "sales", definition)).Expect(HttpStatusCode.Created);
        return (await ConsoleServer.SendAsync(Operator, HttpMethod.Post, $"sales/{created.Id}/publication")).Expect(HttpStatusCode.OK);
    }

    public async Task ChangeAsync(Answer sale, string action) =>
        (await ConsoleServer.SendAsync(Operator, HttpMethod.Post, $"sales/{sale.Id}/{action}", new JsonObject { ["reason"] = "test" })).Expect(HttpStatusCode.OK);

    public static string SlugOf(Answer sale) => sale.Json.GetProperty("slug").GetString()!;
}

/// <summary>What a person without script can do: follow links and submit forms. Redirections are not followed, so that tests see them.</summary>
public sealed partial class Browser : IDisposable
{
    private readonly HttpClient client;
    private readonly string origin;

    public Browser(Uri address)
    {
        client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = address };
        client.DefaultRequestHeaders.Accept.ParseAdd("text/html,*/*;q=0.8");
        origin = address.GetLeftPart(UriPartial.Authority);
    }

    public Task<Page> GetAsync(string path) => SendAsync(new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative)));

    public Task<Page> PostAsync(string path, params (string Key, string Value)[] fields) => PostFromAsync(origin, path, fields);

    /// <param name="from">The site whose page has the form.</param>
    public Task<Page> PostFromAsync(string from, string path, params (string Key, string Value)[] fields)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative))
        {
            Content = new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Key, field.Value))),
        };
        request.Headers.Add("Origin", from);
        return SendAsync(request);
    }

    /// <summary>Opens the checkout of an offer and gives its token.</summary>
    public async Task<string> OpenCheckoutAsync(string path)
    {
        var page = await GetAsync(path + "/now");
        Assert.True(page.Status == HttpStatusCode.OK, page.Html);
        return TokenOf(page);
    }

    /// <summary>Opens the checkout, waits as a person does, and submits.</summary>
    public async Task<Page> OrderAsync(string path)
    {
        var token = await OpenCheckoutAsync(path);
        await Task.Delay(TimeSpan.FromSeconds(1.1));
        return await PostAsync(path, ("token", token));
    }

    public static string TokenOf(Page page) => Token().Match(page.Html).Groups[1].Value;

    public void Dispose() => client.Dispose();

    private async Task<Page> SendAsync(HttpRequestMessage request)
    {
        using (request)
        {
            using var response = await client.SendAsync(request);
            return new Page(
                response.StatusCode,
                response.Headers.Location?.ToString(),
                response.Headers.TryGetValues("Content-Security-Policy", out var policies) ? string.Join(' ', policies) : null,
                response.Headers.TryGetValues("Set-Cookie", out var cookies) ? string.Join('\n', cookies) : null,
                response.Headers.RetryAfter?.ToString(),
                response.Content.Headers.ContentType?.MediaType,
                await response.Content.ReadAsStringAsync());
        }
    }

    [GeneratedRegex("name=\"token\" value=\"([^\"]+)\"", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex Token();
}

public sealed record Page(HttpStatusCode Status, string? Location, string? Policy, string? SetCookie, string? RetryAfter, string? MediaType, string Html)
{
    /// <summary>The states of the main buttons, in the order of the page.</summary>
    public IReadOnlyList<string> Buttons => [.. Regex.Matches(Html, "data-main-button=\"([a-z_]+)\"", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1))
        .Select(match => match.Groups[1].Value)];
}
