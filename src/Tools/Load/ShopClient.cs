using System.Net;
using System.Net.Sockets;

using FlashSale.Tools.History;

namespace FlashSale.Tools.Load;

/// <summary>One call to make.</summary>
/// <param name="At">When the schedule meant it to be sent, in microseconds.</param>
internal readonly record struct Call(string Op, HttpMethod Method, Uri Uri, Shopper User, long At)
{
    public byte[]? Body { get; init; }
    public bool IsForm { get; init; }

    /// <summary>Instead of the user's own; empty for none.</summary>
    public string? Authorization { get; init; }

    /// <summary>Instead of the target's.</summary>
    public string? Host { get; init; }
    public string? Sale { get; init; }
    public string? Offer { get; init; }
    public string? Token { get; init; }
    public string? Order { get; init; }
    public string? Subject { get; init; }
    public string? MustRefuse { get; init; }

    /// <summary>For the few answers of which more is needed than an <see cref="Answer"/> reads.</summary>
    public bool KeepBody { get; init; }

    /// <summary>When its token was asked for: the call has to be refused if it is answered within the minimum age.</summary>
    public long? YoungSince { get; init; }
}

/// <summary>
/// Sends from many loopback addresses, each with its own few connections. Measures and records every call. A call never throws: what
/// goes wrong is an <see cref="Answer"/> with status 0.
/// </summary>
internal sealed class ShopClient : IDisposable
{
    private const long TokenMinimumAge = 1_000_000;

    private readonly Line[] lines;
    private readonly RunClock clock;
    private readonly Metrics metrics;

    public ShopClient(LoadSettings settings, IPAddress address, RunClock clock, Metrics metrics)
        : this(settings.Target, address, [.. Enumerable.Repeat(Math.Max(1, settings.Connections / settings.Sources), settings.Sources)], settings.CallTimeout, clock, metrics)
    {
    }

    /// <param name="connections">Of each address, at most.</param>
    public ShopClient(Uri target, IPAddress address, IReadOnlyList<int> connections, TimeSpan patience, RunClock clock, Metrics metrics)
    {
        this.clock = clock;
        this.metrics = metrics;
        var endPoint = new IPEndPoint(address, target.Port);
        // Only 127.0.0.0/8 has addresses to spare.
        var manySources = address.AddressFamily == AddressFamily.InterNetwork && IPAddress.IsLoopback(address);
        lines = [.. connections.Select((most, line) => new Line(target, endPoint, manySources ? SourceAddress(line) : null, most, patience, clock))];
    }

    /// <summary>Where answers to orders are counted by second; set once the opening is known.</summary>
    public long OpensAt { get; set; } = long.MaxValue;

    /// <summary>Records wait in a list until the history has its header, which needs the ids of the sales.</summary>
    public HistoryWriter? History { get; set; }
    public List<HistoryRecord> Early { get; } = [];

    /// <summary>127.1.0.1 to 127.1.15.255 and on; never ends in 0 or 255.</summary>
    internal static IPAddress SourceAddress(int line) => new([127, 1, (byte)(line / 250), (byte)((line % 250) + 1)]);

    public async Task<Answer> SendAsync(Call call)
    {
        var answer = new Answer();
        metrics.Started();
        call.User.Counted?.Started();
        var sent = clock.Now;
        try
        {
            sent = await lines[call.User.Line].SendAsync(call, answer);
        }
        catch (OperationCanceledException)
        {
            answer.Code = "timeout";
        }
        catch (Exception problem) when (problem is IOException or SocketException or System.Security.Authentication.AuthenticationException)
        {
            answer.Code = "transport";
        }

        var end = clock.Now;
        Measure(call, answer, end);
        await RecordAsync(call, answer, sent, end);
        return answer;
    }

    public void Dispose()
    {
        foreach (var line in lines)
        {
            line.Dispose();
        }
    }

    private void Measure(in Call call, Answer answer, long end)
    {
        var latency = end - call.At;
        metrics.Ended(call.User.Bot is null ? call.Op : call.Op + " (bots)", answer.Status, answer.Code, latency);
        call.User.Counted?.Ended(call.Op, answer.Status, answer.Code, latency);
        if (call.Op == HistoryOps.Order && call.User.Bot is null)
        {
            metrics.Outcome(answer.Status is 200 or 201 ? "order placed" : answer.Code == "sold-out" ? "order sold out" : "order otherwise", latency);
        }

        if (call.Op == HistoryOps.Order)
        {
            metrics.OrderAnswered((int)Math.Floor((end - OpensAt) / 1_000_000.0), answer.Status, answer.Code);
        }
    }

    private ValueTask RecordAsync(in Call call, Answer answer, long sent, long end)
    {
        var young = call.YoungSince is { } since && end - since < TokenMinimumAge;
        var record = new HistoryRecord
        {
            Op = call.Op,
            At = call.At,
            Sent = sent,
            End = end,
            User = call.User.Name,
            Sale = call.Sale,
            Offer = call.Offer,
            Token = call.Token ?? (answer.Token is null ? null : HistoryRecord.Fingerprint(answer.Token)),
            Status = answer.Status,
            Code = answer.Code,
            Effect = answer.Effect,
            Order = call.Order ?? (call.Op == HistoryOps.Order && answer.IsSuccess ? answer.Id : null),
            State = answer.IsSuccess ? answer.State : null,
            Coupon = answer.Coupon,
            Payment = call.Op == HistoryOps.Pay && answer.IsSuccess ? answer.Id : null,
            MustRefuse = young ? "young" : call.MustRefuse,
            Subject = call.Subject ?? (call.Op.StartsWith(HistoryOps.AdminPrefix, StringComparison.Ordinal) && answer.IsSuccess ? answer.Id : null),
        };
        if (History is { } history)
        {
            return history.WriteAsync(record);
        }

        lock (Early)
        {
            Early.Add(record);
        }

        return ValueTask.CompletedTask;
    }
}
