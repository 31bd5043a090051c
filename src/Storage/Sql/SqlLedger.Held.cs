using FlashSale.Core;
using FlashSale.Core.Orders;

namespace FlashSale.Storage.Sql;

/// <summary>What becomes of an order besides its status: more time to pay, and how its owner is reached. Neither moves the stock.</summary>
public abstract partial class SqlLedger
{
    public Task<(ExtensionOutcome Outcome, Order? Order)> ExtendAsync(OrderId id, UserId user, CancellationToken cancellation) =>
        KeepAsync<(ExtensionOutcome, Order?)>(
            session =>
            {
                if (LockOrder(session, id) is not { } order || order.UserId != user)
                {
                    return (ExtensionOutcome.NotFound, null);
                }

                if (!PaymentExtension.IsOpen(order, session.Now)
                    || !session.TryInsert("INSERT INTO order_extensions (order_id, extended_at) VALUES (?1, ?2)", id.Bytes(), session.Now.Ms()))
                {
                    return (ExtensionOutcome.NotExtendable, null);
                }

                var extended = order with { PayBefore = PaymentExtension.Extend(order) };
                session.Execute("UPDATE orders SET pay_before = ?1 WHERE id = ?2", extended.PayBefore.Ms(), id.Bytes());
                return (ExtensionOutcome.Extended, extended);
            },
            cancellation);

    public Task<bool> WasExtendedAsync(OrderId id, CancellationToken cancellation) =>
        ReadAsync(session => session.First("SELECT 1 FROM order_extensions WHERE order_id = ?1", row => row.Bool(0), id.Bytes()), cancellation);

    public Task<ContactOutcome> KeepContactAsync(OrderId id, UserId user, OrderContact contact, CancellationToken cancellation) =>
        KeepAsync(
            session =>
            {
                if (LockOrder(session, id) is not { } order || order.UserId != user)
                {
                    return ContactOutcome.NotFound;
                }

                if (!OrderLifeCycle.IsLive(order.Status))
                {
                    return ContactOutcome.Closed;
                }

                session.Execute("DELETE FROM order_contacts WHERE order_id = ?1", id.Bytes());
                session.Execute(
                    """
                    INSERT INTO order_contacts (order_id, user_id, name, phone, city, changed_at, forget_at)
                    SELECT ?1, ?2, ?3, ?4, ?5, ?6, valid_until + ?7 FROM offers WHERE id = ?8
                    """,
                    id.Bytes(), user.Value, contact.Name, contact.Phone, contact.City, session.Now.Ms(), (long)Limits.EvidenceKept.TotalMilliseconds,
                    order.OfferId.Value);
                return ContactOutcome.Kept;
            },
            cancellation);

    public Task<OrderContact?> FindContactAsync(OrderId id, UserId user, CancellationToken cancellation) =>
        ReadAsync(
            session => session.First(
                "SELECT name, phone, city FROM order_contacts WHERE order_id = ?1 AND user_id = ?2",
                row => new OrderContact(row.Text(0), row.Text(1), row.Text(2)),
                id.Bytes(), user.Value),
            cancellation);
}
