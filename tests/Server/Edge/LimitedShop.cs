using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

using Xunit;

namespace FlashSale.Tests.Server.Edge;

/// <summary>A server with its limits on, behind a proxy that is this test: a request comes from the address that the test says.</summary>
public sealed class LimitedShop : IAsyncLifetime
{
    private int addresses;

    public TestServer Server { get; private set; } = null!;

    public HttpClient Client { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Server = await TestServer.StartAsync(
            ("FlashSale__Limits__Enabled", "true"), ("FlashSale__TrustedProxies", "127.0.0.0/8,::1"), ("FlashSale__Tokens__MinimumAge", "00:00:00"));
        Client = Server.Anonymous();
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    /// <summary>An address that nobody had before.</summary>
    public string NewAddress()
    {
        var number = Interlocked.Increment(ref addresses);
        return $"198.18.{number / 250}.{number % 250 + 1}";
    }

    /// <param name="method">GET, POST and so on.</param>
    /// <param name="path">From the root.</param>
    /// <param name="from">The client's address; a new one when null.</param>
    /// <param name="session">Null for a stranger.</param>
    /// <param name="body">JSON.</param>
    /// <param name="headers">Besides.</param>
    public async Task<(Reply Reply, HttpResponseMessage Response)> AskAsync(
        HttpMethod method, string path, string? from = null, string? session = null, object? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = body is null ? null : JsonContent.Create(body) };
        request.Headers.TryAddWithoutValidation("X-Forwarded-For", from ?? NewAddress());
        if (session is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + session);
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        var response = await Client.SendAsync(request);
        return (await Reply.ReadAsync(response), response);
    }

    /// <summary>Sets limits; the others get their defaults.</summary>
    public async Task SetAsync(JsonObject limits)
    {
        var all = new JsonObject
        {
            ["total"] = Rate(100_000, 200_000),
            ["address"] = Rate(1_000, 4_000),
            ["user"] = Rate(50, 200),
            ["sale"] = Rate(50_000, 100_000),
            ["shedding"] = new JsonObject { ["inFlightMin"] = 128, ["inFlightMax"] = 4_096, ["pagesPercent"] = 50, ["documentsPercent"] = 65, ["tokensPercent"] = 80, ["ordersPercent"] = 100 },
        };
        foreach (var (name, value) in limits)
        {
            all[name] = value!.DeepClone();
        }

        (await AskAsync(HttpMethod.Put, "/api/v1/admin/limits", session: Server.CreateSession("olga", "operator"), body: all)).Reply.Expect(HttpStatusCode.OK);
    }

    public static JsonObject Rate(int perSecond, int burst) => new() { ["perSecond"] = perSecond, ["burst"] = burst };

    /// <summary>The value of a line of /metrics; 0 when it is not there.</summary>
    public async Task<long> ReadMetricAsync(string line)
    {
        var (metrics, _) = await AskAsync(HttpMethod.Get, "/metrics");
        var found = metrics.Body.Split('\n').FirstOrDefault(text => text.StartsWith(line + " ", StringComparison.Ordinal));
        return found is null ? 0 : long.Parse(found[(line.Length + 1)..]);
    }

    /// <summary>The sum over all lines of a family that contain the text.</summary>
    public async Task<long> SumMetricAsync(string family, string with)
    {
        var (metrics, _) = await AskAsync(HttpMethod.Get, "/metrics");
        return metrics.Body.Split('\n')
            .Where(line => line.StartsWith(family + "{", StringComparison.Ordinal) && line.Contains(with, StringComparison.Ordinal))
            .Sum(line => long.Parse(line[(line.LastIndexOf(' ') + 1)..]));
    }
}
