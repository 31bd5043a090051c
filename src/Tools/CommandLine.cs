using System.CommandLine;
using System.CommandLine.Help;

using FlashSale.Tools.Load;
using FlashSale.Tools.Verify;

namespace FlashSale.Tools;

/// <summary>The <c>flashsale</c> command.</summary>
public static class CommandLine
{
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter errors, TimeProvider time)
    {
        var root = new RootCommand("Loads a FlashSale server like a crowd of shoppers and bots, and audits what it did.")
        {
            LoadCommand.Create(time, args),
            VerifyCommand.Create(time),
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
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, Output = output, Error = errors });
        }
        catch (UsageException problem)
        {
            await errors.WriteLineAsync(problem.Message);
            return ExitCodes.Usage;
        }
    }
}
