using FlashSale.Core;
using FlashSale.Core.Challenges;
using FlashSale.Core.Sales;
using FlashSale.Core.Tokens;
using FlashSale.Server.Http;
using FlashSale.Server.Telemetry;

using Xunit;

namespace FlashSale.Tests.Server.Http;

/// <summary>How long somebody had the page open, when there was a challenge in between.</summary>
public sealed class CallerChecksTests
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Solving = TimeSpan.FromSeconds(3);
    private static readonly UserId User = UserId.Parse("amy");

    private readonly ManualTime time = new();
    private readonly Sale sale;
    private readonly CallerChecks checks;

    public CallerChecksTests()
    {
        sale = TestSale.Draft(time.GetUtcNow().AddHours(1), stock: 1) with
        {
            Id = new SaleId(7),
            Defences = new SaleDefences { Challenge = ChallengePolicy.Always, ChallengeBits = Limits.ChallengeBitsMin },
        };
        checks = new CallerChecks(new ChallengeStamps(new Stamps(new byte[32], [])), new RecentFaults(new ConductLog(), time), new SeenAccounts(), time);
    }

    [Fact]
    public void AtReservation_WhenAProgramTriesAtOnceAndThenSolves_TheSolvingIsNoTimeOnThePage()
    {
        var facts = CallerFacts.Unknown with { VisitedAt = time.GetUtcNow() };
        time.Advance(Moment);
        var asked = checks.AtReservation(sale, User, facts, null).Challenge!;
        time.Advance(Solving);

        var passed = checks.AtReservation(sale, User, facts, Solve(asked));

        Assert.Null(passed.Challenge);
        Assert.Equal(Moment, time.GetUtcNow() - passed.Facts.VisitedAt);
    }

    [Fact]
    public void AtReservation_WhenTheChallengeCameWithThePage_ThePageWasOpenMeanwhile()
    {
        var facts = CallerFacts.Unknown with { VisitedAt = time.GetUtcNow() };
        var offered = checks.Offer(sale, User)!;
        time.Advance(Solving);

        var passed = checks.AtReservation(sale, User, facts, Solve(offered));

        Assert.Null(passed.Challenge);
        Assert.Equal(Solving, time.GetUtcNow() - passed.Facts.VisitedAt);
    }

    private static Solution Solve(Challenge challenge)
    {
        var nonce = 0;
        while (!ChallengeStamps.IsWork(challenge.Stamp, $"{nonce}", challenge.Bits))
        {
            nonce++;
        }

        return new Solution(challenge.Stamp, $"{nonce}", null);
    }
}
