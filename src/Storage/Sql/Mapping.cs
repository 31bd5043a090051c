using FlashSale.Core;
using FlashSale.Core.Coupons;
using FlashSale.Core.Orders;
using FlashSale.Core.Stock;
using FlashSale.Core.Wire;

namespace FlashSale.Storage.Sql;

/// <summary>Between rows and what the program calls them; the first lines of the migration say how values are stored.</summary>
internal static class Mapping
{
    public const string OrderColumns = "o.id, o.sale_id, o.offer_id, o.user_id, o.status, o.price, o.currency, o.created_at, o.pay_before";

    /// <summary>An order with the coupon that a paid one has.</summary>
    public const string SelectOrders =
        $"""
        SELECT {OrderColumns}, c.code, f.valid_from, f.valid_until
        FROM orders o JOIN offers f ON f.id = o.offer_id LEFT JOIN coupons c ON c.order_id = o.id AND o.status = 'paid'
        """;

    public const string SelectCoupon =
        """
        SELECT c.code, c.order_id, c.offer_id, c.status, f.face_value, f.face_currency, f.valid_from, f.valid_until, c.redeemed_at, c.redeemed_by
        FROM coupons c JOIN offers f ON f.id = c.offer_id WHERE c.code = ?1
        """;

    public static byte[] Bytes(this Guid id) => id.ToByteArray(bigEndian: true);

    public static byte[] Bytes(this OrderId id) => id.Value.Bytes();

    public static byte[] Bytes(this PaymentId id) => id.Value.Bytes();

    public static long Ms(this DateTimeOffset time) => time.ToUnixTimeMilliseconds();

    public static long? Ms(this DateTimeOffset? time) => time?.ToUnixTimeMilliseconds();

    public static Order Order(Row row) => new(
        new OrderId(row.Guid(0)),
        new SaleId(row.Long(1)),
        new OfferId(row.Long(2)),
        row.User(3),
        row.Word<OrderStatus>(4),
        row.Money(5),
        row.Time(7),
        row.Time(8),
        row.Columns == 9 || row.IsNull(9) ? null : new OrderCoupon(row.Text(9), row.Time(10), row.Time(11)));

    public static Coupon Coupon(Row row) => new(
        row.Text(0),
        new OrderId(row.Guid(1)),
        new OfferId(row.Long(2)),
        row.Word<CouponStatus>(3),
        row.Money(4),
        row.Time(6),
        row.Time(7),
        row.TimeOrNull(8),
        row.TextOrNull(9));

    /// <summary><c>id, order_id, amount, currency, status</c></summary>
    public static Payment Payment(Row row) => new(
        new PaymentId(row.Guid(0)),
        new OrderId(row.Guid(1)),
        row.Money(2),
        row.Word<PaymentStatus>(4));

    /// <summary><c>initial, adjustments, available, held, sold, seq</c></summary>
    public static StockRow Stock(Row row, int column) => StockRow.Restore(
        row.Long(column),
        row.Long(column + 1),
        row.Long(column + 2),
        row.Long(column + 3),
        row.Long(column + 4),
        row.Long(column + 5));
}
