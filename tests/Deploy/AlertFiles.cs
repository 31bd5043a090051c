using System.Text.Json;
using System.Text.RegularExpressions;

namespace FlashSale.Tests.Deploy;

/// <summary>An alert as it stands in a file of rules.</summary>
/// <param name="Name">Of the alert.</param>
/// <param name="File">From the root of the repository.</param>
/// <param name="Page">The last part of its <c>runbook_url</c>, without <c>.md</c>.</param>
/// <param name="Text">All of it.</param>
internal sealed record AlertRule(string Name, string File, string Page, string Text);

/// <summary>What stands in <c>deploy/prometheus</c> and <c>deploy/grafana</c>, read by the layout that these files keep to.</summary>
internal static partial class AlertFiles
{
    public const string Folder = "deploy/prometheus";

    public static string Root => Path.Combine(Repository.Root, "deploy", "prometheus");

    public static IReadOnlyList<string> RuleFiles { get; } = [.. Repository.Files(Folder + "/rules", "*.yml").Order(StringComparer.Ordinal)];

    public static IReadOnlyList<AlertRule> Alerts { get; } = [.. RuleFiles.SelectMany(AlertsOf)];

    /// <summary>Names that rules record.</summary>
    public static IReadOnlySet<string> Recorded { get; } =
        RuleFiles.SelectMany(file => RecordLine().Matches(Repository.Read(file))).Select(match => match.Groups[1].Value).ToHashSet(StringComparer.Ordinal);

    /// <summary>Every expression of a rule with the file that it stands in.</summary>
    public static IEnumerable<(string Where, string Expression)> RuleExpressions() =>
        RuleFiles.SelectMany(file => ExpressionOf().Matches(WithoutComments(Repository.Read(file))).Select(match => (file, match.Groups[1].Value)));

    public static IReadOnlyList<string> Dashboards { get; } = [.. Repository.Files("deploy/grafana", "*.json").Order(StringComparer.Ordinal)];

    /// <summary>Every expression of a panel, of the annotations, and what the variables ask for.</summary>
    public static IEnumerable<(string Where, string Expression)> DashboardExpressions()
    {
        foreach (var file in Dashboards)
        {
            using var document = JsonDocument.Parse(Repository.Read(file));
            foreach (var panel in document.RootElement.GetProperty("panels").EnumerateArray().Where(panel => panel.TryGetProperty("targets", out _)))
            {
                foreach (var target in panel.GetProperty("targets").EnumerateArray())
                {
                    yield return ($"{file}: {panel.GetProperty("title").GetString()}", target.GetProperty("expr").GetString()!);
                }
            }

            foreach (var variable in document.RootElement.GetProperty("templating").GetProperty("list").EnumerateArray())
            {
                if (variable.TryGetProperty("definition", out var definition))
                {
                    yield return (file, LabelValues().Match(definition.GetString()!).Groups[1].Value);
                }
            }
        }
    }

    private static IEnumerable<AlertRule> AlertsOf(string file) => Repository.Read(file)
        .Split("      - alert: ")[1..]
        .Select(text => new AlertRule(text[..text.IndexOf('\n', StringComparison.Ordinal)].Trim(), file, RunbookPage().Match(text).Groups[1].Value, text));

    private static string WithoutComments(string text) => CommentLine().Replace(text, "");

    [GeneratedRegex(@"^\s*#.*\n", RegexOptions.CultureInvariant | RegexOptions.Multiline, 1_000)]
    private static partial Regex CommentLine();

    [GeneratedRegex(@"^\s*- record: (\S+)", RegexOptions.CultureInvariant | RegexOptions.Multiline, 1_000)]
    private static partial Regex RecordLine();

    // One line, or a block that is indented further.
    [GeneratedRegex(@"^        expr: (?:\|\n((?:          .*\n)+)|(?<1>.*)\n)", RegexOptions.CultureInvariant | RegexOptions.Multiline, 1_000)]
    private static partial Regex ExpressionOf();

    [GeneratedRegex(@"runbook_url: ""\{\{ \$externalLabels\.runbooks \}\}/([a-z-]+)\.md""", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex RunbookPage();

    [GeneratedRegex(@"^label_values\((.+), \w+\)$", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex LabelValues();
}
