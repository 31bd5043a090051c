using FlashSale.Core.Reservations;
using FlashSale.Core.Wire;

namespace FlashSale.Core.Risk;

/// <summary>What other rules or another threshold would have made of reservations, without doing it.</summary>
public sealed class RiskDryRun(RiskRules rules, int threshold)
{
    private readonly Dictionary<string, int> hits = rules.Rules.ToDictionary(rule => rule.Name, _ => 0, StringComparer.Ordinal);
    private readonly List<RiskDryRunExample> examples = [];
    private readonly int[] byScore = new int[Limits.RiskScoreMax + 1];
    private int assessed;
    private int barred;
    private int barredNow;
    private int newlyBarred;
    private int noLongerBarred;

    /// <summary>Reservations of each score, 0 to 100.</summary>
    public IReadOnlyList<int> ByScore => byScore;

    /// <param name="status">As it is.</param>
    public void Add(UserId user, RiskInputs inputs, ReservationStatus status)
    {
        var result = RiskPolicy.Assess(rules, inputs);
        assessed++;
        byScore[result.Score]++;
        foreach (var signal in result.Signals)
        {
            hits[signal.Name]++;
        }

        var would = RiskPolicy.Decide(result.Score, threshold) == ReservationStatus.Rejected;
        var isBarred = status == ReservationStatus.Rejected;
        barred += would ? 1 : 0;
        barredNow += isBarred ? 1 : 0;
        noLongerBarred += isBarred && !would ? 1 : 0;
        if (would && !isBarred)
        {
            newlyBarred++;
            if (examples.Count < Limits.DryRunExamples)
            {
                examples.Add(new RiskDryRunExample(user.Value, result.Score, result.Signals));
            }
        }
    }

    /// <param name="complete">Every reservation of the sale was added.</param>
    public RiskDryRunDocument Report(bool complete) => new(
        threshold, rules.Version, assessed, barred, barredNow, newlyBarred, noLongerBarred, examples,
        [.. rules.Rules.Select(rule => new RiskRuleHits(rule.Name, hits[rule.Name]))], complete);
}
