using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Sales;
using FlashSale.Core.Stock;
using FlashSale.Storage;

using Xunit;

namespace FlashSale.Tests.Storage;

/// <summary>What every ledger promises, whatever database it stands on. An adapter's tests derive from it.</summary>
public abstract partial class LedgerContract : LedgerTests;

/// <summary>An empty ledger for each test, and what tests are made of.</summary>
public abstract class LedgerTests : IAsyncLifetime
{
    protected static readonly TimeSpan Window = TimeSpan.FromMinutes(15);

    /// <summary>When every order has expired, wherever in the spread it stands.</summary>
    protected static readonly TimeSpan WindowAndSpread = Window + Limits.ExpirySpreadMax;
    protected static readonly Money Price = Money.Cny(9_900);
    protected static readonly Actor Operator = new("olivia", "operator", "as agreed", "trace-1");

    protected ManualTime Time { get; } = new();

    protected ILedger Ledger { get; private set; } = null!;

    protected CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Opens the ledger of this test: an empty one at first, the same one again after it was disposed.</summary>
    protected abstract Task<ILedger> OpenAsync();

    public async ValueTask InitializeAsync() => Ledger = await OpenAsync();

    public virtual async ValueTask DisposeAsync()
    {
        await Ledger.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected async Task ReopenAsync()
    {
        await Ledger.DisposeAsync();
        Ledger = await OpenAsync();
    }

    // ---- what tests are made of ----

    protected static UserId User(int number) => UserId.Parse($"user-{number}");

    protected Sale Draft(string slug, params (int Stock, int Limit)[] offers) => new()
    {
        Slug = slug,
        Title = new LocalizedText("端午", "Dragon Boat"),
        OpensAt = Time.GetUtcNow(),
        ClosesAt = Time.GetUtcNow().AddHours(8),
        RequiresReservation = false,
        PaymentWindow = Window,
        Offers = [.. offers.Select((offer, i) => new Offer
        {
            Sku = $"sku-{i}",
            Title = new LocalizedText("优惠券", "Coupon"),
            FaceValue = Money.Cny(10_000),
            Price = Price,
            Stock = offer.Stock,
            PerUserLimit = offer.Limit,
            ValidFrom = Time.GetUtcNow(),
            ValidUntil = Time.GetUtcNow().AddDays(30),
        })],
    };

    protected async Task<Sale> PublishAsync(params (int Stock, int Limit)[] offers)
    {
        var sale = await Ledger.CreateSaleAsync(Draft($"sale-{Guid.NewGuid():N}", offers), Operator, Stop);
        var published = await Ledger.UpdateSaleAsync(sale! with { Status = SaleStatus.Published }, sale.Rev, "sale.publish", Operator, Stop);
        return published!;
    }

    protected OrderDraft Order(Sale sale, UserId user, int offer = 0, OrderId? id = null) => new(
        id ?? OrderId.Create(Time.GetUtcNow()),
        sale.Id,
        sale.Offers[offer].Id,
        user,
        sale.Offers[offer].Price,
        sale.Offers[offer].PerUserLimit,
        sale.PaymentWindow);

    protected async Task<PlacementOutcome> PlaceAsync(OrderDraft draft) => (await Ledger.PlaceAsync([draft], Stop)).Results[draft.Id].Outcome;

    /// <summary>An order that is there, and its payment.</summary>
    protected async Task<(OrderDraft Order, PaymentId Payment)> BuyAsync(Sale sale, UserId user, int offer = 0)
    {
        var draft = Order(sale, user, offer);
        Assert.Equal(PlacementOutcome.Placed, await PlaceAsync(draft));
        var started = await Ledger.StartPaymentAsync(draft.Id, user, PaymentId.Create(Time.GetUtcNow()), Stop);
        return (draft, started!.Value.Payment!.Id);
    }

    protected Task<(PaymentOutcome Outcome, StockMove? Move)> PayAsync(PaymentId payment, OrderDraft order, bool paid = true) =>
        Ledger.CompletePaymentAsync(payment, order.Id, order.Price, paid, CouponCodes(), Stop);

    protected static string CouponCodes() => FlashSale.Core.Coupons.CouponCode.Create();

    protected async Task<OrderStatus> StatusAsync(OrderId id) => (await Ledger.FindOrderAsync(id, Stop))!.Status;

    protected async Task<StockRow> StockAsync(Sale sale, int offer = 0) =>
        Assert.Single(await Ledger.ReadStockAsync([sale.Offers[offer].Id], Stop)).Row;

    protected static StockRow Row(int initial, long adjustments, long available, long held, long sold, long seq) =>
        StockRow.Restore(initial, adjustments, available, held, sold, seq);

    /// <summary>Every row of the sale holds together: the log replays to the stock row, and orders, payments and coupons agree with
    /// it.</summary>
    protected async Task<LedgerRows> AuditAsync(Sale sale)
    {
        var rows = await LedgerRows.ReadAsync(Ledger, sale.Id);
        rows.AssertConsistent(sale);
        return rows;
    }

    /// <summary>Starts all together, each on a thread of its own, once all are ready.</summary>
    protected static async Task<T[]> AtOnceAsync<T>(int count, Func<int, Task<T>> work)
    {
        using var ready = new Barrier(count);
        var running = new TaskCompletionSource<Task<T>>[count];
        for (var i = 0; i < count; i++)
        {
            var number = i;
            var started = running[i] = new TaskCompletionSource<Task<T>>(TaskCreationOptions.RunContinuationsAsynchronously);
            new Thread(() =>
            {
                ready.SignalAndWait();
                started.SetResult(work(number));
            }).Start();
        }

        return await Task.WhenAll(running.Select(async started => await await started.Task));
    }
}
