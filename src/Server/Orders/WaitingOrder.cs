using FlashSale.Core.Orders;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Orders;

/// <summary>What the writer answers. The order is there for <c>Placed</c> and <c>Repeated</c>.</summary>
public readonly record struct WriterAnswer(OrderDecision Decision, Order? Order = null);

/// <summary>A request that waits in the queue of a ledger writer for its answer, which is given exactly once.</summary>
internal sealed class WaitingOrder(OrderDraft draft, bool admitted, long arrivedAt) : TaskCompletionSource<WriterAnswer>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public OrderDraft Draft { get; } = draft;

    /// <summary>The gate took a unit for this request, or for a duplicate of it.</summary>
    public bool Admitted => admitted || Duplicate is { Admitted: true };

    /// <summary>A timestamp of the time provider.</summary>
    public long ArrivedAt { get; } = arrivedAt;

    /// <summary>Another request with the same order id in the same batch.</summary>
    public WaitingOrder? Duplicate { get; set; }

    public void Answer(OrderDecision decision, Order? order = null)
    {
        TrySetResult(new WriterAnswer(decision, order));
        // The first of equals placed the order, the others repeat it.
        Duplicate?.Answer(decision == OrderDecision.Placed ? OrderDecision.Repeated : decision, order);
    }
}
