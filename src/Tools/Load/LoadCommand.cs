using System.CommandLine;

using FlashSale.Tools.Contest;
using FlashSale.Tools.Overload;

using Spectre.Console;

namespace FlashSale.Tools.Load;

/// <summary><c>flashsale load</c>: what it does with its options, and what they must be together.</summary>
internal static class LoadCommand
{
    private const long UnitsMax = 10_000_000;

    public static Command Create(IAnsiConsole console, TimeProvider time, string[] args)
    {
        var options = new LoadOptions();
        var command = new Command("load", "Makes sales and lets a crowd of shoppers and bots at them, then audits the outcome; with --overload it offers more than the server can take, with --contest people and bots fight for one offer.");
        foreach (var option in options.All)
        {
            command.Options.Add(option);
        }

        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (options.OverloadOf(parsed, args) is { } overload)
            {
                CheckTarget(overload.Target, parsed.GetValue(options.Remote));
                using var run = new OverloadRun(overload, console, time);
                return await run.RunAsync(cancellationToken);
            }

            if (options.ContestOf(parsed, args) is { } contest)
            {
                CheckTarget(contest.Target, parsed.GetValue(options.Remote));
                return await new ContestRun(contest, console, time).RunAsync(cancellationToken);
            }

            var settings = options.LoadOf(parsed, args);
            Check(settings, parsed.GetValue(options.Remote));
            return await new LoadRun(settings, console, time).RunAsync(cancellationToken);
        });
        return command;
    }

    /// <exception cref="UsageException">It is not this machine.</exception>
    internal static void CheckTarget(Uri target, bool allowRemote)
    {
        if (!target.IsLoopback && !allowRemote)
        {
            throw new UsageException($"--target: {target} is not on this machine. Load only servers that are yours, with --allow-remote.");
        }
    }

    /// <summary>What options must be together.</summary>
    /// <exception cref="UsageException">They are not.</exception>
    internal static void Check(LoadSettings settings, bool allowRemote)
    {
        CheckTarget(settings.Target, allowRemote);
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
}
