using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Storage;

using Xunit;

namespace FlashSale.Tests;

/// <summary>Sales that nothing is wrong with, for tests that are about something else; <c>with</c> says what is special.</summary>
public static class TestSale
{
    private static readonly Actor Actor = Actor.System("test");

    /// <summary>Open for 8 hours, with coupons that are good from the opening on.</summary>
    public static Sale Draft(DateTimeOffset opensAt, int stock, int limit = 1, int offers = 1) => new()
    {
        Slug = $"sale-{Guid.NewGuid():N}",
        Title = new LocalizedText("端午", "Dragon Boat"),
        OpensAt = opensAt,
        ClosesAt = opensAt.AddHours(8),
        RequiresReservation = false,
        PaymentWindow = TimeSpan.FromMinutes(15),
        Offers = [.. Enumerable.Range(0, offers).Select(i => new Offer
        {
            Sku = $"sku-{i}",
            Title = new LocalizedText("优惠券", "Coupon"),
            FaceValue = Money.Cny(10_000),
            Price = Money.Cny(9_900),
            Stock = stock,
            PerUserLimit = limit,
            ValidFrom = opensAt,
            ValidUntil = opensAt.AddDays(30),
        })],
    };

    public static async Task<Sale> PublishAsync(ILedger ledger, Sale draft)
    {
        var created = await ledger.CreateSaleAsync(draft, Actor, CancellationToken.None);
        Assert.NotNull(created);
        var published = await ledger.UpdateSaleAsync(created with { Status = SaleStatus.Published }, created.Rev, "sale.publish", Actor, CancellationToken.None);
        Assert.NotNull(published);
        return published;
    }
}
