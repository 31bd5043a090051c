using System.CommandLine;
using System.Net;
using System.Net.Http.Headers;

using Spectre.Console;

namespace FlashSale.Tools.VerifyAudit;

/// <summary><c>flashsale verify-audit</c>: whether the audit log is as it was written.</summary>
internal static class VerifyAuditCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan SessionLength = TimeSpan.FromMinutes(15);
    private const string Auditor = "flashsale-auditor";

    public static Command Create(IAnsiConsole console, TimeProvider time)
    {
        var target = TargetOptions.Target();
        var key = TargetOptions.AuthKey();
        target.Required = key.Required = false;
        var from = new Option<string>("--from") { Description = "A saved answer of GET /api/v1/admin/audit/export, instead of a server." };
        var checkpoint = new Option<string>("--checkpoint")
        {
            Description = "Where earlier runs noted the last entry: it must be there as it was. A run that finds nothing wrong adds its own. Keep it where nobody who can write the ledger can write.",
        };
        var command = new Command("verify-audit", "Checks the audit log: every hash anew, and that nothing is missing, put in or moved.") { target, key, from, checkpoint };
        command.Validators.Add(result =>
        {
            var server = (result.GetResult(target) is not null, result.GetResult(key) is not null);
            if (result.GetResult(from) is null ? server != (true, true) : server != (false, false))
            {
                result.AddError("Either --target and --auth-key, or --from.");
            }
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var file = parsed.GetValue(checkpoint);
            var known = file is null ? [] : Checkpoints.Read(file);
            var check = new AuditLogCheck(known);
            await (parsed.GetValue(from) is { } saved
                ? ReadFileAsync(saved, check, cancellationToken)
                : ReadAsync(parsed.GetRequiredValue(target), new SessionTokens(parsed.GetRequiredValue(key)).Create(Auditor, time.GetUtcNow() + SessionLength, "auditor"), check, cancellationToken));
            check.End();
            Print(console, check, known.Count);
            if (file is not null && check.ExitCode == ExitCodes.Holds)
            {
                Checkpoints.Add(file, known, check.Last);
            }

            return check.ExitCode;
        });
        return command;
    }

    private static async Task ReadFileAsync(string file, AuditLogCheck check, CancellationToken cancellation)
    {
        try
        {
            using var reader = new StreamReader(file);
            await ReadLinesAsync(reader, check, cancellation);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException($"--from: {problem.Message}", problem);
        }
    }

    private static async Task ReadAsync(Uri target, string session, AuditLogCheck check, CancellationToken cancellation)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = target, Timeout = Patience };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", session);
        try
        {
            // The patience is for the first byte; a log may be long.
            using var answer = await http.GetAsync("/api/v1/admin/audit/export", HttpCompletionOption.ResponseHeadersRead, cancellation);
            if (!answer.IsSuccessStatusCode)
            {
                var hint = answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden ? " Is --auth-key the key of this server?" : "";
                throw new UsageException($"{target} answers {(int)answer.StatusCode} for the audit log.{hint}");
            }

            using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(cancellation));
            await ReadLinesAsync(reader, check, cancellation);
        }
        catch (Exception problem) when (problem is HttpRequestException or IOException or TaskCanceledException && !cancellation.IsCancellationRequested)
        {
            throw new UsageException($"{target} cannot be audited: {problem.Message}", problem);
        }
    }

    private static async Task ReadLinesAsync(StreamReader reader, AuditLogCheck check, CancellationToken cancellation)
    {
        while (await reader.ReadLineAsync(cancellation) is { } line)
        {
            if (line.Length > 0)
            {
                check.Read(line);
            }
        }
    }

    private static void Print(IAnsiConsole console, AuditLogCheck check, int checkpoints)
    {
        foreach (var fault in check.Faults)
        {
            console.Write($"{"VIOLATED",-14}", new Style(Color.Red));
            console.WriteLine($"entry {fault.Seq}: {fault.What}");
        }

        if (check.FaultCount > check.Faults.Count)
        {
            console.WriteLine($"and {check.FaultCount - check.Faults.Count:N0} more");
        }

        console.WriteLine($"{check.Entries:N0} entries, held against {checkpoints:N0} checkpoints; the last is: {Checkpoints.Line(check.Last.Seq, check.Last.Hash)}");
        console.WriteLine(check.ExitCode switch
        {
            ExitCodes.Holds => "verdict: the log is as it was written",
            ExitCodes.Violated => $"verdict: VIOLATED, first at entry {check.Faults.Min(fault => fault.Seq)}",
            _ => "verdict: proves nothing, the log is empty",
        });
    }
}
