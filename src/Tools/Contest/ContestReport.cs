using System.Text;
using System.Text.Json.Nodes;

using FlashSale.Core.Wire;
using FlashSale.Tools.Load;

using Spectre.Console;

namespace FlashSale.Tools.Contest;

/// <summary>A contest on the screen, in <c>result.json</c> and in <c>report.html</c>.</summary>
internal sealed class ContestReport
{
    private static readonly string[] KindColumns =
        ["round", "who", "#accounts", "#approved", "#rejected", "#pending", "#not reserved", "#with a token", "#orders", "#expired", "#paid", "#of paid", "#requests"];

    private readonly string directory;

    /// <exception cref="UsageException">The folder cannot be made.</exception>
    public ContestReport(string directory)
    {
        this.directory = directory;
        ReportFiles.MakeFolder(directory);
    }

    public string HtmlFile => Path.Combine(directory, "report.html");

    /// <summary>Each round has a folder of its own, which <c>flashsale verify</c> can be given.</summary>
    public string HistoryFile(int number, string round)
    {
        var folder = Path.Combine(directory, $"{number}-{round.Replace(' ', '-')}");
        Directory.CreateDirectory(folder);
        return Path.Combine(folder, "history.jsonl");
    }

    public async Task WriteAsync(ContestOutcome outcome)
    {
        await File.WriteAllTextAsync(Path.Combine(directory, "result.json"), Describe(outcome).ToJsonString(ReportFiles.Indented));
        await File.WriteAllTextAsync(HtmlFile, Html(outcome));
    }

    public static void PrintRound(IAnsiConsole console, ContestSettings settings, RoundOutcome round)
    {
        console.Write(Summary.Make($"Round '{round.Round.Name}'", Plain(KindColumns), round.Kinds.Select(kind => Row(round, kind))));
        console.Write(Summary.Make("Refusals", ["round", "who", "code", "count"], Refusals(round)));
        console.WriteLine(Verdict(settings, round));
        console.WriteLine(round.Report.Verdict);
    }

    public static void Print(IAnsiConsole console, ContestOutcome outcome)
    {
        var (columns, rows) = SideBySide(outcome);
        console.Write(Summary.Make("Who won: units paid, and their share", Plain(columns), rows));
        foreach (var round in outcome.Rounds)
        {
            console.WriteLine(Verdict(outcome.Settings, round));
        }

        console.WriteLine($"rules of risk control: {outcome.RulesVersion ?? "not told"}");
    }

    /// <summary>One sentence on who won.</summary>
    internal static string Verdict(ContestSettings settings, RoundOutcome round)
    {
        var accounts = round.Kinds.Sum(kind => kind.Accounts);
        var last = round.LastPaid is { } at ? $", the last {at.TotalSeconds:0.0} s after the opening" : "";
        return $"{round.Round.Name}: people, {100.0 * settings.People / accounts:0.0} % of the accounts, got {round.PeopleShare:0.0} % of {round.Paid:N0} paid units of {round.Stock:N0}{last}; {round.Expired:N0} holds expired";
    }

    internal static JsonObject Describe(ContestOutcome outcome) => new()
    {
        ["commandLine"] = outcome.Settings.CommandLine,
        ["startedAt"] = outcome.StartedAt.ToString("O"),
        ["durationSeconds"] = Math.Round(outcome.Duration.TotalSeconds, 1),
        ["configuration"] = Configuration(outcome.Settings),
        ["riskRules"] = outcome.RulesVersion,
        ["rounds"] = new JsonArray([.. outcome.Rounds.Select(round => (JsonNode)Describe(round))]),
        ["generatorProcessorSeconds"] = Math.Round(Environment.CpuUsage.TotalTime.TotalSeconds, 1),
    };

    private static JsonObject Configuration(ContestSettings settings) => new()
    {
        ["target"] = settings.Target.ToString(),
        ["people"] = settings.People,
        ["botsPerPerson"] = settings.BotsPerPerson,
        ["hoarders"] = settings.Hoarders,
        ["stock"] = settings.Stock,
        ["strategies"] = new JsonArray([.. settings.Strategies.Select(kind => (JsonNode)kind.Word())]),
        ["seed"] = settings.Seed,
        ["secondsBeforeTheOpening"] = settings.Length.TotalSeconds,
        ["timeoutSeconds"] = settings.Timeout.TotalSeconds,
        ["paymentWindowSeconds"] = settings.PaymentWindow.TotalSeconds,
        ["botHashesPerSecond"] = settings.BotHashes,
        ["challengeBitsModelled"] = settings.ChallengeBits,
    };

    private static JsonObject Describe(RoundOutcome round) => new()
    {
        ["name"] = round.Round.Name,
        ["defences"] = System.Text.Json.JsonSerializer.SerializeToNode(round.Round.Defences, WireJson.Default.SaleDefences),
        ["riskThreshold"] = round.Round.RiskThreshold,
        ["stock"] = round.Stock,
        ["paid"] = round.Paid,
        ["peopleSharePercent"] = Math.Round(round.PeopleShare, 2),
        ["holdsExpired"] = round.Expired,
        ["lastPaidSeconds"] = round.LastPaid?.TotalSeconds,
        ["settled"] = round.Settled,
        ["durationSeconds"] = Math.Round(round.Duration.TotalSeconds, 1),
        ["history"] = round.HistoryFile,
        ["kinds"] = new JsonArray([.. round.Kinds.Select(kind => (JsonNode)new JsonObject
        {
            ["kind"] = kind.Kind.Word(),
            ["accounts"] = kind.Accounts,
            ["approved"] = kind.Approved,
            ["rejected"] = kind.Rejected,
            ["pending"] = kind.Pending,
            ["notReserved"] = kind.NotReserved,
            ["withToken"] = kind.WithToken,
            ["orders"] = kind.Orders,
            ["expired"] = kind.Expired,
            ["paid"] = kind.Paid,
            ["requests"] = kind.Requests,
            ["refusals"] = new JsonObject(kind.Refusals.Select(refusal => KeyValuePair.Create(refusal.Code, (JsonNode?)refusal.Count))),
        })]),
        ["verdict"] = ReportFiles.Verdict(round.Report),
    };

    private static string Html(ContestOutcome outcome)
    {
        var page = new StringBuilder();
        HtmlReport.WriteStart(page, $"FlashSale contest, seed {outcome.Settings.Seed}");
        page.Append($"<p><code>{HtmlReport.Escape(outcome.Settings.CommandLine)}</code></p>\n");
        foreach (var round in outcome.Rounds)
        {
            page.Append($"<p>{HtmlReport.Escape(Verdict(outcome.Settings, round))}</p>\n");
        }

        page.Append($"<p class=\"soft\">Rules of risk control: {HtmlReport.Escape(outcome.RulesVersion ?? "not told")}. How each kind behaves stands in docs/evidence.md.</p>\n");
        page.Append("<h2>Who won: units paid, and their share</h2>\n<div class=\"pair\">\n<div>\n");
        Charts.WriteKey(page, "people", "bots");
        Charts.WriteBars(page, "Units that people paid, of all that were paid", [.. outcome.Rounds.Select(round => (round.Round.Name, (long)round.Kinds.Where(kind => kind.Kind == Kind.Person).Sum(kind => kind.Paid), (long)Math.Max(1, round.Paid)))]);
        page.Append("</div>\n<div>\n");
        var (columns, rows) = SideBySide(outcome);
        HtmlReport.WriteTable(page, columns, rows);
        page.Append("</div>\n</div>\n<h2>By kind</h2>\n");
        HtmlReport.WriteTable(page, KindColumns, outcome.Rounds.SelectMany(round => round.Kinds.Select(kind => Row(round, kind))));
        page.Append("<h2>Refusals</h2>\n");
        HtmlReport.WriteTable(page, ["round", "who", "code", "#count"], outcome.Rounds.SelectMany(Refusals));
        foreach (var round in outcome.Rounds)
        {
            page.Append($"<h2>Round '{HtmlReport.Escape(round.Round.Name)}'</h2>\n");
            page.Append($"<p class=\"verdict {(round.Report.ExitCode == ExitCodes.Holds ? "good" : "bad")}\">{HtmlReport.Escape(round.Report.Verdict)}</p>\n");
            HtmlReport.WriteInvariants(page, round.Report);
        }

        page.Append("</body>\n</html>\n");
        return page.ToString();
    }

    /// <summary>A row a round, a column a kind.</summary>
    private static (string[] Columns, IEnumerable<string[]> Rows) SideBySide(ContestOutcome outcome)
    {
        var kinds = outcome.Rounds.SelectMany(round => round.Kinds.Select(kind => kind.Kind)).Distinct().Order().ToArray();
        return (
            ["round", .. kinds.Select(kind => "#" + kind.Word()), "#holds expired", "#last paid, s", "invariants"],
            outcome.Rounds.Select(round => (string[])
            [
                round.Round.Name,
                .. kinds.Select(kind => round.Kinds.FirstOrDefault(one => one.Kind == kind) is { } one ? $"{one.Paid:N0} ({Share(round, one)})" : ""),
                $"{round.Expired:N0}",
                round.LastPaid is { } last ? $"{last.TotalSeconds:0.0}" : "",
                round.Report.Verdict.Split(':')[0],
            ]));
    }

    private static string[] Row(RoundOutcome round, KindOutcome kind) =>
    [
        round.Round.Name, kind.Kind.Word(), $"{kind.Accounts:N0}", $"{kind.Approved:N0}", $"{kind.Rejected:N0}", $"{kind.Pending:N0}", $"{kind.NotReserved:N0}",
        $"{kind.WithToken:N0}", $"{kind.Orders:N0}", $"{kind.Expired:N0}", $"{kind.Paid:N0}", Share(round, kind), $"{kind.Requests:N0}",
    ];

    private static string Share(RoundOutcome round, KindOutcome kind) => $"{100.0 * kind.Paid / Math.Max(1, round.Paid):0.0} %";

    private static IEnumerable<string[]> Refusals(RoundOutcome round) => round.Kinds.SelectMany(kind => kind.Refusals.Select(refusal =>
        (string[])[round.Round.Name, kind.Kind.Word(), refusal.Code, $"{refusal.Count:N0}"]));

    private static string[] Plain(IEnumerable<string> columns) => [.. columns.Select(column => column.TrimStart('#'))];
}
