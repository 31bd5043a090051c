using FlashSale.Core;
using FlashSale.Core.Sales;

namespace FlashSale.Tools.Contest;

/// <summary>What a sale does against bots in one round.</summary>
internal sealed record Round(string Name, SaleDefences Defences, int RiskThreshold)
{
    /// <summary>The weakest that a sale with reservations can be.</summary>
    public static Round None { get; } = new("none", new SaleDefences
    {
        Challenge = ChallengePolicy.Off,
        TokensPerUser = Limits.TokensPerUserMax,
        AccountsPerDevice = 0,
        AccountsPerAddress = 0,
        UnpaidHolds = 0,
        DrawMs = 0,
    }, Limits.RiskScoreMax);

    /// <summary>Each defence, with what the sale is like without it.</summary>
    private static readonly (string Name, Func<Round, Round> Without)[] Each =
    [
        ("risk", round => round with { RiskThreshold = None.RiskThreshold }),
        ("challenge", round => round with { Defences = round.Defences with { Challenge = None.Defences.Challenge } }),
        ("draw", round => round with { Defences = round.Defences with { DrawMs = None.Defences.DrawMs } }),
        ("device limit", round => round with { Defences = round.Defences with { AccountsPerDevice = None.Defences.AccountsPerDevice } }),
        ("address limit", round => round with { Defences = round.Defences with { AccountsPerAddress = None.Defences.AccountsPerAddress } }),
        ("token limit", round => round with { Defences = round.Defences with { TokensPerUser = None.Defences.TokensPerUser } }),
        ("unpaid holds", round => round with { Defences = round.Defences with { UnpaidHolds = None.Defences.UnpaidHolds } }),
    ];

    /// <summary>What an operator would choose for a sale of which every unit is worth a fight.</summary>
    public static Round All(int riskThreshold) => new("all", new SaleDefences
    {
        Challenge = ChallengePolicy.Always,
        // The work is done on the machine that measures; its time is modelled (Solver).
        ChallengeBits = Limits.ChallengeBitsMin,
        TokensPerUser = 5,
        AccountsPerDevice = 2,
        AccountsPerAddress = 10,
        UnpaidHolds = 1,
        DrawMs = 1_000,
    }, riskThreshold);

    public static IReadOnlyList<Round> Of(RoundChoice choice, int riskThreshold)
    {
        var all = All(riskThreshold);
        return choice switch
        {
            RoundChoice.On => [all],
            RoundChoice.Off => [None],
            RoundChoice.Both => [None, all],
            _ => [None, all, .. Each.Select(one => one.Without(all) with { Name = $"all but {one.Name}" })],
        };
    }
}
