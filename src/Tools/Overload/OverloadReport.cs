using System.Text;
using System.Text.Json.Nodes;

using FlashSale.Tools.Load;
using FlashSale.Tools.Verify;

using Spectre.Console;

namespace FlashSale.Tools.Overload;

/// <summary>An overload run on the screen, in <c>result.json</c> and in <c>report.html</c>.</summary>
internal sealed class OverloadReport
{
    private static readonly string[] Columns =
        ["factor", "#offered/s", "#sent/s", "#orders/s", "#of peak", "#refused/s", "#cut/s", "#lost/s", "#p50 ms", "#p99 ms", "#refused p99", "#protected", "#token", "#document", "#page", "#recovered"];

    private readonly string directory;

    /// <exception cref="UsageException">The folder cannot be made.</exception>
    public OverloadReport(string directory)
    {
        this.directory = directory;
        ReportFiles.MakeFolder(directory);
    }

    public string HtmlFile => Path.Combine(directory, "report.html");

    public async Task WriteAsync(OverloadOutcome outcome)
    {
        await File.WriteAllTextAsync(Path.Combine(directory, "result.json"), Describe(outcome).ToJsonString(ReportFiles.Indented));
        await File.WriteAllTextAsync(HtmlFile, Html(outcome));
    }

    public static void PrintLine(IAnsiConsole console, SpikeOutcome spike) => console.WriteLine(
        $"{spike.Factor:0.#}× : {spike.Offered:N0}/s offered, {spike.Goodput:N0} orders/s, {spike.Refusals:N0} refused/s, {spike.Cut:N0} cut/s, {spike.Unanswered:N0} lost/s, p99 {spike.P99:N0} ms, protected {spike.Protected:0.00} %, recovered after {Recovered(spike)}");

    public static void Print(IAnsiConsole console, OverloadOutcome outcome)
    {
        console.Write(Summary.Make("Overload", [.. Columns.Select(column => column.TrimStart('#'))], outcome.Spikes.Select(spike => Row(outcome, spike))));
        console.Write(Summary.Make("Answers to requests to order", ["factor", "status", "code", "count"], outcome.Spikes.SelectMany(Answers)));
        console.Write(Summary.Make("Meanwhile", ["factor", "what", "tried", "succeeded", "p99 ms", "otherwise"], outcome.Spikes.SelectMany(Meanwhile)));
        console.WriteLine($"peak {outcome.Peak:N0} orders/s, at the end {outcome.PeakAtTheEnd:N0}; at {OverloadRun.Calm:P0} of it p50 {outcome.CalmP50:N1} ms, p99 {outcome.CalmP99:N1} ms");
        VerifyCommand.Print(console, outcome.Report);
    }

    internal static JsonObject Describe(OverloadOutcome outcome) => new()
    {
        ["commandLine"] = outcome.Settings.CommandLine,
        ["startedAt"] = outcome.StartedAt.ToString("O"),
        ["durationSeconds"] = Math.Round(outcome.Duration.TotalSeconds, 1),
        ["configuration"] = new JsonObject
        {
            ["target"] = outcome.Settings.Target.ToString(),
            ["factors"] = new JsonArray([.. outcome.Settings.Factors.Select(factor => (JsonNode)factor)]),
            ["seconds"] = outcome.Settings.Length.TotalSeconds,
            ["naive"] = outcome.Settings.Naive,
            ["seed"] = outcome.Settings.Seed,
            ["connections"] = outcome.Settings.Connections,
            ["sources"] = outcome.Settings.Sources,
            ["users"] = outcome.Settings.Users,
            ["callTimeoutSeconds"] = outcome.Settings.CallTimeout.TotalSeconds,
        },
        ["peakOrdersPerSecond"] = Math.Round(outcome.Peak),
        ["peakP99Ms"] = outcome.PeakP99,
        ["peakAtTheEnd"] = Math.Round(outcome.PeakAtTheEnd),
        ["calmOrdersPerSecond"] = Math.Round(outcome.CalmRate),
        ["calmP50Ms"] = outcome.CalmP50,
        ["calmP99Ms"] = outcome.CalmP99,
        ["spikes"] = new JsonArray([.. outcome.Spikes.Select(spike => (JsonNode)Describe(spike))]),
        ["generatorProcessorSeconds"] = Math.Round(Environment.CpuUsage.TotalTime.TotalSeconds, 1),
        ["verdict"] = ReportFiles.Verdict(outcome.Report),
    };

    private static JsonObject Describe(SpikeOutcome spike) => new()
    {
        ["factor"] = spike.Factor,
        ["offeredPerSecond"] = Math.Round(spike.Offered),
        ["sentPerSecond"] = Math.Round(spike.Sent),
        ["ordersPerSecond"] = Math.Round(spike.Goodput),
        ["refusedPerSecond"] = Math.Round(spike.Refusals),
        ["cutPerSecond"] = Math.Round(spike.Cut),
        ["unansweredPerSecond"] = Math.Round(spike.Unanswered),
        ["withoutToken"] = spike.Orders.NothingLeft,
        ["p50Ms"] = spike.P50,
        ["p99Ms"] = spike.P99,
        ["refusedP99Ms"] = spike.RefusedP99,
        ["generatorLagP99Ms"] = spike.Orders.Lag.Percentile(99) / 1000.0,
        ["protectedPercent"] = Math.Round(spike.Protected, 3),
        ["recoveredAfterSeconds"] = spike.RecoveredAfter,
        ["answers"] = new JsonArray([.. spike.Orders.Answers.Select(row => (JsonNode)new JsonObject { ["status"] = row.Status, ["code"] = row.Code, ["count"] = row.Count })]),
        ["probes"] = new JsonArray([.. spike.Probes.Select(probe => (JsonNode)new JsonObject
        {
            ["what"] = probe.Name,
            ["tried"] = probe.Tally.Offered,
            ["succeeded"] = probe.Tally.Succeeded,
            ["p99Ms"] = probe.Tally.Admitted.Percentile(99) / 1000.0,
        })]),
        ["quarterSeconds"] = new JsonArray([.. spike.Timeline.Windows.Select(window => (JsonNode)new JsonObject
        {
            ["orders"] = window.Admitted,
            ["refused"] = window.Refused,
            ["cut"] = window.Cut,
            ["unanswered"] = window.Unanswered,
            ["p99Ms"] = window.Latency.Percentile(99) / 1000.0,
        })]),
    };

    private static string Html(OverloadOutcome outcome)
    {
        var page = new StringBuilder();
        HtmlReport.WriteStart(page, $"FlashSale overload run, seed {outcome.Settings.Seed}");
        page.Append($"<p><code>{HtmlReport.Escape(outcome.Settings.CommandLine)}</code></p>\n");
        page.Append($"<p class=\"verdict {(outcome.Report.ExitCode == ExitCodes.Holds ? "good" : "bad")}\">{HtmlReport.Escape(outcome.Report.Verdict)}</p>\n");
        page.Append($"<p>Peak {outcome.Peak:N0} orders/s in a closed loop of {outcome.Settings.PeakConnections} connections, {outcome.PeakAtTheEnd:N0} at the end; ");
        page.Append($"at {OverloadRun.Calm:P0} of it, in an open schedule, p50 {outcome.CalmP50:N1} ms and p99 {outcome.CalmP99:N1} ms.</p>\n");
        page.Append($"<p class=\"soft\">{outcome.Settings.Connections:N0} connections from {outcome.Settings.Sources} addresses; a request that finds all of them busy counts as cut. {(outcome.Settings.Naive ? "Each failure is sent again three times at once. " : "")}");
        page.Append($"Latencies count from the intended send time. Protected: paying, cancelling and reading an order.</p>\n<h2>By load</h2>\n");
        HtmlReport.WriteTable(page, Columns, outcome.Spikes.Select(spike => Row(outcome, spike)));
        foreach (var spike in outcome.Spikes)
        {
            page.Append($"<h2>{spike.Factor:0.#} times the peak for {spike.Seconds:0} s, and after it</h2>\n<div class=\"pair\">\n<div>\n");
            Charts.WriteKey(page, "orders", "cut off, no connection free", "lost", "refused");
            Charts.WriteColumns(page, [.. spike.Timeline.Windows.Chunk(Timeline.PerSecond).Select((second, at) =>
                (at, (long[])[second.Sum(w => w.Admitted), second.Sum(w => w.Cut), second.Sum(w => w.Unanswered), second.Sum(w => w.Refused)]))]);
            page.Append("</div>\n<div>\n");
            HtmlReport.WriteTable(page, ["factor", "#status", "code", "#count"], Answers(spike));
            HtmlReport.WriteTable(page, ["factor", "what", "#tried", "#succeeded", "#p99 ms", "otherwise"], Meanwhile(spike));
            page.Append("</div>\n</div>\n");
        }

        HtmlReport.WriteInvariants(page, outcome.Report);
        page.Append("</body>\n</html>\n");
        return page.ToString();
    }

    private static string[] Row(OverloadOutcome outcome, SpikeOutcome spike) =>
    [
        $"{spike.Factor:0.#}×", $"{spike.Offered:N0}", $"{spike.Sent:N0}", $"{spike.Goodput:N0}", $"{spike.Goodput / outcome.Peak:P0}", $"{spike.Refusals:N0}", $"{spike.Cut:N0}", $"{spike.Unanswered:N0}",
        $"{spike.P50:N1}", $"{spike.P99:N1}", $"{spike.RefusedP99:N1}", $"{spike.Protected:0.00} %", $"{spike.ShareOf(Probes.Token):0} %", $"{spike.ShareOf(Probes.Document):0} %", $"{spike.ShareOf(Probes.Page):0} %",
        Recovered(spike),
    ];

    private static IEnumerable<string[]> Answers(SpikeOutcome spike) => spike.Orders.Answers.Select(row =>
        (string[])[$"{spike.Factor:0.#}×", row.Status == 0 ? "none" : $"{row.Status}", row.Code, $"{row.Count:N0}"]);

    private static IEnumerable<string[]> Meanwhile(SpikeOutcome spike) => spike.Probes.Select(probe => (string[])
    [
        $"{spike.Factor:0.#}×", probe.Name, $"{probe.Tally.Offered:N0}", $"{probe.Tally.Succeeded:N0}", $"{probe.Tally.Admitted.Percentile(99) / 1000.0:N1}",
        string.Join(", ", probe.Tally.Answers.Where(row => row.Status is < 200 or >= 300).Select(row => $"{row.Status} {row.Code}: {row.Count:N0}")),
    ]);

    private static string Recovered(SpikeOutcome spike) => spike.RecoveredAfter is { } seconds ? $"{seconds:0.00} s" : "not seen";
}
