using System.Diagnostics;

using FlashSale.Core.Orders;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Orders;

/// <summary>What the writer answers. The order is there for <c>Placed</c> and <c>Repeated</c>.</summary>
public readonly record struct WriterAnswer(OrderDecision Decision, Order? Order = null)
{
    /// <summary>When its batch was taken from the queue, and when that was durable: timestamps of the time provider; 0 when it never was.</summary>
    public long TakenAt { get; init; }

    public long CommittedAt { get; init; }
}

/// <summary>A request that waits in the queue of a ledger writer for its answer, which is given exactly once.</summary>
internal sealed class WaitingOrder(OrderDraft draft, bool admitted, long arrivedAt, long deadline, Activity? trace) : TaskCompletionSource<WriterAnswer>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public OrderDraft Draft { get; } = draft;

    /// <summary>The gate took a unit for this request.</summary>
    public bool Admitted { get; } = admitted;

    /// <summary>A timestamp of the time provider.</summary>
    public long ArrivedAt { get; } = arrivedAt;

    /// <summary>Likewise: one that is not with the ledger by then is refused.</summary>
    public long Deadline { get; } = deadline;

    /// <summary>Of the request that waits; null when it is not traced.</summary>
    public Activity? Trace { get; } = trace;

    /// <summary>Likewise: when a batch took it.</summary>
    public long TakenAt { get; set; }

    /// <summary>The first answer counts: one whose outcome was unknown for too long has been told so.</summary>
    public void Answer(OrderDecision decision, Order? order = null, long committedAt = 0) =>
        TrySetResult(new WriterAnswer(decision, order) { TakenAt = TakenAt, CommittedAt = committedAt });
}
