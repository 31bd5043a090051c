using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace FlashSale.Tools.Load;

/// <summary>
/// The connections from one source address: HTTP/1.1 with keep-alive, written by hand, because the load runs on the same cores as the server and
/// HttpClient takes several times as much of them. Redirects are not followed and cookies not kept; an answer may have a length, be chunked,
/// or end with the connection.
/// </summary>
/// <param name="source">Null for whichever address the system takes.</param>
/// <param name="patience">For a free connection, and again for the answer.</param>
internal sealed class Line(Uri target, IPEndPoint endPoint, IPAddress? source, int connections, TimeSpan patience, RunClock clock) : IDisposable
{
    private const int FirstBuffer = 4 * 1024;
    private const int LargestAnswer = 16 * 1024 * 1024;
    private static readonly byte[] Post = "POST "u8.ToArray();
    private static readonly byte[] Get = "GET "u8.ToArray();

    private readonly SemaphoreSlim free = new(connections);
    private readonly ConcurrentStack<Connection> idle = new();
    private readonly byte[] host = Host(target.Authority);

    /// <summary>Fills in the answer.</summary>
    /// <returns>When the request was handed over.</returns>
    /// <exception cref="OperationCanceledException">Patience ran out.</exception>
    /// <exception cref="IOException">The connection broke, or what came was not HTTP. <see cref="SocketException"/> likewise.</exception>
    public async Task<long> SendAsync(Call call, Answer answer)
    {
        answer.Effect = "none";
        if (!await free.WaitAsync(patience))
        {
            throw new OperationCanceledException();
        }

        Connection? connection = null;
        try
        {
            connection = TakeIdle() ?? new Connection(clock);
            connection.Patience.CancelAfter(patience);
            var open = connection.Stream ?? await OpenAsync(connection);
            var sent = clock.Now;
            answer.Effect = null;
            await open.WriteAsync(Write(connection, call), connection.Patience.Token);
            if (await ReceiveAsync(connection, open, call, answer) && connection.Patience.TryReset())
            {
                idle.Push(connection);
                connection = null;
            }

            return sent;
        }
        finally
        {
            connection?.Dispose();
            free.Release();
        }
    }

    public void Dispose()
    {
        while (idle.TryPop(out var connection))
        {
            connection.Dispose();
        }

        free.Dispose();
    }

    /// <summary>A connection that has something to read while nothing was asked was closed by the server.</summary>
    private Connection? TakeIdle()
    {
        while (idle.TryPop(out var connection))
        {
            if (!connection.Socket.Poll(0, SelectMode.SelectRead))
            {
                return connection;
            }

            connection.Dispose();
        }

        return null;
    }

    private async Task<Stream> OpenAsync(Connection connection)
    {
        connection.Socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (source is not null)
        {
            connection.Socket.Bind(new IPEndPoint(source, 0));
        }

        await connection.Socket.ConnectAsync(endPoint, connection.Patience.Token);
        Stream stream = new NetworkStream(connection.Socket, ownsSocket: true);
        if (target.Scheme == Uri.UriSchemeHttps)
        {
            var secure = new SslStream(stream);
            connection.Stream = secure;
            await secure.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = target.Host }, connection.Patience.Token);
        }

        return connection.Stream ??= stream;
    }

    private static byte[] Host(string authority) => Encoding.ASCII.GetBytes($" HTTP/1.1\r\nHost: {authority}\r\n");

    private ReadOnlyMemory<byte> Write(Connection connection, in Call call)
    {
        var path = call.Uri.PathAndQuery;
        var authorization = call.Authorization ?? call.User.Bearer;
        var body = call.Body ?? [];
        var named = call.Host is { } other ? Host(other) : host;
        var headers = call.User.Headers;
        connection.Reserve(named.Length + path.Length + authorization.Length + headers.Length + body.Length + 200);
        var to = new RequestWriter(connection.Buffer);
        to.Add(call.Method == HttpMethod.Post ? Post : Get);
        to.Add(path);
        to.Add(named);
        to.Add(headers);
        if (authorization.Length > 0)
        {
            to.Add("Authorization: "u8);
            to.Add(authorization);
            to.Add("\r\n"u8);
        }

        if (call.Body is not null)
        {
            to.Add(call.IsForm ? "Content-Type: application/x-www-form-urlencoded\r\n"u8 : "Content-Type: application/json\r\n"u8);
        }

        if (call.Method == HttpMethod.Post)
        {
            to.Add("Content-Length: "u8);
            to.Add(body.Length);
            to.Add("\r\n"u8);
        }

        to.Add("\r\n"u8);
        to.Add(body);
        return connection.Buffer.AsMemory(0, to.Length);
    }

    /// <returns>Whether the connection can be used again.</returns>
    private static async Task<bool> ReceiveAsync(Connection connection, Stream from, Call call, Answer answer)
    {
        var length = 0;
        var head = new ResponseHead();
        while (true)
        {
            connection.Reserve(length + 1);
            var read = await from.ReadAsync(connection.Buffer.AsMemory(length), connection.Patience.Token);
            if (read == 0 && (head.Bytes == 0 || head.Framing != Framing.Close))
            {
                throw new IOException("The connection was closed before the answer was complete.");
            }

            length += read;
            if (head.Bytes == 0 && !ResponseHead.TryRead(connection.Buffer.AsSpan(0, length), out head))
            {
                continue;
            }

            var body = connection.Buffer.AsSpan(head.Bytes, length - head.Bytes);
            var whole = head.Framing switch
            {
                Framing.Length => body.Length >= head.Length ? head.Length : -1,
                Framing.Chunked => Chunks.Join(body),
                _ => read == 0 ? body.Length : -1,
            };
            if (whole >= 0)
            {
                Take(call, answer, head, body[..whole]);
                return !head.Closes;
            }

            if (length > LargestAnswer)
            {
                throw new IOException("The answer is too large.");
            }
        }
    }

    private static void Take(in Call call, Answer answer, in ResponseHead head, ReadOnlySpan<byte> body)
    {
        answer.Read(body);
        answer.Status = head.Status;
        answer.RetryAfterMs ??= head.RetryAfterSeconds * 1_000L;
        if (call.KeepBody)
        {
            answer.Body = body.ToArray();
        }

        if (call.Op.StartsWith("admin", StringComparison.Ordinal) && !answer.IsSuccess)
        {
            answer.Detail = Encoding.UTF8.GetString(body);
        }
    }

    private sealed class Connection(RunClock clock) : IDisposable
    {
        public Socket Socket { get; set; } = null!;
        public Stream? Stream { get; set; }

        /// <summary>Requests are written into it and answers read from it, one after the other.</summary>
        public byte[] Buffer { get; private set; } = new byte[FirstBuffer];
        public CancellationTokenSource Patience { get; } = new(Timeout.InfiniteTimeSpan, clock.Time);

        public void Reserve(int bytes)
        {
            if (Buffer.Length < bytes)
            {
                var larger = Buffer;
                Array.Resize(ref larger, Math.Max(bytes, Buffer.Length * 2));
                Buffer = larger;
            }
        }

        public void Dispose()
        {
            Stream?.Dispose();
            Socket?.Dispose();
            Patience.Dispose();
        }
    }
}

/// <summary>Puts a request together in a buffer that is large enough for it.</summary>
internal ref struct RequestWriter(Span<byte> buffer)
{
    private readonly Span<byte> buffer = buffer;

    public int Length { get; private set; }

    public void Add(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(buffer[Length..]);
        Length += bytes.Length;
    }

    public void Add(string ascii) => Length += Encoding.ASCII.GetBytes(ascii, buffer[Length..]);

    public void Add(int number)
    {
        Utf8Formatter.TryFormat(number, buffer[Length..], out var written);
        Length += written;
    }
}

/// <summary>How the end of an answer is known (RFC 9112, section 6.3).</summary>
internal enum Framing
{
    Length,
    Chunked,
    Close,
}

/// <summary>What a client needs of the head of an answer. <paramref name="Bytes"/> is its length with the empty line.</summary>
internal readonly record struct ResponseHead(int Bytes, int Status, Framing Framing, int Length, bool Closes, int? RetryAfterSeconds)
{
    /// <returns>False until the head is complete.</returns>
    /// <exception cref="IOException">This is not HTTP/1.1.</exception>
    public static bool TryRead(ReadOnlySpan<byte> received, out ResponseHead head)
    {
        head = default;
        var end = received.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return false;
        }

        var text = received[..end];
        if (!text.StartsWith("HTTP/1."u8) || text.Length < 12 || !Utf8Parser.TryParse(text[9..12], out int status, out _))
        {
            throw new IOException("The answer is not HTTP/1.1.");
        }

        // Without a length an answer ends with its connection, unless it has no body.
        var read = new ResponseHead(end + 4, status, status is 204 or 304 ? Framing.Length : Framing.Close, 0, Closes: false, null);
        foreach (var line in text.Split("\r\n"u8))
        {
            read = read.With(text[line]);
        }

        head = read with { Closes = read.Closes || read.Framing == Framing.Close };
        return true;
    }

    private ResponseHead With(ReadOnlySpan<byte> line)
    {
        var colon = line.IndexOf((byte)':');
        if (colon < 0)
        {
            return this;
        }

        var name = line[..colon];
        var value = line[(colon + 1)..].Trim((byte)' ');
        if (Ascii.EqualsIgnoreCase(name, "content-length"u8) && Utf8Parser.TryParse(value, out int length, out _) && length >= 0)
        {
            return this with { Framing = Framing.Length, Length = length };
        }

        if (Ascii.EqualsIgnoreCase(name, "transfer-encoding"u8))
        {
            return this with { Framing = Framing.Chunked };
        }

        if (Ascii.EqualsIgnoreCase(name, "connection"u8))
        {
            return this with { Closes = Ascii.EqualsIgnoreCase(value, "close"u8) };
        }

        return Ascii.EqualsIgnoreCase(name, "retry-after"u8) && Utf8Parser.TryParse(value, out int seconds, out _)
            ? this with { RetryAfterSeconds = seconds }
            : this;
    }
}

/// <summary>Chunked transfer coding (RFC 9112, section 7.1).</summary>
internal static class Chunks
{
    /// <summary>Moves the data of all chunks together at the front, once the last one is there; changes nothing before.</summary>
    /// <returns>Bytes of data; −1 while some are missing.</returns>
    /// <exception cref="IOException">These are no chunks.</exception>
    public static int Join(Span<byte> body)
    {
        if (Walk(body, move: false) < 0)
        {
            return -1;
        }

        return Walk(body, move: true);
    }

    private static int Walk(Span<byte> body, bool move)
    {
        var at = 0;
        var joined = 0;
        while (true)
        {
            var line = body[at..].IndexOf("\r\n"u8);
            if (line < 0)
            {
                return -1;
            }

            if (!Utf8Parser.TryParse(body.Slice(at, line), out int size, out _, 'x') || size < 0)
            {
                throw new IOException("The answer is not chunked as it says.");
            }

            at += line + 2;
            if (size == 0)
            {
                // Trailers are not expected; what follows is the empty line.
                return body[at..].StartsWith("\r\n"u8) ? joined : -1;
            }

            if (body.Length - at - 2 < size)
            {
                return -1;
            }

            if (move)
            {
                body.Slice(at, size).CopyTo(body[joined..]);
            }

            joined += size;
            at += size + 2;
        }
    }
}
