using FlashSale.Core.Risk;
using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Reservations;
using FlashSale.Core.Stock;
using FlashSale.Storage;

using Xunit;

namespace FlashSale.Tests.Storage;

/// <summary>What several instances need of the ledger that they share.</summary>
public abstract partial class LedgerContract
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(3);

    [Fact]
    public async Task TryLeaseAsync_WhenAnotherHasIt_WaitsUntilItWasNotHeardOf()
    {
        Assert.True(await Ledger.TryLeaseAsync("expiry", "a", Lease, Stop));
        Assert.False(await Ledger.TryLeaseAsync("expiry", "b", Lease, Stop));
        Assert.True(await Ledger.TryLeaseAsync("warm-up", "b", Lease, Stop));

        Time.Advance(Lease / 2);
        Assert.True(await Ledger.TryLeaseAsync("expiry", "a", Lease, Stop));
        Time.Advance(Lease - TimeSpan.FromMilliseconds(1));
        Assert.False(await Ledger.TryLeaseAsync("expiry", "b", Lease, Stop));
        Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(await Ledger.TryLeaseAsync("expiry", "b", Lease, Stop));
        Assert.False(await Ledger.TryLeaseAsync("expiry", "a", Lease, Stop));
    }

    [Fact]
    public async Task ReleaseLeaseAsync_ByItsOwnerOnly_FreesIt()
    {
        Assert.True(await Ledger.TryLeaseAsync("expiry", "a", Lease, Stop));
        await Ledger.ReleaseLeaseAsync("expiry", "b", Stop);
        Assert.False(await Ledger.TryLeaseAsync("expiry", "b", Lease, Stop));
        await Ledger.ReleaseLeaseAsync("expiry", "a", Stop);
        Assert.True(await Ledger.TryLeaseAsync("expiry", "b", Lease, Stop));
    }

    [Fact]
    public async Task TryLeaseAsync_FromManyAtOnce_HasOneOwner()
    {
        for (var round = 0; round < 10; round++)
        {
            var owners = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(() => Ledger.TryLeaseAsync($"job-{round}", $"instance-{i}", Lease, Stop), Stop)));
            Assert.Single(owners, owner => owner);
        }
    }

    [Fact]
    public async Task CountReservationsAsync_Always_CountsByStatus()
    {
        var sale = await PublishAsync((1, 1));
        for (var i = 0; i < 5; i++)
        {
            var status = i < 3 ? ReservationStatus.Approved : ReservationStatus.Rejected;
            await Ledger.ReserveAsync(new Reservation(Guid.CreateVersion7(), sale.Id, User(i), status), Evidence.Unknown, Stop);
        }

        var counts = await Ledger.CountReservationsAsync(sale.Id, Stop);
        Assert.Equal(3, counts[ReservationStatus.Approved]);
        Assert.Equal(2, counts[ReservationStatus.Rejected]);
        Assert.Empty(await Ledger.CountReservationsAsync(new SaleId(sale.Id.Value + 1), Stop));
    }

    [Fact]
    public async Task ReadChangesAsync_FromWhereItStood_TellsWhatEachChangeMustAgreeWith()
    {
        var sale = await PublishAsync((5, 1));
        var offer = sale.Offers[0].Id;
        var (paid, payment) = await BuyAsync(sale, User(1));
        await PayAsync(payment, paid);
        var cancelled = Order(sale, User(2));
        await PlaceAsync(cancelled);
        await Ledger.CancelAsync(cancelled.Id, cancelled.UserId, Stop);

        var page = (await Ledger.ReadChangesAsync(offer, 0, 3, Stop))!;
        Assert.Equal(Row(5, 0, 4, 0, 1, 5), page.Stock.Row);
        Assert.Equal(
            [
                new CheckedChange(new StockChange(1, StockChangeKind.Initial, 5, 5, null), null, 0, 0),
                new CheckedChange(new StockChange(2, StockChangeKind.Hold, -1, 4, paid.Id), OrderStatus.Paid, 1, 1),
                new CheckedChange(new StockChange(3, StockChangeKind.Sell, 0, 4, paid.Id), OrderStatus.Paid, 1, 1),
            ],
            page.Changes);
        var rest = (await Ledger.ReadChangesAsync(offer, 3, 100, Stop))!;
        Assert.Equal([4, 5], rest.Changes.Select(change => change.Change.Seq));
        Assert.All(rest.Changes, change => Assert.Equal(OrderStatus.Cancelled, change.OrderStatus));
        Assert.Null(await Ledger.ReadChangesAsync(new OfferId(offer.Value + 1_000), 0, 100, Stop));
    }
}
