using FlashSale.Core.Sales;

namespace FlashSale.Core.Challenges;

/// <summary>What a challenge stands in front of.</summary>
public enum ChallengePurpose : byte
{
    Reservation = 1,
    Checkout = 2,
}

/// <summary>What a challenge is solved for, and by whom; a solution is worth nothing for anything else.</summary>
/// <param name="OfferId">The offer of a checkout; none of a reservation, which is for the whole sale.</param>
public readonly record struct ChallengeSubject(ChallengePurpose Purpose, UserId User, SaleId SaleId, OfferId OfferId);

/// <summary>
/// Work for a program, or a question for a person: either solves it. Work: a nonce of decimal digits such that SHA-256 of <c>stamp:nonce</c> begins with
/// <paramref name="Bits"/> zero bits.
/// </summary>
/// <param name="Stamp">All that comes back with the solution; nothing is kept here.</param>
/// <param name="Question">In words; the answer is a number in digits.</param>
public sealed record Challenge(string Stamp, int Bits, LocalizedText Question, DateTimeOffset MadeAt)
{
    public DateTimeOffset ExpiresAt => MadeAt + Limits.ChallengeLifetime;
}

/// <summary>What a caller says solves a challenge; the nonce counts when there are both.</summary>
public sealed record Solution(string Stamp, string? Nonce, string? Answer);

public enum ChallengeVerdict
{
    /// <summary>A nonce that is good.</summary>
    Worked,

    /// <summary>The right answer to the question, not sooner than a person gives it.</summary>
    Answered,

    /// <summary>An answer before <see cref="Limits.AnswerMinimumAge"/>, right or wrong: it is not looked at. The same challenge may be answered again.</summary>
    TooSoon,

    /// <summary>The challenge was the caller's, its solution is none.</summary>
    Wrong,
    Expired,

    /// <summary>A stamp that we never made, or for another user, sale, offer or purpose.</summary>
    Foreign,
}
