using System.Text.Json.Serialization;

using FlashSale.Core;
using FlashSale.Core.Reservations;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;

namespace FlashSale.Storage;

[JsonConverter(typeof(WordEnumConverter<AssessmentState>))]
public enum AssessmentState
{
    Waiting,
    Done,

    /// <summary>It failed too often: people must look.</summary>
    Dead,
}

/// <summary>An assessment that a worker has claimed until <paramref name="ClaimedUntil"/>, by the ledger's clock.</summary>
public sealed record ClaimedAssessment(
    Guid ReservationId, SaleId SaleId, UserId UserId, Evidence Evidence, int Attempts, DateTimeOffset CreatedAt, DateTimeOffset ClaimedUntil);

/// <summary>What was found of a reservation.</summary>
public sealed record AssessmentDecision(
    ClaimedAssessment Claim, RiskInputs Inputs, RiskAssessment Result, ReservationStatus Status, string RulesVersion, int BanDays)
{
    public static AssessmentDecision Of(ClaimedAssessment claim, RiskInputs inputs, RiskRules rules, Sale sale)
    {
        var result = RiskPolicy.Assess(rules, inputs);
        return new AssessmentDecision(claim, inputs, result, RiskPolicy.Decide(result.Score, sale.RiskThreshold), rules.Version, rules.BanDays);
    }
}

/// <summary>An assessment that could not be made now.</summary>
/// <param name="Attempts">From now on; those that failed, or people must look.</param>
/// <param name="Pause">Until it is due again.</param>
public sealed record AssessmentDelay(ClaimedAssessment Claim, int Attempts, TimeSpan Pause, bool Dead, string Problem);

/// <summary>A reservation that was decided just now.</summary>
/// <param name="BarredUntil">Null when nobody was barred with it, or somebody was let in again.</param>
public readonly record struct DecidedReservation(Guid Id, SaleId SaleId, UserId UserId, ReservationStatus Status, DateTimeOffset? BarredUntil);

/// <summary>How many reservations of a sale are not assessed.</summary>
/// <param name="Since">When the oldest that waits was made.</param>
public sealed record AssessmentBacklog(SaleId SaleId, long Waiting, DateTimeOffset? Since, long Dead);

/// <summary>An assessment as it stands, with the reservation's status.</summary>
public sealed record StoredAssessment(
    Guid ReservationId,
    SaleId SaleId,
    UserId UserId,
    AssessmentState State,
    ReservationStatus Status,
    int Attempts,
    RiskInputs? Inputs,
    int? Score,
    IReadOnlyList<RiskSignal> Signals,
    string? RulesVersion,
    string? Problem,
    DateTimeOffset CreatedAt,
    DateTimeOffset? DecidedAt);

/// <summary>So many times of one kind (such as <c>token_refused</c>), today by the ledger's clock.</summary>
public readonly record struct ConductCount(UserId UserId, string Kind, int Count);

/// <summary>What was erased of a user.</summary>
public sealed record ErasedEvidence(int Assessments, int Conduct, int Contacts);

/// <summary>Who put a user into the blacklist, where it was the program itself.</summary>
public static class BarSource
{
    public const string Risk = "risk";
    public const string UnpaidHolds = "unpaid-holds";
}
