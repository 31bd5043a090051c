using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

using FlashSale.Tests.Faults;

namespace FlashSale.Tests.Gateway;

/// <summary>A request as its bytes came.</summary>
internal sealed record StubRequest(string Head, string Body)
{
    public string Line => Head[..Head.IndexOf("\r\n", StringComparison.Ordinal)];

    /// <summary>Null when it is not there; of several, joined by <c>|</c>.</summary>
    public string? Header(string name)
    {
        var found = Head.Split("\r\n").Where(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase)).Select(line => line[(name.Length + 1)..].Trim()).ToArray();
        return found.Length == 0 ? null : string.Join('|', found);
    }
}

/// <param name="Headers">Each with its line break.</param>
internal sealed record StubAnswer(int Status = 200, string Body = "{}", string Headers = "Content-Type: application/json\r\nCache-Control: no-store\r\n");

/// <summary>
/// What stands behind a gateway in the tests of its parts: keeps every request as its bytes came, and answers what the test says. <c>/edge/state</c> is answered from
/// <see cref="State"/> and not kept.
/// </summary>
internal sealed class StubApplication : TcpFront
{
    private readonly ConcurrentQueue<(long Asked, long Answered)> told = new();
    private int asked;

    public StubApplication() => Begin();

    public ConcurrentQueue<StubRequest> Requests { get; } = new();

    /// <summary>Null: the connection is cut instead of answered.</summary>
    public Func<StubRequest, Task<StubAnswer?>> AnswerAsync { get; set; } = _ => Task.FromResult<StubAnswer?>(new StubAnswer());

    /// <summary>The state document, made anew for each question; null: there is none.</summary>
    public Func<string>? State { get; set; }

    /// <summary>Of the state document: from the question to the answer.</summary>
    public TimeSpan StateDelay { get; set; }

    /// <summary>Questions for the state so far.</summary>
    public int Asked => Volatile.Read(ref asked);

    /// <summary>Whether a question for the state that came after the one moment was answered before the other; both are timestamps.</summary>
    public bool ToldState(long askedAfter, long answeredBefore) => told.Any(one => one.Asked >= askedAfter && one.Answered <= answeredBefore);

    /// <summary>The request that came last was not to come.</summary>
    public void ForgetLast()
    {
        for (var others = Requests.Count - 1; others > 0 && Requests.TryDequeue(out var kept); others--)
        {
            Requests.Enqueue(kept);
        }

        Requests.TryDequeue(out _);
    }

    public void Always(StubAnswer answer) => AnswerAsync = _ => Task.FromResult<StubAnswer?>(answer);

    protected override async Task ServeAsync(Socket client)
    {
        var received = "";
        while (await ReadAsync(client, received) is var (request, rest) && request is not null)
        {
            received = rest;
            var came = TimeProvider.System.GetTimestamp();
            var answer = await DecideAsync(request);
            if (answer is null)
            {
                Cut(client);
                return;
            }

            var closes = request.Line.EndsWith("HTTP/1.0", StringComparison.Ordinal);
            await SendAsync(client, $"HTTP/1.1 {answer.Status} Stub\r\n{answer.Headers}Content-Length: {Encoding.UTF8.GetByteCount(answer.Body)}\r\n{(closes ? "Connection: close\r\n" : "")}\r\n{answer.Body}");
            if (IsForState(request))
            {
                told.Enqueue((came, TimeProvider.System.GetTimestamp()));
            }

            if (closes)
            {
                return;
            }
        }
    }

    private async Task<StubAnswer?> DecideAsync(StubRequest request)
    {
        if (!IsForState(request))
        {
            Requests.Enqueue(request);
            return await AnswerAsync(request);
        }

        Interlocked.Increment(ref asked);
        if (StateDelay > TimeSpan.Zero)
        {
            await Task.Delay(StateDelay, Closing);
        }

        return State is { } state ? new StubAnswer(Body: state()) : new StubAnswer(404);
    }

    private static bool IsForState(StubRequest request) => request.Line.StartsWith("GET /edge/state ", StringComparison.Ordinal);

    /// <summary>One request; null when the connection has ended. Whatever follows it is the rest.</summary>
    private async Task<(StubRequest? Request, string Left)> ReadAsync(Socket client, string received)
    {
        var buffer = new byte[16 * 1024];
        while (true)
        {
            if (Split(received) is { } split)
            {
                return split;
            }

            var read = await client.ReceiveAsync(buffer, Closing);
            if (read == 0)
            {
                return (null, "");
            }

            received += Encoding.Latin1.GetString(buffer, 0, read);
        }
    }

    private static (StubRequest? Request, string Left)? Split(string received)
    {
        var end = received.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0)
        {
            return null;
        }

        var head = received[..(end + 2)];
        var length = new StubRequest(head, "").Header("Content-Length") is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : 0;
        var body = received[(end + 4)..];
        return body.Length < length ? null : (new StubRequest(head, body[..length]), body[length..]);
    }

    private async Task SendAsync(Socket client, string text)
    {
        ReadOnlyMemory<byte> bytes = Encoding.UTF8.GetBytes(text);
        while (bytes.Length > 0)
        {
            bytes = bytes[await client.SendAsync(bytes, Closing)..];
        }
    }
}
