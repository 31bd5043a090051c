using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Stock;

namespace FlashSale.Storage.Sql;

/// <summary>
/// The stock of a bucket inside one transaction: read once, changed by the rules of <see cref="StockRow"/> as often as needed, written
/// once, together with a row of the change log for each change.
/// </summary>
internal sealed class StockLine
{
    /// <summary>The only bucket so far: batches of orders share a row so well that a second one would win nothing (docs/decisions/0010).</summary>
    public const int Bucket = 0;

    // Not `SET available = CASE WHEN available >= n …`, which matches the row and reports success even when nothing is left to sell.
    private const string Update =
        """
        UPDATE stock SET available = available + ?1, held = held + ?2, sold = sold + ?3, adjustments = adjustments + ?4, seq = seq + ?5,
               cancelled = cancelled + ?6, expired = expired + ?7, refund_due = refund_due + ?8, refunded = refunded + ?9
        WHERE offer_id = ?10 AND bucket = ?11 AND available >= ?12 AND seq = ?13
        """;

    private const string Select = "SELECT initial, adjustments, available, held, sold, seq FROM stock WHERE offer_id = ?1 AND bucket = ?2";

    private readonly OfferId offer;
    private readonly StockRow read;
    private readonly List<StockChange> changes = [];

    // Orders that ended, less those that came back.
    private int cancelled;
    private int expired;
    private int refundDue;
    private int refunded;

    private StockLine(OfferId offer, StockRow row)
    {
        this.offer = offer;
        read = row;
        Row = row;
    }

    public StockRow Row { get; private set; }

    /// <summary>Null for an offer that was not published. The row is this transaction's until it ends.</summary>
    public static StockLine? Lock(SqlSession session, OfferId offer) =>
        session.First(Select + session.ForUpdate, row => new StockLine(offer, Mapping.Stock(row, 0)), offer.Value, Bucket);

    public static void Create(SqlSession session, OfferId offer, int units)
    {
        var (row, change) = StockRow.Create(units);
        session.Execute(
            "INSERT INTO stock (offer_id, bucket, initial, adjustments, available, held, sold, seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            offer.Value, Bucket, row.Initial, row.Adjustments, row.Available, row.Held, row.Sold, row.Seq);
        session.InsertChanges(offer, Bucket, [change]);
    }

    public void Apply(in (StockRow Row, StockChange Change) step)
    {
        Row = step.Row;
        changes.Add(step.Change);
    }

    /// <summary>An order leaves a state for another one.</summary>
    /// <param name="order">As it was.</param>
    /// <param name="next">What it becomes.</param>
    /// <param name="kind">What that does to the stock; null when it does not move.</param>
    public void Move(Order order, OrderStatus next, StockChangeKind? kind)
    {
        Count(order.Status, -1);
        Count(next, 1);
        switch (kind)
        {
            case StockChangeKind.Release:
                Apply(order.Status == OrderStatus.Paid ? Row.TakeBack(order.Id) : Row.Release(order.Id));
                break;
            case StockChangeKind.Sell:
                Apply(OrderLifeCycle.IsLive(order.Status) ? Row.Sell(order.Id) : Row.SellAgain(order.Id));
                break;
        }
    }

    /// <returns>The stock as it is once the transaction commits.</returns>
    public OfferStock Write(SqlSession session, WritePattern pattern)
    {
        if (pattern == WritePattern.LogFirst)
        {
            InsertChanges(session);
            UpdateRow(session);
        }
        else
        {
            UpdateRow(session);
            InsertChanges(session);
        }

        return new OfferStock(offer, Bucket, Row);
    }

    /// <summary>Held and paid orders are counted by the stock itself.</summary>
    private void Count(OrderStatus status, int change)
    {
        cancelled += status == OrderStatus.Cancelled ? change : 0;
        expired += status == OrderStatus.Expired ? change : 0;
        refundDue += status == OrderStatus.RefundDue ? change : 0;
        refunded += status == OrderStatus.Refunded ? change : 0;
    }

    private void UpdateRow(SqlSession session)
    {
        if (Row == read && (cancelled, expired, refundDue, refunded) == default)
        {
            return;
        }

        var delta = Row.Available - read.Available;
        var written = session.Execute(
            Update,
            delta, Row.Held - read.Held, Row.Sold - read.Sold, Row.Adjustments - read.Adjustments, Row.Seq - read.Seq,
            cancelled, expired, refundDue, refunded,
            offer.Value, Bucket, Math.Max(0, -delta), read.Seq);
        if (written != 1)
        {
            throw new InvalidOperationException($"The stock of offer {offer} is no longer what this transaction read: {read}");
        }
    }

    private void InsertChanges(SqlSession session)
    {
        if (changes.Count > 0)
        {
            session.InsertChanges(offer, Bucket, changes);
        }
    }
}
