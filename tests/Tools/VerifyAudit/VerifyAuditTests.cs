using System.Text.Json.Nodes;

using FlashSale.Tests.Core.Auditing;
using FlashSale.Tests.Server;
using FlashSale.Tests.Server.Console;
using FlashSale.Tools;

using Xunit;

namespace FlashSale.Tests.Tools.VerifyAudit;

/// <summary>The command itself, on saved exports and against a server.</summary>
public sealed class VerifyAuditTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private string Export => folder.File("audit.jsonl");

    private string Checkpoint => folder.File("checkpoint");

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task RunAsync_OnTheExportOfTheDocumentation_Holds()
    {
        Save(Documented());

        var (code, output) = await RunAsync("--from", Export);

        Assert.Equal(ExitCodes.Holds, code);
        Assert.Contains($"2 entries, held against 0 checkpoints; the last is: 2 {AuditChainTests.SecondHash}", output);
        Assert.Contains("verdict: the log is as it was written", output);
    }

    [Fact]
    public async Task RunAsync_WhenAnEntryWasEdited_NamesItAndExitsWith1()
    {
        foreach (var (field, value) in ((string, JsonNode?)[])[
            ("actor", "peter"), ("role", ""), ("reason", null), ("reason", ""), ("at", "2026-11-26T08:00:00.124Z"), ("at", "2026-11-26T08:00:00.1230Z"),
            ("at", "2026-11-26T09:00:00.123+01:00"), ("traceId", "trace-2"), ("note", "approved"), ("seq", 3), ("hash", null), ("previousHash", new string('1', 64))])
        {
            var lines = Documented();
            lines[1][field] = value;
            Save(lines);

            var (code, output) = await RunAsync("--from", Export);

            Assert.True(code == ExitCodes.Violated, $"{field} = {value}: {output}");
            Assert.Contains(field == "seq" ? "verdict: VIOLATED, first at entry 2" : "verdict: VIOLATED, first at entry 1", output);
        }
    }

    [Fact]
    public async Task RunAsync_WhenAFieldStandsTwice_IsFound()
    {
        Save(Documented());
        await File.WriteAllTextAsync(Export, (await File.ReadAllTextAsync(Export)).Replace("\"actor\":\"olivia\"", "\"actor\":\"peter\",\"actor\":\"olivia\""));

        Assert.Equal(ExitCodes.Violated, (await RunAsync("--from", Export)).Code);
    }

    [Fact]
    public async Task RunAsync_WithACheckpoint_AddsItsOwnAndFindsACutEnd()
    {
        Save(Documented());
        Assert.Equal(ExitCodes.Holds, (await RunAsync("--from", Export, "--checkpoint", Checkpoint)).Code);
        Assert.Equal($"2 {AuditChainTests.SecondHash}\n", await File.ReadAllTextAsync(Checkpoint));
        Assert.Equal(ExitCodes.Holds, (await RunAsync("--from", Export, "--checkpoint", Checkpoint)).Code);
        Assert.Single(await File.ReadAllLinesAsync(Checkpoint));

        // The end cut off, and the head with it.
        Save([Head(1, AuditChainTests.FirstHash), Documented()[1]]);
        Assert.Equal(ExitCodes.Holds, (await RunAsync("--from", Export)).Code);
        var (code, output) = await RunAsync("--from", Export, "--checkpoint", Checkpoint);
        Assert.Equal(ExitCodes.Violated, code);
        Assert.Contains("a checkpoint knows entry 2, and the log ends with 1", output);
        Assert.Single(await File.ReadAllLinesAsync(Checkpoint));

        // And everything.
        Save([Head(0, new string('0', 64))]);
        Assert.Equal(ExitCodes.ProvesNothing, (await RunAsync("--from", Export)).Code);
        Assert.Equal(ExitCodes.Violated, (await RunAsync("--from", Export, "--checkpoint", Checkpoint)).Code);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"type\":\"entry\"}")]
    [InlineData("{\"type\":\"head\",\"seq\":\"1\",\"hash\":\"\"}")]
    [InlineData("no json")]
    [InlineData("[]")]
    public async Task RunAsync_WhenItIsNoExport_SaysSoAndExitsWith2(string text)
    {
        await File.WriteAllTextAsync(Export, text);

        Assert.Equal(ExitCodes.Usage, (await RunAsync("--from", Export)).Code);
    }

    [Fact]
    public async Task RunAsync_WithOptionsThatDoNotFit_ExitsWith2()
    {
        Save(Documented());
        await File.WriteAllTextAsync(Checkpoint, "1 abc\n");

        Assert.Equal(ExitCodes.Usage, (await RunAsync()).Code);
        Assert.Equal(ExitCodes.Usage, (await RunAsync("--target", "http://127.0.0.1:9")).Code);
        Assert.Equal(ExitCodes.Usage, (await RunAsync("--from", Export, "--target", "http://127.0.0.1:9", "--auth-key", TestServer.NewKey())).Code);
        Assert.Equal(ExitCodes.Usage, (await RunAsync("--target", "http://127.0.0.1:9", "--auth-key", TestServer.NewKey())).Code);
        Assert.Equal(ExitCodes.Usage, (await RunAsync("--from", folder.File("nothing"))).Code);
        Assert.Equal(ExitCodes.Usage, (await RunAsync("--from", Export, "--checkpoint", Checkpoint)).Code);
    }

    [Fact]
    public async Task RunAsync_AgainstAServer_HoldsAndFindsAnEdit()
    {
        var console = new ConsoleServer();
        await using var disposal = console;
        await console.InitializeAsync();
        string[] server = ["--target", console.Server.Address.ToString(), "--auth-key", console.Server.AuthKey, "--checkpoint", Checkpoint];
        Assert.Equal(ExitCodes.ProvesNothing, (await RunAsync(server)).Code);

        var sale = await console.PublishAsync();
        Assert.Equal(ExitCodes.Holds, (await RunAsync(server)).Code);
        await console.PostAsync($"sales/{sale.Id}/pause", new JsonObject { ["reason"] = "库存核对" });
        var (code, output) = await RunAsync(server);
        Assert.Equal(ExitCodes.Holds, code);
        var head = (await console.GetAsync("audit/head")).Json;
        Assert.Contains($"{head.GetProperty("seq").GetInt64()} {head.GetProperty("hash").GetString()}", output);
        Assert.Equal(2, (await File.ReadAllLinesAsync(Checkpoint)).Length);
        Assert.Equal(head.GetProperty("hash").GetString(), (await console.GetAsync("audit")).Json.GetProperty("items")[0].GetProperty("hash").GetString());
        Assert.Equal(ExitCodes.Usage, (await RunAsync("--target", console.Server.Address.ToString(), "--auth-key", TestServer.NewKey())).Code);

        // Saved as an auditor does, and edited there; then checked where it was saved.
        var export = await ConsoleServer.SendAsync(console.Server.SignedIn("ada", "auditor"), HttpMethod.Get, "audit/export");
        await File.WriteAllTextAsync(Export, export.Text);
        Assert.Equal(ExitCodes.Holds, (await RunAsync("--from", Export, "--checkpoint", Checkpoint)).Code);
        await File.WriteAllTextAsync(Export, export.Text.Replace("\"sale.pause\"", "\"sale.close\""));
        Assert.Equal(ExitCodes.Violated, (await RunAsync("--from", Export)).Code);
        (await console.GetAsync("audit/export")).ExpectProblem(System.Net.HttpStatusCode.Forbidden, "forbidden");
    }

    private static JsonObject Head(long seq, string hash) => new() { ["type"] = "head", ["seq"] = seq, ["hash"] = hash };

    /// <summary>The export of docs/audit.md.</summary>
    private static JsonObject[] Documented() =>
    [
        .. Repository.Read("docs/audit.md").Split('\n').Where(line => line.StartsWith("{\"type\":", StringComparison.Ordinal)).Select(line => JsonNode.Parse(line)!.AsObject()),
    ];

    private void Save(JsonObject[] lines) => File.WriteAllLines(Export, lines.Select(line => line.ToJsonString()));

    private static async Task<(int Code, string Output)> RunAsync(params string[] args)
    {
        await using var output = new StringWriter();
        var code = await CommandLine.RunAsync(["verify-audit", .. args], output, output, TimeProvider.System);
        return (code, output.ToString());
    }
}
