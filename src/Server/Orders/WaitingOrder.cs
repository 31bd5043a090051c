using FlashSale.Core.Orders;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Orders;

/// <summary>What the writer answers. The order is there for <c>Placed</c> and <c>Repeated</c>.</summary>
public readonly record struct WriterAnswer(OrderDecision Decision, Order? Order = null);

/// <summary>A request that waits in the queue of a ledger writer for its answer, which is given exactly once.</summary>
internal sealed class WaitingOrder(OrderDraft draft, bool admitted, long arrivedAt, long deadline) : TaskCompletionSource<WriterAnswer>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public OrderDraft Draft { get; } = draft;

    /// <summary>The gate took a unit for this request.</summary>
    public bool Admitted { get; } = admitted;

    /// <summary>A timestamp of the time provider.</summary>
    public long ArrivedAt { get; } = arrivedAt;

    /// <summary>Likewise: one that is not with the ledger by then is refused.</summary>
    public long Deadline { get; } = deadline;

    /// <summary>The first answer counts: one whose outcome was unknown for too long has been told so.</summary>
    public void Answer(OrderDecision decision, Order? order = null) => TrySetResult(new WriterAnswer(decision, order));
}
