using FlashSale.Core;
using FlashSale.Core.Challenges;
using FlashSale.Core.RateLimits;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;
using FlashSale.Core.Tokens;
using FlashSale.Core.Wire;
using FlashSale.Server.Http;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Checkout;

/// <param name="LimitsEnabled">False: a user may have any number of order tokens.</param>
public sealed record CheckoutOptions(bool LimitsEnabled);

/// <summary>A token, or why there is none.</summary>
/// <param name="Wait">Until there may be one: of <see cref="ProblemCode.RateLimited"/>, or of a question that was answered too soon.</param>
/// <param name="Challenge">To be solved first, with <see cref="ProblemCode.ChallengeRequired"/>.</param>
/// <param name="Failed">Why the solution that was sent is none; null when none was sent.</param>
public sealed record TokenAnswer(
    OrderTokenDocument? Token, ProblemCode? Problem, TimeSpan Wait = default, Challenge? Challenge = null, ChallengeVerdict? Failed = null);

/// <summary>Makes order tokens for those who may have one. What is asked first costs least.</summary>
public sealed class TokenIssuer(
    OrderTokens tokens, TokenAges ages, EligibilityCheck eligibility, CallerChecks checks, ConductLog conduct, SaleMetrics metrics, CheckoutOptions options,
    TimeProvider time)
{
    private readonly RecentMoments<(SaleId, UserId)> issued = new(Limits.MomentsTracked, (long)(Limits.RecentWindow.TotalSeconds * time.TimestampFrequency));

    /// <param name="facts">Of the caller; a token is bound to the device that the caller named.</param>
    /// <param name="byLink">The request may have come from a link on any site.</param>
    public async Task<TokenAnswer> IssueAsync(LiveOffer offer, UserId user, CallerFacts facts, Solution? solution, bool byLink, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        var sale = offer.Sale.Sale;
        if (SalePhases.Of(sale, anyAvailable: true, now) == SalePhase.Ended)
        {
            return Refuse(ProblemCode.SaleEnded);
        }

        if (!SalePhases.TokensAreIssued(sale, now))
        {
            return Refuse(ProblemCode.SaleNotOpen);
        }

        // Only a token that is given out counts: so it is looked here, and counted at the end.
        var (wait, had) = options.LimitsEnabled ? issued.Take((sale.Id, user), time.GetTimestamp(), limit: 0) : default;
        if (had >= sale.Defences.TokensPerUser)
        {
            return RefuseMore(user, wait);
        }

        var check = checks.AtCheckout(sale, offer.Offer.Id, user, facts, solution, had > sale.Defences.TokensPerUser / 2, countsForeign: !byLink);
        if (check.Challenge is { } challenge)
        {
            return new TokenAnswer(null, ProblemCode.ChallengeRequired, check.Wait, challenge, check.Failed);
        }

        return await eligibility.CheckAsync(sale, user, now, cancellation) switch
        {
            Eligibility.Eligible when !check.IsBarred => Take(sale, user) ?? Make(offer, user, check, now),
            Eligibility.Eligible or Eligibility.NotEligible => Refuse(ProblemCode.NotEligible),
            Eligibility.NotReserved => Refuse(ProblemCode.NotReserved),
            _ => Refuse(ProblemCode.Overloaded),
        };
    }

    /// <summary>One more token for the user; null when it was counted, else the refusal.</summary>
    private TokenAnswer? Take(Sale sale, UserId user)
    {
        if (!options.LimitsEnabled)
        {
            return null;
        }

        var (wait, _) = issued.Take((sale.Id, user), time.GetTimestamp(), sale.Defences.TokensPerUser);
        return wait == 0 ? null : RefuseMore(user, wait);
    }

    private TokenAnswer RefuseMore(UserId user, long wait)
    {
        conduct.Note(user, ConductKind.RateLimited);
        return new TokenAnswer(null, ProblemCode.RateLimited, TimeSpan.FromSeconds(wait / (double)time.TimestampFrequency));
    }

    private TokenAnswer Make(LiveOffer offer, UserId user, CallerCheck check, DateTimeOffset now)
    {
        conduct.Note(user, ConductKind.TokenAsked);
        metrics.Of(offer.Sale.Sale.Id).Count(SaleStep.Token);
        var token = tokens.Create(new OrderToken(now, check.OrderId ?? OrderId.Create(now), offer.Sale.Sale.Id, offer.Offer.Id, user, check.Facts.Device));
        return new TokenAnswer(new OrderTokenDocument(token, now + ages.Minimum, now + ages.Maximum), null);
    }

    private static TokenAnswer Refuse(ProblemCode problem) => new(null, problem);
}
