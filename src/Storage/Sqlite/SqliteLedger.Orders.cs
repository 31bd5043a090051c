using System.Runtime.InteropServices;

using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Stock;

namespace FlashSale.Storage.Sqlite;

public sealed partial class SqliteLedger
{
    // Nothing happens when the id is there already, or the slot is taken; a CHECK or a foreign key still throws.
    private const string InsertOrder =
        """
        INSERT INTO orders (id, sale_id, offer_id, user_id, status, user_limit, live_slot, price, currency, created_at, pay_before)
        VALUES (?1, ?2, ?3, ?4, 'held', ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING
        """;

    public async Task<PlacementBatch> PlaceAsync(IReadOnlyList<OrderDraft> drafts, CancellationToken cancellation) =>
        await writes.RunAsync(session => Place(session, drafts), cancellation);

    public Task<Order?> FindOrderAsync(OrderId id, CancellationToken cancellation) =>
        readers.ReadAsync(session => FindOrder(session, id), cancellation);

    public Task<IReadOnlyList<Order>> ListOrdersAsync(UserId user, OrderId? before, int count, CancellationToken cancellation) =>
        readers.ReadAsync<IReadOnlyList<Order>>(
            session => session.Query(
                Mapping.SelectOrders + " WHERE o.user_id = ?1 AND o.id < ?2 ORDER BY o.id DESC LIMIT ?3",
                Mapping.Order,
                user.Value, (before?.Value ?? Guid.AllBitsSet).Bytes(), count),
            cancellation);

    public Task<(CancellationOutcome Outcome, Order? Order, StockMove? Move)> CancelAsync(OrderId id, UserId user, CancellationToken cancellation) =>
        writes.RunAsync<(CancellationOutcome, Order?, StockMove?)>(
            session =>
            {
                if (FindOrder(session, id) is not { } order || order.UserId != user)
                {
                    return (CancellationOutcome.NotFound, null, null);
                }

                var transition = OrderLifeCycle.Apply(order.Status, OrderEvent.CancelAsked, canTakeAgain: false);
                return transition.Outcome switch
                {
                    OrderTransitionOutcome.Moves => (
                        CancellationOutcome.Cancelled, order with { Status = transition.Next }, MoveOne(session, order, transition, null)),
                    OrderTransitionOutcome.Repeated => (CancellationOutcome.AlreadyCancelled, order, null),
                    _ => (CancellationOutcome.NotCancellable, order, null),
                };
            },
            cancellation);

    public async Task<IReadOnlyList<StockMove>> ExpireAsync(int count, CancellationToken cancellation)
    {
        // Most of the time nothing has run out, and then nothing is written.
        var any = await readers.ReadAsync(session => FindOverdue(session, 1).Count > 0, cancellation);
        return any ? await writes.RunAsync(session => Expire(session, count), cancellation) : [];
    }

    public Task<IReadOnlyDictionary<OrderStatus, long>> CountOrdersAsync(CancellationToken cancellation) =>
        readers.ReadAsync<IReadOnlyDictionary<OrderStatus, long>>(
            session => session.Query("SELECT status, orders FROM order_counts", row => (Status: row.Word<OrderStatus>(0), Orders: row.Long(1)))
                .ToDictionary(row => row.Status, row => row.Orders),
            cancellation);

    private PlacementBatch Place(SqliteSession session, IReadOnlyList<OrderDraft> drafts)
    {
        var now = Now();
        var insert = session.Prepare(InsertOrder);
        var results = new Dictionary<OrderId, PlacementResult>(drafts.Count);
        var lines = new Dictionary<OfferId, StockLine>();
        var placed = 0;
        for (var i = 0; i < drafts.Count; i++)
        {
            var draft = drafts[i];
            ref var line = ref CollectionsMarshal.GetValueRefOrAddDefault(lines, draft.OfferId, out _);
            line ??= StockLine.Read(session, draft.OfferId)
                ?? throw new BatchRejectedException($"Offer {draft.OfferId} has no stock: it was never published");
            var result = PlaceOne(session, insert, line, draft, now);
            results.Add(draft.Id, result);
            if (result.Outcome == PlacementOutcome.Placed)
            {
                line.Apply(line.Row.Hold(draft.Id));
                placed++;
            }
        }

        var stocks = new List<OfferStock>(lines.Count);
        foreach (var line in lines.Values)
        {
            stocks.Add(line.Write(session, pattern, now));
        }

        Count(session, OrderStatus.Held, placed);
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

    /// <summary>The lowest slot from 1 to the limit that no live order of the user has; null when all are taken.</summary>
    private static int? FindFreeSlot(SqliteSession session, UserId user, OfferId offer, int limit)
    {
        var free = 1;
        foreach (var taken in session.Query(
            "SELECT live_slot FROM orders WHERE user_id = ?1 AND offer_id = ?2 AND live_slot >= 1 ORDER BY live_slot",
            row => row.Int(0),
            user.Value, offer.Value))
        {
            if (taken != free)
            {
                break;
            }

            free++;
        }

        return free <= limit ? free : null;
    }

    private List<StockMove> Expire(SqliteSession session, int count)
    {
        var now = Now();
        var lines = new Dictionary<OfferId, StockLine>();
        var ended = FindOverdue(session, count);
        foreach (var order in ended)
        {
            var transition = OrderLifeCycle.Apply(order.Status, OrderEvent.PaymentTimeRanOut, canTakeAgain: false);
            if (!lines.TryGetValue(order.OfferId, out var line))
            {
                line = ReadLine(session, order.OfferId);
                lines.Add(order.OfferId, line);
            }

            Move(session, line, order, transition, null);
        }

        var stocks = lines.ToDictionary(pair => pair.Key, pair => pair.Value.Write(session, pattern, now));
        return ended.ConvertAll(order => new StockMove(stocks[order.OfferId], order.Id, order.UserId, OrderStatus.Expired));
    }

    private List<Order> FindOverdue(SqliteSession session, int count) =>
        session.Query(
            $"SELECT {Mapping.OrderColumns} FROM orders o WHERE o.status = 'held' AND o.pay_before <= ?1 ORDER BY o.pay_before, o.rowid LIMIT ?2",
            Mapping.Order,
            Now().Ms(), count);

    private static Order? FindOrder(SqliteSession session, OrderId id) => session.First(Mapping.SelectOrders + " WHERE o.id = ?1", Mapping.Order, id.Bytes());

    /// <summary>Moves an order that was read in this transaction, and the stock with it.</summary>
    /// <param name="slot">For an order that becomes live again.</param>
    private StockMove? MoveOne(SqliteSession session, Order order, in OrderTransition transition, int? slot)
    {
        var line = ReadLine(session, order.OfferId);
        Move(session, line, order, transition, slot);
        var stock = line.Write(session, pattern, Now());
        return transition.Stock is null ? null : new StockMove(stock, order.Id, order.UserId, transition.Next);
    }

    private static void Move(SqliteSession session, StockLine line, Order order, in OrderTransition transition, int? slot)
    {
        // Compare and set. A live order keeps its slot, one that ends gives it back.
        var moved = session.Execute(
            "UPDATE orders SET status = ?1, live_slot = CASE WHEN ?2 THEN coalesce(live_slot, ?3) END WHERE id = ?4 AND status = ?5",
            transition.Next.Word(), OrderLifeCycle.IsLive(transition.Next) ? 1L : 0L, slot, order.Id.Bytes(), order.Status.Word());
        if (transition.Outcome != OrderTransitionOutcome.Moves || moved != 1)
        {
            throw new InvalidOperationException($"Order {order.Id} cannot move from {order.Status} to {transition.Next}");
        }

        Count(session, order.Status, -1);
        Count(session, transition.Next, 1);
        switch (transition.Stock)
        {
            case StockChangeKind.Release:
                line.Apply(line.Row.Release(order.Id));
                break;
            case StockChangeKind.Sell:
                line.Apply(OrderLifeCycle.IsLive(order.Status) ? line.Row.Sell(order.Id) : line.Row.SellAgain(order.Id));
                break;
        }
    }

    private static StockLine ReadLine(SqliteSession session, OfferId offer) =>
        StockLine.Read(session, offer) ?? throw new InvalidOperationException($"Offer {offer} has orders and no stock");

    private static void Count(SqliteSession session, OrderStatus status, long change)
    {
        if (change != 0)
        {
            session.Execute("UPDATE order_counts SET orders = orders + ?1 WHERE status = ?2", change, status.Word());
        }
    }
}
