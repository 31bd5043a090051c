using FlashSale.Core.Challenges;

namespace FlashSale.Server.Storefront;

/// <summary>A challenge in a form: the script of the page does the work, a person without script answers the question.</summary>
/// <param name="Failed">Why the solution that was sent is none; null when there was none.</param>
public sealed record ChallengeModel(Challenge Challenge, ChallengeVerdict? Failed)
{
    // The fields of the form.
    public const string Stamp = "challenge";
    public const string Nonce = "nonce";
    public const string Answer = "answer";

    public static ChallengeModel? Of(Challenge? challenge) => challenge is null ? null : new ChallengeModel(challenge, null);

    /// <summary>What the fields of a form say; null when there was no challenge in it.</summary>
    public static Solution? SolutionOf(Func<string, string?> field) => field(Stamp) is { Length: > 0 } stamp
        ? new Solution(stamp, field(Nonce) is { Length: > 0 } nonce ? nonce : null, field(Answer)?.Trim())
        : null;
}
