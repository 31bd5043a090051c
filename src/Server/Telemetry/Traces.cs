using System.Diagnostics;

using FlashSale.Core;

namespace FlashSale.Server.Telemetry;

/// <summary>
/// The spans of the order path: a request, and in it its stages; the batches of the ledger writers, each a trace of its own that is linked to the orders in it. As long as
/// nobody listens, or a request is not chosen, a span is null and costs a look at a field.
/// </summary>
public static class Traces
{
    public const string SourceName = "FlashSale";

    private static readonly ActivitySource Source = new(SourceName, TelemetryOptions.Version);

    public static bool AreWanted => Source.HasListeners();

    /// <summary>The span of this request or work, when it is one of ours that is recorded.</summary>
    public static Activity? Current => Source.HasListeners() && Activity.Current is { IsAllDataRequested: true } activity && activity.Source == Source ? activity : null;

    /// <summary>A request that was chosen.</summary>
    /// <param name="name">Of few: the same for all requests of a kind.</param>
    /// <param name="parent">Who sent it; default for nobody.</param>
    public static Activity? StartRequest(string name, ActivityContext parent) => Source.StartActivity(name, ActivityKind.Server, parent);

    /// <summary>Work of the program itself that was chosen.</summary>
    public static Activity? StartWork(string name) => Source.StartActivity(name, ActivityKind.Internal, parentContext: default);

    /// <summary>Null within what is not traced.</summary>
    public static Activity? StartWithin(Activity? parent, string name, ActivityKind kind = ActivityKind.Internal) =>
        parent is null ? null : Source.StartActivity(name, kind, parent.Context);

    /// <summary>What has been done since the parent began, as one span.</summary>
    public static void NoteSoFar(Activity? parent, string name)
    {
        if (parent is not null)
        {
            Source.StartActivity(name, ActivityKind.Internal, parent.Context, startTime: new DateTimeOffset(parent.StartTimeUtc))?.Dispose();
        }
    }

    /// <summary>Null when none of the orders is traced. The batch and the orders know each other by links: an order waits for many others.</summary>
    public static Activity? StartBatch<TOrder>(IReadOnlyCollection<TOrder> orders, Func<TOrder, Activity?> traceOf)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        Activity[] traced = [.. orders.Select(traceOf).OfType<Activity>().Take(Limits.TraceLinks)];
        if (traced.Length == 0)
        {
            return null;
        }

        var batch = Source.StartActivity("ledger batch", ActivityKind.Internal, parentContext: default, links: traced.Select(order => new ActivityLink(order.Context)));
        if (batch is not null)
        {
            batch.SetTag("flashsale.batch.orders", orders.Count);
            foreach (var order in traced)
            {
                order.AddLink(new ActivityLink(batch.Context));
            }
        }

        return batch;
    }

    public static void Fail(this Activity? activity, string problem) => activity?.SetStatus(ActivityStatusCode.Error, problem);
}

/// <summary>
/// Which requests are traced: a share of them, drawn anew for each; and those whose sender traces them. Never more than
/// <see cref="Limits.TracesPerSecond"/>: what a caller asks for must not be what everybody pays for.
/// </summary>
public sealed class TraceChoice(TelemetryOptions options, TimeProvider time)
{
    private long second;
    private int taken;

    public bool Takes(ActivityContext parent) => (parent.TraceFlags.HasFlag(ActivityTraceFlags.Recorded) || IsOfTheShare()) && IsWithinBudget();

    public bool TakesWork() => Traces.AreWanted && IsOfTheShare() && IsWithinBudget();

    private bool IsOfTheShare() => Random.Shared.NextDouble() < options.TraceRatio;

    /// <summary>Two at once at the turn of a second may both count as its first; it is a brake.</summary>
    private bool IsWithinBudget()
    {
        var now = time.GetTimestamp() / time.TimestampFrequency;
        if (Interlocked.Exchange(ref second, now) != now)
        {
            Interlocked.Exchange(ref taken, 0);
        }

        return Interlocked.Increment(ref taken) <= Limits.TracesPerSecond;
    }
}
