using FlashSale.Core.Sales;

using Xunit;

namespace FlashSale.Tests.Core.Sales;

public sealed class SalePhasesTests
{
    private static readonly DateTimeOffset Opening = new(2026, 11, 11, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(-3601_000, SalePhase.Scheduled)]
    [InlineData(-3600_000, SalePhase.Reserving)]
    [InlineData(-60_001, SalePhase.Reserving)]
    [InlineData(-60_000, SalePhase.Armed)]
    [InlineData(-1, SalePhase.Armed)]
    [InlineData(0, SalePhase.Open)]
    [InlineData(599_999, SalePhase.Open)]
    [InlineData(600_000, SalePhase.Ended)]
    public void Of_WithReservation_FollowsTheTimes(int ms, SalePhase expected) =>
        Assert.Equal(expected, SalePhases.Of(Sale(), anyAvailable: true, Opening.AddMilliseconds(ms)));

    [Theory]
    [InlineData(-600_001, SalePhase.Scheduled)]
    [InlineData(-600_000, SalePhase.Armed)]
    [InlineData(0, SalePhase.Open)]
    public void Of_WithoutReservation_IsArmedTenMinutesBefore(int ms, SalePhase expected) =>
        Assert.Equal(expected, SalePhases.Of(Sale() with { RequiresReservation = false }, anyAvailable: true, Opening.AddMilliseconds(ms)));

    [Theory]
    [InlineData(SaleStatus.Draft, SalePhase.Draft)]
    [InlineData(SaleStatus.Paused, SalePhase.Paused)]
    [InlineData(SaleStatus.Closed, SalePhase.Ended)]
    public void Of_WhenAnOperatorDecided_SaysSo(SaleStatus status, SalePhase expected) =>
        Assert.Equal(expected, SalePhases.Of(Sale() with { Status = status }, anyAvailable: true, Opening.AddSeconds(1)));

    [Fact]
    public void Of_WithoutStock_IsSoldOutOnlyWhileOpen()
    {
        Assert.Equal(SalePhase.Armed, SalePhases.Of(Sale(), anyAvailable: false, Opening.AddMilliseconds(-1)));
        Assert.Equal(SalePhase.SoldOut, SalePhases.Of(Sale(), anyAvailable: false, Opening));
        Assert.Equal(SalePhase.Ended, SalePhases.Of(Sale(), anyAvailable: false, Opening.AddHours(1)));
    }

    [Fact]
    public void ReservationsAreOpen_OnlyInTheirWindowOfAPublishedSale()
    {
        Assert.False(SalePhases.ReservationsAreOpen(Sale(), Opening.AddHours(-2)));
        Assert.True(SalePhases.ReservationsAreOpen(Sale(), Opening.AddMinutes(-30)));
        Assert.False(SalePhases.ReservationsAreOpen(Sale(), Opening.AddMinutes(-1)));
        Assert.False(SalePhases.ReservationsAreOpen(Sale() with { Status = SaleStatus.Paused }, Opening.AddMinutes(-30)));
        Assert.False(SalePhases.ReservationsAreOpen(Sale() with { RequiresReservation = false }, Opening.AddMinutes(-30)));
    }

    private static Sale Sale() => new()
    {
        Slug = "s",
        Title = new LocalizedText("一", "one"),
        RequiresReservation = true,
        ReservationOpensAt = Opening.AddHours(-1),
        ReservationClosesAt = Opening.AddMinutes(-1),
        OpensAt = Opening,
        ClosesAt = Opening.AddMinutes(10),
        PaymentWindow = TimeSpan.FromMinutes(15),
        Status = SaleStatus.Published,
        Offers = [],
    };
}
