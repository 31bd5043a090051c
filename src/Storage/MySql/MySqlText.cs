using System.Globalization;
using System.Text;

using FlashSale.Core;
using FlashSale.Core.Stock;
using FlashSale.Storage.Sql;

namespace FlashSale.Storage.MySql;

/// <summary>
/// The text of batches, values included: a parameter object for each of 6,000 values would cost more than the database does. Numbers and binary ids have one
/// spelling; what is text is checked here before it is quoted.
/// </summary>
internal static class MySqlText
{
    public const string InsertChanges = "INSERT INTO stock_changes (offer_id,bucket,seq,kind,delta,balance_after,order_id,at) VALUES ";

    private const string InsertOrders =
        "INSERT INTO orders (id,sale_id,offer_id,user_id,status,user_limit,live_slot,price,currency,created_at,pay_before) VALUES ";

    public static StringBuilder AppendId(this StringBuilder text, Guid id) => text.Append(CultureInfo.InvariantCulture, $"x'{id:N}'");

    public static StringBuilder AppendUser(this StringBuilder text, UserId user) => UserId.IsValid(user.Value)
        ? text.Append('\'').Append(user.Value).Append('\'')
        : throw new BatchRejectedException("An order has no user id");

    /// <summary>
    /// An order that is there already, or whose slot is taken, is left as it is and not counted. Not INSERT IGNORE, which would let pass what a CHECK or a
    /// foreign key refuses.
    /// </summary>
    /// <param name="orders">At least one. Their times come from the variable <c>@t</c>.</param>
    public static StringBuilder AppendOrders(this StringBuilder text, ReadOnlySpan<(OrderDraft Draft, int Slot)> orders)
    {
        text.Append(InsertOrders);
        for (var i = 0; i < orders.Length; i++)
        {
            var (draft, slot) = orders[i];
            text.Append(i == 0 ? "(" : ",(").AppendId(draft.Id.Value).Append(',').Append(draft.SaleId.Value).Append(',').Append(draft.OfferId.Value).Append(',')
                .AppendUser(draft.UserId).Append(",'held',").Append(draft.PerUserLimit).Append(',').Append(slot).Append(',').Append(draft.Price.Amount)
                .Append(",'").Append(Currency(draft.Price)).Append("',@t,@t+").Append((long)draft.PaymentWindow.TotalMilliseconds).Append(')');
        }

        return text.Append(" ON DUPLICATE KEY UPDATE id=id;");
    }

    /// <summary>A row of the change log for each order that takes a unit, behind <see cref="InsertChanges"/> or other rows.</summary>
    /// <returns>The stock after them.</returns>
    public static StockRow AppendHolds(this StringBuilder text, OfferId offer, StockRow stock, ReadOnlySpan<(OrderDraft Draft, int Slot)> orders)
    {
        foreach (var (draft, _) in orders)
        {
            if (draft.OfferId == offer)
            {
                stock = stock.Hold(draft.Id).Row;
                text.Append(text[^1] == ')' ? ",(" : "(").Append(offer.Value).Append(',').Append(StockLine.Bucket).Append(',').Append(stock.Seq)
                    .Append(",'hold',-1,").Append(stock.Available).Append(',').AppendId(draft.Id.Value).Append(",@t)");
            }
        }

        return stock;
    }

    /// <summary>The units of the holds. It changes one row, or none when the stock is not what this instance believes.</summary>
    public static StringBuilder AppendTake(this StringBuilder text, OfferId offer, StockRow before, StockRow after)
    {
        var units = before.Available - after.Available;
        return text.Append(
            CultureInfo.InvariantCulture,
            $"UPDATE stock SET available=available-{units},held=held+{units},seq=seq+{units} WHERE offer_id={offer.Value} AND bucket={StockLine.Bucket} AND available>={units} AND seq={before.Seq};");
    }

    private static string Currency(Money price) => price.Currency is { Length: 3 } currency && currency.All(char.IsAsciiLetterUpper)
        ? currency
        : throw new BatchRejectedException("An order has no currency");
}
