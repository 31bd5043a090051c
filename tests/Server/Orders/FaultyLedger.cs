using System.Collections.Concurrent;
using System.Reflection;

using FlashSale.Core.Orders;
using FlashSale.Storage;

namespace FlashSale.Tests.Server.Orders;

/// <summary>A real ledger whose commits go wrong as a test says. What the test does not mention works.</summary>
public class FaultyLedger : DispatchProxy
{
    /// <summary>A commit of the ledger behind it.</summary>
    public delegate Task<PlacementBatch> Commit(IReadOnlyList<OrderDraft> drafts);

    private ILedger inner = null!;

    /// <summary>Every batch that the writer handed over, in order.</summary>
    public ConcurrentQueue<IReadOnlyList<OrderDraft>> Handed { get; } = new();

    /// <summary>What happens to a commit: it may call the real one, before or after it fails, or not at all.</summary>
    public Func<Commit, IReadOnlyList<OrderDraft>, Task<PlacementBatch>> OnPlace { get; set; } = (commit, drafts) => commit(drafts);

    /// <summary>Null: orders can be read.</summary>
    public Exception? OnFind { get; set; }

    public static (ILedger Ledger, FaultyLedger Faults) Wrap(ILedger inner)
    {
        var ledger = Create<ILedger, FaultyLedger>();
        var faults = (FaultyLedger)(object)ledger;
        faults.inner = inner;
        return (ledger, faults);
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (targetMethod!.Name == nameof(ILedger.PlaceAsync))
        {
            var drafts = (IReadOnlyList<OrderDraft>)args![0]!;
            Handed.Enqueue(drafts);
            return OnPlace(batch => inner.PlaceAsync(batch, CancellationToken.None), drafts);
        }

        return targetMethod.Name == nameof(ILedger.FindOrderAsync) && OnFind is { } failure
            ? Task.FromException<Order?>(failure)
            : targetMethod.Invoke(inner, BindingFlags.DoNotWrapExceptions, binder: null, args, culture: null);
    }
}
