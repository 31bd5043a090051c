using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Reservations;
using FlashSale.Core.Sales;
using FlashSale.Core.Stock;
using FlashSale.Core.Wire;

namespace FlashSale.Storage.Sql;

public abstract partial class SqlLedger
{
    private const string SelectChecked =
        """
        SELECT s.seq, s.kind, s.delta, s.balance_after, s.order_id, o.status,
               (SELECT count(*) FROM coupons c WHERE c.order_id = s.order_id),
               (SELECT count(*) FROM payments p WHERE p.order_id = s.order_id AND p.status = 'paid')
        FROM stock_changes s LEFT JOIN orders o ON o.id = s.order_id AND o.offer_id = s.offer_id
        WHERE s.offer_id = ?1 AND s.bucket = ?2 AND s.seq > ?3 ORDER BY s.seq LIMIT ?4
        """;

    public Task<IReadOnlyList<OfferStock>> ReadStockAsync(IReadOnlyList<OfferId> offers, CancellationToken cancellation) =>
        ReadAsync<IReadOnlyList<OfferStock>>(session => session.Snapshot(snapshot => ReadStock(snapshot, offers)), cancellation);

    public Task<StockMove?> AdjustStockAsync(OfferId offer, StockAdjustmentRequest request, Actor actor, CancellationToken cancellation) =>
        WriteAsync<StockMove?>(
            session =>
            {
                var line = StockLine.Lock(session, offer);
                if (line is null || line.Row.Available != request.ExpectedAvailable || !line.Row.CanAdjust(request.Delta))
                {
                    return null;
                }

                var before = Document(offer, line.Row);
                line.Apply(line.Row.Adjust(request.Delta));
                var stock = line.Write(session, Pattern);
                Audit(
                    session, actor, "stock.adjust", $"offer/{offer}", $"{request.Reason} ({request.Reference})",
                    AuditJson.Write(before), AuditJson.Write(Document(offer, line.Row)));
                return new StockMove(stock, null, null, null);
            },
            cancellation);

    public Task<GateLoad> ReadGateLoadAsync(Sale sale, CancellationToken cancellation)
    {
        OfferId[] offers = [.. sale.Offers.Select(offer => offer.Id)];
        return ReadAsync(
            session => session.Snapshot(snapshot => new GateLoad(
                sale,
                ReadStock(snapshot, offers),
                [.. offers.SelectMany(offer => snapshot.Query(
                    "SELECT id, user_id, live_slot IS NOT NULL FROM orders WHERE offer_id = ?1 AND (live_slot IS NOT NULL OR id >= ?2)",
                    row => new GateLoadOrder(new OrderId(row.Guid(0)), offer, row.User(1), row.Bool(2)),
                    offer.Value, Oldest(snapshot.Now - Limits.GateKeepsEnded)))],
                ReadReserved(snapshot, sale.Id, ReservationStatus.Approved),
                ReadReserved(snapshot, sale.Id, ReservationStatus.Rejected))),
            cancellation);
    }

    /// <summary>What has come to the change log since, each with what it must agree with, and the stock row, from one snapshot.</summary>
    public Task<ChangePage?> ReadChangesAsync(OfferId offer, long afterSeq, int count, CancellationToken cancellation) =>
        ReadAsync(
            session => session.Snapshot(snapshot => ReadStock(snapshot, [offer]) is [var stock]
                ? new ChangePage(stock, snapshot.Query(SelectChecked, Checked, offer.Value, StockLine.Bucket, afterSeq, count))
                : null),
            cancellation);

    private static CheckedChange Checked(Row row) => new(
        new StockChange(row.Long(0), row.Word<StockChangeKind>(1), row.Long(2), row.Long(3), row.IsNull(4) ? null : new OrderId(row.Guid(4))),
        row.IsNull(5) ? null : row.Word<OrderStatus>(5),
        row.Int(6),
        row.Int(7));

    private protected static List<OfferStock> ReadStock(SqlSession session, IReadOnlyList<OfferId> offers)
    {
        var stocks = new List<OfferStock>(offers.Count);
        foreach (var offer in offers)
        {
            stocks.AddRange(session.Query(
                "SELECT bucket, initial, adjustments, available, held, sold, seq FROM stock WHERE offer_id = ?1 ORDER BY bucket",
                row => new OfferStock(offer, row.Int(0), Mapping.Stock(row, 1)),
                offer.Value));
        }

        return stocks;
    }

    private static List<UserId> ReadReserved(SqlSession session, SaleId sale, ReservationStatus status) =>
        session.Query(
            "SELECT user_id FROM reservations WHERE sale_id = ?1 AND status = ?2", row => row.User(0), sale.Value, status.Word());

    /// <summary>Ids are as old as their tokens: no living token has an older one. The lowest version 7 UUID of a moment: 48 bits of milliseconds, then nothing (RFC 9562, section 5.7).</summary>
    private static byte[] Oldest(DateTimeOffset moment)
    {
        var id = new byte[16];
        for (int i = 5, ms = 0; i >= 0; i--, ms += 8)
        {
            id[i] = (byte)((moment.Ms() >> ms) & 0xFF);
        }

        return id;
    }

    private static StockDocument Document(OfferId offer, StockRow row) => new(
        offer.ToString(), StockLine.Bucket, row.Initial, row.Adjustments, row.Available, row.Held, row.Sold, row.Seq);
}
