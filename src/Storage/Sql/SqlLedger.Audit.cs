using FlashSale.Core;
using FlashSale.Core.Stock;
using FlashSale.Core.Wire;

namespace FlashSale.Storage.Sql;

public abstract partial class SqlLedger
{
    /// <summary>The rows of one offer, one query for each type of line; that of orders and payments names the sale too, for the index that they are read by.</summary>
    private static readonly (string Sql, Func<Row, ExportLine> Line)[] Exports =
    [
        ("SELECT offer_id, bucket, initial, adjustments, available, held, sold, seq FROM stock WHERE offer_id = ?1", StockLineOf),
        ("SELECT offer_id, bucket, seq, kind, delta, balance_after, order_id FROM stock_changes WHERE offer_id = ?1 ORDER BY bucket, seq", ChangeLineOf),
        ("SELECT id, offer_id, user_id, status, created_at FROM orders WHERE offer_id = ?1 AND sale_id = ?2 ORDER BY rowid", OrderLineOf),
        ("SELECT code, order_id, status FROM coupons WHERE offer_id = ?1", CouponLineOf),
        (
            """
            SELECT p.id, p.order_id, p.amount, p.currency, p.status FROM orders o CROSS JOIN payments p ON p.order_id = o.id
            WHERE o.offer_id = ?1 AND o.sale_id = ?2 ORDER BY o.rowid
            """,
            PaymentLineOf
        ),
    ];

    /// <summary>Row by row; the transaction of the snapshot is open meanwhile, so the caller reads without long pauses.</summary>
    private protected static IEnumerable<ExportLine> ReadExport(SqlSession session, SaleId sale)
    {
        foreach (var offer in session.Query("SELECT id FROM offers WHERE sale_id = ?1 ORDER BY position", row => row.Long(0), sale.Value))
        {
            foreach (var (sql, line) in Exports)
            {
                foreach (var exported in sql.Contains("?2", StringComparison.Ordinal) ? session.Stream(sql, line, offer, sale.Value) : session.Stream(sql, line, offer))
                {
                    yield return exported;
                }
            }
        }
    }

    public Task<IReadOnlyList<AuditDocument>> ListAuditAsync(long? before, int count, CancellationToken cancellation) =>
        ReadAsync<IReadOnlyList<AuditDocument>>(session => AuditLog.Page(session, before ?? long.MaxValue, count), cancellation);

    public Task<IReadOnlyList<AuditDocument>> ListAuditOfAsync(string subject, long? before, int count, CancellationToken cancellation) =>
        ReadAsync<IReadOnlyList<AuditDocument>>(session => AuditLog.Page(session, subject, before ?? long.MaxValue, count), cancellation);

    public Task<IReadOnlyList<AuditDocument>> ListAuditAfterAsync(IReadOnlyList<string> subjects, long after, int count, CancellationToken cancellation) =>
        subjects.Count == 0
            ? Task.FromResult<IReadOnlyList<AuditDocument>>([])
            : ReadAsync<IReadOnlyList<AuditDocument>>(session => AuditLog.After(session, subjects, after, count), cancellation);

    public Task<AuditHeadDocument> ReadAuditHeadAsync(CancellationToken cancellation) => ReadAsync(session => AuditLog.Head(session), cancellation);

    /// <summary>In the transaction of the change that it tells of: neither is there without the other. It is written when the rest of that is.</summary>
    private static void Audit(SqlSession session, Actor actor, string action, string subject, string? reason, string? before, string? after) =>
        (session.Notes ?? throw new InvalidOperationException("What is audited is written by a transaction")).Add(
            new AuditNote(session.Now, actor, action, subject, reason, before, after));

    private static ExportLine StockLineOf(Row row) => new()
    {
        Type = "stock",
        OfferId = new OfferId(row.Long(0)).ToString(),
        Bucket = row.Int(1),
        Initial = row.Long(2),
        Adjustments = row.Long(3),
        Available = row.Long(4),
        Held = row.Long(5),
        Sold = row.Long(6),
        Seq = row.Long(7),
    };

    private static ExportLine ChangeLineOf(Row row) => new()
    {
        Type = "stockChange",
        OfferId = new OfferId(row.Long(0)).ToString(),
        Bucket = row.Int(1),
        Seq = row.Long(2),
        Kind = row.Word<StockChangeKind>(3),
        Delta = row.Long(4),
        BalanceAfter = row.Long(5),
        OrderId = row.IsNull(6) ? null : Id(row, 6),
    };

    private static ExportLine OrderLineOf(Row row) => new()
    {
        Type = "order",
        Id = Id(row, 0),
        OfferId = new OfferId(row.Long(1)).ToString(),
        UserId = row.Text(2),
        Status = row.Text(3),
        CreatedAt = row.Time(4),
    };

    private static ExportLine CouponLineOf(Row row) => new()
    {
        Type = "coupon",
        Code = row.Text(0),
        OrderId = Id(row, 1),
        Status = row.Text(2),
    };

    private static ExportLine PaymentLineOf(Row row) => new()
    {
        Type = "payment",
        Id = Id(row, 0),
        OrderId = Id(row, 1),
        Amount = row.Money(2),
        Status = row.Text(4),
    };

    private static string Id(Row row, int column) => new OrderId(row.Guid(column)).ToString();
}
