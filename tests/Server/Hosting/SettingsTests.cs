using FlashSale.Server.Hosting;

using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;

using Xunit;

namespace FlashSale.Tests.Server.Hosting;

public sealed class SettingsTests : IDisposable
{
    private const string KnownKey = "Zmxhc2hzYWxlLWRlbW8ta2V5LW5ldmVyLXVzZS1pbi1wcm9kdWN0aW9uIQ==";
    private readonly TemporaryFolder folder = new();
    private readonly List<Settings> opened = [];

    public void Dispose()
    {
        opened.ForEach(settings => settings.Data.Dispose());
        folder.Dispose();
    }

    [Fact]
    public void Read_WithNothingSet_IsTheDemoWithGeneratedKeys()
    {
        var (settings, errors) = Settings.Read(new ConfigurationBuilder().Build(), new TestEnvironment(folder.Path));
        Assert.Empty(errors);
        opened.Add(settings!);
        Assert.True(settings!.Demo);
        Assert.Equal(InstanceRoles.All, settings.Roles);
        Assert.Equal(32, settings.AuthKey.Length);
        Assert.NotNull(settings.SandboxSecret);
        Assert.True(settings.Edge.LimitsEnabled);
        Assert.Equal(TimeSpan.FromSeconds(1), settings.TokenAges.Minimum);
        Assert.Equal(TimeSpan.FromMinutes(10), settings.TokenAges.Maximum);
        Assert.False(settings.FourEyes);
    }

    [Theory]
    [InlineData("http://127.0.0.1:5080;http://127.0.0.1:5081", null)]
    [InlineData("http://127.0.0.1:5080", "FlashSale__Console__Port is 5081, where nothing listens; Urls must have an address with this port too")]
    public void Read_WithAPortForTheConsole_NeedsAnAddressThatHasIt(string urls, string? error)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Urls"] = urls, ["FlashSale:Console:Port"] = "5081", ["FlashSale:Demo"] = "true" }).Build();

        var (settings, errors) = Settings.Read(configuration, new TestEnvironment(folder.Path));

        Assert.Equal(error is null ? [] : [error], errors);
        if (settings is not null)
        {
            opened.Add(settings);
            Assert.Equal(5081, settings.ConsolePort);
        }
    }

    [Fact]
    public void Read_WithAnythingSet_IsNoDemo()
    {
        var (settings, errors) = Read(("FlashSale:Roles", "orders, JOBS"));
        Assert.Empty(errors);
        Assert.False(settings!.Demo);
        Assert.Null(settings.SandboxSecret);
        Assert.Equal(InstanceRoles.Orders | InstanceRoles.Jobs, settings.Roles);
    }

    [Fact]
    public void Read_AgainInTheSameDirectory_KeepsItsGeneratedKeys()
    {
        var first = Read().Settings!.AuthKey;
        opened[0].Data.Dispose();
        Assert.Equal(first, Read().Settings!.AuthKey);
        var file = Directory.GetFiles(Path.Combine(folder.Path, "data", "keys"), "auth.key").Single();
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }
    }

    [Theory]
    [InlineData("FlashSale:Roles", "orders,cashier")]
    [InlineData("FlashSale:Roles", "1")]
    [InlineData("FlashSale:Roles", "none")]
    [InlineData("FlashSale:Demo", "yes")]
    [InlineData("FlashSale:Limits:Enabled", "0")]
    [InlineData("FlashSale:Console:FourEyes", "on")]
    [InlineData("FlashSale:Ledger:Provider", "oracle")]
    [InlineData("FlashSale:Gate:Provider", "paper")]
    [InlineData("FlashSale:Ledger:WritePattern", "random")]
    [InlineData("FlashSale:Ledger:BatchMax", "0")]
    [InlineData("FlashSale:Ledger:BatchMax", "513")]
    [InlineData("FlashSale:Ledger:BatchMax", "99999999999")]
    [InlineData("FlashSale:Auth:SigningKey", "short")]
    [InlineData("FlashSale:Auth:SigningKey", "c2hvcnQ=")]
    [InlineData("FlashSale:Auth:SigningKey", "not base64 at all, whatever its length may be!!")]
    [InlineData("FlashSale:Auth:SigningKey", KnownKey)]
    [InlineData("FlashSale:Tokens:SigningKey", KnownKey)]
    [InlineData("FlashSale:Payments:Sandbox:Secret", KnownKey)]
    [InlineData("FlashSale:Auth:SigningKey", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")]
    [InlineData("FlashSale:Tokens:PreviousSigningKey", "c2hvcnQ=")]
    [InlineData("FlashSale:Tokens:MinimumAge", "1")]
    [InlineData("FlashSale:Tokens:MinimumAge", "-00:00:01")]
    [InlineData("FlashSale:Tokens:MinimumAge", "00:02:00")]
    [InlineData("FlashSale:Tokens:MaximumAge", "00:00:01")]
    [InlineData("FlashSale:Tokens:MaximumAge", "02:00:00")]
    [InlineData("FlashSale:Tokens:MaximumAge", "soon")]
    [InlineData("FlashSale:TrustedProxies", "10.0.0.0/8,proxy.example")]
    [InlineData("FlashSale:TrustedProxies", "10.0.0.0/99")]
    [InlineData("FlashSale:Risk:Credit:Url", "credit.example")]
    [InlineData("FlashSale:Risk:Profile:Url", "http://user:hunter2@profile.example")]
    [InlineData("FlashSale:Risk:Credit:Key", "hunter2-hunter2-hunter2")]
    [InlineData("FlashSale:Risk:RulesFile", "none.json")]
    [InlineData("FlashSale:Roles", "risksandbox")]
    [InlineData("ConnectionStrings:Ledger", "Server=db;Password=hunter2-hunter2-hunter2")]
    [InlineData("ConnectionStrings:Gate", "redis:6379,password=hunter2-hunter2-hunter2")]
    [InlineData("FlashSale:Gate:Shards", "0")]
    [InlineData("FlashSale:Gate:Shards", "65")]
    [InlineData("FlashSale:ClockIsWrongBy", "00:00:05")]
    [InlineData("FlashSale:Telemetry:Enabled", "off")]
    [InlineData("FlashSale:Telemetry:OtlpEndpoint", "collector:4318")]
    [InlineData("FlashSale:Telemetry:OtlpEndpoint", "http://user:hunter2@collector:4318")]
    [InlineData("FlashSale:Telemetry:TraceRatio", "0.5")]
    [InlineData("FlashSale:Telemetry:TraceRatio", "1.5")]
    [InlineData("FlashSale:Telemetry:TraceRatio", "-1")]
    [InlineData("FlashSale:Telemetry:LogFormat", "xml")]
    [InlineData("FlashSale:Limit:Enabled", "true")]
    [InlineData("FlashSale:Tokens", "x")]
    [InlineData("FlashSale:Auth:SigningKeys:0", "x")]
    public void Read_WithAWrongSetting_NamesIt(string key, string value)
    {
        var (settings, errors) = Read((key, value));
        Assert.Null(settings);
        Assert.StartsWith(key.Replace(":", "__", StringComparison.Ordinal) + " ", Assert.Single(errors), StringComparison.Ordinal);
        if (key.Contains("Key", StringComparison.Ordinal) && value.Length > 20 || value.Contains("hunter2", StringComparison.Ordinal))
        {
            Assert.DoesNotContain(value, errors[0], StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Read_WithStoresThatInstancesShare_NeedsToKnowWhereTheyAre()
    {
        var (_, errors) = Read(("FlashSale:Ledger:Provider", "mysql"), ("FlashSale:Gate:Provider", "redis"));
        Assert.Equal(
            ["ConnectionStrings__Ledger", "ConnectionStrings__Gate", "FlashSale__Auth__SigningKey"],
            errors.Select(error => error.Split(' ')[0]));
    }

    [Fact]
    public void Read_OnInstancesThatShareALedger_HasTheSameKeyForOrderTokens()
    {
        (string, string)[] Shared(string folder, string key) =>
        [
            ("FlashSale:DataDirectory", Path.Combine(this.folder.Path, folder)), ("FlashSale:Ledger:Provider", "mysql"),
            ("ConnectionStrings:Ledger", "Server=db"), ("FlashSale:Auth:SigningKey", key),
        ];
        var key = Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32));
        var other = Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32));

        var (a, b, c) = (Read(Shared("a", key)).Settings!, Read(Shared("b", key)).Settings!, Read(Shared("c", other)).Settings!);

        Assert.Equal(a.TokenKey, b.TokenKey);
        Assert.NotEqual(a.TokenKey, c.TokenKey);
        Assert.NotEqual(a.TokenKey, a.AuthKey);
    }

    [Fact]
    public void Read_WithARulesFileThatIsWrong_NamesEveryPlace()
    {
        File.WriteAllText(folder.File("rules.json"), """{"version": "1", "banDays": 0, "rules": [{"name": "a", "when": {"nose": {"is": 1}}, "weight": 101, "reason": "b"}]}""");

        var errors = Read(("FlashSale:Risk:RulesFile", folder.File("rules.json"))).Errors;

        Assert.Equal(3, errors.Count);
        Assert.All(errors, error => Assert.StartsWith("FlashSale__Risk__RulesFile ", error, StringComparison.Ordinal));
        Assert.Contains(errors, error => error.Contains("rules[0].when.nose is no input", StringComparison.Ordinal));
    }

    [Fact]
    public void Read_WithProvidersAndTheSandbox_TakesThem()
    {
        var (settings, errors) = Read(("FlashSale:Risk:Credit:Url", "https://credit.example/v1"), ("FlashSale:Risk:Credit:Key", "secret-of-ours"), ("FlashSale:Roles", "risk,risk-sandbox"));

        Assert.Empty(errors);
        Assert.Equal(("https://credit.example/v1", "secret-of-ours"), (settings!.Risk.Credit!.Url.ToString(), settings.Risk.Credit.Key));
        Assert.DoesNotContain("secret-of-ours", settings.ToString(), StringComparison.Ordinal);
        Assert.Null(settings.Risk.Profile);
        Assert.True(settings.Roles.HasFlag(InstanceRoles.RiskSandbox));
        Assert.False(InstanceRoles.All.HasFlag(InstanceRoles.RiskSandbox));
    }

    [Fact]
    public void Read_WithAMaximumAgeBelowTheMinimum_NamesIt() =>
        Assert.Single(Read(("FlashSale:Tokens:MinimumAge", "00:00:30"), ("FlashSale:Tokens:MaximumAge", "00:00:30")).Errors);

    [Fact]
    public void Read_InTheDemo_TakesTheKeyThatEverybodyKnows()
    {
        var (settings, errors) = Read(("FlashSale:Demo", "true"), ("FlashSale:Auth:SigningKey", KnownKey));
        Assert.Empty(errors);
        Assert.Equal(Convert.FromBase64String(KnownKey), settings!.AuthKey);
    }

    [Fact]
    public void Read_WithProxies_TakesAddressesAndRanges()
    {
        var (settings, errors) = Read(("FlashSale:TrustedProxies", " 10.0.0.1, 192.168.0.0/16 ,::1, fd00::/8,"));
        Assert.Empty(errors);
        Assert.Equal(["10.0.0.1/32", "192.168.0.0/16", "::1/128", "fd00::/8"], settings!.Edge.TrustedProxies.Select(network => network.ToString()));
    }

    private (Settings? Settings, IReadOnlyList<string> Errors) Read(params (string Key, string Value)[] settings)
    {
        var values = settings.Prepend(("FlashSale:DataDirectory", folder.File("data"))).Reverse().DistinctBy(setting => setting.Item1).Select(setting => KeyValuePair.Create<string, string?>(setting.Item1, setting.Item2));
        var result = Settings.Read(new ConfigurationBuilder().AddInMemoryCollection(values).Build(), new TestEnvironment(folder.Path));
        if (result.Settings is not null)
        {
            opened.Add(result.Settings);
        }

        return result;
    }

    private sealed class TestEnvironment(string root) : IHostEnvironment
    {
        public string EnvironmentName { get; set; } = Environments.Production;

        public string ApplicationName { get; set; } = "FlashSale.Server";

        public string ContentRootPath { get; set; } = root;

        public IFileProvider ContentRootFileProvider { get; set; } = new NullFileProvider();
    }
}
