using System.Net;
using System.Net.Sockets;
using System.Text;

using Xunit;

namespace FlashSale.Tests.Server.Http;

/// <summary>Bytes on a socket that no HTTP client would send.</summary>
public sealed class RawSocketTests(HostileShop shop) : IClassFixture<HostileShop>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);

    [Theory]
    [InlineData("garbage\r\n\r\n")]
    [InlineData("GET\r\n\r\n")]
    [InlineData("GET /api/v1/time\r\n\r\n")]
    [InlineData("GET  /api/v1/time HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("GET /api/v1/time HTTP/1.1\r\n\r\n")]
    [InlineData("GET /api/v1/time HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")]
    [InlineData("GET /api/v1/time HTTP/1.1\r\nHost: a b\r\n\r\n")]
    [InlineData("GET /api/v1/time HTTP/1.1\r\nHost: a\r\nX y: 1\r\n\r\n")]
    [InlineData("GET /api/v1/time HTTP/1.1\r\nHost: a\r\n: 1\r\n\r\n")]
    [InlineData("GET /api/v1/coupons/%00 HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("GET http:// HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("\u0016\u0003\u0001\u0002\u0000\u0001\u0000\r\n\r\n")]
    [InlineData("POST /api/v1/orders HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n")]
    [InlineData("POST /api/v1/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab")]
    [InlineData("POST /api/v1/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n")]
    [InlineData("POST /api/v1/orders HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n")]
    public async Task Request_ThatIsNone_Is400(string request) => Assert.StartsWith("HTTP/1.1 400 ", await TalkAsync(request), StringComparison.Ordinal);

    [Fact]
    public async Task Headers_BeyondTheLimit_Are431()
    {
        Assert.StartsWith("HTTP/1.1 431 ", await TalkAsync($"GET /api/v1/time HTTP/1.1\r\nHost: a\r\nX: {new string('x', 40_000)}\r\n\r\n"), StringComparison.Ordinal);
        var many = string.Concat(Enumerable.Range(0, 2_000).Select(i => $"X{i}: 1\r\n"));
        Assert.StartsWith("HTTP/1.1 431 ", await TalkAsync($"GET /api/v1/time HTTP/1.1\r\nHost: a\r\n{many}\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 414 ", await TalkAsync($"GET /{new string('x', 40_000)} HTTP/1.1\r\nHost: a\r\n\r\n"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("zz\r\n{}\r\n0\r\n\r\n")]
    [InlineData("-1\r\n\r\n")]
    [InlineData("ffffffffffffffff\r\n{}")]
    public async Task Chunks_ThatAreNone_Are400(string chunks)
    {
        var answer = await TalkAsync($"POST /api/v1/orders HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {shop.Session}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
        Assert.Contains("malformed-request", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Chunks_WithALengthBeside_DoNotSmuggleASecondRequest()
    {
        var answer = await TalkAsync(
            $"POST /api/v1/orders HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {shop.Session}\r\nContent-Type: application/json\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "2\r\n{}\r\n0\r\n\r\nGET /api/v1/time HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        // Either the whole is refused, or the chunks alone decide where the body ends; a proxy in front must see it the same way (RFC 9112, section 6.3).
        Assert.Matches("^HTTP/1.1 40[03] ", answer);
    }

    [Fact]
    public async Task Requests_InOneWrite_AreAnsweredInOrder()
    {
        const string Get = "GET /api/v1/time HTTP/1.1\r\nHost: a\r\n\r\n";
        const string Missing = "GET /api/v1/nothing HTTP/1.1\r\nHost: a\r\n\r\n";
        var answer = await TalkAsync(Get + Missing + "GET /api/v1/time HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

        int[] found = [.. answer.Split("HTTP/1.1 ").Skip(1).Select(part => int.Parse(part[..3]))];
        Assert.Equal([200, 404, 200], found);
    }

    [Fact]
    public async Task Connections_ThatStopHalfway_DisturbNobody()
    {
        string[] halves =
        [
            "", "G", "POST /api/v1/orders HTTP/1.1\r\nHost: a", "POST /api/v1/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\n{\"tok",
            $"POST /api/v1/orders HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {shop.Session}\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{{\"tok",
            $"POST /api/v1/orders HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {shop.Session}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{{\"t",
            $"POST /api/v1/admin/sales HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {shop.Session}\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{{\"slug",
            "POST /api/v1/payment-callbacks/sandbox HTTP/1.1\r\nHost: a\r\nX-Signature: AAAA\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{",
        ];
        List<TcpClient> held = [];
        for (var i = 0; i < 200; i++)
        {
            var client = await ConnectAsync();
            await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(halves[i % halves.Length]));
            if (i % 2 == 0)
            {
                held.Add(client);
            }
            else
            {
                // Half of them break off, every other one without a word.
                client.LingerState = new LingerOption(i % 4 == 1, 0);
                client.Dispose();
            }
        }

        // While the slow ones still hang there, others are served.
        await shop.AssertHealthyAsync();
        held.ForEach(client => client.Dispose());
        await shop.AssertHealthyAsync();
    }

    [Fact]
    public async Task Answers_ThatNobodyReads_DisturbNobody()
    {
        var request = Encoding.Latin1.GetBytes(string.Concat(Enumerable.Repeat("GET /api/v1/sales HTTP/1.1\r\nHost: a\r\n\r\n", 200)));
        List<TcpClient> deaf = [];
        for (var i = 0; i < 20; i++)
        {
            var client = await ConnectAsync();
            client.ReceiveBufferSize = 1;
            await client.GetStream().WriteAsync(request);
            deaf.Add(client);
        }

        await shop.AssertHealthyAsync();
        deaf.ForEach(client => client.Dispose());
    }

    /// <summary>Sends, and reads until the server closes.</summary>
    private async Task<string> TalkAsync(string request)
    {
        using var client = await ConnectAsync();
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request));
        using var patience = new CancellationTokenSource(Patience);
        var answer = new StringBuilder();
        var buffer = new byte[16 * 1024];
        try
        {
            for (int read; (read = await stream.ReadAsync(buffer, patience.Token)) > 0;)
            {
                answer.Append(Encoding.Latin1.GetString(buffer, 0, read));
            }
        }
        catch (IOException) when (answer.Length > 0)
        {
            // Closed while it still had something from us to read; what it said before counts.
        }

        return answer.ToString();
    }

    private async Task<TcpClient> ConnectAsync()
    {
        var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, shop.Server.Address.Port);
        return client;
    }
}
