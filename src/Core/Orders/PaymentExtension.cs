namespace FlashSale.Core.Orders;

/// <summary>The time to pay can be extended once, by whoever has the order (docs/decisions/0020).</summary>
public static class PaymentExtension
{
    /// <summary>Also asked of an order that was not extended before.</summary>
    public static bool IsOpen(Order order, DateTimeOffset now) => order.Status == OrderStatus.Held && now < order.PayBefore;

    /// <summary>When an order that was not extended has to be paid afterwards: half of its time later, within <see cref="Limits.ExtensionMin"/> and <see cref="Limits.ExtensionMax"/>.</summary>
    public static DateTimeOffset Extend(Order order)
    {
        var half = (long)(order.PayBefore - order.CreatedAt).TotalMilliseconds / 2;
        return order.PayBefore + TimeSpan.FromMilliseconds(
            Math.Clamp(half, (long)Limits.ExtensionMin.TotalMilliseconds, (long)Limits.ExtensionMax.TotalMilliseconds));
    }
}
