using System.Text.RegularExpressions;
using System.Xml.Linq;

using FlashSale.Core.Wire;

using Xunit;

namespace FlashSale.Tests.Tidy;

/// <summary>Holds what the house agreed on and no compiler checks (docs/ARCHITECTURE.md).</summary>
public sealed partial class TidyTests
{
    private const int MethodLinesMax = 70;
    private const int ProgramLinesMax = 70;

    private static readonly Dictionary<string, string[]> References = new(StringComparer.Ordinal)
    {
        ["Core"] = [],
        ["Storage"] = ["Core"],
        ["Server"] = ["Core", "Storage"],
        ["Tools"] = ["Core"],
    };

    /// <summary>The stages of a request. The storefront is their other client beside the API, and may use them.</summary>
    private static readonly string[] Stages = ["Edge", "Reservations", "Checkout", "Orders", "Payments", "Risk", "Console", "Jobs"];
    private static readonly string[] BannedNames = ["Shared", "Common", "Utils", "Util", "Utility", "Helper", "Helpers", "Manager"];

    private static string[] Sources(params string[] folders) => [.. folders.SelectMany(folder => Repository.Files(folder, "*.cs"))];

    private static void Report(IEnumerable<string> faults) => Assert.True(!faults.Any(), string.Join('\n', faults));

    [Fact]
    public void Projects_WhenTheyReferToOthers_KeepTheDirection()
    {
        foreach (var (project, allowed) in References)
        {
            var file = XDocument.Parse(Repository.Read($"src/{project}/{project}.csproj"));
            var found = file.Descendants("ProjectReference").Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value));
            Assert.Equal(allowed.Order(), found.Order());
        }

        Assert.Equal(References.Keys.Order(), Directory.GetDirectories(Path.Combine(Repository.Root, "src")).Select(Path.GetFileName).Order());
        Assert.Empty(XDocument.Parse(Repository.Read("src/Core/Core.csproj")).Descendants("PackageReference"));
    }

    [Fact]
    public void Drivers_WhenADatabaseIsUsed_AreNamedInStorageOnly()
    {
        var outside = Sources("src").Where(file => !file.StartsWith("src/Storage/", StringComparison.Ordinal)).Concat(Repository.Files("src", "*.csproj"))
            .Where(file => file != "src/Storage/Storage.csproj")
            .Where(file => DriverName().IsMatch(Repository.Read(file)));

        Report(outside);
        Assert.Contains(Sources("src/Storage"), file => DriverName().IsMatch(Repository.Read(file)));
    }

    [Fact]
    public void Core_WhenItDecides_HasNoInputOutputClockOrTask()
    {
        var files = Sources("src/Core");
        Assert.NotEmpty(files);

        Report(files.SelectMany(file => ImpureWord().Matches(CSharpText.CodeOnly(Repository.Read(file))).Select(match => $"{file}: {match.Value}")));
    }

    [Fact]
    public void Stages_WhenTheyNeedEachOther_DoNotReachIntoEachOther()
    {
        List<string> faults = [];
        var looked = 0;
        foreach (var stage in Stages.Where(stage => Directory.Exists(Path.Combine(Repository.Root, "src/Server", stage))))
        {
            foreach (var file in Sources("src/Server/" + stage))
            {
                looked++;
                faults.AddRange(ServerNamespace().Matches(CSharpText.CodeOnly(Repository.Read(file)))
                    .Select(match => match.Groups[1].Value)
                    .Where(used => used != stage && (Stages.Contains(used) || used == "Storefront"))
                    .Select(used => $"{file} uses FlashSale.Server.{used}"));
            }
        }

        Report(faults);
        Assert.True(looked > Stages.Length);
    }

    [Fact]
    public void Methods_WhenTheyAreCounted_AreShort()
    {
        var methods = Sources("src", "tests", "bench").SelectMany(file => CSharpText.Methods(Repository.Read(file)).Select(method => (File: file, method.Name, method.Line, method.Lines)));

        Report(methods.Where(method => method.Lines > MethodLinesMax).Select(method => $"{method.File}:{method.Line} {method.Name} has {method.Lines} lines"));
        Assert.True(methods.Count() > 500);
    }

    [Fact]
    public void Program_WhenItIsRead_FitsOnAScreen() => Assert.InRange(Repository.Read("src/Server/Program.cs").AsSpan().Count('\n'), 1, ProgramLinesMax);

    [Fact]
    public void Names_WhenTheySayNothing_AreNotUsed()
    {
        var files = Sources("src", "tests", "bench");
        var named = files.Where(file => file.Split('/', '.').SelectMany(Words).Any(BannedNames.Contains));
        var declared = files.SelectMany(file => TypeName().Matches(CSharpText.CodeOnly(Repository.Read(file)))
            .Where(match => Words(match.Groups[1].Value).Any(BannedNames.Contains))
            .Select(match => $"{file}: {match.Groups[1].Value}"));

        Report(named.Concat(declared));
        Assert.NotEmpty(files);
    }

    [Fact]
    public void Sources_WhenWorkIsLeft_AreNotFinished() =>
        Report(Sources("src", "tests", "bench").SelectMany(file => LeftWork().Matches(Repository.Read(file)).Select(match => $"{file}: {match.Value}")));

    [Fact]
    public void Links_WhenADocumentPointsToAFile_Resolve()
    {
        var documents = Repository.Files(pattern: "*.md").ToArray();
        var links = documents.SelectMany(file => LocalLink().Matches(Repository.Read(file)).Select(match => (File: file, Target: match.Groups[1].Value))).ToArray();

        Report(links
            .Where(link => !link.Target.Contains("://", StringComparison.Ordinal) && !link.Target.StartsWith("mailto:", StringComparison.Ordinal))
            .Where(link => !Exists(Path.Combine(Repository.Root, Path.GetDirectoryName(link.File)!, Uri.UnescapeDataString(link.Target))))
            .Select(link => $"{link.File}: {link.Target}"));
        Assert.Contains("README.md", documents);
    }

    private static bool Exists(string path) => File.Exists(path) || Directory.Exists(path);

    [Fact]
    public void ProblemCodes_WhenCounted_HaveOneKindEach()
    {
        Assert.Equal(Enum.GetValues<ProblemCode>(), Problems.All.Select(kind => kind.Id).Order());
        Assert.All(Problems.All, kind => Assert.Equal(KebabCase(kind.Id.ToString()), kind.Code));
    }

    [Fact]
    public void Settings_WhenTheyAreRead_StandInTheirReference()
    {
        var keys = SettingKey().Matches(Repository.Read("src/Server/Hosting/Settings.cs")).Select(match => match.Value.Trim('"').Replace(":", "__", StringComparison.Ordinal)).Distinct().ToArray();
        Assert.True(keys.Length > 10);
        var reference = Repository.Read("docs/settings.md");

        Report(keys.Where(key => !reference.Contains(key, StringComparison.Ordinal)).Select(key => key + " does not stand in docs/settings.md"));
    }

    private static string KebabCase(string name) => string.Join('-', Words(name)).ToLowerInvariant();

    private static IEnumerable<string> Words(string name) => NameWord().Matches(name).Select(match => match.Value);

    [GeneratedRegex(@"Microsoft\.Data\.Sqlite|SQLitePCL|MySql\.Data|StackExchange\.Redis", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex DriverName();

    [GeneratedRegex(@"\bSystem\.(IO|Net|Threading)\b|\bTimeProvider\b|\bDateTime(Offset)?\.(Utc)?(Now|Today)\b|\b(Value)?Task\b|\basync\b|\bawait\b|\b(File|Console|Environment|Stopwatch|Thread)\.", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex ImpureWord();

    [GeneratedRegex(@"\bFlashSale\.Server\.(\w+)", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex ServerNamespace();

    [GeneratedRegex(@"\b(?:class|struct|record|interface|enum)\s+(?:struct\s+|class\s+)?(\w+)", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex TypeName();

    [GeneratedRegex(@"[A-Z][a-z0-9]*|[a-z0-9]+", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex NameWord();

    // Spelt so that this line does not find itself.
    [GeneratedRegex(@"\bTO[D]O\b|\bFIX[M]E\b|\bHAC[K]\b|NotImplemented[E]xception|\bSkip\s?=\s?""|\bExplicit\s?=\s?true", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex LeftWork();

    [GeneratedRegex(@"\]\(([^)#\s]+)(?:#[^)\s]*)?\)", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex LocalLink();

    [GeneratedRegex(@"""FlashSale:[A-Za-z:]+""", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex SettingKey();
}
