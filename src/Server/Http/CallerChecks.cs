using FlashSale.Core;
using FlashSale.Core.Challenges;
using FlashSale.Core.Sales;
using FlashSale.Server.Telemetry;

namespace FlashSale.Server.Http;

/// <summary>What the defences of a sale make of a caller.</summary>
/// <param name="Facts">What was known, and whether a challenge was solved.</param>
/// <param name="Challenge">Null, or what must be solved first.</param>
/// <param name="Wait">How long the challenge cannot be answered yet by a person; zero when it can.</param>
/// <param name="IsBarred">There are enough accounts on this device. The caller is told what a barred user is told, and no sooner.</param>
/// <param name="Failed">Why the solution that was sent is none; null when none was sent.</param>
/// <param name="OrderId">The order that the solved challenge is good for; null without one.</param>
public sealed record CallerCheck(
    CallerFacts Facts, Challenge? Challenge = null, TimeSpan Wait = default, ChallengeVerdict? Failed = null, bool IsBarred = false, OrderId? OrderId = null);

/// <summary>
/// Who must solve a challenge before a reservation or an order token, and who did (<see cref="SaleDefences"/>). A sale without defences costs a caller nothing here.
/// </summary>
public sealed class CallerChecks(ChallengeStamps challenges, RecentFaults faults, SeenAccounts seen, TimeProvider time)
{
    public CallerCheck AtReservation(Sale sale, UserId user, CallerFacts facts, Solution? solution)
    {
        var subject = new ChallengeSubject(ChallengePurpose.Reservation, user, sale.Id, default);
        var noVisit = facts.VisitedAt is not { } visitedAt || time.GetUtcNow() - visitedAt < Limits.VisitAgeMin;
        return Check(subject, sale.Defences, facts, solution, noVisit, countsForeign: true);
    }

    /// <param name="manyTokens">The user has had more than half of the order tokens that one may have.</param>
    /// <param name="countsForeign">
    /// The solution of another's challenge counts against the user. Not where a link on any site could have brought it.
    /// </param>
    public CallerCheck AtCheckout(Sale sale, OfferId offer, UserId user, CallerFacts facts, Solution? solution, bool manyTokens, bool countsForeign)
    {
        var subject = new ChallengeSubject(ChallengePurpose.Checkout, user, sale.Id, offer);
        return Check(subject, sale.Defences, facts, solution, manyTokens, countsForeign);
    }

    /// <summary>A challenge of this sale for whoever is about to reserve: null when only suspicious callers, or none, must solve one.</summary>
    public Challenge? Offer(Sale sale, UserId user) => sale.Defences.Challenge == ChallengePolicy.Always
        ? challenges.Create(new ChallengeSubject(ChallengePurpose.Reservation, user, sale.Id, default), sale.Defences.ChallengeBits, time.GetUtcNow())
        : null;

    private CallerCheck Check(ChallengeSubject subject, SaleDefences defences, CallerFacts facts, Solution? solution, bool looksOdd, bool countsForeign)
    {
        var (isBarred, isCrowded) = See(subject, defences, facts);
        var passed = new CallerCheck(facts, IsBarred: isBarred);
        if (defences.Challenge == ChallengePolicy.Off)
        {
            return passed;
        }

        var now = time.GetUtcNow();
        var asked = defences.Challenge == ChallengePolicy.Always
            || looksOdd
            || isCrowded
            || facts.DeviceSince is not { } since || now - since < Limits.DeviceAgeMin
            || faults.AreMany(subject.User);
        ChallengeVerdict? failed = null;
        if (solution is not null)
        {
            failed = challenges.Verify(subject, solution, now, out var challenge);
            switch (failed)
            {
                case ChallengeVerdict.Worked or ChallengeVerdict.Answered:
                    return passed with
                    {
                        Facts = facts with { AskedForChallenge = true, SolvedChallenge = failed == ChallengeVerdict.Worked },
                        OrderId = subject.Purpose == ChallengePurpose.Checkout ? ChallengeStamps.OrderIdOf(challenge!) : null,
                    };
                case ChallengeVerdict.TooSoon when asked:
                    return passed with { Challenge = challenge, Failed = failed, Wait = challenge!.MadeAt + Limits.AnswerMinimumAge - now };
                case ChallengeVerdict.Wrong:
                case ChallengeVerdict.Foreign when countsForeign:
                    faults.Note(subject.User, ConductKind.ChallengeFailed);
                    break;
            }
        }

        return asked ? passed with { Challenge = challenges.Create(subject, defences.ChallengeBits, now), Failed = failed } : passed;
    }

    /// <summary>Counts the account on its device and its network, where the sale limits either.</summary>
    private (bool IsBarred, bool IsCrowded) See(in ChallengeSubject subject, SaleDefences defences, CallerFacts facts)
    {
        var (isBarred, isCrowded) = (false, false);
        if (defences.AccountsPerDevice > 0 && facts.Device.IsKnown)
        {
            (var isAmongFirst, isCrowded) = seen.See(subject.SaleId, facts.Device.ToString(), subject.User, defences.AccountsPerDevice);
            isBarred = !isAmongFirst;
        }

        if (defences.AccountsPerAddress > 0)
        {
            isCrowded |= seen.See(subject.SaleId, facts.Network, subject.User, defences.AccountsPerAddress).AreMore;
        }

        return (isBarred, isCrowded);
    }
}
