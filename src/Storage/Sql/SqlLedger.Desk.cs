using FlashSale.Core;
using FlashSale.Core.Coupons;
using FlashSale.Core.Orders;
using FlashSale.Core.Stock;
using FlashSale.Core.Wire;

namespace FlashSale.Storage.Sql;

/// <summary>Orders as operators look for them, and what they do to them (docs/order-desk.md).</summary>
public abstract partial class SqlLedger
{
    /// <summary>What was done to one order by operators, at most: it can be cancelled and refunded once each.</summary>
    private const int DeedsMax = 20;

    private const string DeskColumns = $"{Mapping.OrderColumns}, NULL, NULL, NULL, o.rowid";

    // Databases that know hints read them in what others take for a comment: without one they may walk through all orders until they have met enough.
    private const string OfUser =
        $"SELECT {DeskColumns} FROM orders o /*! FORCE INDEX (orders_by_user) */ WHERE o.user_id = ?1 AND o.rowid + 0 < ?2 ORDER BY o.rowid + 0 DESC LIMIT ?3";

    private const string OfOffer =
        $"""
        SELECT {DeskColumns} FROM orders o /*! FORCE INDEX (orders_by_offer) */
        WHERE o.offer_id = ?1 AND o.sale_id = ?4 AND o.rowid < ?2 ORDER BY o.rowid DESC LIMIT ?3
        """;

    private const string ToRefund =
        $"""
        SELECT {DeskColumns} FROM orders o /*! FORCE INDEX (orders_to_expire) */
        WHERE o.status = 'refund_due' AND o.rowid + 0 < ?1 ORDER BY o.rowid + 0 DESC LIMIT ?2
        """;

    private const string OfAll = $"SELECT {DeskColumns} FROM orders o WHERE o.rowid < ?1 ORDER BY o.rowid DESC LIMIT ?2";

    public Task<FoundOrders> ListOrdersAsync(OrderQuery query, int count, CancellationToken cancellation) =>
        ReadAsync(session => session.Snapshot(snapshot => Find(snapshot, query, count)), cancellation);

    public Task<OrderHistory?> ReadOrderHistoryAsync(OrderId id, CancellationToken cancellation) =>
        ReadAsync(session => session.Snapshot(snapshot => FindOrder(snapshot, id) is { } order ? ReadHistory(snapshot, order) : null), cancellation);

    public Task<(CancellationOutcome Outcome, Order? Order, StockMove? Move)> CancelAsync(OrderId id, Actor actor, CancellationToken cancellation) =>
        WriteAsync<(CancellationOutcome, Order?, StockMove?)>(
            session =>
            {
                if (LockOrder(session, id) is not { } order)
                {
                    return (CancellationOutcome.NotFound, null, null);
                }

                var cancelled = Cancel(session, order);
                if (cancelled.Outcome == CancellationOutcome.Cancelled)
                {
                    AuditMove(session, actor, "order.cancel", order, cancelled.Order!.Status);
                }

                return cancelled;
            },
            cancellation);

    public Task<(RefundOutcome Outcome, Order? Order, StockMove? Move)> RefundAsync(OrderId id, Actor actor, CancellationToken cancellation) =>
        WriteAsync<(RefundOutcome, Order?, StockMove?)>(
            session =>
            {
                if (LockOrder(session, id) is not { } order)
                {
                    return (RefundOutcome.NotFound, null, null);
                }

                var transition = OrderLifeCycle.Apply(order.Status, OrderEvent.RefundMade, canTakeAgain: false);
                if (transition.Outcome != OrderTransitionOutcome.Moves)
                {
                    return (transition.Outcome == OrderTransitionOutcome.Repeated ? RefundOutcome.AlreadyRefunded : RefundOutcome.NotPaid, order, null);
                }

                if (order.Status == OrderStatus.Paid && TakeBack(session, id) is { } refused)
                {
                    return (refused, order, null);
                }

                var move = MoveOne(session, order, transition, null);
                AuditMove(session, actor, "order.refund", order, transition.Next);
                return (RefundOutcome.Refunded, order with { Status = transition.Next }, move);
            },
            cancellation);

    /// <summary>What cancelling does to an order that was locked, whoever asks for it.</summary>
    private (CancellationOutcome Outcome, Order? Order, StockMove? Move) Cancel(SqlSession session, Order order)
    {
        var transition = OrderLifeCycle.Apply(order.Status, OrderEvent.CancelAsked, canTakeAgain: false);
        return transition.Outcome switch
        {
            OrderTransitionOutcome.Moves => (
                CancellationOutcome.Cancelled, order with { Status = transition.Next }, MoveOne(session, order, transition, null)),
            OrderTransitionOutcome.Repeated => (CancellationOutcome.AlreadyCancelled, order, null),
            _ => (CancellationOutcome.NotCancellable, FindOrder(session, order.Id), null),
        };
    }

    /// <summary>Revokes the coupon of a paid order. Null when that is done; else why it cannot be, and nothing was written.</summary>
    private static RefundOutcome? TakeBack(SqlSession session, OrderId id)
    {
        // A dealer who redeems it at this moment comes before it or finds it revoked.
        var coupon = session.First("SELECT status FROM coupons WHERE order_id = ?1" + session.ForUpdate, row => row.Text(0), id.Bytes());
        if (coupon != CouponStatus.Issued.Word())
        {
            return RefundOutcome.Redeemed;
        }

        if (ReadEnds(session, id).Any(end => end.Kind == StockChangeKind.Release))
        {
            return RefundOutcome.PaidLate;
        }

        session.Execute("UPDATE coupons SET status = ?1 WHERE order_id = ?2 AND status = ?3", CouponStatus.Revoked.Word(), id.Bytes(), CouponStatus.Issued.Word());
        return null;
    }

    private static void AuditMove(SqlSession session, Actor actor, string action, Order before, OrderStatus after) =>
        Audit(session, actor, action, Subject(before.Id), actor.Reason, Json(before, before.Status), Json(before, after));

    private static string Subject(OrderId id) => $"order/{id}";

    /// <summary>Whose it is does not stand there: whoever may read more finds it by the order.</summary>
    private static string? Json(Order order, OrderStatus status) =>
        AuditJson.Write(new OrderAudit(status.Word(), order.SaleId.ToString(), order.OfferId.ToString()));

    private static FoundOrders Find(SqlSession session, OrderQuery query, int count)
    {
        var before = query.Before ?? long.MaxValue;
        if (query.User is { } user)
        {
            // Few enough to read and sort; a filter in the query could still make it look through all of them.
            return Choose(query, count, [Look(session, Limits.OrdersLookedThrough, OfUser, user.Value, before, Limits.OrdersLookedThrough)]);
        }

        if (query.Status == OrderStatus.RefundDue)
        {
            return Choose(query, count, [Look(session, Limits.OrdersLookedThrough, ToRefund, before, Limits.OrdersLookedThrough)]);
        }

        if (query.Sale is null && query.Offer is null)
        {
            var all = query.Status is null ? count + 1 : Limits.OrdersLookedThrough;
            return Choose(query, count, [Look(session, all, OfAll, before, all)]);
        }

        var offers = session.Query(
            query.Offer is null ? "SELECT id, sale_id FROM offers WHERE sale_id = ?1" : "SELECT id, sale_id FROM offers WHERE id = ?1",
            row => (Offer: row.Long(0), Sale: row.Long(1)),
            query.Offer?.Value ?? query.Sale!.Value.Value);
        var each = query.Status is null ? count + 1 : Math.Max(count + 1, Limits.OrdersLookedThrough / Math.Max(1, offers.Count));
        return Choose(query, count, [.. offers.Select(offer => Look(session, each, OfOffer, offer.Offer, before, each, offer.Sale))]);
    }

    private static (List<(Order Order, long Place)> Orders, bool All) Look(SqlSession session, int count, string sql, params ReadOnlySpan<object?> values)
    {
        var orders = session.Query(sql, row => (Mapping.Order(row), row.Long(12)), values);
        return (orders, orders.Count < count);
    }

    /// <summary>From several lists, each from its newest down to where it was cut: what stands below the highest cut is for the next page.</summary>
    private static FoundOrders Choose(OrderQuery query, int count, List<(List<(Order Order, long Place)> Orders, bool All)> lists)
    {
        var floor = lists.Where(list => !list.All).Select(list => list.Orders[^1].Place).DefaultIfEmpty(0).Max();
        var fitting = lists.SelectMany(list => list.Orders)
            .Where(one => one.Place >= floor && query.Asks(one.Order))
            .OrderByDescending(one => one.Place)
            .Take(count + 1)
            .ToList();
        return fitting.Count > count
            ? new FoundOrders([.. fitting.Take(count).Select(one => one.Order)], fitting[count - 1].Place)
            : new FoundOrders([.. fitting.Select(one => one.Order)], floor == 0 ? null : floor);
    }

    private static OrderHistory ReadHistory(SqlSession session, Order order)
    {
        var id = order.Id.Bytes();
        var ends = ReadEnds(session, order.Id);
        return new OrderHistory(
            order,
            session.First("SELECT extended_at FROM order_extensions WHERE order_id = ?1", row => row.TimeOrNull(0), id),
            session.First(
                "SELECT id, status, created_at, changed_at FROM payments WHERE order_id = ?1",
                row => new OrderPayment(new PaymentId(row.Guid(0)), row.Word<PaymentStatus>(1), row.Time(2), row.Time(3)),
                id),
            session.First(
                "SELECT code, status, issued_at, redeemed_at, redeemed_by FROM coupons WHERE order_id = ?1",
                row => new OrderYield(row.Text(0), row.Word<CouponStatus>(1), row.Time(2), row.TimeOrNull(3), row.TextOrNull(4)),
                id),
            At(ends, StockChangeKind.Sell),
            At(ends, StockChangeKind.Release),
            AuditLog.About(session, Subject(order.Id), DeedsMax));
    }

    private static List<(StockChangeKind Kind, DateTimeOffset At)> ReadEnds(SqlSession session, OrderId id) =>
        session.Query($"SELECT kind, at FROM stock_changes WHERE {session.EndsOrder}", row => (row.Word<StockChangeKind>(0), row.Time(1)), id.Bytes());

    private static DateTimeOffset? At(List<(StockChangeKind Kind, DateTimeOffset At)> ends, StockChangeKind kind) =>
        ends.Where(end => end.Kind == kind).Select(end => (DateTimeOffset?)end.At).FirstOrDefault();
}
