namespace FlashSale.Server.Telemetry;

/// <summary>Why this instance cannot serve yet, or no longer; nothing when it can.</summary>
public sealed class Readiness
{
    private volatile bool warm;
    private volatile bool draining;
    private volatile string? ledgerProblem;

    /// <summary>Sales, blacklist and gate have been loaded once.</summary>
    public bool Warm
    {
        get => warm;
        set => warm = value;
    }

    /// <summary>Everything has been loaded once; ever after, whatever happens.</summary>
    public bool HasStarted => warm;

    /// <summary>The process was asked to stop.</summary>
    public bool Draining
    {
        get => draining;
        set => draining = value;
    }

    /// <summary>Null when the ledger reads and writes.</summary>
    public string? LedgerProblem
    {
        get => ledgerProblem;
        set => ledgerProblem = value;
    }

    public IReadOnlyList<string> Reasons()
    {
        List<string> reasons = [];
        if (!warm)
        {
            reasons.Add("The sales are being loaded.");
        }

        if (draining)
        {
            reasons.Add("This instance is stopping.");
        }

        if (ledgerProblem is { } problem)
        {
            reasons.Add("The ledger is not available: " + problem);
        }

        return reasons;
    }
}
