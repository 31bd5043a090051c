using FlashSale.Core.Sales;
using FlashSale.Server.Console.Pages;

using Xunit;

namespace FlashSale.Tests.Server.Console.Pages;

public sealed class SaleTimelineTests
{
    // Noon in Beijing.
    private static readonly DateTimeOffset Now = new(2030, 6, 18, 4, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Timeline_WhenSalesOverlap_StandInLanesBelowEachOther()
    {
        var timeline = SaleTimeline.Of([Line(Now, 30), Line(Now.AddHours(3), 30), Line(Now.AddDays(4), 2)], Now);

        Assert.Equal([0, 1, 0], timeline.Bars.Select(bar => bar.Lane));
        Assert.Equal(2, timeline.Lanes);
    }

    [Fact]
    public void Timeline_WhenADayIsAskedFor_BeginsYesterdayInBeijingAndHasEightDays()
    {
        // In Beijing it is the next day already.
        var timeline = SaleTimeline.Of([], new DateTimeOffset(2030, 6, 18, 17, 0, 0, TimeSpan.Zero));

        Assert.Equal(new DateTimeOffset(2030, 6, 17, 16, 0, 0, TimeSpan.Zero), timeline.From);
        Assert.Equal(8, timeline.Days.Count);
        Assert.Equal(timeline.From.AddDays(8), timeline.To);
    }

    [Fact]
    public void Timeline_WhenASaleLiesOutside_LeavesItOut()
    {
        var timeline = SaleTimeline.Of([Line(Now.AddDays(-9), 1), Line(Now.AddDays(30), 1), Line(Now.AddDays(-9), 24 * 20)], Now);

        var bar = Assert.Single(timeline.Bars);
        Assert.Equal(0, bar.From);
        Assert.Equal(SaleTimeline.Width, bar.Width);
    }

    [Fact]
    public void Crowded_WhenTwelveRunAtOnce_IsFine()
    {
        Sale[] twelve = [.. Enumerable.Range(0, SaleTimeline.AtOnceMax).Select(_ => Sale(Now.AddHours(1), 2))];

        Assert.Null(SaleTimeline.Crowded(twelve, Now));
        // One that begins as they end does not run with them.
        Assert.Null(SaleTimeline.Crowded([.. twelve, Sale(Now.AddHours(3), 2)], Now));
        Assert.Null(SaleTimeline.Crowded([.. twelve, Sale(Now.AddHours(2), 2) with { Status = SaleStatus.Closed }], Now));
    }

    [Fact]
    public void Crowded_WhenThirteenRunAtOnce_SaysSinceWhen()
    {
        Sale[] thirteen = [.. Enumerable.Range(0, SaleTimeline.AtOnceMax).Select(_ => Sale(Now.AddHours(1), 2)), Sale(Now.AddHours(2), 2)];

        Assert.Equal(new Crowding(Now.AddHours(2), 13), SaleTimeline.Crowded(thirteen, Now));
        Assert.Null(SaleTimeline.Crowded(thirteen, Now.AddHours(3)));
    }

    private static Sale Sale(DateTimeOffset opensAt, double hours) => TestSale.Draft(opensAt, stock: 10) with { ClosesAt = opensAt.AddHours(hours) };

    private static SaleLine Line(DateTimeOffset opensAt, double hours) => new(Sale(opensAt, hours), SalePhase.Scheduled, 10, 10);
}
