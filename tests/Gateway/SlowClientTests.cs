using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

using FlashSale.Tests.Server;

using Xunit;

namespace FlashSale.Tests.Gateway;

/// <summary>Connections that are held open with as little as possible, with people beside them.</summary>
public sealed class SlowClientTests
{
    private const int Connections = 600;
    private static readonly string[] Halves =
    [
        "", "GET /api/v1/other HTTP/1.1\r\nHost: a\r\nX",
        "POST /api/v1/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 200\r\n\r\n{\"tok", "POST /api/v1/orders HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"t",
    ];

    [Fact]
    public async Task Connections_ThatStopHalfway_DisturbNobodyAndAreCutOff()
    {
        await using var rig = await GatewayRig.StartAsync();
        List<Socket> slow = [];
        try
        {
            for (var i = 0; i < Connections; i++)
            {
                // From many addresses: else it is one address's limit that ends them.
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                socket.Bind(new IPEndPoint(new IPAddress([127, 0, 1, (byte)((i % 200) + 1)]), 0));
                await socket.ConnectAsync(IPAddress.Loopback, rig.Nginx.Port);
                await socket.SendAsync(Encoding.ASCII.GetBytes(Halves[i % Halves.Length]));
                slow.Add(socket);
            }

            var since = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(since) < TimeSpan.FromSeconds(2))
            {
                Assert.True((await rig.OrderAsync("alice", rig.Token("alice"))).WasPassedOn);
                // A drip a while does not keep the head of a request open: its time is counted from its start.
                await slow[1].SendAsync("x"u8.ToArray());
                await Task.Delay(20);
            }

            Assert.DoesNotContain(rig.Application.Requests, arrived => arrived.Header("X-Forwarded-For")!.StartsWith("127.0.1.", StringComparison.Ordinal));
            await Eventually.HoldsAsync(() => Task.FromResult(slow.TrueForAll(IsCutOff)), "all of them are cut off", TimeSpan.FromSeconds(45));
        }
        finally
        {
            slow.ForEach(socket => socket.Dispose());
        }
    }

    [Fact]
    public async Task Connections_OfOneAddress_AreLimited()
    {
        await using var rig = await GatewayRig.StartAsync(state => (state.LimitsEnabled, state.User) = (false, (1, 1)));
        var released = new TaskCompletionSource();
        rig.Application.AnswerAsync = async _ =>
        {
            await released.Task;
            return new StubAnswer();
        };

        // One process of two thousand shoppers would be enough; more than that is no shopper.
        using var client = rig.Client("127.0.0.77");
        var asking = Enumerable.Range(0, 2_050).Select(_ => rig.SendAsync(HttpMethod.Get, "/api/v1/other", null, client: client)).ToArray();
        var first = await Task.WhenAny(asking);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await first).Status);
        Assert.True((await rig.GetAsync("/healthz/live")).Status == HttpStatusCode.OK);
        var arrived = rig.Application.Requests.Count(request => request.Line.StartsWith("GET /api/v1/other ", StringComparison.Ordinal));
        released.SetResult();

        var replies = await Task.WhenAll(asking);
        // On a busy machine some come when others have their answer already, or wait for it longer than the gateway does, which makes room: only those beyond 2,000 are refused.
        Assert.InRange(replies.Count(reply => reply.Status == HttpStatusCode.TooManyRequests), 1, 50);
        Assert.InRange(arrived, 1, 2_000 + replies.Count(reply => reply.Status is not (HttpStatusCode.OK or HttpStatusCode.TooManyRequests)));
    }

    private static bool IsCutOff(Socket socket)
    {
        try
        {
            // Readable with nothing to read, or an answer and then the end.
            while (socket.Poll(0, SelectMode.SelectRead))
            {
                if (socket.Receive(new byte[4_096]) == 0)
                {
                    return true;
                }
            }

            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }
}
