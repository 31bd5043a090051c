using FlashSale.Core.Orders;
using FlashSale.Core.Wire;

namespace FlashSale.Server.Orders;

public static class OrderDocuments
{
    public static OrderDocument Of(Order order) => new(
        order.Id.ToString(),
        order.SaleId.ToString(),
        order.OfferId.ToString(),
        order.UserId.Value,
        order.Status,
        order.Price,
        order.CreatedAt,
        order.PayBefore,
        order.Coupon);
}
