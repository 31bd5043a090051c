using System.Diagnostics.Metrics;

using FlashSale.Core;
using FlashSale.Core.Wire;
using FlashSale.Server.Http;
using FlashSale.Server.Telemetry;

namespace FlashSale.Server.Edge;

/// <summary>
/// What arrived and what was turned away, by kind and reason: arrivals are the refusals of the edge and what it let through. No refusal gets a log line; an example
/// of each reason is kept, and <see cref="LoadWatch"/> writes how many there were.
/// </summary>
internal sealed class EdgeCounts
{
    private static readonly int Reasons = Enum.GetValues<EdgeReason>().Length;

    /// <summary>Every so many refusals of a reason an example is noted: a string for each would be work for a crowd.</summary>
    private const int ExampleEvery = 1_024;

    private readonly SaleMetrics metrics;
    private readonly long[] arrivals = new long[RequestKinds.Count];
    private readonly long[] refusals = new long[RequestKinds.Count * Reasons];
    private readonly string?[] examples = new string?[Reasons];
    private long fromMemory;

    public EdgeCounts(SaleMetrics metrics)
    {
        this.metrics = metrics;
        metrics.ObserveCount("flashsale.requests", "Requests that arrived, by what they want", () => Enum.GetValues<RequestKind>()
            .Select(kind => new Measurement<long>(Interlocked.Read(ref arrivals[(int)kind]), new KeyValuePair<string, object?>("kind", kind.Word()))));
        metrics.ObserveCount("flashsale.edge.from_memory", "Requests for a published page or a file of it that the edge answered", () => [new(Interlocked.Read(ref fromMemory))]);
        metrics.ObserveCount("flashsale.edge.refusals", "Requests that the edge turned away, by what they wanted and why", ReadRefusals);
    }

    public void Arrived(RequestKind kind) => Interlocked.Increment(ref arrivals[(int)kind]);

    public void AnsweredFromMemory() => Interlocked.Increment(ref fromMemory);

    public void Refused(RequestKind kind, EdgeRefusal refusal, SaleId? sale, HttpContext context)
    {
        var count = Interlocked.Increment(ref refusals[(int)kind * Reasons + (int)refusal.Reason]);
        if (kind == RequestKind.Order)
        {
            metrics.Decide(refusal.Decision, sale);
        }

        if (count % ExampleEvery == 1)
        {
            examples[(int)refusal.Reason] = $"{context.Request.Method} {context.Request.Path} from {context.Connection.RemoteIpAddress} ({context.TraceId()})";
        }
    }

    /// <summary>A request to order whose body could not be read.</summary>
    public void Broken() => metrics.Decide(OrderDecision.Malformed);

    /// <summary>By reason since the start, with an example.</summary>
    public IReadOnlyList<(EdgeReason Reason, long Count, string? Example)> Refusals() =>
        [.. Enum.GetValues<EdgeReason>().Select(reason => (
            reason, Enumerable.Range(0, RequestKinds.Count).Sum(kind => Interlocked.Read(ref refusals[kind * Reasons + (int)reason])), examples[(int)reason]))];

    /// <summary>How many of a kind were shed since the start.</summary>
    public long Shed(RequestKind kind) => Interlocked.Read(ref refusals[(int)kind * Reasons + (int)EdgeReason.Shed]);

    private IEnumerable<Measurement<long>> ReadRefusals()
    {
        foreach (var kind in Enum.GetValues<RequestKind>())
        {
            foreach (var reason in Enum.GetValues<EdgeReason>())
            {
                var count = Interlocked.Read(ref refusals[(int)kind * Reasons + (int)reason]);
                if (count > 0)
                {
                    yield return new Measurement<long>(
                        count, new("kind", kind.Word()), new("reason", reason.Word()));
                }
            }
        }
    }
}
