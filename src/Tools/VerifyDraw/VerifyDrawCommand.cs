using System.CommandLine;
using System.Text.Json;

using FlashSale.Tools.Verify;

using Spectre.Console;

namespace FlashSale.Tools.VerifyDraw;

/// <summary><c>flashsale verify-draw</c>: whether the draw of a sale is the one that it was committed to. It needs no key.</summary>
internal static class VerifyDrawCommand
{
    /// <summary>A full list is a few megabytes.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static Command Create(IAnsiConsole console)
    {
        var target = TargetOptions.Target();
        var sale = new Option<string>("--sale") { Description = "Id of the sale.", Required = true };
        var before = new Option<string>("--before") { Description = "The answer of GET /api/v1/sales/ID/draw, saved before the opening: its commitment must be the same." };
        var order = new Option<string>("--order") { Description = "Id of an order, to say where it stands; with --user." };
        var user = new Option<string>("--user") { Description = "Whose order it is; with --order." };
        var command = new Command("verify-draw", "Checks the draw of a sale: its commitment, its entries and their order.") { target, sale, before, order, user };
        command.Validators.Add(result =>
        {
            if (result.GetValue(order) is null != result.GetValue(user) is null)
            {
                result.AddError("--order and --user go together.");
            }
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            JsonElement? saved = parsed.GetValue(before) is { } file ? await ReadFileAsync(file, cancellationToken) : null;
            var now = await ReadAsync(parsed.GetRequiredValue(target), parsed.GetRequiredValue(sale), cancellationToken);
            var check = DrawCheck.Of(now, saved, parsed.GetValue(order) is { } id ? (id, parsed.GetValue(user)!) : null);
            Print(console, check);
            return check.ExitCode;
        });
        return command;
    }

    private static async Task<JsonElement> ReadFileAsync(string file, CancellationToken cancellation)
    {
        try
        {
            return JsonElement.Parse(await File.ReadAllTextAsync(file, cancellation));
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ArgumentException or JsonException)
        {
            throw new UsageException($"--before: {problem.Message}", problem);
        }
    }

    private static async Task<JsonElement> ReadAsync(Uri target, string sale, CancellationToken cancellation)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Patience };
        try
        {
            using var answer = await http.GetAsync(new Uri(target, $"/api/v1/sales/{Uri.EscapeDataString(sale)}/draw"), cancellation);
            var body = await answer.Content.ReadAsStringAsync(cancellation);
            return answer.IsSuccessStatusCode
                ? JsonElement.Parse(body)
                : throw new UsageException($"{target} answers {(int)answer.StatusCode} for the draw of sale {sale}: there is no such sale, it does not draw, or the server is not well.");
        }
        catch (Exception problem) when (problem is HttpRequestException or JsonException or TaskCanceledException && !cancellation.IsCancellationRequested)
        {
            throw new UsageException($"{target} does not answer as the API says: {problem.Message}", problem);
        }
    }

    private static void Print(IAnsiConsole console, DrawCheck check)
    {
        foreach (var finding in check.Findings)
        {
            var (word, colour) = finding.State switch
            {
                FindingState.Holds => ("holds", Color.Green),
                FindingState.Violated => ("VIOLATED", Color.Red),
                _ => ("not exercised", Color.Grey),
            };
            console.Write($"{word,-14}", new Style(colour));
            console.WriteLine($"{finding.Title}: {finding.Figures}");
        }

        console.WriteLine(check.ExitCode switch
        {
            ExitCodes.Holds => "verdict: the draw is the one that the seed gives",
            ExitCodes.Violated => "verdict: VIOLATED",
            _ => "verdict: proves nothing",
        });
    }
}
