using System.CommandLine;

using FlashSale.Core;
using FlashSale.Tools.Load;

namespace FlashSale.Tools.Contest;

/// <summary>The options that only <c>flashsale load --contest</c> has, and what each may be.</summary>
internal sealed class ContestOptions
{
    private const int PeopleDefault = 1_000;
    private const int BotsDefault = 10;
    private const int AccountsMax = 100_000;
    private const int HashesMax = 1_000_000_000;

    private readonly Option<int> people = LoadOptions.Number("--people", "With --contest: people.", 1, AccountsMax, PeopleDefault);
    private readonly Option<int> bots = LoadOptions.Number("--bots-per-person", "With --contest: accounts of bots for each person.", 0, 1_000, BotsDefault);
    private readonly Option<int> hoarders = LoadOptions.Number("--hoarders", "With --contest: so many hoarders, instead of their part of the bots.", 1, AccountsMax);
    private readonly Option<int> hashes = LoadOptions.Number("--bot-hashes", "With --contest: SHA-256 a second of all bots together.", 1, HashesMax, 50_000_000);
    private readonly Option<int> bits = LoadOptions.Number("--challenge-bits", "With --contest: zero bits of a challenge, whose time is modelled.", Limits.ChallengeBitsMin, Limits.ChallengeBitsMax, 18);
    private readonly Option<int> threshold = LoadOptions.Number("--risk-threshold", "With --contest: the sale's, where risk control is on.", 0, Limits.RiskScoreMax, 40);
    private readonly Option<IList<Kind>> strategies = Strategies();
    private readonly Option<RoundChoice> rounds = new("--defences")
    {
        Description = "With --contest: on, off, both, or each (a round without any, one with all, and one without each of them).",
        DefaultValueFactory = _ => RoundChoice.Each,
    };

    public Option<bool> Asked { get; } = new("--contest") { Description = "Instead of a sale: people against bots for one offer, and who won." };

    public IEnumerable<Option> All => [Asked, people, bots, hoarders, strategies, rounds, hashes, bits, threshold];

    /// <param name="basis">What the options of every load say; the rest of it is replaced.</param>
    public ContestSettings Of(ParseResult parsed, ContestSettings basis)
    {
        var settings = basis with
        {
            People = parsed.GetValue(people),
            BotsPerPerson = parsed.GetValue(bots),
            Hoarders = parsed.GetValue(hoarders),
            Strategies = parsed.GetValue(strategies) is { Count: > 0 } asked ? asked : Kinds.Usual,
            Rounds = parsed.GetValue(rounds),
            BotHashes = parsed.GetValue(hashes),
            ChallengeBits = parsed.GetValue(bits),
            RiskThreshold = parsed.GetValue(threshold),
        };
        var accounts = Enum.GetValues<Kind>().Sum(kind => (long)settings.AccountsOf(kind));
        if (accounts > AccountsMax)
        {
            throw new UsageException($"--people and --bots-per-person are {accounts:N0} accounts together, at most {AccountsMax:N0} may be.");
        }

        if (settings.Hoarders > 0 && !settings.Strategies.Contains(Kind.Hoarder))
        {
            throw new UsageException($"--hoarders: there are none among --strategies; add {Kind.Hoarder.Word()}.");
        }

        return settings;
    }

    private static Option<IList<Kind>> Strategies() => new("--strategies")
    {
        Description = $"With --contest: which bots, of {string.Join(',', Kinds.ByWord.Keys)}. All but hoarders and mimic when not given.",
        CustomParser = result =>
        {
            List<Kind> kinds = [];
            foreach (var word in result.Tokens[0].Value.Split(','))
            {
                if (!Kinds.ByWord.TryGetValue(word, out var kind) || kinds.Contains(kind))
                {
                    result.AddError($"--strategies: '{word}' is not one of {string.Join(',', Kinds.ByWord.Keys)}, or there twice.");
                    return null;
                }

                kinds.Add(kind);
            }

            return kinds;
        },
    };
}
