using System.Collections.Concurrent;
using System.Reflection;

using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Storage;

namespace FlashSale.Tests.Server.Orders;

/// <summary>A real ledger whose commits go wrong as a test says. What the test does not mention works.</summary>
public class FaultyLedger : DispatchProxy
{
    /// <summary>A commit of the ledger behind it.</summary>
    public delegate Task<PlacementBatch> Commit(IReadOnlyList<OrderDraft> drafts);

    private ILedger inner = null!;
    private int entered;

    /// <summary>Every batch that the writer handed over, in order.</summary>
    public ConcurrentQueue<IReadOnlyList<OrderDraft>> Handed { get; } = new();

    /// <summary>What happens to a commit: it may call the real one, before or after it fails, or not at all.</summary>
    public Func<Commit, IReadOnlyList<OrderDraft>, Task<PlacementBatch>> OnPlace { get; set; } = (commit, drafts) => commit(drafts);

    /// <summary>What happens when entries of a draw are written, and when its list is fixed.</summary>
    public Func<Func<Task<bool>>, Task<bool>> OnEnter { get; set; } = enter => enter();

    public Func<Func<Task<bool>>, Task<bool>> OnFix { get; set; } = fix => fix();

    /// <summary>What happens when a payment is booked.</summary>
    public Func<Func<Task<(PaymentOutcome, StockMove?)>>, Task<(PaymentOutcome, StockMove?)>> OnComplete { get; set; } = complete => complete();

    /// <summary>Entries that the ledger took.</summary>
    public int Entered => Volatile.Read(ref entered);

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

        if (targetMethod.Name == nameof(ILedger.EnterDrawAsync))
        {
            return OnEnter(() => EnterAsync((SaleId)args![0]!, (IReadOnlyList<DrawEntrant>)args[1]!));
        }

        if (targetMethod.Name == nameof(ILedger.FixDrawAsync))
        {
            return OnFix(() => inner.FixDrawAsync((SaleId)args![0]!, CancellationToken.None));
        }

        if (targetMethod.Name == nameof(ILedger.CompletePaymentAsync))
        {
            return OnComplete(() => (Task<(PaymentOutcome, StockMove?)>)targetMethod.Invoke(inner, BindingFlags.DoNotWrapExceptions, binder: null, args, culture: null)!);
        }

        return targetMethod.Name == nameof(ILedger.FindOrderAsync) && OnFind is { } failure
            ? Task.FromException<Order?>(failure)
            : targetMethod.Invoke(inner, BindingFlags.DoNotWrapExceptions, binder: null, args, culture: null);
    }

    private async Task<bool> EnterAsync(SaleId sale, IReadOnlyList<DrawEntrant> entrants)
    {
        var taken = await inner.EnterDrawAsync(sale, entrants, CancellationToken.None);
        Interlocked.Add(ref entered, taken ? entrants.Count : 0);
        return taken;
    }
}
