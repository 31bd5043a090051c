using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

using FlashSale.Tools.Load;

namespace FlashSale.Tests.Faults;

/// <summary>
/// What stands in front of the instances: shares out requests (HTTP/1.1, keep-alive on both sides) among those that say they are ready. A request that no instance
/// had yet goes to another one; the client of one whose instance died is cut off, since nobody knows what became of it.
/// </summary>
internal sealed class Balancer : TcpFront
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LookPatience = TimeSpan.FromSeconds(1);
    private readonly Backend[] backends;
    private readonly Task looking;
    private int turn;
    private long cuts;

    public Balancer(IEnumerable<Uri> instances)
    {
        backends = [.. instances.Select(instance => new Backend(instance))];
        looking = Task.WhenAll(backends.Select(LookAsync));
        Begin();
    }

    public Uri Address => new($"http://127.0.0.1:{Port}");

    /// <summary>Clients that were cut off without an answer.</summary>
    public long Cuts => Interlocked.Read(ref cuts);

    /// <summary>Requests that an instance has and has not answered.</summary>
    public int InFlight(int instance) => Volatile.Read(ref backends[instance].InFlight);

    /// <summary>Requests that an instance has answered.</summary>
    public long Answered(int instance) => Interlocked.Read(ref backends[instance].Answered);

    public bool IsReady(int instance) => backends[instance].Ready;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await looking;
        foreach (var backend in backends)
        {
            backend.Dispose();
        }
    }

    protected override async Task ServeAsync(Socket client)
    {
        var buffer = new byte[4 * 1024];
        var length = 0;
        while (true)
        {
            int whole;
            while ((whole = RequestLength(buffer.AsSpan(0, length))) < 0)
            {
                Grow(ref buffer, length);
                var read = await client.ReceiveAsync(buffer.AsMemory(length), Closing);
                if (read == 0)
                {
                    return;
                }

                length += read;
            }

            if (await ForwardAsync(buffer.AsMemory(0, whole)) is not { } answer)
            {
                Interlocked.Increment(ref cuts);
                Cut(client);
                return;
            }

            await SendAsync(client, answer.Bytes);
            if (answer.Closes)
            {
                return;
            }

            buffer.AsSpan(whole, length - whole).CopyTo(buffer);
            length -= whole;
        }
    }

    /// <summary>Null when an instance died with the request, or none takes it.</summary>
    private async Task<WholeAnswer?> ForwardAsync(ReadOnlyMemory<byte> request)
    {
        var first = Interlocked.Increment(ref turn);
        var inTurn = Enumerable.Range(0, backends.Length).Select(i => backends[(first + i) % backends.Length]);
        foreach (var backend in inTurn.OrderBy(backend => backend.Ready ? 0 : 1))
        {
            if ((backend.TakeIdle() ?? await TryConnectAsync(backend.EndPoint)) is not { } upstream)
            {
                backend.Ready = false;
                continue;
            }

            Interlocked.Increment(ref backend.InFlight);
            try
            {
                await SendAsync(upstream, request);
                var answer = await ReceiveAsync(upstream);
                Interlocked.Increment(ref backend.Answered);
                if (!answer.Closes)
                {
                    backend.Idle.Push(upstream);
                    upstream = null;
                }

                return answer;
            }
            catch (Exception problem) when (problem is SocketException or IOException)
            {
                return null;
            }
            finally
            {
                Interlocked.Decrement(ref backend.InFlight);
                upstream?.Dispose();
            }
        }

        return null;
    }

    private async Task SendAsync(Socket to, ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await to.SendAsync(bytes, Closing)..];
        }
    }

    private async Task<WholeAnswer> ReceiveAsync(Socket upstream)
    {
        var buffer = new byte[4 * 1024];
        var length = 0;
        while (true)
        {
            Grow(ref buffer, length);
            var read = await upstream.ReceiveAsync(buffer.AsMemory(length), Closing);
            length += read;
            if (ResponseHead.TryRead(buffer.AsSpan(0, length), out var head))
            {
                var whole = head.Framing switch
                {
                    Framing.Length => length >= head.Bytes + head.Length,
                    // Our server's answers have no such bytes within a chunk.
                    Framing.Chunked => buffer.AsSpan(0, length).EndsWith("\r\n0\r\n\r\n"u8),
                    _ => read == 0,
                };
                if (whole)
                {
                    return new WholeAnswer(buffer.AsMemory(0, length), head.Closes);
                }
            }

            if (read == 0)
            {
                throw new IOException("The instance ended in the middle of an answer.");
            }
        }
    }

    private static void Grow(ref byte[] buffer, int length)
    {
        if (length == buffer.Length)
        {
            Array.Resize(ref buffer, 4 * length);
        }
    }

    /// <summary>Head and body; −1 until all of it is there. The clients of these tests send a length with every body.</summary>
    private static int RequestLength(ReadOnlySpan<byte> received)
    {
        var end = received.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return -1;
        }

        var body = 0;
        var head = received[..end];
        foreach (var line in head.Split("\r\n"u8))
        {
            var colon = head[line].IndexOf((byte)':');
            if (colon > 0 && Ascii.EqualsIgnoreCase(head[line][..colon], "content-length"u8))
            {
                body = int.Parse(head[line][(colon + 1)..], CultureInfo.InvariantCulture);
            }
        }

        return received.Length >= end + 4 + body ? end + 4 + body : -1;
    }

    private async Task LookAsync(Backend backend)
    {
        while (!Closing.IsCancellationRequested)
        {
            try
            {
                using var answer = await backend.Looker.GetAsync(new Uri("/healthz/ready", UriKind.Relative), Closing);
                backend.Ready = answer.IsSuccessStatusCode;
            }
            catch (Exception problem) when (problem is HttpRequestException or OperationCanceledException)
            {
                backend.Ready = false;
            }

            await Task.Delay(LookEvery, Closing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private sealed record WholeAnswer(ReadOnlyMemory<byte> Bytes, bool Closes);

    private sealed class Backend(Uri address) : IDisposable
    {
        public int InFlight;
        public long Answered;

        public IPEndPoint EndPoint { get; } = new(IPAddress.Loopback, address.Port);

        public HttpClient Looker { get; } = new() { BaseAddress = address, Timeout = LookPatience };

        public bool Ready { get; set; } = true;

        public ConcurrentStack<Socket> Idle { get; } = new();

        /// <summary>One that has something to read while nothing was asked was closed by the instance.</summary>
        public Socket? TakeIdle()
        {
            while (Idle.TryPop(out var socket))
            {
                if (!socket.Poll(0, SelectMode.SelectRead))
                {
                    return socket;
                }

                socket.Dispose();
            }

            return null;
        }

        public void Dispose()
        {
            Looker.Dispose();
            while (Idle.TryPop(out var socket))
            {
                socket.Dispose();
            }
        }
    }
}
