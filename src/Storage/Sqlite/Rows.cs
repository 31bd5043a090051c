using System.Collections.Frozen;
using System.Text.Json;

using FlashSale.Core;
using FlashSale.Core.Coupons;
using FlashSale.Core.Orders;
using FlashSale.Core.Stock;
using FlashSale.Core.Wire;

using Microsoft.Data.Sqlite;

namespace FlashSale.Storage.Sqlite;

/// <summary>Between rows and what the program calls them; the first lines of the migration say how values are stored.</summary>
internal static class Rows
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

    public static string Word<T>(this T value)
        where T : struct, Enum => Words<T>.ByValue[value];

    public static Guid Guid(this SqliteDataReader row, int column) => new(row.GetFieldValue<byte[]>(column), bigEndian: true);

    public static DateTimeOffset Time(this SqliteDataReader row, int column) => DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(column));

    public static DateTimeOffset? TimeOrNull(this SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.Time(column);

    public static string? TextOrNull(this SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    public static T Word<T>(this SqliteDataReader row, int column)
        where T : struct, Enum => Words<T>.ByWord[row.GetString(column)];

    public static UserId User(this SqliteDataReader row, int column) => UserId.Parse(row.GetString(column));

    /// <summary>An amount and, in the next column, its currency.</summary>
    public static Money Money(this SqliteDataReader row, int column) => new(row.GetInt64(column), row.GetString(column + 1));

    public static Order Order(SqliteDataReader row) => new(
        new OrderId(row.Guid(0)),
        new SaleId(row.GetInt64(1)),
        new OfferId(row.GetInt64(2)),
        row.User(3),
        row.Word<OrderStatus>(4),
        row.Money(5),
        row.Time(7),
        row.Time(8),
        row.FieldCount == 9 || row.IsDBNull(9) ? null : new OrderCoupon(row.GetString(9), row.Time(10), row.Time(11)));

    public static Coupon Coupon(SqliteDataReader row) => new(
        row.GetString(0),
        new OrderId(row.Guid(1)),
        new OfferId(row.GetInt64(2)),
        row.Word<CouponStatus>(3),
        row.Money(4),
        row.Time(6),
        row.Time(7),
        row.TimeOrNull(8),
        row.TextOrNull(9));

    /// <summary><c>id, order_id, amount, currency, status</c></summary>
    public static Payment Payment(SqliteDataReader row) => new(
        new PaymentId(row.Guid(0)),
        new OrderId(row.Guid(1)),
        row.Money(2),
        row.Word<PaymentStatus>(4));

    /// <summary><c>initial, adjustments, available, held, sold, seq</c></summary>
    public static StockRow Stock(SqliteDataReader row, int column) => StockRow.Restore(
        row.GetInt64(column),
        row.GetInt64(column + 1),
        row.GetInt64(column + 2),
        row.GetInt64(column + 3),
        row.GetInt64(column + 4),
        row.GetInt64(column + 5));

    private static class Words<T>
        where T : struct, Enum
    {
        public static readonly FrozenDictionary<T, string> ByValue =
            Enum.GetValues<T>().ToFrozenDictionary(value => value, value => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString()));

        public static readonly FrozenDictionary<string, T> ByWord = ByValue.ToFrozenDictionary(pair => pair.Value, pair => pair.Key);
    }
}
