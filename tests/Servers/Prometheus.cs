using System.Text.Json;
using System.Text.RegularExpressions;

using FlashSale.Tests.Server;

namespace FlashSale.Tests.Servers;

/// <summary>
/// A real Prometheus on a free port of this machine with the rules of <c>deploy/prometheus</c>, which look every second here and fire after one instead of their own
/// time.
/// </summary>
public sealed partial class Prometheus : IAsyncDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly HttpClient client = new() { Timeout = TimeSpan.FromSeconds(5) };
    private LocalProcess? process;

    private Prometheus() => client.BaseAddress = new Uri($"http://127.0.0.1:{Port}");

    public int Port { get; } = LocalProcess.FreePort();

    public static async Task<Prometheus> StartAsync(IEnumerable<Uri> targets)
    {
        var prometheus = new Prometheus();
        try
        {
            prometheus.WriteFiles(targets);
            prometheus.process = new LocalProcess(
                "prometheus",
                $"--config.file={prometheus.folder.File("prometheus.yml")}",
                $"--storage.tsdb.path={prometheus.folder.File("data")}",
                $"--web.listen-address=127.0.0.1:{prometheus.Port}",
                "--log.level=warn");
            await Eventually.HoldsAsync(prometheus.AnswersAsync, "Prometheus answers");
            return prometheus;
        }
        catch (Exception exception)
        {
            var said = prometheus.process?.LastLine;
            await prometheus.DisposeAsync();
            throw new InvalidOperationException($"Prometheus does not start: {said}", exception);
        }
    }

    /// <summary>The value of an expression that has one; null for none.</summary>
    public async Task<double?> AskAsync(string expression)
    {
        var result = (await ReadAsync($"/api/v1/query?query={Uri.EscapeDataString(expression)}")).GetProperty("result");
        return result.GetArrayLength() == 0 ? null : double.Parse(result[0].GetProperty("value")[1].GetString()!, System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Alerts that fire, by name, with their labels.</summary>
    public async Task<ILookup<string, IReadOnlyDictionary<string, string>>> FiringAsync() =>
        (await ReadAsync("/api/v1/alerts")).GetProperty("alerts").EnumerateArray()
        .Where(alert => alert.GetProperty("state").GetString() == "firing")
        .Select(alert => alert.GetProperty("labels").EnumerateObject().ToDictionary(label => label.Name, label => label.Value.GetString()!, StringComparer.Ordinal))
        .ToLookup(labels => labels["alertname"], IReadOnlyDictionary<string, string> (labels) => labels, StringComparer.Ordinal);

    /// <summary>Every rule was evaluated; null, or what Prometheus has against one.</summary>
    public async Task<string?> ProblemOfARuleAsync()
    {
        foreach (var rule in (await ReadAsync("/api/v1/rules")).GetProperty("groups").EnumerateArray().SelectMany(group => group.GetProperty("rules").EnumerateArray()))
        {
            if (rule.GetProperty("health").GetString() != "ok")
            {
                return $"{rule.GetProperty("name").GetString()}: {rule.GetProperty("health").GetString()} {(rule.TryGetProperty("lastError", out var error) ? error.GetString() : "")}";
            }
        }

        return null;
    }

    public async ValueTask DisposeAsync()
    {
        await (process?.DisposeAsync() ?? ValueTask.CompletedTask);
        client.Dispose();
        folder.Dispose();
    }

    private async Task<JsonElement> ReadAsync(string path) => JsonElement.Parse(await client.GetStringAsync(new Uri(path, UriKind.Relative))).GetProperty("data");

    private void WriteFiles(IEnumerable<Uri> targets)
    {
        var source = Path.Combine(Repository.Root, "deploy", "prometheus");
        Directory.CreateDirectory(folder.File("rules"));
        Directory.CreateDirectory(folder.File("targets"));
        foreach (var file in Directory.EnumerateFiles(Path.Combine(source, "rules")))
        {
            File.WriteAllText(folder.File("rules/" + Path.GetFileName(file)), ForLine().Replace(File.ReadAllText(file), "$1for: 1s"));
        }

        var config = File.ReadAllText(Path.Combine(source, "prometheus.yml"));
        config = IntervalLine().Replace(config, "$1: 1s");
        File.WriteAllText(folder.File("prometheus.yml"), config);
        var lines = string.Join(", ", targets.Select(target => $"'{target.Authority}'"));
        File.WriteAllText(folder.File("targets/flashsale.yml"), $"- targets: [{lines}]\n");
        File.WriteAllText(folder.File("targets/gateway.yml"), "[]\n");
    }

    private async Task<bool> AnswersAsync()
    {
        if (process!.HasExited)
        {
            throw new InvalidOperationException("It has ended.");
        }

        try
        {
            using var answer = await client.GetAsync(new Uri("/-/ready", UriKind.Relative));
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    [GeneratedRegex(@"^(\s+)for: .+$", RegexOptions.CultureInvariant | RegexOptions.Multiline, 1_000)]
    private static partial Regex ForLine();

    [GeneratedRegex(@"^(\s+(?:scrape_interval|evaluation_interval|scrape_timeout)): .+$", RegexOptions.CultureInvariant | RegexOptions.Multiline, 1_000)]
    private static partial Regex IntervalLine();
}
