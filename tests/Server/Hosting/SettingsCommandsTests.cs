using System.Net;

using FlashSale.Tests.Deploy;
using FlashSale.Tests.Server.Console;
using FlashSale.Tests.Servers;
using FlashSale.Tools;

using Xunit;

namespace FlashSale.Tests.Server.Hosting;

/// <summary><c>config</c>, <c>settings</c>, and the same from an instance that runs.</summary>
public sealed class SettingsCommandsTests
{
    private static readonly string[] Secrets = ["hunter2", "hunter3", "hunter4", "hunter5"];

    [Fact]
    public async Task Settings_WhenTheyArePrinted_AreTheCommittedPage()
    {
        var run = await RunAsync("settings");

        Assert.True(run.ExitCode == 0, run.Errors);
        Assert.True(run.Output == Repository.Read("docs/settings.md"), "docs/settings.md is not current: dotnet artifacts/bin/Server/release/FlashSale.Server.dll settings > docs/settings.md");
    }

    [Fact]
    public async Task Config_WithSecrets_ShowsWhatIsInForceAndNoneOfThem()
    {
        var (auth, tokens, sandbox) = (TestServer.NewKey(), TestServer.NewKey(), TestServer.NewKey());
        (string Key, string Value)[] settings =
        [
            ("FlashSale__Roles", "jobs,orders"),
            ("FlashSale__Ledger__Provider", "mysql"),
            ("ConnectionStrings__Ledger", "Server=10.0.0.5;Database=flashsale;User ID=shop;Password=\"hunter2;x\";SslMode=Required"),
            ("FlashSale__Gate__Provider", "redis"),
            ("ConnectionStrings__Gate", "10.0.0.7:6379,password=hunter3,ssl=true"),
            (TestServer.AuthKeySetting, auth),
            ("FlashSale__Tokens__SigningKey", tokens),
            ("FlashSale__Tokens__PreviousSigningKey", tokens),
            (TestServer.SandboxSecretSetting, sandbox),
            ("FlashSale__Risk__Credit__Url", "https://credit.example/v1"),
            ("FlashSale__Risk__Credit__Key", "hunter4"),
        ];

        var run = await RunAsync("config", settings);
        var again = await RunAsync("config", [.. settings, ("FlashSale__Roles", "console")]);

        Assert.True(run.ExitCode == 0, run.Errors);
        Assert.All([auth, tokens, sandbox, .. Secrets], secret => Assert.DoesNotContain(secret, run.Everything, StringComparison.Ordinal));
        var lines = run.Output.Split('\n');
        Assert.Contains("FlashSale__Roles=orders,jobs", lines);
        Assert.Contains("FlashSale__Ledger__BatchMax=512  # default", lines);
        Assert.Contains(lines, line => line.StartsWith("ConnectionStrings__Ledger=", StringComparison.Ordinal) && line.Contains("10.0.0.5", StringComparison.Ordinal) && line.Contains("password=*** (", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("ConnectionStrings__Gate=10.0.0.7:6379,password=*** (", StringComparison.Ordinal) && line.EndsWith(",ssl=true", StringComparison.Ordinal));
        Assert.Matches(@"(?m)^FlashSale__Risk__Credit__Key=\*\*\* \([0-9a-f]{8}\)$", run.Output);

        // The same secret has the same fingerprint wherever the key of the sessions is the same, and another secret another one.
        string[] Of(ToolRun one, string ending) => [.. one.Output.Split('\n').Where(line => line.Contains(ending, StringComparison.Ordinal)).Select(line => line.Split('=')[^1])];
        Assert.Equal(Of(run, "SigningKey="), Of(again, "SigningKey="));
        Assert.Equal(2, Of(run, "SigningKey=").Distinct().Count());
    }

    [Fact]
    public async Task Config_WithManyWrongSettings_ListsThemAllAndEndsWithOne()
    {
        var run = await RunAsync("config", ("FlashSale__Roles", "cashier"), ("FlashSale__Nonsense", "1"));

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("FlashSale__Roles ", run.Errors, StringComparison.Ordinal);
        Assert.Contains("FlashSale__Nonsense ", run.Errors, StringComparison.Ordinal);
        Assert.Equal("", run.Output);
    }

    [Fact]
    public async Task Config_BesideAServerThatRuns_MakesNothingAndDisturbsNobody()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(0, (await RunAsync("config", ("FlashSale__DataDirectory", folder.File("data")))).ExitCode);
        Assert.False(Directory.Exists(folder.File("data")));

        await using var server = await TestServer.StartAsync();
        var run = await RunAsync("config", ("FlashSale__DataDirectory", server.DataDirectory), (TestServer.AuthKeySetting, server.AuthKey));
        Assert.True(run.ExitCode == 0, run.Errors);
    }

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("127.0.0.1")]
    [InlineData("*")]
    public async Task Health_OfAServerThatRunsAndOfNone_IsItsExitCode(string host)
    {
        var port = LocalProcess.FreePort();
        (string Key, string Value) urls = ("ASPNETCORE_URLS", $"https://127.0.0.1:1;http://{host}:{port}");
        var none = await RunAsync("health", urls);
        Assert.Equal(1, none.ExitCode);
        Assert.Contains($"http://127.0.0.1:{port}/ does not answer", none.Errors, StringComparison.Ordinal);

        await using var server = await TestServer.StartAsync(("Urls", $"http://127.0.0.1:{port}"), ("FlashSale__Roles", "risk"));
        var run = none;

        // It waits three seconds for an answer, which is short beside other tests.
        await Eventually.HoldsAsync(async () => (run = await RunAsync("health", urls)).ExitCode == 0, "it is told healthy");
        Assert.Contains("\"status\":\"ok\"", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_OfAServerThatIsNotReady_IsOneAndSaysWhy()
    {
        using var stub = new HttpListener();
        var port = LocalProcess.FreePort();
        stub.Prefixes.Add($"http://127.0.0.1:{port}/");
        stub.Start();
        var asking = RunAsync("health", ("ASPNETCORE_URLS", $"http://127.0.0.1:{port}"));
        var asked = await stub.GetContextAsync();
        Assert.Equal("/healthz/ready", asked.Request.RawUrl);
        asked.Response.StatusCode = 503;
        asked.Response.Close("{\"reasons\":[\"it sleeps\"]}"u8.ToArray(), willBlock: true);

        var run = await asking;
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("it sleeps", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ConfigOfTheTool_OfAServerThatRuns_IsWhatTheServerWasGiven()
    {
        await using var server = await TestServer.StartAsync(("FlashSale__Ledger__BatchMax", "77"));
        using var output = new StringWriter();
        using var errors = new StringWriter();

        var code = await CommandLine.RunAsync(["config", "--target", server.Address.ToString(), "--auth-key", server.AuthKey], output, errors, TimeProvider.System);

        Assert.True(code == 0, errors.ToString());
        var lines = output.ToString().Split('\n').Select(line => line.TrimEnd()).ToArray();
        Assert.Contains("FlashSale__Ledger__BatchMax=77", lines);
        Assert.Contains("FlashSale__Demo=false", lines);
        Assert.Contains("FlashSale__Ledger__Provider=sqlite  # default", lines);
        Assert.DoesNotContain(server.AuthKey, output.ToString(), StringComparison.Ordinal);
        var wrong = await CommandLine.RunAsync(["config", "--target", server.Address.ToString(), "--auth-key", TestServer.NewKey()], output, errors, TimeProvider.System);
        Assert.Equal(ExitCodes.Usage, wrong);
        Assert.Contains("401", errors.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("settings", HttpStatusCode.OK, "\"key\":\"FlashSale__Roles\",\"value\":\"jobs\",\"isSet\":true")]
    [InlineData("load", HttpStatusCode.OK, "\"inFlightLimit\"")]
    [InlineData("site", HttpStatusCode.OK, "\"problems\":[]")]
    [InlineData("sales/1/readiness", HttpStatusCode.NotFound, "not-found")]
    public async Task OwnState_OnAnInstanceOfAnyRole_IsForOperatorsAndAuditors(string what, HttpStatusCode status, string said)
    {
        await using var server = await TestServer.StartAsync(("FlashSale__Roles", "jobs"));
        Task<Answer> AskAsync(HttpClient client) => ConsoleServer.SendAsync(client, HttpMethod.Get, what);

        (await AskAsync(server.Anonymous())).Expect(HttpStatusCode.Unauthorized);
        (await AskAsync(server.SignedIn("anna"))).Expect(HttpStatusCode.Forbidden);
        (await AskAsync(server.SignedIn("dora", "dealer", "risk", "approver"))).Expect(HttpStatusCode.Forbidden);
        (await AskAsync(server.Operator())).Expect(status);
        var answer = (await AskAsync(server.SignedIn("aud", "auditor"))).Expect(status);
        Assert.Contains(said, answer.Text, StringComparison.Ordinal);

        // What is done for all is done where the role is.
        (await ConsoleServer.SendAsync(server.Operator(), HttpMethod.Post, "site/rollback")).Expect(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task OwnState_WhereOperatorsHaveAPortOfTheirOwn_IsAnsweredThereAlone()
    {
        var (shop, own) = (LocalProcess.FreePort(), LocalProcess.FreePort());
        await using var server = await TestServer.StartAsync(
            ("Urls", $"http://127.0.0.1:{shop};http://127.0.0.1:{own}"), ("FlashSale__Roles", "orders"), ("FlashSale__Console__Port", $"{own}"));
        async Task<HttpStatusCode> AskAsync(int port)
        {
            using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
            client.DefaultRequestHeaders.Authorization = new("Bearer", server.CreateSession("olga", "operator"));
            return (await ConsoleServer.SendAsync(client, HttpMethod.Get, "load")).Status;
        }

        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.OK), (await AskAsync(shop), await AskAsync(own)));
    }

    private static async Task<ToolRun> RunAsync(string command, params IReadOnlyList<(string Key, string Value)> settings)
    {
        var tests = new DirectoryInfo(AppContext.BaseDirectory);
        var server = Path.Combine(tests.Parent!.Parent!.FullName, "Server", tests.Name, "FlashSale.Server.dll");
        using var folder = new TemporaryFolder();
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["ASPNETCORE_ENVIRONMENT"] = "Production" };
        foreach (var (key, value) in settings)
        {
            environment[key] = value;
        }

        return await ToolRun.RunAsync("dotnet", folder.Path, environment, server, command);
    }
}
