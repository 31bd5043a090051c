namespace FlashSale.Tools.Verify;

public enum FindingState
{
    Holds,
    Violated,

    /// <summary>Nothing of its kind happened in the run, so that nothing could go wrong.</summary>
    NotExercised,
}

/// <summary>What the auditor says about one invariant.</summary>
/// <param name="Id"><c>I1</c> to <c>I12</c>, or <c>X1</c> … for what the contract says beside them.</param>
/// <param name="Checked">How many facts were compared.</param>
/// <param name="Figures">What they were, in words.</param>
/// <param name="Examples">The first few violations.</param>
public sealed record Finding(string Id, string Title, long Checked, string Figures, long Violations, IReadOnlyList<string> Examples)
{
    public FindingState State =>
        Violations > 0 ? FindingState.Violated
        : Checked > 0 ? FindingState.Holds
        : FindingState.NotExercised;
}

/// <summary>The outcome of an audit.</summary>
/// <param name="OrdersAcknowledged">Orders that an answer in the history confirmed.</param>
/// <param name="RowsExported">Order rows in the ledger's export.</param>
/// <param name="Failure">Why nothing could be audited; else null.</param>
public sealed record AuditReport(IReadOnlyList<Finding> Findings, long OrdersAcknowledged, long RowsExported, string? Failure = null)
{
    public bool Violated => Findings.Any(finding => finding.State == FindingState.Violated);

    public bool ProvesNothing => OrdersAcknowledged == 0 || RowsExported == 0;

    /// <summary>One of <see cref="ExitCodes"/>. A violation counts even in a run that proves nothing else.</summary>
    public int ExitCode =>
        Failure is not null ? ExitCodes.Usage
        : Violated ? ExitCodes.Violated
        : ProvesNothing ? ExitCodes.ProvesNothing
        : ExitCodes.Holds;

    public string Verdict => ExitCode switch
    {
        ExitCodes.Holds => "HOLDS: every invariant holds",
        ExitCodes.Usage => $"NOT AUDITED: {Failure}",
        ExitCodes.Violated => $"VIOLATED: {string.Join(", ", Findings.Where(f => f.State == FindingState.Violated).Select(f => f.Id))}",
        _ => "PROVES NOTHING: "
            + (OrdersAcknowledged == 0 ? "no order was placed" : "the ledger exported no order"),
    };
}

/// <summary>Counts what was compared for one invariant and keeps the first violations.</summary>
internal sealed class Check(string id, string title)
{
    private const int ExamplesKept = 5;

    private readonly List<string> examples = [];
    private long compared;
    private long violations;

    public void Compared(long count = 1) => compared += count;

    public void Violate(string what)
    {
        violations++;
        if (examples.Count < ExamplesKept)
        {
            examples.Add(what);
        }
    }

    public void Expect(bool holds, Func<string> otherwise)
    {
        compared++;
        if (!holds)
        {
            Violate(otherwise());
        }
    }

    public Finding Conclude(string figures) => new(id, title, compared, figures, violations, examples);
}
