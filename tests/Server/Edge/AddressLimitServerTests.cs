using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;

using Xunit;

namespace FlashSale.Tests.Server.Edge;

[Collection(PeakCollection.Name)]
public sealed class AddressLimitServerTests
{
    private static readonly Uri Time = new("/api/v1/time", UriKind.Relative);

    [Fact]
    public async Task Requests_BeyondTheBurstOfAnAddress_AreRefusedForThatAddressOnly()
    {
        await using var server = await TestServer.StartAsync(("FlashSale__Limits__Enabled", "true"));
        await LowerAsync(server);
        using var busy = From("127.0.0.1", server.Address);
        using var other = From("127.0.0.9", server.Address);

        var refused = await FloodAsync(busy, forwarded: null);

        Assert.NotEmpty(refused);
        Assert.All(refused.Take(5), reply => reply.ExpectProblem(HttpStatusCode.TooManyRequests, "rate-limited"));
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(other, forwarded: null)).Status);

        // Nobody gets out of it with a header.
        var forwarded = await FloodAsync(busy, forwarded: "198.51.100.7");
        Assert.NotEmpty(forwarded);
    }

    [Fact]
    public async Task Requests_ThroughATrustedProxy_AreCountedByTheAddressThatItSaw()
    {
        await using var server = await TestServer.StartAsync(("FlashSale__Limits__Enabled", "true"), ("FlashSale__TrustedProxies", "127.0.0.0/8"));
        await LowerAsync(server);
        using var proxy = From("127.0.0.1", server.Address);

        var refused = await FloodAsync(proxy, forwarded: "1.2.3.4, 2001:db8:7:7::1");

        Assert.NotEmpty(refused);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(proxy, forwarded: "1.2.3.4")).Status);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(proxy, forwarded: "2001:db8:7:8::1")).Status);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(proxy, forwarded: null)).Status);
        var neighbours = await FloodAsync(proxy, forwarded: "198.51.100.3, 2001:db8:7:7:ffff::2");
        Assert.NotEmpty(neighbours);
    }

    /// <summary>So low that a slow machine goes beyond it too.</summary>
    private static async Task LowerAsync(TestServer server)
    {
        using var client = server.Operator();
        using var answer = await client.PutAsync(new Uri("/api/v1/admin/limits", UriKind.Relative), JsonContent.Create(new { address = new { perSecond = 50, burst = 400 } }));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    /// <summary>More than the burst and what comes back meanwhile, as fast as it goes; the refused ones.</summary>
    private static async Task<List<Reply>> FloodAsync(HttpClient client, string? forwarded)
    {
        List<Reply> refused = [];
        for (var wave = 0; wave < 60 && refused.Count == 0; wave++)
        {
            var replies = await Task.WhenAll(Enumerable.Range(0, 500).Select(_ => SendAsync(client, forwarded)));
            refused.AddRange(replies.Where(reply => reply.Status != HttpStatusCode.OK));
        }

        return refused;
    }

    private static async Task<Reply> SendAsync(HttpClient client, string? forwarded)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Time);
        if (forwarded is not null)
        {
            request.Headers.TryAddWithoutValidation("X-Forwarded-For", forwarded);
        }

        using var response = await client.SendAsync(request);
        return await Reply.ReadAsync(response);
    }

    /// <summary>A client that connects from this loopback address.</summary>
    private static HttpClient From(string source, Uri server)
    {
        var handler = new SocketsHttpHandler
        {
            MaxConnectionsPerServer = 16,
            ConnectCallback = async (context, cancellation) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                socket.Bind(new IPEndPoint(IPAddress.Parse(source).MapToIPv6(), 0));
                await socket.ConnectAsync(context.DnsEndPoint, cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        return new HttpClient(handler) { BaseAddress = server };
    }
}
