using FlashSale.Core.Reservations;
using FlashSale.Core.Risk;

namespace FlashSale.Core.Wire;

/// <param name="Status">Of the reservation: what counts.</param>
/// <param name="State"><c>waiting</c>, <c>done</c> or <c>dead</c>.</param>
/// <param name="Inputs">What the rules were asked about; absent when it was erased.</param>
/// <param name="Rules">Their version.</param>
/// <param name="Problem">Why the last attempt failed.</param>
public sealed record AssessmentDocument(
    string ReservationId,
    string SaleId,
    string UserId,
    ReservationStatus Status,
    string State,
    int Attempts,
    int? Score,
    IReadOnlyList<RiskSignal> Signals,
    IReadOnlyDictionary<string, int>? Inputs,
    string? Rules,
    string? Problem,
    DateTimeOffset CreatedAt,
    DateTimeOffset? DecidedAt);

/// <param name="Status"><c>approved</c> or <c>rejected</c>.</param>
public sealed record AssessmentDecisionRequest(ReservationStatus Status, string Reason);

/// <param name="Threshold">0 to 100; absent: the sale's.</param>
/// <param name="Rules">A whole rules document; absent: the rules in force.</param>
public sealed record RiskDryRunRequest(int? Threshold, RiskRulesDocument? Rules);

/// <param name="Assessed">Reservations whose inputs are kept, and so were looked at.</param>
/// <param name="Barred">Of them, those that would be rejected.</param>
/// <param name="BarredNow">Those that are.</param>
/// <param name="Examples">Of those that would newly be.</param>
/// <param name="ByRule">How many reservations each rule applies to.</param>
/// <param name="Complete">False when the sale has more reservations than are looked at.</param>
public sealed record RiskDryRunDocument(
    int Threshold,
    string Rules,
    int Assessed,
    int Barred,
    int BarredNow,
    int NewlyBarred,
    int NoLongerBarred,
    IReadOnlyList<RiskDryRunExample> Examples,
    IReadOnlyList<RiskRuleHits> ByRule,
    bool Complete);

public sealed record RiskDryRunExample(string UserId, int Score, IReadOnlyList<RiskSignal> Signals);

public sealed record RiskRuleHits(string Name, int Hits);

/// <param name="Inputs">All that rules may ask about.</param>
public sealed record RiskRulesDocument(string Version, int BanDays, IReadOnlyList<RiskRuleDocument> Rules, IReadOnlyList<string>? Inputs = null)
{
    public static RiskRulesDocument Of(RiskRules rules) => new(
        rules.Version,
        rules.BanDays,
        [
            .. rules.Rules.Select(rule => new RiskRuleDocument(
                rule.Name,
                rule.When.ToDictionary(
                    condition => RiskInputs.NameOf(condition.Input),
                    condition => new RiskConditionDocument(condition.Below, condition.AtLeast, condition.Is, condition.Absent ? true : null)),
                rule.Weight,
                rule.Reason)),
        ],
        RiskInputs.Names);
}

public sealed record RiskRuleDocument(string Name, IReadOnlyDictionary<string, RiskConditionDocument> When, int Weight, string Reason);

public sealed record RiskConditionDocument(int? Below, int? AtLeast, int? Is, bool? Absent);

/// <summary>What was erased of a user: the evidence of so many assessments, so many counts of conduct, and the contacts of so many orders.</summary>
public sealed record ErasureDocument(int Assessments, int Conduct, int Contacts);
