using FlashSale.Core.Reservations;

namespace FlashSale.Core.Risk;

/// <summary>Seed row 15: a score of 0 to 100 from weighted signals, and the sale's threshold.</summary>
public static class RiskPolicy
{
    /// <summary>The rules that apply, in their order, and the sum of their weights within 0 to 100.</summary>
    public static RiskAssessment Assess(RiskRules rules, RiskInputs inputs)
    {
        var sum = 0;
        List<RiskSignal> signals = [];
        foreach (var rule in rules.Rules)
        {
            if (rule.Applies(inputs))
            {
                sum += rule.Weight;
                signals.Add(new RiskSignal(rule.Name, rule.Weight, rule.Reason));
            }
        }

        return new RiskAssessment(Math.Clamp(sum, 0, Limits.RiskScoreMax), signals);
    }

    /// <summary>At or above the threshold is rejected. A threshold of 0 lets nobody in.</summary>
    public static ReservationStatus Decide(int score, int threshold) =>
        score >= threshold ? ReservationStatus.Rejected : ReservationStatus.Approved;
}

/// <summary>One reason to distrust a reservation, or with a negative weight to trust it.</summary>
public sealed record RiskSignal(string Name, int Weight, string Reason);

/// <param name="Score">0 to 100.</param>
public sealed record RiskAssessment(int Score, IReadOnlyList<RiskSignal> Signals);

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
