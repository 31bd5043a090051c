using System.Runtime.InteropServices;

using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Storage.Sql;

namespace FlashSale.Storage.Sqlite;

public sealed partial class SqliteLedger
{
    // Nothing happens when the id is there already, or the slot is taken; a CHECK or a foreign key still throws.
    private const string InsertOrder =
        """
        INSERT INTO orders (id, sale_id, offer_id, user_id, status, user_limit, live_slot, price, currency, created_at, pay_before)
        VALUES (?1, ?2, ?3, ?4, 'held', ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING
        """;

    public override Task<PlacementBatch> PlaceAsync(IReadOnlyList<OrderDraft> drafts, CancellationToken cancellation) => StorageMeter.MeasureLedgerAsync(
        PlaceCall, static all => all.ledger.writes.RunAsync(session => all.ledger.Place(session, all.drafts), all.cancellation), (ledger: this, drafts, cancellation));

    private PlacementBatch Place(SqliteSession session, IReadOnlyList<OrderDraft> drafts)
    {
        var now = session.Now;
        var insert = session.Prepare(InsertOrder);
        var results = new Dictionary<OrderId, PlacementResult>(drafts.Count);
        var lines = new Dictionary<OfferId, StockLine>();
        for (var i = 0; i < drafts.Count; i++)
        {
            var draft = drafts[i];
            ref var line = ref CollectionsMarshal.GetValueRefOrAddDefault(lines, draft.OfferId, out _);
            line ??= StockLine.Lock(session, draft.OfferId)
                ?? throw new BatchRejectedException($"Offer {draft.OfferId} has no stock: it was never published");
            var result = PlaceOne(session, insert, line, draft, now);
            results.Add(draft.Id, result);
            if (result.Outcome == PlacementOutcome.Placed)
            {
                line.Apply(line.Row.Hold(draft.Id));
            }
        }

        var stocks = new List<OfferStock>(lines.Count);
        foreach (var line in lines.Values)
        {
            stocks.Add(line.Write(session, Pattern));
        }

        return new PlacementBatch(results, stocks);
    }

    private static PlacementResult PlaceOne(SqliteSession session, Statement insert, StockLine line, OrderDraft draft, DateTimeOffset now)
    {
        var order = new Order(
            draft.Id, draft.SaleId, draft.OfferId, draft.UserId, OrderStatus.Held, draft.Price, now, now + draft.PaymentWindow);
        var sold = line.Row.Available == 0;
        if (!sold && Insert(insert, order, draft.PerUserLimit, slot: 1))
        {
            return new PlacementResult(PlacementOutcome.Placed, order);
        }

        // An order that is there is told as it stands, whatever else would be said to a new one.
        if (FindOrder(session, draft.Id) is { } known)
        {
            return new PlacementResult(PlacementOutcome.AlreadyPlaced, known);
        }

        if (sold)
        {
            return new PlacementResult(PlacementOutcome.SoldOut, null);
        }

        return FindFreeSlot(session, draft.UserId, draft.OfferId, draft.PerUserLimit) is { } slot && Insert(insert, order, draft.PerUserLimit, slot)
            ? new PlacementResult(PlacementOutcome.Placed, order)
            : new PlacementResult(PlacementOutcome.LimitReached, null);
    }

    private static bool Insert(Statement insert, Order order, int limit, int slot) =>
        insert.Set(1, order.Id.Value)
            .Set(2, order.SaleId.Value)
            .Set(3, order.OfferId.Value)
            .Set(4, order.UserId.Value)
            .Set(5, limit)
            .Set(6, slot)
            .Set(7, order.Price.Amount)
            .Set(8, order.Price.Currency)
            .Set(9, order.CreatedAt.Ms())
            .Set(10, order.PayBefore.Ms())
            .Execute() == 1;
}
