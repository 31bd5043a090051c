using System.CommandLine;
using System.CommandLine.Help;

using FlashSale.Tools;
using FlashSale.Tools.Load;
using FlashSale.Tools.Verify;

var root = new RootCommand("Loads a FlashSale server like a crowd of shoppers and bots, and audits what it did.")
{
    LoadCommand.Create(TimeProvider.System, args),
    VerifyCommand.Create(TimeProvider.System),
};

var parsed = root.Parse(args);
if (parsed.Errors.Count > 0 && parsed.Action is not HelpAction)
{
    foreach (var error in parsed.Errors)
    {
        await Console.Error.WriteLineAsync(error.Message);
    }

    return ExitCodes.Usage;
}

try
{
    return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (UsageException problem)
{
    await Console.Error.WriteLineAsync(problem.Message);
    return ExitCodes.Usage;
}
