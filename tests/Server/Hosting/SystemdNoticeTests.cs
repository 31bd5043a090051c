using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;

using Xunit;

namespace FlashSale.Tests.Server.Hosting;

/// <summary>What systemd hears, at a real datagram socket.</summary>
public sealed class SystemdNoticeTests
{
    private const int DatagramMax = 4_096;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Notify_FromTheStartToTheEnd_SaysReadyAliveAndStopping(bool isAbstract)
    {
        using var folder = new TemporaryFolder();
        var name = isAbstract ? $"flashsale-{Guid.NewGuid():N}" : folder.File("notify");
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(isAbstract ? "\0" + name : name));
        ConcurrentQueue<string> heard = new();
        using var end = new CancellationTokenSource();
        var listening = ListenAsync(socket, heard, end.Token);

        await using var server = await TestServer.StartAsync(("NOTIFY_SOCKET", isAbstract ? "@" + name : name), ("WATCHDOG_USEC", "900000"));
        await Eventually.HoldsAsync(() => heard.Count(line => line == "WATCHDOG=1") >= 3, "signs of life");
        await server.StopAsync();
        await Eventually.HoldsAsync(() => heard.Contains("STOPPING=1"), "it says that it stops");
        await end.CancelAsync();
        await listening;

        Assert.Single(heard, "READY=1");
        Assert.Contains("STATUS=Serving", heard);
        var lines = heard.ToList();
        Assert.True(lines.IndexOf("READY=1") < lines.IndexOf("STOPPING=1"));
    }

    [Fact]
    public async Task Notify_WhenNobodyListens_HindersNothing()
    {
        using var folder = new TemporaryFolder();
        await using var server = await TestServer.StartAsync(("NOTIFY_SOCKET", folder.File("nobody")));

        await Eventually.HoldsAsync(() => server.Log.Contains("The service manager cannot be told", StringComparison.Ordinal), "it says so");
        await server.StopAsync();
    }

    private static async Task ListenAsync(Socket socket, ConcurrentQueue<string> heard, CancellationToken end)
    {
        var buffer = new byte[DatagramMax];
        try
        {
            while (true)
            {
                var length = await socket.ReceiveAsync(buffer, SocketFlags.None, end);
                foreach (var line in Encoding.UTF8.GetString(buffer, 0, length).Split('\n', StringSplitOptions.RemoveEmptyEntries))
                {
                    heard.Enqueue(line);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Enough was heard.
        }
    }
}
