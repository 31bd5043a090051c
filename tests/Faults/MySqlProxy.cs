using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FlashSale.Tests.Faults;

internal enum CommitCut
{
    /// <summary>The server never gets the COMMIT.</summary>
    BeforeTheServerHasIt,

    /// <summary>The server has committed and answered; the client never hears of it.</summary>
    BeforeTheClientKnows,
}

/// <summary>
/// Between the instances and mariadbd, without TLS: reads the client's packets (three bytes of length, a number, then the command) and so knows when an order is
/// committed. Can cut the connection exactly there, and be slow.
/// </summary>
internal sealed class MySqlProxy : TcpFront
{
    private const int HeadBytes = 4;
    private const byte ComQuery = 3;
    private readonly EndPoint server;
    private readonly Lock arming = new();
    private CommitCut armed;
    private int cutsLeft;
    private int cutsMade;
    private long packetsDelayed;

    public MySqlProxy(int serverPort)
    {
        server = new IPEndPoint(IPAddress.Loopback, serverPort);
        Begin();
    }

    /// <summary>What each packet of a client waits for.</summary>
    public TimeSpan Delay { get; set; }

    public long PacketsDelayed => Interlocked.Read(ref packetsDelayed);

    /// <summary>Connections that were cut at a COMMIT.</summary>
    public int CutsMade => Volatile.Read(ref cutsMade);

    /// <summary>The next so many transactions that placed orders lose their connection at the COMMIT.</summary>
    public void CutNextCommits(CommitCut where, int count)
    {
        lock (arming)
        {
            (armed, cutsLeft) = (where, count);
        }
    }

    protected override async Task ServeAsync(Socket client)
    {
        if (await TryConnectAsync(server) is not { } upstream)
        {
            Cut(client);
            return;
        }

        using (upstream)
        {
            var link = new Link(client, upstream);
            Task[] pumps = [TakeRequestsAsync(link), TakeAnswersAsync(link)];
            await Task.WhenAny(pumps);

            // The end of one side is the end of the other.
            Cut(client);
            Cut(upstream);
            await Task.WhenAll(pumps);
        }
    }

    private async Task TakeRequestsAsync(Link link)
    {
        await using var from = new NetworkStream(link.Client);
        var packet = new byte[64 * 1024];
        while (true)
        {
            await from.ReadExactlyAsync(packet.AsMemory(0, HeadBytes), Closing);
            var length = HeadBytes + (packet[0] | (packet[1] << 8) | (packet[2] << 16));
            if (length > packet.Length)
            {
                Array.Resize(ref packet, length);
            }

            await from.ReadExactlyAsync(packet.AsMemory(HeadBytes, length - HeadBytes), Closing);
            if (Delay > TimeSpan.Zero)
            {
                await Task.Delay(Delay, Closing);
                Interlocked.Increment(ref packetsDelayed);
            }

            if (IsCommitOfOrders(link, packet.AsSpan(HeadBytes, length - HeadBytes)) && TakeCut() is { } cut)
            {
                if (cut == CommitCut.BeforeTheServerHasIt)
                {
                    return;
                }

                link.EndsAtAnswer = true;
            }

            for (var sent = 0; sent < length;)
            {
                sent += await link.Server.SendAsync(packet.AsMemory(sent, length - sent), Closing);
            }
        }
    }

    private async Task TakeAnswersAsync(Link link)
    {
        var buffer = new byte[64 * 1024];
        while (await link.Server.ReceiveAsync(buffer, Closing) is var length and > 0)
        {
            // A client that waits for the answer to COMMIT waits for nothing else: this is it.
            if (link.EndsAtAnswer)
            {
                return;
            }

            for (var sent = 0; sent < length;)
            {
                sent += await link.Client.SendAsync(buffer.AsMemory(sent, length - sent), Closing);
            }
        }
    }

    private static bool IsCommitOfOrders(Link link, ReadOnlySpan<byte> command)
    {
        if (command.Length == 0 || command[0] != ComQuery)
        {
            return false;
        }

        var text = Encoding.Latin1.GetString(command[1..]).TrimEnd(' ', ';', '\n', '\r', '\0');
        link.HasOrders |= text.Contains("INSERT INTO orders", StringComparison.OrdinalIgnoreCase);
        var commits = text.EndsWith("COMMIT", StringComparison.OrdinalIgnoreCase);
        var found = commits && link.HasOrders;
        if (commits || text.EndsWith("ROLLBACK", StringComparison.OrdinalIgnoreCase))
        {
            link.HasOrders = false;
        }

        return found;
    }

    private CommitCut? TakeCut()
    {
        lock (arming)
        {
            if (cutsLeft == 0)
            {
                return null;
            }

            cutsLeft--;
            cutsMade++;
            return armed;
        }
    }

    private sealed class Link(Socket client, Socket server)
    {
        public Socket Client => client;

        public Socket Server => server;

        /// <summary>The transaction that is open placed orders.</summary>
        public bool HasOrders { get; set; }

        public bool EndsAtAnswer { get; set; }
    }
}
