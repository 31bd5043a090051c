using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Stock;

namespace FlashSale.Storage.Sqlite;

/// <summary>
/// The stock of a bucket inside one transaction: read once, changed by the rules of <see cref="StockRow"/> as often as needed, written
/// once, together with a row of the change log for each change.
/// </summary>
internal sealed class StockLine
{
    /// <summary>The only bucket so far: one writer has nobody to share a row with.</summary>
    public const int Bucket = 0;

    // Not `SET available = CASE WHEN available >= n …`, which matches the row and reports success even when nothing is left to sell.
    private const string Update =
        """
        UPDATE stock SET available = available + ?1, held = held + ?2, sold = sold + ?3, adjustments = adjustments + ?4, seq = seq + ?5
        WHERE offer_id = ?6 AND bucket = ?7 AND available >= ?8 AND seq = ?9
        """;

    private const string InsertChange =
        "INSERT INTO stock_changes (offer_id, bucket, seq, kind, delta, balance_after, order_id, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

    private readonly OfferId offer;
    private readonly StockRow read;
    private readonly List<StockChange> changes = [];

    private StockLine(OfferId offer, StockRow row)
    {
        this.offer = offer;
        read = row;
        Row = row;
    }

    public StockRow Row { get; private set; }

    /// <summary>Null for an offer that was not published.</summary>
    public static StockLine? Read(SqliteSession session, OfferId offer)
    {
        using var rows = session
            .Prepare("SELECT initial, adjustments, available, held, sold, seq FROM stock WHERE offer_id = ?1 AND bucket = ?2")
            .Set(1, offer.Value)
            .Set(2, Bucket)
            .Read();
        return rows.Next() ? new StockLine(offer, Mapping.Stock(rows.Current, 0)) : null;
    }

    public static void Create(SqliteSession session, OfferId offer, int units, DateTimeOffset now)
    {
        var (row, change) = StockRow.Create(units);
        session.Execute(
            "INSERT INTO stock (offer_id, bucket, initial, adjustments, available, held, sold, seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            offer.Value, Bucket, row.Initial, row.Adjustments, row.Available, row.Held, row.Sold, row.Seq);
        var line = new StockLine(offer, row);
        line.changes.Add(change);
        line.InsertChanges(session, now);
    }

    public void Apply(in (StockRow Row, StockChange Change) step)
    {
        Row = step.Row;
        changes.Add(step.Change);
    }

    /// <returns>The stock as it is once the transaction commits.</returns>
    public OfferStock Write(SqliteSession session, WritePattern pattern, DateTimeOffset now)
    {
        if (changes.Count > 0)
        {
            if (pattern == WritePattern.LogFirst)
            {
                InsertChanges(session, now);
                UpdateRow(session);
            }
            else
            {
                UpdateRow(session);
                InsertChanges(session, now);
            }
        }

        return new OfferStock(offer, Bucket, Row);
    }

    private void UpdateRow(SqliteSession session)
    {
        var delta = Row.Available - read.Available;
        var written = session.Prepare(Update)
            .Set(1, delta)
            .Set(2, Row.Held - read.Held)
            .Set(3, Row.Sold - read.Sold)
            .Set(4, Row.Adjustments - read.Adjustments)
            .Set(5, Row.Seq - read.Seq)
            .Set(6, offer.Value)
            .Set(7, Bucket)
            .Set(8, Math.Max(0, -delta))
            .Set(9, read.Seq)
            .Execute();
        if (written != 1)
        {
            throw new InvalidOperationException($"The stock of offer {offer} is no longer what this transaction read: {read}");
        }
    }

    private void InsertChanges(SqliteSession session, DateTimeOffset now)
    {
        var insert = session.Prepare(InsertChange).Set(1, offer.Value).Set(2, Bucket).Set(8, now.Ms());
        foreach (var change in changes)
        {
            insert.Set(3, change.Seq).Set(4, change.Kind.Word()).Set(5, change.Delta).Set(6, change.BalanceAfter);
            _ = change.OrderId is { } order ? insert.Set(7, order.Value) : insert.SetNull(7);
            insert.Execute();
        }
    }
}
