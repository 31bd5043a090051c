using FlashSale.Core;
using FlashSale.Core.Stock;

using Xunit;

namespace FlashSale.Tests.Core;

public sealed class StockRowTests
{
    private static readonly OrderId Order = OrderId.Create(DateTimeOffset.UnixEpoch);

    [Fact]
    public void Create_WhenPublished_StartsTheLogAtOne()
    {
        var (row, change) = StockRow.Create(7);

        Assert.Equal(StockRow.Restore(7, 0, 7, 0, 0, 1), row);
        Assert.Equal(new StockChange(1, StockChangeKind.Initial, 7, 7, null), change);
    }

    [Fact]
    public void Operations_WhenAppliedInTurn_KeepTheEquationAndNumberTheChanges()
    {
        var row = StockRow.Create(3).Row;
        var expected = new (StockRow Row, StockChange Change)[]
        {
            (StockRow.Restore(3, 0, 2, 1, 0, 2), new StockChange(2, StockChangeKind.Hold, -1, 2, Order)),
            (StockRow.Restore(3, 0, 2, 0, 1, 3), new StockChange(3, StockChangeKind.Sell, 0, 2, Order)),
            (StockRow.Restore(3, 0, 1, 1, 1, 4), new StockChange(4, StockChangeKind.Hold, -1, 1, Order)),
            (StockRow.Restore(3, 0, 2, 0, 1, 5), new StockChange(5, StockChangeKind.Release, 1, 2, Order)),
            (StockRow.Restore(3, 0, 1, 0, 2, 6), new StockChange(6, StockChangeKind.Sell, -1, 1, Order)),
            (StockRow.Restore(3, 4, 5, 0, 2, 7), new StockChange(7, StockChangeKind.Adjust, 4, 5, null)),
            (StockRow.Restore(3, -1, 0, 0, 2, 8), new StockChange(8, StockChangeKind.Adjust, -5, 0, null)),
        };

        Func<StockRow, (StockRow Row, StockChange Change)>[] steps =
        [
            r => r.Hold(Order), r => r.Sell(Order), r => r.Hold(Order), r => r.Release(Order), r => r.SellAgain(Order), r => r.Adjust(4), r => r.Adjust(-5),
        ];
        for (var i = 0; i < steps.Length; i++)
        {
            var step = steps[i](row);
            Assert.Equal(expected[i], step);
            row = step.Row;
        }
    }

    [Fact]
    public void Operations_WhenTheUnitIsNotThere_Throw()
    {
        var none = StockRow.Restore(1, 0, 0, 0, 1, 3);
        var free = StockRow.Restore(1, 0, 1, 0, 0, 1);

        Assert.Throws<InvalidOperationException>(() => none.Hold(Order));
        Assert.Throws<InvalidOperationException>(() => none.SellAgain(Order));
        Assert.Throws<InvalidOperationException>(() => free.Sell(Order));
        Assert.Throws<InvalidOperationException>(() => free.Release(Order));
        Assert.Throws<InvalidOperationException>(() => free.Adjust(-2));
    }

    [Theory]
    [InlineData(5, 0, 4, 0, 0)]
    [InlineData(5, 0, -1, 6, 0)]
    [InlineData(5, 0, 6, -1, 0)]
    [InlineData(5, 0, 6, 0, -1)]
    [InlineData(5, 1, 5, 0, 0)]
    public void Restore_WhenItDoesNotAddUp_Throws(long initial, long adjustments, long available, long held, long sold) =>
        Assert.Throws<InvalidOperationException>(() => StockRow.Restore(initial, adjustments, available, held, sold, 1));

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(-2, true)]
    [InlineData(-3, false)]
    [InlineData(Limits.StockMax, true)]
    [InlineData(Limits.StockMax + 1, false)]
    [InlineData(-Limits.StockMax - 1, false)]
    public void CanAdjust_WhenTwoAreAvailable_KeepsTheBounds(long delta, bool can) =>
        Assert.Equal(can, StockRow.Restore(5, 0, 2, 2, 1, 4).CanAdjust(delta));

    [Fact]
    public void CanAdjust_WhenAllAdjustmentsTogetherAreTooMuch_Refuses()
    {
        var row = StockRow.Restore(Limits.StockMax, Limits.AdjustedStockMax - Limits.StockMax - 5, Limits.AdjustedStockMax - 5, 0, 0, 9);

        Assert.True(row.CanAdjust(5));
        Assert.False(row.CanAdjust(6));
    }
}
