using System.Collections.Frozen;
using System.Text.Json;

namespace FlashSale.Core.Risk;

/// <summary>What a rule may ask about a reservation (docs/risk.md says where each comes from). Whole numbers; what is not known is absent.</summary>
public enum RiskInput
{
    /// <summary>From opening the page of the sale to the reservation.</summary>
    PageToReservationMs,
    DeviceAgeSeconds,

    /// <summary>1 or 0.</summary>
    HasDevice,

    /// <summary>1 or 0: the page of the sale was opened before.</summary>
    HasVisit,

    /// <summary>2 by work, 1 by an answer; absent when none was asked for.</summary>
    ChallengeSolved,

    /// <summary>Accounts that had reserved in this sale from the same device by then, this one included.</summary>
    AccountsOnDevice,
    AccountsOnNetwork,

    /// <summary>Within seven days.</summary>
    NetworksOfAccount,
    ReservationsOfNetworkPerMinute,

    // How the account behaved within seven days.
    TokensAsked,
    TokensRefused,
    ChallengesFailed,
    RateLimited,
    Cancellations,

    /// <summary>Orders that were never paid, of 30 days.</summary>
    UnpaidHolds,

    /// <summary>1 when the account is or was in the blacklist, else 0.</summary>
    EarlierBans,

    // Of the profile provider.
    AccountAgeDays,
    PhoneVerified,
    PastOrders,
    ProfileUnpaidHolds,
    ProfileBans,

    /// <summary>Of the credit provider, 0 (good) to 100.</summary>
    CreditRisk,
}

/// <summary>The inputs of one assessment. They are kept with it, so that other rules can be tried on them later.</summary>
public sealed class RiskInputs
{
    private static readonly FrozenDictionary<string, RiskInput> ByWord =
        Enum.GetValues<RiskInput>().ToFrozenDictionary(input => JsonNamingPolicy.CamelCase.ConvertName(input.ToString()), StringComparer.Ordinal);

    private static readonly string[] Words = [.. ByWord.OrderBy(pair => pair.Value).Select(pair => pair.Key)];

    private readonly int?[] values = new int?[Words.Length];

    /// <summary>The names that rules and documents use.</summary>
    public static IReadOnlyList<string> Names => Words;

    /// <summary>Null: not known.</summary>
    public int? this[RiskInput input]
    {
        get => values[(int)input];
        set => values[(int)input] = value;
    }

    public static string NameOf(RiskInput input) => Words[(int)input];

    public static bool TryParse(string name, out RiskInput input) => ByWord.TryGetValue(name, out input);

    /// <summary>Names that this program does not know are left out: another version may have written them.</summary>
    public static RiskInputs Of(IReadOnlyDictionary<string, int> named)
    {
        var inputs = new RiskInputs();
        foreach (var (name, value) in named)
        {
            if (TryParse(name, out var input))
            {
                inputs[input] = value;
            }
        }

        return inputs;
    }

    /// <summary>Takes over what the others know, and touches nothing else: several sources may do it at once.</summary>
    public void Take(RiskInputs others)
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (others.values[i] is { } value)
            {
                values[i] = value;
            }
        }
    }

    /// <summary>What is known, by name.</summary>
    public IReadOnlyDictionary<string, int> Named()
    {
        var named = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i] is { } value)
            {
                named.Add(Words[i], value);
            }
        }

        return named;
    }
}
