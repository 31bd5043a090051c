using FlashSale.Tools.Load;

namespace FlashSale.Tools.Contest;

/// <summary>What one account is going to do. Times are microseconds.</summary>
/// <param name="VisitAt">When the sale's page is opened, from the start on.</param>
/// <param name="Dwell">From there to the reservation.</param>
/// <param name="ShowsVisit">The reservation tells of the page that was opened.</param>
/// <param name="CheckoutBefore">When order tokens are asked for, before the opening.</param>
/// <param name="React">When it orders, after the opening.</param>
/// <param name="Tokens">Order tokens that it asks for.</param>
/// <param name="ThinkTime">From the order to paying it.</param>
internal sealed record Plan(long VisitAt, long Dwell, bool ShowsVisit, long CheckoutBefore, long React, int Tokens, Fate Fate, long ThinkTime);

/// <summary>
/// The figures of the models: docs/evidence.md says where each comes from. All that is random follows from the generator that is handed in.
/// </summary>
internal static class Behaviour
{
    private const long Second = 1_000_000;
    private const long Millisecond = 1_000;

    /// <summary>Hashes a second of a phone: 65,536 are a quarter of a second (Limits.ChallengeBits).</summary>
    public const long PhoneHashes = 262_144;

    /// <summary>An answer to a challenge's question is not taken sooner (docs/decisions/0017); a program gives it a moment later.</summary>
    public const long AnswerAfter = 4_100 * Millisecond;

    /// <summary>From the opening on in which bots hammer; then they are content to knock.</summary>
    public const long HammerFor = 3 * Second;
    public const long HammerEvery = 50 * Millisecond;
    public const long KnockEvery = 500 * Millisecond;
    public const long PersonReturnsMin = 1 * Second;
    public const long PersonReturnsMax = 3 * Second;

    public const long ReactMin = 250 * Millisecond;
    public const long ReactMax = 900 * Millisecond;
    private const double ReactMedian = 450 * Millisecond;
    private const double ReactSpread = 0.35;

    public const long DwellMin = 1_500 * Millisecond;
    private const double DwellMedian = 6 * Second;
    private const double DwellSpread = 0.5;
    private const double PaysWithProbability = 0.95;

    /// <summary>Of a token farm, for each account.</summary>
    public const int FarmTokens = 30;

    /// <summary>A hoarder's spares: a token has to be a second old, and the next unit does not wait so long.</summary>
    public const int HoarderTokens = 4;
    public const int ReplaysBefore = 12;
    public const int ReplaysAfter = 24;
    public const int Thefts = 6;

    /// <param name="length">From the start to the opening. Everything that people do in minutes is scaled to it.</param>
    public static Plan PlanOf(Kind kind, Random random, TimeSpan length, TimeSpan paymentWindow)
    {
        var whole = length.TotalMicroseconds;
        var quick = new Plan(
            VisitAt: Between(random, 0, 0.1 * whole),
            Dwell: Between(random, 0, 30 * Millisecond),
            ShowsVisit: random.Next(2) == 0,
            CheckoutBefore: Between(random, 1_300 * Millisecond, Math.Max(2_500 * Millisecond, 0.3 * whole)),
            React: Between(random, 0, 20 * Millisecond),
            Tokens: kind switch { Kind.Farm => FarmTokens, Kind.Hoarder => HoarderTokens, _ => 1 },
            Fate: kind == Kind.Hoarder ? Fate.LetsExpire : Fate.Pays,
            ThinkTime: Between(random, 100 * Millisecond, 500 * Millisecond));
        var person = OfPerson(random, whole, paymentWindow.TotalMicroseconds);
        return kind switch
        {
            Kind.Person => person,
            // As a person, until it counts.
            Kind.Mimic => person with { React = quick.React, Fate = Fate.Pays, ThinkTime = quick.ThinkTime },
            // These know that haste gives them away, and rely on numbers.
            Kind.DeviceFarm or Kind.AddressFarm or Kind.Hoarder => quick with { Dwell = Between(random, DwellMin, 2 * DwellMin), ShowsVisit = true },
            _ => quick,
        };
    }

    private static Plan OfPerson(Random random, double whole, double window)
    {
        var calm = Math.Min(1, whole / (60 * Second));
        var before = Math.Min(1, whole / (150 * Second));
        var soonest = Math.Min(3 * Second, whole / 4);
        return new Plan(
            VisitAt: Between(random, 0, 0.45 * whole),
            Dwell: LogNormal(random, DwellMedian * calm, DwellSpread, DwellMin, Math.Max(DwellMin, 0.15 * whole)),
            ShowsVisit: true,
            CheckoutBefore: Between(random, Math.Max(soonest, 5 * Second * before), Math.Max(soonest, 60 * Second * before)),
            React: LogNormal(random, ReactMedian, ReactSpread, ReactMin, ReactMax),
            Tokens: 1,
            Fate: random.NextDouble() < PaysWithProbability ? Fate.Pays : Fate.LetsExpire,
            ThinkTime: Between(random, 500 * Millisecond, Math.Max(600 * Millisecond, Math.Min(3 * Second, window / 3))));
    }

    /// <summary>Accounts that share an address, drawn for the group that comes next.</summary>
    /// <param name="left">Accounts of its kind that have no address yet.</param>
    public static int AccountsAtAddress(Kind kind, Random random, int left) => Math.Min(left, kind switch
    {
        // Most are alone, some share a household's address, some a carrier's.
        Kind.Person => random.NextDouble() switch
        {
            < 0.90 => 1,
            < 0.994 => random.Next(2, 5),
            _ => 50,
        },
        Kind.AddressFarm => left,
        Kind.DeviceFarm => 20,
        Kind.Spoof => 50,
        _ => 4,
    });

    public static int AccountsOnDevice(Kind kind) => kind == Kind.DeviceFarm ? 100 : 1;

    /// <summary>Connections for each account: whoever sends one thing at a time needs one; more than two each, of ten thousand, are more than a machine can open.</summary>
    public static int ConnectionsOf(Kind kind) => kind is Kind.Farm or Kind.Replay or Kind.Forged ? 2 : 1;

    /// <summary>How many hashes a solution took: each try succeeds with the same chance.</summary>
    public static long HashesFor(int bits, Random random) => 1 + (long)(-Math.Log(1 - random.NextDouble()) * Math.Pow(2, bits));

    public static long Between(Random random, double min, double max) => (long)(min + (random.NextDouble() * (max - min)));

    private static long LogNormal(Random random, double median, double spread, double min, double max)
    {
        // Box and Muller.
        var normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        return (long)Math.Clamp(median * Math.Exp(spread * normal), min, max);
    }
}
