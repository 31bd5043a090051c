namespace FlashSale.Tools.Overload;

/// <summary>What was asked for on the command line.</summary>
internal sealed record OverloadSettings
{
    public const int ConnectionsDefault = 2_000;

    public required Uri Target { get; init; }
    public required byte[] AuthKey { get; init; }

    /// <summary>Times the measured peak, in this order.</summary>
    public required IReadOnlyList<double> Factors { get; init; }

    /// <summary>For each factor.</summary>
    public required TimeSpan Length { get; init; }

    /// <summary>Each refused or lost request is sent again three times at once.</summary>
    public bool Naive { get; init; }
    public required long Seed { get; init; }
    public string ReportDirectory { get; init; } = "";

    /// <summary>Connections of those who order, at most.</summary>
    public int Connections { get; init; } = ConnectionsDefault;

    /// <summary>Loopback addresses that they come from.</summary>
    public int Sources { get; init; } = 512;
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>More users come less often each, so that the limit for a user is not what is measured.</summary>
    public int Users { get; init; } = 100_000;

    /// <summary>Connections of the closed loop that finds the peak.</summary>
    public int PeakConnections { get; init; } = 512;

    /// <summary>How long the peak, and the load at 80 % of it, are measured.</summary>
    public TimeSpan MeasureLength { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>After each factor, at 80 % of the peak.</summary>
    public TimeSpan RecoveryLength { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>Orders before anything is measured, so that the server has compiled what is hot.</summary>
    public int WarmUpOrders { get; init; } = 60_000;

    /// <summary>As it was typed, with the key left out.</summary>
    public string CommandLine { get; init; } = "";
}
