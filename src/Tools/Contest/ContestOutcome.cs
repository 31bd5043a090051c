using FlashSale.Tools.Load;
using FlashSale.Tools.Verify;

namespace FlashSale.Tools.Contest;

/// <summary>Everything that a report of a contest tells.</summary>
internal sealed record ContestOutcome(ContestSettings Settings, DateTimeOffset StartedAt)
{
    public List<RoundOutcome> Rounds { get; } = [];
    public TimeSpan Duration { get; set; }

    /// <summary>Of the rules of risk control that the server has; null when it did not tell.</summary>
    public string? RulesVersion { get; set; }

    /// <summary>The worst of the rounds: a violation before a round that could not be audited, before one that proves nothing.</summary>
    public int ExitCode =>
        Worst is { } worst ? worst.Report.ExitCode : ExitCodes.ProvesNothing;

    private RoundOutcome? Worst => Rounds.MaxBy(round => Array.IndexOf(Order, round.Report.ExitCode));

    private static readonly int[] Order = [ExitCodes.Holds, ExitCodes.ProvesNothing, ExitCodes.Usage, ExitCodes.Violated];
}

/// <summary>One round: who had what in the end, by the ledger.</summary>
internal sealed record RoundOutcome(Round Round, int Stock, IReadOnlyList<KindOutcome> Kinds)
{
    public required bool Settled { get; init; }

    /// <summary>From the opening to the last payment; null when nobody paid.</summary>
    public required TimeSpan? LastPaid { get; init; }
    public required TimeSpan Duration { get; init; }
    public required AuditReport Report { get; init; }
    public required string HistoryFile { get; init; }

    public int Paid => Kinds.Sum(kind => kind.Paid);
    public int Expired => Kinds.Sum(kind => kind.Expired);

    /// <summary>Of the units that were paid, in percent; 0 when none was.</summary>
    public double PeopleShare => Paid == 0 ? 0 : 100.0 * Kinds.Where(kind => kind.Kind == Kind.Person).Sum(kind => kind.Paid) / Paid;
}

/// <param name="Orders">In the ledger, whatever became of them.</param>
internal sealed record KindOutcome(Kind Kind, int Accounts, int Orders, int Paid, int Expired, Metrics Calls)
{
    public required int Approved { get; init; }
    public required int Rejected { get; init; }
    public required int Pending { get; init; }
    public required int WithToken { get; init; }

    /// <summary>Neither approved nor rejected nor under way: the call itself was refused.</summary>
    public int NotReserved => Accounts - Approved - Rejected - Pending;

    public long Requests => Calls.Calls;

    /// <summary>By code, the most frequent first; status 0 is a call without an answer.</summary>
    public IReadOnlyList<(string Code, long Count)> Refusals => [.. Calls.Counts
        .Where(row => row.Status is 0 or >= 400)
        .GroupBy(row => row.Code.Length > 0 ? row.Code : $"status {row.Status}")
        .Select(code => (Code: code.Key, Count: code.Sum(row => row.Count)))
        .OrderByDescending(code => code.Count).ThenBy(code => code.Code, StringComparer.Ordinal)];
}
