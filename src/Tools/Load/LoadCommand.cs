using System.CommandLine;
using System.CommandLine.Parsing;

using Spectre.Console;

namespace FlashSale.Tools.Load;

/// <summary><c>flashsale load</c>: its options, and what they may be.</summary>
internal static class LoadCommand
{
    private const int StockMax = 1_000_000;
    private const long UnitsMax = 10_000_000;

    public static Command Create(IAnsiConsole console, TimeProvider time, string[] args)
    {
        var target = TargetOptions.Target();
        var key = TargetOptions.AuthKey();
        var sales = Number("--sales", "Sales to make; all open at the same instant.", 1, 100, null);
        var offers = Number("--offers", "Offers in each sale.", 1, 50, null);
        var stock = Number("--stock", "Units of each offer.", 1, StockMax, null);
        var users = Number("--users", "Users, bots included.", 1, 1_000_000, null);
        var bots = Number("--bots", "Percent of the users that are bots.", 0, 100, null);
        var rate = Number("--rate", "Order attempts a second from the opening on, over all sales.", 1, 200_000, null);
        var seed = Number("--seed", "Seed of everything that is random in the plan.", 0, int.MaxValue, null);
        var report = new Option<string>("--report") { Description = "Folder for result.json, report.html and history.jsonl.", Required = true };
        var timeout = Number("--timeout", "Seconds after the opening at which the run ends in any case.", 1, 3_600, 120);
        var window = Number("--payment-window", "Seconds that a shopper has to pay.", 2, 86_400, 30);
        var cancel = Number("--cancel", "Percent of the winners who cancel.", 0, 100, 5);
        var abandon = Number("--abandon", "Percent of the winners who let their order expire.", 0, 100, 5);
        var sources = Number("--sources", "Loopback addresses to send from.", 1, 4_096, 128);
        var connections = Number("--connections", "Open connections over all addresses, at most.", 1, 20_000, 1_024);
        var callTimeout = Number("--call-timeout", "Seconds after which a call counts as lost.", 1, 120, 10);
        var remote = new Option<bool>("--allow-remote") { Description = "Load a server that is not on this machine." };
        var command = new Command("load", "Makes sales and lets a crowd of shoppers and bots at them, then audits the outcome.")
        {
            target, key, sales, offers, stock, users, bots, rate, seed, report,
            timeout, window, cancel, abandon, sources, connections, callTimeout, remote,
        };
        command.SetAction((parsed, cancellationToken) =>
        {
            var settings = new LoadSettings
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
                CommandLine = WithoutKey(args),
            };
            Check(settings, parsed.GetValue(remote));
            return new LoadRun(settings, console, time).RunAsync(cancellationToken);
        });
        return command;
    }

    /// <summary>What options must be together.</summary>
    /// <exception cref="UsageException">They are not.</exception>
    internal static void Check(LoadSettings settings, bool allowRemote)
    {
        if (!settings.Target.IsLoopback && !allowRemote)
        {
            throw new UsageException($"--target: {settings.Target} is not on this machine. Load only servers that are yours, with --allow-remote.");
        }

        if ((long)settings.Sales * settings.Offers * settings.Stock > UnitsMax)
        {
            throw new UsageException($"--sales × --offers × --stock are more than {UnitsMax:N0} units.");
        }

        if (settings.CancelPercent + settings.AbandonPercent > 100)
        {
            throw new UsageException("--cancel and --abandon are more than 100 percent together.");
        }
    }

    /// <summary>The key never appears in a report, however it was given.</summary>
    internal static string WithoutKey(IReadOnlyList<string> args)
    {
        const string Option = "--auth-key";
        var words = new List<string> { "flashsale" };
        for (var i = 0; i < args.Count; i++)
        {
            if (i > 0 && args[i - 1] == Option)
            {
                words.Add("***");
            }
            else if (args[i].StartsWith(Option, StringComparison.Ordinal) && args[i].Length > Option.Length)
            {
                words.Add(Option + "=***");
            }
            else
            {
                words.Add(args[i]);
            }
        }

        return string.Join(' ', words);
    }

    /// <param name="otherwise">Null when the option has to be given.</param>
    private static Option<int> Number(string name, string description, int min, int max, int? otherwise)
    {
        var option = new Option<int>(name) { Description = $"{description} {min:N0} to {max:N0}.", Required = otherwise is null };
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
