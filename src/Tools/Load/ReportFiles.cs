using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

using FlashSale.Tools.Verify;

namespace FlashSale.Tools.Load;

/// <summary>The files of a run: <c>result.json</c>, <c>report.html</c>, <c>history.jsonl</c>.</summary>
internal sealed class ReportFiles(string directory)
{
    internal static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public string HistoryFile => Path.Combine(directory, "history.jsonl");
    public string ResultFile => Path.Combine(directory, "result.json");
    public string HtmlFile => Path.Combine(directory, "report.html");

    /// <exception cref="UsageException">It cannot be made.</exception>
    public static void MakeFolder(string directory)
    {
        try
        {
            Directory.CreateDirectory(directory);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException($"--report: {problem.Message}", problem);
        }
    }

    public async Task WriteAsync(RunOutcome outcome)
    {
        await File.WriteAllTextAsync(ResultFile, Describe(outcome).ToJsonString(Indented));
        await File.WriteAllTextAsync(HtmlFile, HtmlReport.Write(outcome));
    }

    /// <summary>Latencies are in milliseconds, from the intended send time.</summary>
    internal static JsonObject Describe(RunOutcome outcome) => new()
    {
        ["commandLine"] = outcome.Settings.CommandLine,
        ["configuration"] = Configuration(outcome.Settings),
        ["startedAt"] = outcome.StartedAt.ToString("O"),
        ["opensAt"] = outcome.OpensAt.ToString("O"),
        ["durationSeconds"] = Math.Round(outcome.Duration.TotalSeconds, 1),
        ["settled"] = outcome.Settled,
        ["timedOut"] = outcome.TimedOut,
        ["entries"] = outcome.Entries,
        ["waitingAtTheEnd"] = outcome.WentWithout,
        ["calls"] = outcome.Metrics.Calls,
        ["peakOrderAnswersPerSecond"] = outcome.Peak.Answers,
        ["peakOrdersPlacedPerSecond"] = outcome.Peak.Placed,
        ["server"] = new JsonObject
        {
            ["facts"] = outcome.ServerFacts,
            ["clockOffsetMs"] = outcome.ClockOffset / 1000.0,
            ["clockErrorMs"] = outcome.ClockError / 1000.0,
            ["salesWarmBeforeTheOpening"] = outcome.SalesWarm,
        },
        ["generator"] = new JsonObject
        {
            ["processors"] = Environment.ProcessorCount,
            ["system"] = System.Runtime.InteropServices.RuntimeInformation.OSDescription,
            ["runtime"] = System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription,
            ["peakMemoryMb"] = System.Diagnostics.Process.GetCurrentProcess().PeakWorkingSet64 / 1_048_576,
            ["processorSeconds"] = Math.Round(Environment.CpuUsage.TotalTime.TotalSeconds, 1),
        },
        ["counts"] = new JsonArray([.. outcome.Metrics.Counts.Select(row => (JsonNode)new JsonObject
        {
            ["op"] = row.Op,
            ["status"] = row.Status,
            ["code"] = row.Code.Length == 0 ? null : row.Code,
            ["count"] = row.Count,
        })]),
        ["latencies"] = new JsonArray([.. outcome.Metrics.Latencies.Select(pair => (JsonNode)Latency(pair.Op, pair.Histogram))]),
        ["perSecond"] = new JsonArray([.. outcome.Metrics.Seconds.Select(row => (JsonNode)new JsonObject
        {
            ["second"] = row.At,
            ["placed"] = row.Second.Placed,
            ["soldOut"] = row.Second.SoldOut,
            ["shed"] = row.Second.Shed,
            ["other"] = row.Second.Other,
        })]),
        ["notes"] = new JsonObject(outcome.Metrics.Notes.OrderBy(note => note.Key, StringComparer.Ordinal)
            .Select(note => KeyValuePair.Create(note.Key, (JsonNode?)note.Value))),
        ["sales"] = new JsonArray([.. outcome.Sales.Select(sale => (JsonNode)Sale(sale))]),
        ["verdict"] = Verdict(outcome.Report),
    };

    private static JsonObject Configuration(LoadSettings settings) => new()
    {
        ["target"] = settings.Target.ToString(),
        ["sales"] = settings.Sales,
        ["offers"] = settings.Offers,
        ["stock"] = settings.Stock,
        ["users"] = settings.Users,
        ["bots"] = settings.BotPercent,
        ["rate"] = settings.Rate,
        ["seed"] = settings.Seed,
        ["timeoutSeconds"] = settings.Timeout.TotalSeconds,
        ["paymentWindowSeconds"] = settings.PaymentWindow.TotalSeconds,
        ["cancel"] = settings.CancelPercent,
        ["abandon"] = settings.AbandonPercent,
        ["sources"] = settings.Sources,
        ["connections"] = settings.Connections,
        ["callTimeoutSeconds"] = settings.CallTimeout.TotalSeconds,
    };

    private static JsonObject Latency(string op, LatencyHistogram histogram) => new()
    {
        ["op"] = op,
        ["count"] = histogram.Count,
        ["p50"] = histogram.Percentile(50) / 1000.0,
        ["p90"] = histogram.Percentile(90) / 1000.0,
        ["p99"] = histogram.Percentile(99) / 1000.0,
        ["p99_9"] = histogram.Percentile(99.9) / 1000.0,
        ["max"] = histogram.Max / 1000.0,
    };

    private static JsonObject Sale(PlannedSale sale) => new()
    {
        ["id"] = sale.Id,
        ["slug"] = sale.Slug,
        ["requiresReservation"] = sale.RequiresReservation,
        ["offers"] = new JsonArray([.. sale.Offers.Select(offer => (JsonNode)new JsonObject
        {
            ["id"] = offer.Id,
            ["stock"] = offer.Stock,
            ["ordersPlaced"] = offer.Placed,
            ["ordersPaid"] = offer.Paid,
            ["soldOutAnswers"] = offer.SoldOut,
        })]),
    };

    internal static JsonObject Verdict(AuditReport report) => new()
    {
        ["exitCode"] = report.ExitCode,
        ["summary"] = report.Verdict,
        ["ordersAcknowledged"] = report.OrdersAcknowledged,
        ["ordersExported"] = report.RowsExported,
        ["invariants"] = new JsonArray([.. report.Findings.Select(finding => (JsonNode)new JsonObject
        {
            ["id"] = finding.Id,
            ["title"] = finding.Title,
            ["state"] = finding.State switch
            {
                FindingState.Holds => "holds",
                FindingState.Violated => "violated",
                _ => "not exercised",
            },
            ["checked"] = finding.Checked,
            ["violations"] = finding.Violations,
            ["figures"] = finding.Figures,
            ["examples"] = new JsonArray([.. finding.Examples.Select(example => (JsonNode)example)]),
        })]),
    };
}
