using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Stock;
using FlashSale.Core.Wire;

namespace FlashSale.Storage.Sql;

public abstract partial class SqlLedger
{
    public Task<Order?> FindOrderAsync(OrderId id, CancellationToken cancellation) =>
        ReadAsync(session => FindOrder(session, id), cancellation);

    public Task<IReadOnlyList<Order>> ListOrdersAsync(UserId user, OrderId? before, int count, CancellationToken cancellation) =>
        ReadAsync<IReadOnlyList<Order>>(
            session => session.Query(
                // By an expression, so that no database thinks of walking through all orders by their ids until it has met enough of this user's.
                Mapping.SelectOrders + " WHERE o.user_id = ?1 AND o.id < ?2 ORDER BY hex(o.id) DESC LIMIT ?3",
                Mapping.Order,
                user.Value, (before?.Value ?? Guid.AllBitsSet).Bytes(), count),
            cancellation);

    public Task<(CancellationOutcome Outcome, Order? Order, StockMove? Move)> CancelAsync(OrderId id, UserId user, CancellationToken cancellation) =>
        WriteAsync<(CancellationOutcome, Order?, StockMove?)>(
            session =>
            {
                if (LockOrder(session, id) is not { } order || order.UserId != user)
                {
                    return (CancellationOutcome.NotFound, null, null);
                }

                return Cancel(session, order);
            },
            cancellation);

    public async Task<IReadOnlyList<StockMove>> ExpireAsync(int count, CancellationToken cancellation)
    {
        // Most of the time nothing has run out, and then nothing is written.
        var any = await ReadAsync(session => FindOverdue(session, 1, "").Count > 0, cancellation);
        return any ? await WriteAsync(session => Expire(session, count), cancellation) : [];
    }

    public Task<DateTimeOffset?> ReadFirstPayBeforeAsync(CancellationToken cancellation) =>
        ReadAsync(session => session.First("SELECT min(pay_before) FROM orders WHERE status = 'held'", row => row.TimeOrNull(0)), cancellation);

    /// <summary>Read off the stock rows, which count the ended orders too: counting a million orders for each reading would take too long.</summary>
    public Task<IReadOnlyDictionary<OrderStatus, long>> CountOrdersAsync(CancellationToken cancellation) =>
        ReadAsync<IReadOnlyDictionary<OrderStatus, long>>(
            session => session.First(
                """
                SELECT coalesce(sum(held), 0), coalesce(sum(sold), 0), coalesce(sum(cancelled), 0), coalesce(sum(expired), 0),
                       coalesce(sum(refund_due), 0), coalesce(sum(refunded), 0)
                FROM stock
                """,
                row => new Dictionary<OrderStatus, long>
                {
                    [OrderStatus.Held] = row.Long(0),
                    [OrderStatus.Paid] = row.Long(1),
                    [OrderStatus.Cancelled] = row.Long(2),
                    [OrderStatus.Expired] = row.Long(3),
                    [OrderStatus.RefundDue] = row.Long(4),
                    [OrderStatus.Refunded] = row.Long(5),
                })!,
            cancellation);

    private protected static Order? FindOrder(SqlSession session, OrderId id) =>
        session.First(Mapping.SelectOrders + " WHERE o.id = ?1", Mapping.Order, id.Bytes());

    /// <summary>The order alone, for a transaction that may move it. Its row is locked before that of the stock, by everybody: so nobody waits in a circle.</summary>
    private static Order? LockOrder(SqlSession session, OrderId id) =>
        session.First($"SELECT {Mapping.OrderColumns} FROM orders o WHERE o.id = ?1" + session.ForUpdate, Mapping.Order, id.Bytes());

    /// <summary>The lowest slot from 1 to the limit that no live order of the user has; null when all are taken.</summary>
    private protected static int? FindFreeSlot(SqlSession session, UserId user, OfferId offer, int limit)
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

    private List<StockMove> Expire(SqlSession session, int count)
    {
        var ended = FindOverdue(session, count, session.ForUpdateSkipLocked);
        var lines = new SortedDictionary<long, StockLine>();
        foreach (var order in ended)
        {
            var transition = OrderLifeCycle.Apply(order.Status, OrderEvent.PaymentTimeRanOut, canTakeAgain: false);
            SetStatus(session, order, transition, null);
        }

        var unpaid = FindUnpaid(session, ended);

        // The stock rows late, and in one order: they are hot.
        foreach (var orders in ended.GroupBy(order => order.OfferId).OrderBy(offer => offer.Key.Value))
        {
            var line = LockLine(session, orders.Key);
            foreach (var order in orders)
            {
                line.Move(order, OrderStatus.Expired, StockChangeKind.Release);
            }

            lines.Add(orders.Key.Value, line);
        }

        var stocks = lines.ToDictionary(pair => pair.Key, pair => pair.Value.Write(session, Pattern));

        // Bars are rare, and the row that counts them is everybody's: whoever holds it waits for nobody's stock.
        var barred = BarUnpaid(session, unpaid);
        return ended.ConvertAll(order => new StockMove(stocks[order.OfferId.Value], order.Id, order.UserId, OrderStatus.Expired)
        {
            BarredUntil = barred.TryGetValue(order.UserId, out var until) ? until : null,
        });
    }

    /// <summary>
    /// An order ends up to a quarter of its payment window after it, and never more than the quarter of <c>?3</c>: where in that time, its place in the table
    /// decides, spread by a prime so that neighbours are far from each other. Multiplied out, since databases divide differently.
    /// </summary>
    private static List<Order> FindOverdue(SqlSession session, int count, string locking) =>
        session.Query(
            $"""
            SELECT {Mapping.OrderColumns} FROM orders o
            WHERE o.status = 'held' AND o.pay_before <= ?1
              AND (?1 - o.pay_before) * 4000
                  >= (o.rowid * 7919 % 1000) * CASE WHEN o.pay_before - o.created_at < ?3 THEN o.pay_before - o.created_at ELSE ?3 END
            ORDER BY o.pay_before, o.rowid LIMIT ?2
            """ + locking,
            Mapping.Order,
            session.Now.Ms(), count, 4 * (long)Limits.ExpirySpreadMax.TotalMilliseconds);

    /// <summary>Those whose orders have just ended, who have let too many expire by now, and who are not barred already.</summary>
    private static SortedDictionary<string, BlacklistRequest> FindUnpaid(SqlSession session, List<Order> ended)
    {
        var unpaid = new SortedDictionary<string, BlacklistRequest>(StringComparer.Ordinal);
        foreach (var orders in ended.GroupBy(order => order.SaleId))
        {
            var defences = FindDefences(session, orders.Key);
            foreach (var user in orders.Select(order => order.UserId).Distinct().Where(_ => defences.UnpaidHolds > 0))
            {
                var expired = session.First(
                    "SELECT count(*) FROM orders WHERE user_id = ?1 AND status = 'expired' AND pay_before > ?2",
                    row => row.Int(0),
                    user.Value, (session.Now - Limits.UnpaidHoldsWithin).Ms());
                if (expired >= defences.UnpaidHolds && FindLive(session, BlacklistKind.User, user.Value) is null)
                {
                    unpaid[user.Value] = new BlacklistRequest(
                        $"{expired} orders within {Limits.UnpaidHoldsWithin.TotalHours:0} hours were not paid",
                        BarSource.UnpaidHolds,
                        session.Now + TimeSpan.FromMinutes(defences.BarMinutes));
                }
            }
        }

        return unpaid;
    }

    private static Dictionary<UserId, DateTimeOffset> BarUnpaid(SqlSession session, SortedDictionary<string, BlacklistRequest> unpaid)
    {
        var barred = new Dictionary<UserId, DateTimeOffset>();
        foreach (var (name, entry) in unpaid)
        {
            var user = UserId.Parse(name);
            if (Bar(session, user, entry, Actor.System(entry.Reason), "blacklist.add") is { } until)
            {
                barred[user] = until;
            }
        }

        if (barred.Count > 0)
        {
            RaiseCatalogRev(session);
            foreach (var (user, end) in barred)
            {
                NoteChange(session, user, end);
            }
        }

        return barred;
    }

    /// <summary>Moves an order that was locked in this transaction, and the stock with it.</summary>
    /// <param name="slot">For an order that becomes live again.</param>
    private StockMove? MoveOne(SqlSession session, Order order, in OrderTransition transition, int? slot)
    {
        SetStatus(session, order, transition, slot);
        var line = LockLine(session, order.OfferId);
        line.Move(order, transition.Next, transition.Stock);
        var stock = line.Write(session, Pattern);
        return transition.Stock is null ? null : new StockMove(stock, order.Id, order.UserId, transition.Next);
    }

    private static void SetStatus(SqlSession session, Order order, in OrderTransition transition, int? slot)
    {
        // Compare and set. A live order keeps its slot, one that ends gives it back.
        var moved = session.Execute(
            "UPDATE orders SET status = ?1, live_slot = CASE WHEN ?2 = 1 THEN coalesce(live_slot, ?3) END WHERE id = ?4 AND status = ?5",
            transition.Next.Word(), OrderLifeCycle.IsLive(transition.Next), slot, order.Id.Bytes(), order.Status.Word());
        if (transition.Outcome != OrderTransitionOutcome.Moves || moved != 1)
        {
            throw new InvalidOperationException($"Order {order.Id} cannot move from {order.Status} to {transition.Next}");
        }
    }

    private static StockLine LockLine(SqlSession session, OfferId offer) =>
        StockLine.Lock(session, offer) ?? throw new InvalidOperationException($"Offer {offer} has orders and no stock");
}
