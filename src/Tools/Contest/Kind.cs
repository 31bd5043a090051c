namespace FlashSale.Tools.Contest;

/// <summary>Who takes part in a contest. What each does stands in docs/evidence.md, its figures in <see cref="Behaviour"/>.</summary>
public enum Kind
{
    Person,

    /// <summary>Reserves without reading the page and orders in the instant of the opening.</summary>
    Instant,

    /// <summary>Asks for many order tokens and submits all of them.</summary>
    Farm,

    /// <summary>Submits its token dozens of times, and other people's.</summary>
    Replay,

    /// <summary>Submits tokens that it changed.</summary>
    Forged,

    /// <summary>Many accounts on each device.</summary>
    DeviceFarm,

    /// <summary>Many accounts at one address, each with a device of its own.</summary>
    AddressFarm,

    /// <summary>Lies about where it comes from in headers.</summary>
    Spoof,

    /// <summary>Takes units, does not pay, and comes again.</summary>
    Hoarder,

    /// <summary>Does all that a person does until the opening, then is quicker.</summary>
    Mimic,
}

internal static class Kinds
{
    /// <summary>The words of <c>--strategies</c>.</summary>
    public static IReadOnlyDictionary<string, Kind> ByWord { get; } = Enum.GetValues<Kind>().Where(kind => kind != Kind.Person).ToDictionary(Word);

    /// <summary>What a contest has when nothing else is said. Hoarders win nothing, and mimics cannot be told from people: both are asked for by name.</summary>
    public static IList<Kind> Usual { get; } =
        [Kind.Instant, Kind.Farm, Kind.Replay, Kind.Forged, Kind.DeviceFarm, Kind.AddressFarm, Kind.Spoof];

    public static string Word(this Kind kind) => kind switch
    {
        Kind.Person => "people",
        Kind.DeviceFarm => "device-farm",
        Kind.AddressFarm => "address-farm",
        Kind.Hoarder => "hoarders",
        _ => kind.ToString().ToLowerInvariant(),
    };
}
