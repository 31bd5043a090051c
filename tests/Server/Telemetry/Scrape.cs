using System.Diagnostics;
using System.Globalization;

using Xunit;

namespace FlashSale.Tests.Server.Telemetry;

/// <summary>What <c>/metrics</c> said.</summary>
public sealed record Scrape(string Text)
{
    public string[] Lines => Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Names with their labels, without values, of ours and the databases'.</summary>
    public string[] Series =>
        [.. Lines.Where(line => line.StartsWith("flashsale_", StringComparison.Ordinal) || line.StartsWith("db_", StringComparison.Ordinal)).Select(line => line[..line.LastIndexOf(' ')])];

    public static async Task<Scrape> OfAsync(TestServer server) => new(await server.Anonymous().GetStringAsync(new Uri("/metrics", UriKind.Relative)));

    /// <summary>Null when there is no such series.</summary>
    public double? this[string series] =>
        Lines.FirstOrDefault(line => line.StartsWith(series + " ", StringComparison.Ordinal)) is { } line
            ? double.Parse(line[(series.Length + 1)..], CultureInfo.InvariantCulture)
            : null;

    /// <summary>What <c>promtool check metrics</c> has to say: nothing when all is well.</summary>
    public async Task<string> CheckAsync()
    {
        var start = new ProcessStartInfo("promtool", ["check", "metrics"]) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using var promtool = Process.Start(start)!;
        var output = promtool.StandardOutput.ReadToEndAsync();
        var errors = promtool.StandardError.ReadToEndAsync();
        await promtool.StandardInput.WriteAsync(Text);
        promtool.StandardInput.Close();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await promtool.WaitForExitAsync(patience.Token);
        var said = await output + await errors;
        Assert.True(promtool.ExitCode == 0 || said.Length > 0, $"promtool ended with {promtool.ExitCode} and said nothing.");
        return said;
    }
}
