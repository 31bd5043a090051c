using System.Net;
using System.Net.Sockets;
using System.Text;

using Xunit;

namespace FlashSale.Tests.Server.Edge;

/// <summary>A thousand connections that send a byte now and then, and shoppers beside them.</summary>
[Collection(PeakCollection.Name)]
public sealed class SlowClientsTests
{
    private const int Slow = 1_000;
    private const int Shoppers = 8;
    private static readonly TimeSpan Drip = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// By then the server has cut each of them off: ten seconds for the head, five for the first bytes of a body, a second's turn of its clock, and what a busy machine
    /// adds. Less than the thirty seconds for a head that nobody would have had to set.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(25);

    [Fact]
    public async Task SlowHeadsAndSlowBodies_AreCutOff_AndEverybodyElseIsServed()
    {
        await using var server = await TestServer.StartAsync(("FlashSale__Tokens__MinimumAge", "00:00:00"));
        var sale = await ShopSale.OpenAsync(server, new ShopTerms(Stock: 100_000, Limit: 1));
        var slow = await ConnectAsync(server);
        using var over = new CancellationTokenSource();

        var serving = Enumerable.Range(0, Shoppers).Select(_ => ShopAsync(sale, over.Token)).ToArray();
        var left = await DripAsync(slow);
        await over.CancelAsync();
        var served = await Task.WhenAll(serving);

        // Each shopper went all the way, again and again, and no answer was anything but right.
        Assert.All(served, times => Assert.True(times > 0));
        Assert.True(left.Count == 0, $"{left.Count} slow connections are still open, for example {(left.Count > 0 ? left[0] : "")}");
        await sale.AssertReconciledAsync();
    }

    private static async Task<List<(Socket Socket, string Request)>> ConnectAsync(TestServer server)
    {
        var session = server.CreateSession("mallory");
        var signed = $"Host: a\r\nAuthorization: Bearer {session}\r\nContent-Type: application/json\r\n";
        string[] kinds =
        [
            // Heads that never end.
            "GET /api/v1/sales HTTP/1.1\r\nHost: a\r\nX: ",
            "POST /api/v1/orders HTTP/1.1\r\n" + signed + "X: ",
            // Bodies that never end.
            "POST /api/v1/orders HTTP/1.1\r\n" + signed + "Content-Length: 4000\r\n\r\n{\"token\":\"",
            "POST /api/v1/orders HTTP/1.1\r\n" + signed + "Transfer-Encoding: chunked\r\n\r\nfff\r\n{\"token\":\"",
            "POST /api/v1/payment-callbacks/sandbox HTTP/1.1\r\nHost: a\r\nX-Signature: AAAA\r\nContent-Type: application/json\r\nContent-Length: 3000\r\n\r\n{",
        ];
        List<(Socket, string)> slow = [];
        for (var i = 0; i < Slow; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.Bind(new IPEndPoint(new IPAddress([127, 2, (byte)(i / 250), (byte)((i % 250) + 1)]), 0));
            await socket.ConnectAsync(IPAddress.Loopback, server.Address.Port);
            await socket.SendAsync(Encoding.Latin1.GetBytes(kinds[i % kinds.Length]));
            slow.Add((socket, kinds[i % kinds.Length]));
        }

        return slow;
    }

    /// <summary>A byte each, until the server has ended them all.</summary>
    /// <returns>The first lines of those that it has not ended in time.</returns>
    private static async Task<List<string>> DripAsync(List<(Socket Socket, string Request)> slow)
    {
        var letter = "x"u8.ToArray();
        var since = TimeProvider.System.GetTimestamp();
        while (slow.Count > 0 && TimeProvider.System.GetElapsedTime(since) < Patience)
        {
            await Task.Delay(Drip);
            for (var i = slow.Count - 1; i >= 0; i--)
            {
                var (socket, _) = slow[i];
                if (IsEnded(socket, letter))
                {
                    socket.Dispose();
                    slow.RemoveAt(i);
                }
            }
        }

        List<string> left = [.. slow.Select(one => one.Request.Split('\r')[0])];
        slow.ForEach(one => one.Socket.Dispose());
        return left;
    }

    private static bool IsEnded(Socket socket, byte[] letter)
    {
        try
        {
            // Nothing is answered to half a request but its end.
            return socket.Poll(0, SelectMode.SelectRead) || socket.Send(letter) == 0;
        }
        catch (SocketException)
        {
            return true;
        }
    }

    /// <returns>How often this one has bought, read, paid for and cancelled something.</returns>
    private static async Task<int> ShopAsync(ShopSale sale, CancellationToken over)
    {
        var times = 0;
        while (!over.IsCancellationRequested)
        {
            var shopper = sale.NewShopper();
            var order = (await shopper.OrderAsync()).Text("id");
            (await shopper.ReadAsync(order)).Expect(HttpStatusCode.OK);
            (await shopper.StartPaymentAsync(order)).Expect(HttpStatusCode.Created);
            (await shopper.CancelAsync(order)).Expect(HttpStatusCode.OK);
            times++;
        }

        return times;
    }
}
