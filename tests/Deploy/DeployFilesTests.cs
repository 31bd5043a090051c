using System.Globalization;
using System.Text.RegularExpressions;

using FlashSale.Tests.Servers;

using Xunit;

namespace FlashSale.Tests.Deploy;

/// <summary>The units of systemd and the compose file: judged by systemd's own tool, and that what they name is there. There is no container engine here to run the latter.</summary>
public sealed partial class DeployFilesTests
{
    private const string Unit = "deploy/systemd/flashsale@.service";
    private const string Compose = "deploy/compose/compose.yml";

    /// <summary>Of 10, where 10 is a service that nothing is taken from.</summary>
    private const double ExposureMax = 1.5;

    [Fact]
    public async Task Unit_WhenSystemdReadsIt_IsRightAndLittleExposed()
    {
        using var folder = new TemporaryFolder();

        // As an instance, so that what follows from its name is looked at too.
        File.Copy(Path.Combine(Repository.Root, Unit), folder.File("flashsale@orders.service"));
        var verified = await ToolRun.RunAsync("systemd-analyze", folder.Path, "verify", "--man=no", folder.File("flashsale@orders.service"));
        Assert.True(verified.ExitCode == 0 && verified.Everything.Length == 0, verified.Everything);

        var judged = await ToolRun.RunAsync("systemd-analyze", folder.Path, "security", "--offline=true", "--no-pager", folder.File("flashsale@orders.service"));
        var level = ExposureLine().Match(judged.Everything);
        Assert.True(level.Success, judged.Everything);
        Assert.InRange(double.Parse(level.Groups[1].Value, CultureInfo.InvariantCulture), 0, ExposureMax);
    }

    [Fact]
    public void Settings_WhenADeploymentNamesThem_Exist()
    {
        var reference = Repository.Read("docs/settings.md");
        var files = Repository.Files("deploy").Where(file => !file.StartsWith("deploy/nginx/", StringComparison.Ordinal)).ToArray();
        var named = files.SelectMany(file => SettingName().Matches(Repository.Read(file)).Select(match => (File: file, match.Value))).ToArray();

        Assert.True(named.Length > 10);
        Assert.All(named, one => Assert.True(reference.Contains($"`{one.Value}`", StringComparison.Ordinal), $"{one.File}: {one.Value} is no setting"));
    }

    [Fact]
    public void Compose_WhenItNamesServicesVolumesAndFiles_TheyAreThere()
    {
        var text = Repository.Read(Compose);
        var services = Names(text, "services");
        Assert.Equal(["mariadb", "redis", "orders-1", "orders-2", "storefront", "risk", "console", "jobs", "gateway", "prometheus", "grafana"], services);
        var volumes = Names(text, "volumes");
        var folder = Path.Combine(Repository.Root, "deploy", "compose");
        foreach (var mount in MountLine().Matches(text).Select(match => match.Groups[1].Value))
        {
            Assert.True(mount[0] == '.' ? Path.Exists(Path.Combine(folder, mount)) : volumes.Contains(mount), $"{mount} is neither a path nor a volume.");
        }

        Assert.All(DockerfileName().Matches(text), match => Assert.True(File.Exists(Path.Combine(Repository.Root, match.Groups[1].Value)), match.Value));
        // Whoever is waited for says when it is ready, and whoever is an instance says so by the command of the program.
        var awaited = Awaited().Matches(text).Select(match => match.Groups[1].Value).Distinct().ToArray();
        Assert.Equal(["mariadb", "redis", "orders-1", "orders-2", "storefront", "console"], awaited);
        Assert.DoesNotContain("depends_on: [", text, StringComparison.Ordinal);
        Assert.All(awaited.Where(name => !IsInstance(text, name)), name => Assert.Contains("healthcheck:\n", Block(text, name), StringComparison.Ordinal));
        Assert.Contains("test: [CMD, dotnet, /app/FlashSale.Server.dll, health]\n", text[..text.IndexOf("\nservices:\n", StringComparison.Ordinal)], StringComparison.Ordinal);

        // Every instance is scraped, and those that the gateway sends to have the addresses that it knows.
        var targets = Repository.Read("deploy/compose/prometheus/flashsale.yml");
        Assert.All(services.Where(service => IsInstance(text, service)), name => Assert.Contains($"{name}:5080", targets, StringComparison.Ordinal));
        Assert.All(services.Where(service => service is "orders-1" or "orders-2" or "storefront" or "console"), name => Assert.Contains(Address().Match(Block(text, name)).Groups[1].Value + ":5080", Repository.Read("deploy/compose/gateway.Dockerfile"), StringComparison.Ordinal));

        // What it asks the environment for stands in the example.
        Assert.All(Variable().Matches(text), match => Assert.Matches($"(?m)^(# )?{match.Groups[1].Value}=$", Repository.Read("deploy/compose/example.env")));
    }

    [Fact]
    public async Task AuthKey_WhenItIsMadeAsTheHeadSays_IsTheKeyAlone()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File(".env"), Repository.Read("deploy/compose/example.env").Replace("\nAUTH_KEY=\n", "\nAUTH_KEY=c2VjcmV0+/c2VjcmV0==\n", StringComparison.Ordinal));
        var run = await ToolRun.RunAsync("bash", folder.Path, "-euc", AuthKeyCommand().Match(Repository.Read(Compose)).Groups[1].Value);

        Assert.True(run.ExitCode == 0, run.Everything);
        Assert.Equal("c2VjcmV0+/c2VjcmV0==", await File.ReadAllTextAsync(folder.File("auth.key")));
        Assert.Equal("600", (await ToolRun.RunAsync("stat", folder.Path, "-c", "%a", "auth.key")).Output.Trim());
    }

    [Fact]
    public async Task GatewaysHealth_WhenItAnswersAndWhenNobodyDoes_IsTold()
    {
        var script = GatewayHealth().Match(Repository.Read(Compose)).Groups[1].Value.Replace("\\\\", "\\", StringComparison.Ordinal).Replace("$$", "$", StringComparison.Ordinal);
        await using var gateway = await Nginx.StartAsync(NginxSite.Of(LocalProcess.FreePort()));
        Task<ToolRun> AskAsync(string what, int port) => ToolRun.RunAsync("bash", "/", "-c", script.Replace("/8080", $"/{port}", StringComparison.Ordinal).Replace("/healthz/live", what, StringComparison.Ordinal));

        var told = await AskAsync("/healthz/live", gateway.Port);
        Assert.True(told.ExitCode == 0, script + told.Everything);
        Assert.NotEqual(0, (await AskAsync("/healthz/ready", gateway.Port)).ExitCode);
        Assert.NotEqual(0, (await AskAsync("/healthz/live", LocalProcess.FreePort())).ExitCode);
    }

    [Fact]
    public async Task Gateway_WhenItsImageEditsTheSite_EveryPlaceIsFound()
    {
        using var folder = new TemporaryFolder();
        File.Copy(Path.Combine(Repository.Root, "deploy/nginx/site.conf"), folder.File("site.conf"));
        var script = EditCommand().Match(Repository.Read("deploy/compose/gateway.Dockerfile")).Groups[1].Value;
        var run = await ToolRun.RunAsync("bash", folder.Path, "-euc", script);

        Assert.True(run.ExitCode == 0, run.Everything);
        var site = await File.ReadAllTextAsync(folder.File("site.conf"));
        Assert.DoesNotContain("127.0.0.1:5080", site, StringComparison.Ordinal);
        Assert.Contains("session_key = \"file:/run/secrets/auth_key\"", site, StringComparison.Ordinal);
        Assert.Contains("token_keys = { \"derived\" }", site, StringComparison.Ordinal);
        Assert.Equal(4, ServerLine().Count(site));
    }

    private static bool IsInstance(string text, string service) => Block(text, service).Contains("<<: *instance", StringComparison.Ordinal);

    /// <summary>The names below a section of the file, which is indented by two.</summary>
    private static IReadOnlyList<string> Names(string text, string section)
    {
        var at = text.IndexOf($"\n{section}:\n", StringComparison.Ordinal) + section.Length + 3;
        var end = TopLevel().Match(text, at);
        return [.. NameLine().Matches(text[at..(end.Success ? end.Index : text.Length)]).Select(match => match.Groups[1].Value)];
    }

    private static string Block(string text, string service)
    {
        var at = text.IndexOf($"\n  {service}:\n", StringComparison.Ordinal);
        return text[at..text.IndexOf("\n\n", at + 1, StringComparison.Ordinal)];
    }

    [GeneratedRegex(@"Overall exposure level for \S+: ([\d.]+)", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex ExposureLine();

    [GeneratedRegex(@"\b(?:FlashSale|ConnectionStrings)__\w+", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex SettingName();

    [GeneratedRegex(@"^\S", RegexOptions.CultureInvariant | RegexOptions.Multiline, 1_000)]
    private static partial Regex TopLevel();

    [GeneratedRegex(@"^  ([\w-]+):", RegexOptions.CultureInvariant | RegexOptions.Multiline, 1_000)]
    private static partial Regex NameLine();

    [GeneratedRegex(@"(?:- |\["")([\w./-]+):/", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex MountLine();

    [GeneratedRegex(@"dockerfile: ([\w./]+)", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex DockerfileName();

    [GeneratedRegex(@"^ +([\w-]+): \{condition: service_healthy\}$", RegexOptions.CultureInvariant | RegexOptions.Multiline, 1_000)]
    private static partial Regex Awaited();

    [GeneratedRegex(@"^#   (\(umask 077; .*? > auth\.key\))", RegexOptions.CultureInvariant | RegexOptions.Multiline, 1_000)]
    private static partial Regex AuthKeyCommand();

    [GeneratedRegex(@"test: \[CMD, bash, -c, ""(.+)""\]$", RegexOptions.CultureInvariant | RegexOptions.Multiline, 1_000)]
    private static partial Regex GatewayHealth();

    [GeneratedRegex(@"ipv4_address: ([\d.]+)", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex Address();

    [GeneratedRegex(@"\$\{(\w+):", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex Variable();

    [GeneratedRegex(@" && (sed -i .*?site\.conf)\n", RegexOptions.CultureInvariant | RegexOptions.Singleline, 1_000)]
    private static partial Regex EditCommand();

    [GeneratedRegex(@"^    server 172\.28\.0\.1[1-4]:5080 ", RegexOptions.CultureInvariant | RegexOptions.Multiline, 1_000)]
    private static partial Regex ServerLine();
}
