using FlashSale.Core.Reservations;

namespace FlashSale.Core.Risk;

/// <summary>
/// Seed row 15: a score of 0 to 100 from weighted signals, and the sale's threshold. Providers of signals come with their own issue;
/// without one there are no signals, and the score is 0.
/// </summary>
public static class RiskPolicy
{
    public static int Score(IReadOnlyList<RiskSignal> signals)
    {
        var sum = 0;
        foreach (var signal in signals)
        {
            sum += signal.Weight;
        }

        return Math.Clamp(sum, 0, Limits.RiskScoreMax);
    }

    /// <summary>At or above the threshold is rejected. A threshold of 0 lets nobody in.</summary>
    public static ReservationStatus Decide(int score, int threshold) =>
        score >= threshold ? ReservationStatus.Rejected : ReservationStatus.Approved;
}

/// <summary>One reason to distrust a reservation.</summary>
public readonly record struct RiskSignal(string Name, int Weight);

/// <summary>May a user order in a sale?</summary>
public enum Eligibility
{
    Eligible,
    NotReserved,

    /// <summary>Blacklisted or rejected; callers are not told which.</summary>
    NotEligible,

    /// <summary>The sale is not loaded, or the gate is not asked for the moment: nothing is known, and nobody is let in.</summary>
    Unknown,
}
