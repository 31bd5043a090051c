using FlashSale.Core;
using FlashSale.Server.Edge;
using FlashSale.Tests.Server.Orders;

using Xunit;

namespace FlashSale.Tests.Server.Edge;

public sealed class AddressLimitTests
{
    private readonly SteppedTime time = new();

    [Fact]
    public void TryTake_BeyondTheBurst_IsRefusedUntilTimePasses()
    {
        var limit = Limit(perSecond: 10, burst: 5);
        Assert.Equal(5, Taken(limit, address: 1, tries: 20));
        Assert.Equal(5, Taken(limit, address: 2, tries: 20));

        time.Advance(TimeSpan.FromMilliseconds(99));
        Assert.False(limit.TryTake(1));
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, Taken(limit, address: 1, tries: 20));

        time.Advance(TimeSpan.FromMilliseconds(300));
        Assert.Equal(3, Taken(limit, address: 1, tries: 20));
        time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(5, Taken(limit, address: 1, tries: 20));
    }

    [Fact]
    public void TryTake_AtTheRateAllowed_IsNeverRefused()
    {
        var limit = Limit(perSecond: 1_000, burst: 4);
        Taken(limit, address: 1, tries: 10);
        for (var i = 0; i < 5_000; i++)
        {
            time.Advance(TimeSpan.FromMilliseconds(1));
            Assert.True(limit.TryTake(1), $"after {i} ms");
        }
    }

    [Fact]
    public void TryTake_WithRefusedTriesInBetween_RefillsAllTheSame()
    {
        var limit = Limit(perSecond: 1, burst: 1);
        Assert.True(limit.TryTake(1));
        var taken = 0;
        for (var i = 0; i < 100; i++)
        {
            time.Advance(TimeSpan.FromMilliseconds(100));
            taken += limit.TryTake(1) ? 1 : 0;
        }

        // Ten seconds at one a second; rounding may cost the last one.
        Assert.InRange(taken, 9, 10);
    }

    [Fact]
    public void TryTake_FromMoreAddressesThanAreTracked_UsesBoundedMemory()
    {
        var limit = Limit(perSecond: 1_000, burst: 4_000);
        Flood(limit, Limits.AddressesTracked * 2);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        Flood(limit, Limits.AddressesTracked * 20);
        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        GC.KeepAlive(limit);

        // 32 bytes or more an address: without a bound, 40 MB.
        Assert.InRange(grown, long.MinValue, 16 * 1024 * 1024);
    }

    [Fact]
    public void TryTake_WhenForgottenAddressesComeBack_StillLimitsTheBusyOne()
    {
        var limit = Limit(perSecond: 1, burst: 2);
        Assert.Equal(2, Taken(limit, address: 7, tries: 5));

        // Others fill the table, and are full again a second later; the busy one is kept.
        for (ulong other = 1_000; other < 1_000 + (ulong)Limits.AddressesTracked; other++)
        {
            limit.TryTake(other);
            time.Advance(TimeSpan.FromTicks(200));
        }

        Assert.InRange(Taken(limit, address: 7, tries: 5), 0, 2);
    }

    private AddressLimit Limit(int perSecond, int burst) => new(new EdgeOptions([], LimitsEnabled: true, perSecond, burst), time);

    private static int Taken(AddressLimit limit, ulong address, int tries) => Enumerable.Range(0, tries).Count(_ => limit.TryTake(address));

    private static void Flood(AddressLimit limit, int addresses)
    {
        for (var i = 0; i < addresses; i++)
        {
            limit.TryTake(unchecked((ulong)i * 0x1_0001));
        }
    }
}
