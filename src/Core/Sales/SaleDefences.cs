using System.Text.Json.Serialization;

using FlashSale.Core.Wire;

namespace FlashSale.Core.Sales;

/// <summary>Who must solve a challenge before a reservation or an order token.</summary>
[JsonConverter(typeof(WordEnumConverter<ChallengePolicy>))]
public enum ChallengePolicy
{
    Off,

    /// <summary>Callers that look like a program, or share device or address with many accounts.</summary>
    Suspicious,
    Always,
}

/// <summary>
/// What a sale does against bots (docs/threat-model.md), as an operator chose it. The defaults stop nobody who calls the API as it is described; an operator
/// turns on what a sale is worth.
/// </summary>
public sealed record SaleDefences
{
    public static SaleDefences Default { get; } = new();

    public ChallengePolicy Challenge { get; init; }

    /// <summary>Leading zero bits that a solution has, 8 to 24: each one more doubles the work, of which 16 is a fraction of a second on a phone.</summary>
    public int ChallengeBits { get; init; } = Limits.ChallengeBits;

    /// <summary>Order tokens that a user may be given for the sale within ten minutes, 1 to 1,000.</summary>
    public int TokensPerUser { get; init; } = Limits.TokensPerUser;

    /// <summary>Accounts that may reserve or ask for tokens from one device, 1 to 1,000; 0: any number.</summary>
    public int AccountsPerDevice { get; init; }

    /// <summary>Accounts on one address above which all of them count as suspicious, 1 to 100,000; 0: any number.</summary>
    public int AccountsPerAddress { get; init; }

    /// <summary>Held orders that a user lets expire within 24 hours before being barred for <see cref="BarMinutes"/>, 1 to 10; 0: never barred.</summary>
    public int UnpaidHolds { get; init; } = Limits.UnpaidHolds;

    /// <summary>1 minute to 30 days.</summary>
    public int BarMinutes { get; init; } = Limits.BarMinutes;

    /// <summary>Orders of so many milliseconds after the opening are drawn by lot, 100 to 1,500; 0: in the order of arrival.</summary>
    public int DrawMs { get; init; }

    /// <summary>Of the object <c>defences</c>; what is absent has its default.</summary>
    internal static SaleDefences Read(FieldReader fields) => new()
    {
        Challenge = fields.Word<ChallengePolicy>("challenge"),
        ChallengeBits = (int)fields.Number("challengeBits", Limits.ChallengeBitsMin, Limits.ChallengeBitsMax, Limits.ChallengeBits),
        TokensPerUser = (int)fields.Number("tokensPerUser", 1, Limits.TokensPerUserMax, Limits.TokensPerUser),
        AccountsPerDevice = (int)fields.Number("accountsPerDevice", 0, Limits.AccountsPerDeviceMax, 0),
        AccountsPerAddress = (int)fields.Number("accountsPerAddress", 0, Limits.AccountsPerAddressMax, 0),
        UnpaidHolds = (int)fields.Number("unpaidHolds", 0, Limits.UnpaidHoldsMax, Limits.UnpaidHolds),
        BarMinutes = (int)fields.Number("barMinutes", 1, Limits.BarMinutesMax, Limits.BarMinutes),
        DrawMs = ReadDraw(fields),
    };

    private static int ReadDraw(FieldReader fields)
    {
        var window = (int)fields.Number("drawMs", 0, Limits.DrawMsMax, 0);
        if (window is > 0 and < Limits.DrawMsMin)
        {
            fields.Fail("drawMs", $"must be 0, or from {Limits.DrawMsMin} to {Limits.DrawMsMax}");
        }

        return window;
    }
}
