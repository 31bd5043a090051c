using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

using FlashSale.Core;
using FlashSale.Tools.Contest;
using FlashSale.Tools.Overload;

namespace FlashSale.Tools.Load;

/// <summary>The options of <c>flashsale load</c>, and what each may be.</summary>
internal sealed class LoadOptions
{
    private const double FactorMax = 100;
    private const int ContestStock = 500;
    private const int ContestSeconds = 30;
    private const int ContestPaymentSeconds = 10;
    private readonly Option<Uri> target = TargetOptions.Target();
    private readonly Option<byte[]> key = TargetOptions.AuthKey();
    private readonly Option<int> sales = Number("--sales", "Sales to make; all open at the same instant.", 1, 100);
    private readonly Option<int> offers = Number("--offers", "Offers in each sale.", 1, 50);
    private readonly Option<int> stock = Number("--stock", "Units of each offer.", 1, Limits.StockMax);
    private readonly Option<int> users = Number("--users", "Users, bots included.", 1, 1_000_000);
    private readonly Option<int> bots = Number("--bots", "Percent of the users that are bots.", 0, 100);
    private readonly Option<int> rate = Number("--rate", "Order attempts a second from the opening on, over all sales.", 1, 200_000);
    private readonly Option<int> seed = Number("--seed", "Seed of everything that is random in the plan.", 0, int.MaxValue);
    private readonly Option<string> report = new("--report") { Description = "Folder for result.json, report.html and history.jsonl.", Required = true };
    private readonly Option<int> timeout = Number("--timeout", "Seconds after the opening at which the run ends in any case.", 1, 3_600, 120);
    private readonly Option<int> window = Number("--payment-window", "Seconds that a shopper has to pay; 10 with --contest.", 2, 86_400, 30);
    private readonly Option<int> cancel = Number("--cancel", "Percent of the winners who cancel.", 0, 100, 5);
    private readonly Option<int> abandon = Number("--abandon", "Percent of the winners who let their order expire.", 0, 100, 5);
    private readonly Option<int> sources = Number("--sources", "Loopback addresses to send from; 512 with --overload.", 1, 4_096, 128);
    private readonly Option<int> connections = Number("--connections", "Open connections over all addresses, at most; 2,000 with --overload.", 1, 20_000, 1_024);
    private readonly Option<int> callTimeout = Number("--call-timeout", "Seconds after which a call counts as lost.", 1, 120, 10);
    private readonly Option<IReadOnlyList<double>> overload = Factors();
    private readonly Option<int> seconds = Number("--seconds", "How long each factor of --overload lasts; from the reservations to the opening of a --contest, then 30.", 1, 600, 10);
    private readonly ContestOptions contest = new();
    private readonly Option<bool> naive = new("--naive") { Description = "With --overload: each refused or lost request is sent again three times at once." };

    public Option<bool> Remote { get; } = new("--allow-remote") { Description = "Load a server that is not on this machine." };

    public LoadOptions()
    {
        seed.Required = true;
        // An overload run makes its own sale, and so does a contest; every other run has to be told.
        foreach (var option in (Option<int>[])[sales, offers, stock, users, bots, rate])
        {
            option.DefaultValueFactory = _ => 0;
            option.Validators.Add(result =>
            {
                if (result.Implicit && result.GetResult(overload) is null && result.GetResult(contest.Asked) is null)
                {
                    result.AddError($"Option '{option.Name}' is required.");
                }
            });
        }
    }

    public IEnumerable<Option> All =>
    [
        target, key, sales, offers, stock, users, bots, rate, seed, report, timeout, window, cancel, abandon, sources, connections, callTimeout, overload, seconds, naive, Remote, .. contest.All,
    ];

    public LoadSettings LoadOf(ParseResult parsed, string[] args) => new()
    {
        Target = parsed.GetRequiredValue(target),
        AuthKey = parsed.GetRequiredValue(key),
        Sales = parsed.GetValue(sales),
        Offers = parsed.GetValue(offers),
        Stock = parsed.GetValue(stock),
        Users = parsed.GetValue(users),
        BotPercent = parsed.GetValue(bots),
        Rate = parsed.GetValue(rate),
        Seed = parsed.GetValue(seed),
        ReportDirectory = parsed.GetRequiredValue(report),
        Timeout = TimeSpan.FromSeconds(parsed.GetValue(timeout)),
        PaymentWindow = TimeSpan.FromSeconds(parsed.GetValue(window)),
        CancelPercent = parsed.GetValue(cancel),
        AbandonPercent = parsed.GetValue(abandon),
        Sources = parsed.GetValue(sources),
        Connections = parsed.GetValue(connections),
        CallTimeout = TimeSpan.FromSeconds(parsed.GetValue(callTimeout)),
        CommandLine = LoadCommand.WithoutKey(args),
    };

    /// <returns>Null without <c>--overload</c>.</returns>
    public OverloadSettings? OverloadOf(ParseResult parsed, string[] args)
    {
        if (parsed.GetValue(overload) is not { } factors)
        {
            return null;
        }

        var settings = new OverloadSettings
        {
            Target = parsed.GetRequiredValue(target),
            AuthKey = parsed.GetRequiredValue(key),
            Factors = factors,
            Length = TimeSpan.FromSeconds(parsed.GetValue(seconds)),
            Naive = parsed.GetValue(naive),
            Seed = parsed.GetValue(seed),
            ReportDirectory = parsed.GetRequiredValue(report),
            CallTimeout = TimeSpan.FromSeconds(parsed.GetValue(callTimeout)),
            CommandLine = LoadCommand.WithoutKey(args),
        };
        return settings with
        {
            Connections = IsGiven(parsed, connections) ? parsed.GetValue(connections) : settings.Connections,
            Sources = IsGiven(parsed, sources) ? parsed.GetValue(sources) : settings.Sources,
        };
    }

    /// <returns>Null without <c>--contest</c>.</returns>
    /// <exception cref="UsageException">The options do not go together.</exception>
    public ContestSettings? ContestOf(ParseResult parsed, string[] args) => !parsed.GetValue(contest.Asked) ? null : contest.Of(parsed, new ContestSettings
    {
        Target = parsed.GetRequiredValue(target),
        AuthKey = parsed.GetRequiredValue(key),
        People = 0,
        BotsPerPerson = 0,
        Stock = IsGiven(parsed, stock) ? parsed.GetValue(stock) : ContestStock,
        Strategies = [],
        Rounds = default,
        Seed = parsed.GetValue(seed),
        ReportDirectory = parsed.GetRequiredValue(report),
        Length = TimeSpan.FromSeconds(IsGiven(parsed, seconds) ? parsed.GetValue(seconds) : ContestSeconds),
        Timeout = TimeSpan.FromSeconds(parsed.GetValue(timeout)),
        PaymentWindow = TimeSpan.FromSeconds(IsGiven(parsed, window) ? parsed.GetValue(window) : ContestPaymentSeconds),
        CallTimeout = TimeSpan.FromSeconds(parsed.GetValue(callTimeout)),
        CommandLine = LoadCommand.WithoutKey(args),
    });

    private static bool IsGiven(ParseResult parsed, Option<int> option) => parsed.GetResult(option) is { Implicit: false };

    private static Option<IReadOnlyList<double>> Factors() => new("--overload")
    {
        Description = "Instead of a sale: find the peak, then offer so many times as much, for example 2,3,5,10.",
        CustomParser = result =>
        {
            List<double> factors = [];
            foreach (var word in result.Tokens[0].Value.Split(','))
            {
                if (!double.TryParse(word, CultureInfo.InvariantCulture, out var factor) || factor is not (> 0 and <= FactorMax))
                {
                    result.AddError($"--overload: '{word}' is not a number above 0 and up to {FactorMax:0}.");
                    return null;
                }

                factors.Add(factor);
            }

            return factors;
        },
    };

    public static Option<int> Number(string name, string description, int min, int max, int? otherwise = null)
    {
        var option = new Option<int>(name) { Description = $"{description} {min:N0} to {max:N0}." };
        if (otherwise is { } value)
        {
            option.DefaultValueFactory = _ => value;
        }

        option.Validators.Add(result =>
        {
            if (result is OptionResult { Tokens: [var token] } && (!int.TryParse(token.Value, out var given) || given < min || given > max))
            {
                result.AddError($"{name}: '{token.Value}' is not a whole number from {min} to {max}.");
            }
        });
        return option;
    }
}
