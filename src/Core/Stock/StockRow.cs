using System.Text.Json.Serialization;

using FlashSale.Core.Wire;

namespace FlashSale.Core.Stock;

/// <summary>Why the stock changed.</summary>
[JsonConverter(typeof(WordEnumConverter<StockChangeKind>))]
public enum StockChangeKind
{
    /// <summary>The units of the publication; the first change of a bucket.</summary>
    Initial,

    /// <summary>An order took a unit: delta −1.</summary>
    Hold,

    /// <summary>An order was paid: delta 0, or −1 when its unit had gone back before.</summary>
    Sell,

    /// <summary>An order was cancelled, expired or refunded: delta +1.</summary>
    Release,

    /// <summary>An operator added or took away units.</summary>
    Adjust,
}

/// <summary>One row of the change log (流水).</summary>
/// <param name="Seq">Without gaps in a bucket, from 1.</param>
/// <param name="Delta">The change of what is available.</param>
/// <param name="BalanceAfter">What is available after it.</param>
public readonly record struct StockChange(long Seq, StockChangeKind Kind, long Delta, long BalanceAfter, OrderId? OrderId);

/// <summary>
/// The stock of a bucket, with <c>initial + adjustments = available + held + sold</c>, none of them negative. Each operation gives the next
/// row and its change; one that would break the equation throws, because no caller may get there.
/// </summary>
public readonly record struct StockRow
{
    private StockRow(long initial, long adjustments, long available, long held, long sold, long seq)
    {
        Initial = initial;
        Adjustments = adjustments;
        Available = available;
        Held = held;
        Sold = sold;
        Seq = seq;
        if (available < 0 || held < 0 || sold < 0 || initial + adjustments != available + held + sold)
        {
            throw new InvalidOperationException($"The stock does not add up: {ToString()}");
        }
    }

    public long Initial { get; }
    public long Adjustments { get; }
    public long Available { get; }
    public long Held { get; }
    public long Sold { get; }

    /// <summary>The number of the last change.</summary>
    public long Seq { get; }

    public static (StockRow Row, StockChange Change) Create(int initial) =>
        Changed(new StockRow(initial, 0, initial, 0, 0, 1), StockChangeKind.Initial, initial, null);

    /// <summary>A row as a ledger stored it.</summary>
    public static StockRow Restore(long initial, long adjustments, long available, long held, long sold, long seq) =>
        new(initial, adjustments, available, held, sold, seq);

    public (StockRow Row, StockChange Change) Hold(OrderId order) =>
        Changed(new StockRow(Initial, Adjustments, Available - 1, Held + 1, Sold, Seq + 1), StockChangeKind.Hold, -1, order);

    public (StockRow Row, StockChange Change) Sell(OrderId order) =>
        Changed(new StockRow(Initial, Adjustments, Available, Held - 1, Sold + 1, Seq + 1), StockChangeKind.Sell, 0, order);

    /// <summary>A payment came after its unit had gone back: takes one again.</summary>
    public (StockRow Row, StockChange Change) SellAgain(OrderId order) =>
        Changed(new StockRow(Initial, Adjustments, Available - 1, Held, Sold + 1, Seq + 1), StockChangeKind.Sell, -1, order);

    public (StockRow Row, StockChange Change) Release(OrderId order) =>
        Changed(new StockRow(Initial, Adjustments, Available + 1, Held - 1, Sold, Seq + 1), StockChangeKind.Release, 1, order);

    /// <summary>A paid order was refunded: what is no longer sold is there again.</summary>
    public (StockRow Row, StockChange Change) TakeBack(OrderId order) =>
        Changed(new StockRow(Initial, Adjustments, Available + 1, Held, Sold - 1, Seq + 1), StockChangeKind.Release, 1, order);

    /// <summary>Ask <see cref="CanAdjust"/> first.</summary>
    public (StockRow Row, StockChange Change) Adjust(long delta) =>
        Changed(new StockRow(Initial, Adjustments + delta, Available + delta, Held, Sold, Seq + 1), StockChangeKind.Adjust, delta, null);

    public bool CanAdjust(long delta) =>
        delta != 0
        && Math.Abs(delta) <= Limits.StockMax
        && Available + delta >= 0
        && Initial + Adjustments + delta <= Limits.AdjustedStockMax;

    private static (StockRow Row, StockChange Change) Changed(StockRow next, StockChangeKind kind, long delta, OrderId? order) =>
        (next, new StockChange(next.Seq, kind, delta, next.Available, order));

    public override string ToString() =>
        $"initial {Initial} + adjustments {Adjustments} = available {Available} + held {Held} + sold {Sold} at seq {Seq}";
}
