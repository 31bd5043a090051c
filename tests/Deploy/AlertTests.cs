using System.Text.RegularExpressions;

using Xunit;

namespace FlashSale.Tests.Deploy;

/// <summary>The rules of <c>deploy/prometheus</c>, judged by Prometheus' own tool, and that none is without its test and its runbook.</summary>
public sealed partial class AlertTests
{
    private static readonly string[] Severities = ["critical", "warning"];

    /// <summary>Pages of the runbooks that are about no alert.</summary>
    private static readonly string[] OtherPages = ["README", "before", "during", "after", "backup"];

    [Fact]
    public async Task Rules_WhenPrometheusReadsThem_AreRight() => await AssertSucceedsAsync(["check", "rules", .. Files("rules")]);

    [Fact]
    public async Task Config_WhenPrometheusReadsIt_IsRight()
    {
        await AssertSucceedsAsync(["check", "config", "prometheus.yml"]);

        // The rules that it names are those that are tested.
        Assert.Contains("  - rules/*.yml\n", Repository.Read(AlertFiles.Folder + "/prometheus.yml"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Alerts_WhenTheirTestsRun_FireAndStayQuietAsTheyShould() => await AssertSucceedsAsync(["test", "rules", .. Files("tests")]);

    [Fact]
    public void Alerts_WhenTheyAreCounted_HaveATestThatFiresAndOneThatDoesNot()
    {
        Assert.True(AlertFiles.Alerts.Count >= 20);
        foreach (var alert in AlertFiles.Alerts)
        {
            var test = Repository.Read($"{AlertFiles.Folder}/tests/{alert.Page}.yml");
            Assert.StartsWith($"# {alert.Name}\n", test, StringComparison.Ordinal);
            Assert.All(AlertName().Matches(test), match => Assert.Equal(alert.Name, match.Groups[1].Value));
            Assert.Contains("exp_labels:", test, StringComparison.Ordinal);

            // In a case of its own: what must not fire is not only what does not fire yet.
            Assert.Contains(test.Split("  - name: ")[1..], one => one.Contains("exp_alerts: []", StringComparison.Ordinal) && !one.Contains("exp_labels", StringComparison.Ordinal));
        }

        Assert.Equal(Names(AlertFiles.Folder + "/tests", "*.yml"), AlertFiles.Alerts.Select(alert => alert.Page).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Alerts_WhenTheyAreCounted_HaveARunbookOfTheirName()
    {
        foreach (var alert in AlertFiles.Alerts)
        {
            Assert.Equal(KebabCase(alert.Name["FlashSale".Length..]), alert.Page);
            Assert.Contains(Severities, severity => alert.Text.Contains($"severity: {severity}\n", StringComparison.Ordinal));
            Assert.All(new[] { "summary: ", "description: " }, part => Assert.Contains(part, alert.Text, StringComparison.Ordinal));
            var page = Repository.Read($"docs/runbooks/{alert.Page}.md");
            Assert.StartsWith($"# {alert.Name}\n\n**Shoppers**: ", page, StringComparison.Ordinal);
            Assert.All(new[] { "\n## Look\n", "\n## Do\n", "\n## Over when\n" }, part => Assert.Contains(part, page, StringComparison.Ordinal));
            Assert.Contains($"({alert.Page}.md)", Repository.Read("docs/runbooks/README.md"), StringComparison.Ordinal);
        }

        Assert.Equal(
            Names("docs/runbooks", "*.md").Except(OtherPages),
            AlertFiles.Alerts.Select(alert => alert.Page).Order(StringComparer.Ordinal));
    }

    private static IEnumerable<string> Names(string folder, string pattern) =>
        Repository.Files(folder, pattern).Select(file => Path.GetFileNameWithoutExtension(file)!).Order(StringComparer.Ordinal);

    private static IEnumerable<string> Files(string folder) => Repository.Files($"{AlertFiles.Folder}/{folder}", "*.yml").Select(file => file[(AlertFiles.Folder.Length + 1)..]);

    private static async Task AssertSucceedsAsync(params IReadOnlyList<string> arguments)
    {
        var run = await ToolRun.RunAsync("promtool", AlertFiles.Root, arguments);
        Assert.True(run.ExitCode == 0, run.Everything);
    }

    private static string KebabCase(string name) => CapitalInside().Replace(name, "-$0").ToLowerInvariant();

    [GeneratedRegex(@"(?<!^)[A-Z]", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex CapitalInside();

    [GeneratedRegex(@"alertname: (\w+)", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex AlertName();
}
