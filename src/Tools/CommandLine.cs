using System.CommandLine;
using System.CommandLine.Help;

using FlashSale.Tools.Config;
using FlashSale.Tools.Load;
using FlashSale.Tools.Verify;
using FlashSale.Tools.VerifyAudit;
using FlashSale.Tools.VerifyDraw;

using Spectre.Console;

namespace FlashSale.Tools;

/// <summary>The <c>flashsale</c> command.</summary>
public static class CommandLine
{
    /// <summary>After Ctrl+C a run ends as at its timeout: calls are waited for, then audited and reported.</summary>
    private static readonly TimeSpan TimeToStop = TimeSpan.FromMinutes(1);

    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter errors, TimeProvider time)
    {
        var console = MakeConsole(output);
        var root = new RootCommand("Loads a FlashSale server like a crowd of shoppers and bots, and audits what it did.")
        {
            LoadCommand.Create(console, time, args),
            VerifyCommand.Create(console, time),
            VerifyDrawCommand.Create(console),
            VerifyAuditCommand.Create(console, time),
            ConfigCommand.Create(console, time),
        };

        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0 && parsed.Action is not HelpAction)
        {
            foreach (var error in parsed.Errors)
            {
                await errors.WriteLineAsync(error.Message);
            }

            return ExitCodes.Usage;
        }

        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                Output = output,
                Error = errors,
                ProcessTerminationTimeout = TimeToStop,
            });
        }
        catch (UsageException problem)
        {
            await errors.WriteLineAsync(problem.Message);
            return ExitCodes.Usage;
        }
        catch (OperationCanceledException)
        {
            await errors.WriteLineAsync("Stopped.");
            return ExitCodes.Usage;
        }
    }

    /// <summary>Colours and live tables on a screen; in a file or a pipe plain lines that are not broken.</summary>
    internal static IAnsiConsole MakeConsole(TextWriter output)
    {
        const int LongestLine = 1_000;
        if (output == Console.Out && !Console.IsOutputRedirected)
        {
            return AnsiConsole.Console;
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(output),
        });
        console.Profile.Width = LongestLine;
        return console;
    }
}
