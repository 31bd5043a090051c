using FlashSale.Core;
using FlashSale.Core.Reservations;
using FlashSale.Core.Sales;
using FlashSale.Core.Stock;
using FlashSale.Core.Wire;

namespace FlashSale.Storage.Sqlite;

public sealed partial class SqliteLedger
{
    public Task<IReadOnlyList<OfferStock>> ReadStockAsync(IReadOnlyList<OfferId> offers, CancellationToken cancellation) =>
        readers.ReadAsync<IReadOnlyList<OfferStock>>(session => session.Snapshot(snapshot => ReadStock(snapshot, offers)), cancellation);

    public Task<StockMove?> AdjustStockAsync(OfferId offer, StockAdjustmentRequest request, Actor actor, CancellationToken cancellation) =>
        writes.RunAsync<StockMove?>(
            session =>
            {
                var line = StockLine.Read(session, offer);
                if (line is null || line.Row.Available != request.ExpectedAvailable || !line.Row.CanAdjust(request.Delta))
                {
                    return null;
                }

                var before = Document(offer, line.Row);
                line.Apply(line.Row.Adjust(request.Delta));
                var stock = line.Write(session, pattern, Now());
                Audit(
                    session, actor, "stock.adjust", $"offer/{offer}", $"{request.Reason} ({request.Reference})",
                    AuditJson.Write(before), AuditJson.Write(Document(offer, line.Row)));
                return new StockMove(stock, null, null, null);
            },
            cancellation);

    public Task<GateLoad> ReadGateLoadAsync(Sale sale, CancellationToken cancellation)
    {
        OfferId[] offers = [.. sale.Offers.Select(offer => offer.Id)];
        // Ids are as old as their tokens: no living token has an older one.
        var oldest = Oldest(Now() - Limits.GateKeepsEnded);
        return readers.ReadAsync(
            session => session.Snapshot(snapshot => new GateLoad(
                sale,
                ReadStock(snapshot, offers),
                [.. offers.SelectMany(offer => snapshot.Query(
                    "SELECT id, user_id, live_slot IS NOT NULL FROM orders WHERE offer_id = ?1 AND (live_slot IS NOT NULL OR id >= ?2)",
                    row => new GateLoadOrder(new OrderId(row.Guid(0)), offer, row.User(1), row.Bool(2)),
                    offer.Value, oldest))],
                ReadReserved(snapshot, sale.Id, ReservationStatus.Approved),
                ReadReserved(snapshot, sale.Id, ReservationStatus.Rejected))),
            cancellation);
    }

    private static List<OfferStock> ReadStock(SqliteSession session, IReadOnlyList<OfferId> offers)
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

    private static List<UserId> ReadReserved(SqliteSession session, SaleId sale, ReservationStatus status) =>
        session.Query(
            "SELECT user_id FROM reservations WHERE sale_id = ?1 AND status = ?2", row => row.User(0), sale.Value, status.Word());

    /// <summary>The lowest version 7 UUID of a moment: 48 bits of milliseconds, then nothing (RFC 9562, section 5.7).</summary>
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
