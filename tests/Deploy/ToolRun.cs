using System.Diagnostics;

namespace FlashSale.Tests.Deploy;

/// <summary>A program that ran to its end: how it ended and what it said.</summary>
internal sealed record ToolRun(int ExitCode, string Output, string Errors)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public string Everything => Output + Errors;

    /// <param name="program">In the path.</param>
    /// <param name="folder">Where it runs.</param>
    /// <param name="arguments">Each by itself.</param>
    public static Task<ToolRun> RunAsync(string program, string folder, params IReadOnlyList<string> arguments) =>
        RunAsync(program, folder, new Dictionary<string, string>(StringComparer.Ordinal), arguments);

    public static async Task<ToolRun> RunAsync(
        string program, string folder, IReadOnlyDictionary<string, string> environment, params IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (key, value) in environment)
        {
            start.Environment[key] = value;
        }

        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} does not start.");
        process.StandardInput.Close();
        using var patience = new CancellationTokenSource(Patience);
        var output = process.StandardOutput.ReadToEndAsync(patience.Token);
        var errors = process.StandardError.ReadToEndAsync(patience.Token);
        try
        {
            await process.WaitForExitAsync(patience.Token);
            return new ToolRun(process.ExitCode, await output, await errors);
        }
        catch (OperationCanceledException exception)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} did not end.", exception);
        }
    }
}
