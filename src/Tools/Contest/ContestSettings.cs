namespace FlashSale.Tools.Contest;

/// <summary>Which rounds a contest has.</summary>
internal enum RoundChoice
{
    /// <summary>One with every defence.</summary>
    On,

    /// <summary>One with none.</summary>
    Off,

    /// <summary>One with none and one with all.</summary>
    Both,

    /// <summary>None, all, and all but one, for each of them.</summary>
    Each,
}

/// <summary>What was asked for on the command line.</summary>
internal sealed record ContestSettings
{
    public required Uri Target { get; init; }
    public required byte[] AuthKey { get; init; }
    public required int People { get; init; }

    /// <summary>Dealt out evenly among <see cref="Strategies"/>.</summary>
    public required int BotsPerPerson { get; init; }

    /// <summary>Instead of hoarders' part of those; 0 for their part.</summary>
    public int Hoarders { get; init; }
    public required int Stock { get; init; }
    public required IList<Kind> Strategies { get; init; }
    public required RoundChoice Rounds { get; init; }
    public required long Seed { get; init; }
    public string ReportDirectory { get; init; } = "";

    /// <summary>From the start of the reservations to the opening; what people do before it is scaled to fit.</summary>
    public required TimeSpan Length { get; init; }

    /// <summary>From the opening; a round that is not settled ends then.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(120);
    public TimeSpan PaymentWindow { get; init; } = TimeSpan.FromSeconds(10);
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>SHA-256 a second, of all bots together.</summary>
    public long BotHashes { get; init; } = 50_000_000;

    /// <summary>Leading zero bits that a challenge would ask for: its time is waited, not worked (<see cref="Solver"/>).</summary>
    public int ChallengeBits { get; init; } = 18;
    public int RiskThreshold { get; init; } = 40;

    /// <summary>As it was typed, with the key left out.</summary>
    public string CommandLine { get; init; } = "";

    public int AccountsOf(Kind kind)
    {
        if (kind == Kind.Person)
        {
            return People;
        }

        var place = Strategies.IndexOf(kind);
        if (place < 0)
        {
            return 0;
        }

        var bots = People * BotsPerPerson;
        return kind == Kind.Hoarder && Hoarders > 0
            ? Hoarders
            : (bots / Strategies.Count) + (place < bots % Strategies.Count ? 1 : 0);
    }
}
