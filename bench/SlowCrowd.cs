using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FlashSale.Bench;

/// <summary>Connections that send half a head or half a body and then a byte twice a second; one that the server cuts off comes again.</summary>
internal sealed class SlowCrowd : IAsyncDisposable
{
    private static readonly TimeSpan Drip = TimeSpan.FromMilliseconds(500);
    private static readonly byte[][] Beginnings =
    [
        Encoding.ASCII.GetBytes("GET /api/v1/sales HTTP/1.1\r\nHost: a\r\nX: "),
        Encoding.ASCII.GetBytes("POST /api/v1/payment-callbacks/sandbox HTTP/1.1\r\nHost: a\r\nX-Signature: AAAA\r\nContent-Type: application/json\r\nContent-Length: 3000\r\n\r\n{"),
    ];

    private readonly CancellationTokenSource over = new();
    private readonly Task dripping;

    public SlowCrowd(Uri target, int count) => dripping = Task.WhenAll(Enumerable.Range(0, count).Select(i => DripAsync(target, Beginnings[i % Beginnings.Length])));

    public async ValueTask DisposeAsync()
    {
        await over.CancelAsync();
        await dripping;
        over.Dispose();
    }

    private async Task DripAsync(Uri target, byte[] beginning)
    {
        var letter = "x"u8.ToArray();
        while (!over.IsCancellationRequested)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, target.Port, over.Token);
                await socket.SendAsync(beginning, over.Token);
                while (!socket.Poll(0, SelectMode.SelectRead))
                {
                    await Task.Delay(Drip, over.Token);
                    await socket.SendAsync(letter, over.Token);
                }
            }
            catch (Exception exception) when (exception is SocketException or OperationCanceledException)
            {
                // Cut off, or the end of the measurement.
            }
        }
    }
}
