using System.Diagnostics;
using System.Xml.Linq;

using Xunit;

namespace FlashSale.Tests.Planted;

/// <summary>
/// A copy of the sources with artifacts of its own, to be spoilt. It has no planted tests of its own, so that nothing recurs. The tests that have to find the bugs pass in it
/// before the first is planted.
/// </summary>
public sealed class PlantedCopy : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private readonly TemporaryFolder folder = new();

    public async ValueTask InitializeAsync()
    {
        foreach (var file in Repository.Files().Where(file => !file.StartsWith("tests/Planted/", StringComparison.Ordinal)))
        {
            var copy = folder.File(file);
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(Path.Combine(Repository.Root, file), copy);
        }

        await BuildAsync("restore", "tests/Tests.csproj", "--locked-mode");
        await BuildAsync();
        var catchers = Plants.All.Select(plant => plant.Catcher).Distinct().ToArray();
        var results = await TestAsync(catchers);
        Assert.All(catchers, catcher => Assert.True(
            results.TryGetValue(catcher, out var failure) && failure is null, $"Without any plant, {catcher} does not pass in the copy."));
    }

    public ValueTask DisposeAsync()
    {
        folder.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <returns>What the catcher said while the bug was there; null when it passed.</returns>
    internal async Task<string?> CatchAsync(Plant plant)
    {
        var originals = plant.Edits.Select(edit => edit.File).Distinct().ToDictionary(file => file, file => File.ReadAllText(folder.File(file)));
        try
        {
            foreach (var edit in plant.Edits)
            {
                var text = await File.ReadAllTextAsync(folder.File(edit.File));
                Assert.True(
                    text.Split(edit.Find).Length == 2,
                    $"The plant must be renewed: its text stands {text.Split(edit.Find).Length - 1} times in {edit.File}:\n{edit.Find}");
                await File.WriteAllTextAsync(folder.File(edit.File), text.Replace(edit.Find, edit.Replacement, StringComparison.Ordinal));
            }

            await BuildAsync();
            var results = await TestAsync(plant.Catcher);
            Assert.True(results.TryGetValue(plant.Catcher, out var failure), $"{plant.Catcher} was not run.");
            return failure;
        }
        finally
        {
            foreach (var (file, text) in originals)
            {
                await File.WriteAllTextAsync(folder.File(file), text);
            }
        }
    }

    private Task BuildAsync() => BuildAsync("build", "tests/Tests.csproj", "-c", "Release", "--no-restore", "-v", "q");

    /// <summary>No analyzers and no warnings: a planted bug need not be pretty. No build server, since its work would be shared with other builds.</summary>
    private async Task BuildAsync(params string[] command)
    {
        var (code, output) = await RunAsync([
            .. command, "-nodeReuse:false", "-p:UseSharedCompilation=false", "-p:RunAnalyzers=false", "-p:EnforceCodeStyleInBuild=false",
            "-p:GenerateDocumentationFile=false", "-p:TreatWarningsAsErrors=false", "-p:MSBuildTreatWarningsAsErrors=false"]);
        Assert.True(code == 0, $"dotnet {command[0]} failed in the copy; a plant that does not compile must be renewed.\n{output}");
    }

    /// <returns>By full method name, the messages of its cases that failed; null when all passed.</returns>
    private async Task<Dictionary<string, string?>> TestAsync(params IReadOnlyList<string> methods)
    {
        var report = folder.File("report.xml");
        File.Delete(report);
        var (code, output) = await RunAsync([
            "artifacts/bin/Tests/release/FlashSale.Tests.dll", "-noLogo", "-noColor", "-xml", report, .. methods.SelectMany(method => (string[])["-method", method])]);
        Assert.True(File.Exists(report), $"The tests of the copy ended with exit code {code} and left no report.\n{output}");
        return XDocument.Load(report).Descendants("test")
            .GroupBy(test => $"{test.Attribute("type")!.Value}.{test.Attribute("method")!.Value}")
            .ToDictionary(tests => tests.Key, MessagesOf);
    }

    private static string? MessagesOf(IEnumerable<XElement> tests)
    {
        var failed = tests.Where(test => test.Attribute("result")!.Value != "Pass").Select(test => test.Element("failure")?.Value ?? "").ToArray();
        return failed.Length == 0 ? null : string.Join('\n', failed);
    }

    private async Task<(int Code, string Output)> RunAsync(IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            WorkingDirectory = folder.Path,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // A seed whose kill comes while orders storm in: one round is enough for a bug that is there.
        start.Environment["FLASHSALE_SEEDS"] = "4";
        start.Environment.Remove("FLASHSALE_TESTS");
        using var process = Process.Start(start)!;
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(patience.Token);
            var errors = process.StandardError.ReadToEndAsync(patience.Token);
            await process.WaitForExitAsync(patience.Token);
            return (process.ExitCode, await output + await errors);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }
}
