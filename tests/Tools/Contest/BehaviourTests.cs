using FlashSale.Tools.Contest;
using FlashSale.Tools.Load;

using Xunit;

namespace FlashSale.Tests.Tools.Contest;

public sealed class BehaviourTests
{
    private const int Samples = 5_000;
    private const long Millisecond = 1_000;

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    public static TheoryData<Kind> Everybody => [.. Enum.GetValues<Kind>()];

    private static List<Plan> Plans(Kind kind, TimeSpan length, int seed = 7)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Samples).Select(_ => Behaviour.PlanOf(kind, random, length, Window))];
    }

    [Fact]
    public void PlanOf_People_ReactLikePeople()
    {
        var times = Plans(Kind.Person, Minute).ConvertAll(plan => plan.React);

        Assert.All(times, time => Assert.InRange(time, 250 * Millisecond, 900 * Millisecond));
        Assert.InRange(times.Order().ElementAt(Samples / 2), 430 * Millisecond, 470 * Millisecond);
        // Skewed to the late side, as reaction times are.
        Assert.True(times.Average() > times.Order().ElementAt(Samples / 2));
    }

    [Fact]
    public void PlanOf_People_PayMostly() =>
        Assert.InRange(Plans(Kind.Person, Minute).Count(plan => plan.Fate == Fate.Pays) / (double)Samples, 0.93, 0.97);

    [Theory]
    [InlineData(Kind.Instant, 20)]
    [InlineData(Kind.Farm, 20)]
    [InlineData(Kind.Replay, 20)]
    [InlineData(Kind.Forged, 20)]
    [InlineData(Kind.DeviceFarm, 20)]
    [InlineData(Kind.AddressFarm, 20)]
    [InlineData(Kind.Spoof, 20)]
    [InlineData(Kind.Hoarder, 20)]
    [InlineData(Kind.Mimic, 20)]
    public void PlanOf_Bots_ReactAtOnce(Kind kind, int withinMs) =>
        Assert.All(Plans(kind, Minute), plan => Assert.InRange(plan.React, 0, withinMs * Millisecond));

    [Theory]
    [InlineData(Kind.Person, false)]
    [InlineData(Kind.Mimic, false)]
    [InlineData(Kind.DeviceFarm, false)]
    [InlineData(Kind.AddressFarm, false)]
    [InlineData(Kind.Hoarder, false)]
    [InlineData(Kind.Instant, true)]
    [InlineData(Kind.Farm, true)]
    [InlineData(Kind.Replay, true)]
    [InlineData(Kind.Forged, true)]
    [InlineData(Kind.Spoof, true)]
    public void PlanOf_WhoReadsThePage_Lingers(Kind kind, bool isHasty)
    {
        var plans = Plans(kind, Minute);

        Assert.All(plans, plan => Assert.InRange(plan.Dwell, isHasty ? 0 : Behaviour.DwellMin, isHasty ? 30 * Millisecond : 9_000 * Millisecond));
        Assert.Equal(!isHasty, plans.TrueForAll(plan => plan.ShowsVisit));
    }

    [Theory]
    [MemberData(nameof(Everybody))]
    public void PlanOf_InRunsOfAnyLength_EverybodyIsReadyInTime(Kind kind)
    {
        foreach (var seconds in (int[])[5, 30, 120, 600])
        {
            var length = TimeSpan.FromSeconds(seconds);
            Assert.All(Plans(kind, length), plan =>
            {
                Assert.InRange(plan.VisitAt + plan.Dwell, 0, 0.75 * length.TotalMicroseconds);
                Assert.InRange(plan.CheckoutBefore, Math.Min(1_250, seconds * 1_000 / 4) * Millisecond, 60_000 * Millisecond + (0.3 * length.TotalMicroseconds));
                Assert.InRange(plan.ThinkTime, 0, Window.TotalMicroseconds / 3);
            });
        }
    }

    [Theory]
    [MemberData(nameof(Everybody))]
    public void PlanOf_WithTheSameSeed_IsTheSame(Kind kind)
    {
        Assert.Equal(Plans(kind, Minute, 11), Plans(kind, Minute, 11));
        Assert.NotEqual(Plans(kind, Minute, 11), Plans(kind, Minute, 12));
    }

    [Fact]
    public void PlanOf_Hoarders_NeverPay() => Assert.All(Plans(Kind.Hoarder, Minute), plan => Assert.Equal(Fate.LetsExpire, plan.Fate));

    [Fact]
    public void HashesFor_OfManySolutions_IsWhatTheBitsAsk()
    {
        var random = new Random(3);
        var hashes = Enumerable.Range(0, 20_000).Select(_ => Behaviour.HashesFor(16, random)).ToList();

        Assert.InRange(hashes.Average(), 65_536 * 0.96, 65_536 * 1.04);
        Assert.All(hashes, one => Assert.True(one > 0));
    }

    [Fact]
    public void AccountsAtAddress_OfPeople_AreMostlyAlone()
    {
        var random = new Random(5);
        var groups = Enumerable.Range(0, 10_000).Select(_ => Behaviour.AccountsAtAddress(Kind.Person, random, 1_000)).ToList();
        var people = (double)groups.Sum();

        Assert.InRange(groups.Where(size => size == 1).Sum() / people, 0.55, 0.67);
        Assert.InRange(groups.Where(size => size is > 1 and < 5).Sum() / people, 0.15, 0.23);
        Assert.InRange(groups.Where(size => size == 50).Sum() / people, 0.14, 0.26);
    }
}
