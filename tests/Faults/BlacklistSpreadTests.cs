using System.Net;
using System.Net.Sockets;

using FlashSale.Core.Tokens;
using FlashSale.Server.Http;
using FlashSale.Tests.Server;
using FlashSale.Tests.Server.Console;
using FlashSale.Tests.Servers;

using Xunit;

namespace FlashSale.Tests.Faults;

/// <summary>Nothing is broken: who is barred at one instance is barred at the other, in the gate and at the gateway, and let in again, within a second.</summary>
[Collection(FaultCollection.Name)]
public sealed class BlacklistSpreadTests(FaultServers servers)
{
    /// <summary>A second, and what a busy machine adds to it.</summary>
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(1) + TimeSpan.FromSeconds(1);
    private const string Address = "127.0.2.77";

    [Fact]
    public async Task Blacklist_WhenItIsChangedAtOneInstance_HoldsAtTheOtherAndAtTheGateway()
    {
        var key = TestServer.NewKey();
        (string Key, string Value)[] settings =
            [("FlashSale__Tokens__MinimumAge", "00:00:00"), ("FlashSale__Tokens__SigningKey", key), ("FlashSale__TrustedProxies", "127.0.0.1")];
        await using var site = await Site.StartAsync(servers, settings, settings);
        var sale = await site.OpenSaleAsync(stock: 1_000, perUserLimit: 10);
        var (first, second) = (site.Instances[0].Address.Port, site.Instances[1].Address.Port);
        await using var nginx = await Nginx.StartAsync(
            new NginxSite { Orders = [second], Storefront = [second], Console = [first], State = [second], SessionKey = site.Instances[0].AuthKey, TokenKeys = [key] });
        var stamps = new Stamps(Convert.FromBase64String(key), []);
        var device = new Devices(stamps).Create(TimeProvider.System.GetUtcNow());
        var deviceId = Convert.ToHexStringLower(stamps.Open(StampPurpose.Device, device, out _)!);
        using var other = From(site.Instances[1].Address);
        using var gateway = From(nginx.Address);
        var tokens = $"/api/v1/offers/{sale.Offers[0].Id}/order-tokens";
        var session = site.Instances[0].CreateSession("mallory");
        List<string> times = [];

        foreach (var (path, stamp) in new[] { ("mallory", null), ("devices/" + deviceId, device), ("addresses/" + Address, null), ("addresses/127.0.2.0/24", (string?)null) })
        {
            // At the other instance an order too: past the edge, it is the gate's or the admission's answer.
            var token = (await AskAsync(other, tokens, stamp)).Expect(HttpStatusCode.Created).Text("token");
            await HoldsAsync($"{path} barred", HttpMethod.Put, path, HttpStatusCode.Forbidden, stamp);
            (await OrderAsync(token, stamp)).ExpectProblem(HttpStatusCode.Forbidden, "not-eligible");
            await HoldsAsync($"{path} lifted", HttpMethod.Delete, path, HttpStatusCode.Created, stamp);

            // The other instance may have read just before that the user is barred, and tell the gate so once more; what it reads next, half a second later, is that this is over.
            await Eventually.HoldsAsync(async () => (await OrderAsync(token, stamp)).Status == HttpStatusCode.Created, $"{path} lifted, for the order", Within);
        }

        // The gateway has refused by itself what it could.
        var metrics = await gateway.GetStringAsync(new Uri("/gateway/metrics", UriKind.Relative));
        Assert.Contains("flashsale_gateway_refusals_total{class=\"shopping\",reason=\"barred-address\"}", metrics, StringComparison.Ordinal);
        FaultReport.Write("the blacklist at the other instance and at the gateway", string.Join(", ", times), "");

        async Task HoldsAsync(string what, HttpMethod method, string path, HttpStatusCode status, string? stamp)
        {
            var body = method == HttpMethod.Put ? new System.Text.Json.Nodes.JsonObject { ["reason"] = "test", ["source"] = "test" } : null;
            var done = await ConsoleServer.SendAsync(site.Instances[0].Operator(), method, "blacklist/" + path, body);
            var since = TimeProvider.System.GetTimestamp();
            Assert.True(done.Status is HttpStatusCode.OK or HttpStatusCode.NoContent, done.Text);
            foreach (var (client, where) in new[] { (other, "instance"), (gateway, "gateway") })
            {
                await Eventually.HoldsAsync(async () => (await AskAsync(client, tokens, stamp)).Status == status, what);
                var after = TimeProvider.System.GetElapsedTime(since);
                times.Add($"{what} ({where}) {after.TotalSeconds:0.00} s");
                Assert.True(after < Within, $"{what} held at the {where} after {after}.");
            }
        }

        Task<Reply> OrderAsync(string token, string? stamp) =>
            BlacklistServer.SendAsync(other, HttpMethod.Post, "/api/v1/orders", session, new { token }, [("X-Device", stamp)]);

        Task<Reply> AskAsync(HttpClient client, string path, string? stamp) =>
            BlacklistServer.SendAsync(client, HttpMethod.Post, path, session, null, [("X-Device", stamp)]);
    }

    /// <summary>A shopper at <see cref="Address"/>.</summary>
    private static HttpClient From(Uri to) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (context, cancellation) =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.Bind(new IPEndPoint(IPAddress.Parse(Address), 0));
            await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    { BaseAddress = to };
}
