using FlashSale.Core;
using FlashSale.Server.Http;
using FlashSale.Server.Telemetry;
using FlashSale.Tests.Server.Orders;

using Xunit;

namespace FlashSale.Tests.Server.Http;

public sealed class RecentFaultsTests
{
    [Fact]
    public void Note_MoreThanHappenToAPerson_AreManyUntilTheyAreLongAgo()
    {
        var (alice, bob) = (UserId.Parse("alice"), UserId.Parse("bob"));
        var (time, conduct) = (new SteppedTime(), new ConductLog());
        var faults = new RecentFaults(conduct, time);
        for (var i = 0; i < Limits.FaultsForgiven; i++)
        {
            faults.Note(alice, ConductKind.TokenRefused);
            Assert.False(faults.AreMany(alice));
        }

        faults.Note(alice, ConductKind.ChallengeFailed);

        Assert.True(faults.AreMany(alice));
        Assert.False(faults.AreMany(bob));
        time.Advance(Limits.RecentWindow - TimeSpan.FromTicks(1));
        Assert.True(faults.AreMany(alice));
        time.Advance(TimeSpan.FromTicks(1));
        Assert.False(faults.AreMany(alice));
    }
}
