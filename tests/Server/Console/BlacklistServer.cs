using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;

using FlashSale.Core.Tokens;
using FlashSale.Server.Http;

using Xunit;

namespace FlashSale.Tests.Server.Console;

/// <summary>A server behind a proxy that it trusts, so that a test's shoppers come from wherever it says, with devices that the test makes itself.</summary>
public sealed class BlacklistServer : IAsyncLifetime
{
    private readonly string key = TestServer.NewKey();
    private int addresses;

    public TestServer Server { get; private set; } = null!;

    public HttpClient Operator { get; private set; } = null!;

    private HttpClient Proxy { get; set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Server = await TestServer.StartAsync(
            ("FlashSale__Tokens__MinimumAge", "00:00:00"), ("FlashSale__Tokens__SigningKey", key), ("FlashSale__TrustedProxies", "127.0.0.1"));
        Operator = Server.Operator();
        Proxy = Server.Anonymous();
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    /// <summary>Nobody else's.</summary>
    public string NewAddress() => $"198.18.{Interlocked.Increment(ref addresses) / 200}.{(addresses % 200) + 1}";

    /// <summary>The stamp of a device that was not seen before, and its id.</summary>
    public (string Stamp, string Id) NewDevice()
    {
        var stamps = new Stamps(Convert.FromBase64String(key), []);
        var stamp = new Devices(stamps).Create(TimeProvider.System.GetUtcNow());
        return (stamp, Convert.ToHexStringLower(stamps.Open(StampPurpose.Device, stamp, out _)!));
    }

    public Task<Reply> AdminAsync(HttpMethod method, string path, object? body = null, params IReadOnlyList<string> roles) =>
        SendAsync(Proxy, method, "/api/v1/admin/" + path, Server.CreateSession("rita", roles.Count > 0 ? roles : ["operator"]), body, []);

    public async Task BarAsync(string path, DateTimeOffset? until = null) =>
        (await AdminAsync(HttpMethod.Put, "blacklist/" + path, new { reason = "bots", source = "manual", expiresAt = until })).Expect(HttpStatusCode.OK);

    public async Task LiftAsync(string path) => (await AdminAsync(HttpMethod.Delete, "blacklist/" + path)).Expect(HttpStatusCode.NoContent);

    /// <param name="from">As the proxy says: the last address of X-Forwarded-For.</param>
    public Task<Reply> PostAsync(string path, string user, string? from = null, string? device = null, object? body = null, params IReadOnlyList<string> roles) =>
        SendAsync(Proxy, HttpMethod.Post, path, Server.CreateSession(user, roles), body, [("X-Forwarded-For", from), ("X-Device", device)]);

    public static async Task<Reply> SendAsync(
        HttpClient client, HttpMethod method, string path, string session, object? body, IReadOnlyList<(string Name, string? Value)> headers)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative))
        {
            Content = body as HttpContent ?? (body is null ? null : JsonContent.Create(body)),
        };
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + session);
        foreach (var (name, value) in headers.Where(header => header.Value is not null))
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await client.SendAsync(request);
        return await Reply.ReadAsync(response);
    }

    public Task<Reply> ImportAsync(IEnumerable<string> lines, params IReadOnlyList<string> roles) =>
        AdminAsync(HttpMethod.Post, "blacklist-entries", new StringContent(string.Join('\n', lines), Encoding.UTF8, "application/x-ndjson"), roles);

    /// <summary>A client that connects from this loopback address, which no proxy of ours has.</summary>
    public HttpClient From(string source) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (context, cancellation) =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.Bind(new IPEndPoint(IPAddress.Parse(source), 0));
            await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    { BaseAddress = Server.Address };
}
