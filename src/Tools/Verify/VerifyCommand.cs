using System.CommandLine;

using Spectre.Console;

namespace FlashSale.Tools.Verify;

/// <summary><c>flashsale verify</c>: the auditor on its own.</summary>
internal static class VerifyCommand
{
    public static Command Create(IAnsiConsole console, TimeProvider time)
    {
        var target = TargetOptions.Target();
        var key = TargetOptions.AuthKey();
        var history = new Option<string>("--history") { Description = "History of a load run (history.jsonl).", Required = true };
        var command = new Command("verify", "Audits a run: the history of its calls against the ledger of the server.") { target, key, history };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var auditor = new Auditor(parsed.GetRequiredValue(target), parsed.GetRequiredValue(key), time);
            var report = await auditor.RunAsync(parsed.GetRequiredValue(history), cancellationToken);
            Print(console, report);
            return report.ExitCode;
        });
        return command;
    }

    /// <summary>One line an invariant, so that it reads the same on a screen, in a log and through grep.</summary>
    public static void Print(IAnsiConsole console, AuditReport report)
    {
        foreach (var finding in report.Findings)
        {
            var (word, colour) = finding.State switch
            {
                FindingState.Holds => ("holds", Color.Green),
                FindingState.Violated => ("VIOLATED", Color.Red),
                _ => ("not exercised", Color.Grey),
            };
            console.Write($"{finding.Id,-4}");
            console.Write($"{word,-14}", new Style(colour));
            console.WriteLine($"{finding.Title}: {finding.Figures}; {finding.Checked:N0} checks, {finding.Violations:N0} violations");
        }

        foreach (var finding in report.Findings.Where(finding => finding.Violations > 0))
        {
            foreach (var example in finding.Examples)
            {
                console.WriteLine($"{finding.Id}: {example}");
            }

            if (finding.Violations > finding.Examples.Count)
            {
                console.WriteLine($"{finding.Id}: and {finding.Violations - finding.Examples.Count:N0} more");
            }
        }

        console.WriteLine($"{report.OrdersAcknowledged:N0} orders acknowledged, {report.RowsExported:N0} orders exported");
        console.WriteLine($"verdict: {report.Verdict}");
    }
}
