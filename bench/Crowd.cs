using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FlashSale.Bench;

/// <summary>
/// A closed-loop load: each connection sends its next request when the last answer is complete. Requests are bytes made beforehand, so the load
/// takes as little of the shared cores as it can.
/// </summary>
public sealed class Crowd(Uri target, int connections)
{
    public sealed record Result(double PerSecond, long Requests, IReadOnlyDictionary<int, long> ByStatus, double P50Ms, double P99Ms);

    /// <param name="next">The bytes of the next request; null ends the run early.</param>
    /// <param name="length">Of the run.</param>
    /// <param name="perSecond">Of all connections together: each sends at its own times, whatever the answers take, and latency counts from then. 0: each sends when it has its answer.</param>
    public async Task<Result> RunAsync(Func<byte[]?> next, TimeSpan length, int perSecond = 0)
    {
        var time = TimeProvider.System;
        var started = time.GetTimestamp();
        var runs = await Task.WhenAll(Enumerable.Range(0, connections).Select(i =>
            ConnectAndRunAsync(next, started, length, perSecond == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds((double)connections / perSecond), (double)i / connections)));
        var elapsed = time.GetElapsedTime(started).TotalSeconds;
        var latencies = runs.SelectMany(run => run.Latencies).Order().ToArray();
        var statuses = runs.SelectMany(run => run.ByStatus).GroupBy(entry => entry.Key).ToDictionary(group => group.Key, group => group.Sum(entry => entry.Value));
        return new Result(
            latencies.Length / elapsed,
            latencies.Length,
            statuses,
            latencies.Length == 0 ? 0 : latencies[latencies.Length / 2],
            latencies.Length == 0 ? 0 : latencies[(int)(latencies.Length * 0.99)]);
    }

    private async Task<(List<float> Latencies, Dictionary<int, long> ByStatus)> ConnectAndRunAsync(
        Func<byte[]?> next, long started, TimeSpan length, TimeSpan every, double shift)
    {
        await Task.Yield();
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, target.Port);
        var latencies = new List<float>(1024);
        var statuses = new Dictionary<int, long>();
        var buffer = new byte[8 * 1024];
        var time = TimeProvider.System;
        while (time.GetElapsedTime(started) < length && next() is { } request)
        {
            var sent = time.GetTimestamp();
            if (every > TimeSpan.Zero)
            {
                sent = started + (long)((latencies.Count + shift) * every.TotalSeconds * time.TimestampFrequency);
                if (time.GetElapsedTime(time.GetTimestamp(), sent) is { Ticks: > 0 } early)
                {
                    await Task.Delay(early);
                }
            }

            await socket.SendAsync(request, SocketFlags.None);
            var status = await ReadAnswerAsync(socket, buffer);
            latencies.Add((float)time.GetElapsedTime(sent).TotalMilliseconds);
            statuses[status] = statuses.GetValueOrDefault(status) + 1;
        }

        return (latencies, statuses);
    }

    /// <summary>Reads one answer with a Content-Length; every answer that is compared here has one.</summary>
    private static async ValueTask<int> ReadAnswerAsync(Socket socket, byte[] buffer)
    {
        var read = 0;
        while (true)
        {
            var count = await socket.ReceiveAsync(buffer.AsMemory(read), SocketFlags.None);
            if (count == 0)
            {
                throw new InvalidOperationException("The server closed the connection.");
            }

            read += count;
            var head = buffer.AsSpan(0, read).IndexOf("\r\n\r\n"u8);
            if (head >= 0 && read >= head + 4 + ContentLength(buffer.AsSpan(0, head)))
            {
                return (buffer[9] - '0') * 100 + (buffer[10] - '0') * 10 + (buffer[11] - '0');
            }
        }
    }

    private static int ContentLength(ReadOnlySpan<byte> head)
    {
        var at = head.IndexOf("Content-Length: "u8);
        return at >= 0 && System.Buffers.Text.Utf8Parser.TryParse(head[(at + 16)..], out int length, out _) ? length : 0;
    }

    /// <summary>A POST of an order token, signed in.</summary>
    public static byte[] OrderRequest(string session, string token)
    {
        var body = $$"""{"token":"{{token}}"}""";
        return Encoding.ASCII.GetBytes(
            $"POST /api/v1/orders HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {session}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}");
    }
}
