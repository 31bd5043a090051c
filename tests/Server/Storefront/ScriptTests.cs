using System.Diagnostics;
using System.IO.Compression;
using System.Net;
using System.Text;

using FlashSale.Core.Sales;
using FlashSale.Server.Storefront;

using Xunit;

namespace FlashSale.Tests.Server.Storefront;

/// <summary>
/// The script of the pages as it is committed: built from its sources, right in its types, in step with the API and with the table of the main button. What it does in a page is in tests/Browser.
/// </summary>
public sealed class ScriptTests(Shop shop) : IDisposable
{
    private const int CompressedMax = 12 * 1024;
    private const string StorefrontFolder = "src/Server/Storefront/Script";
    private const string ConsoleFolder = "src/Server/Console/Script";
    private static readonly string Folder = Path.Combine(Repository.Root, StorefrontFolder);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly TemporaryFolder temporary = new();

    public void Dispose() => temporary.Dispose();

    [Theory]
    [InlineData(StorefrontFolder, "site.js")]
    [InlineData(ConsoleFolder, "console.js")]
    public async Task Script_WhenItIsBuiltAgain_IsTheCommittedOne(string folder, string name)
    {
        var built = Path.Combine(temporary.Path, name);

        await RunInAsync(folder, "npm", "run", "--silent", "build", "--", "--log-level=warning", "--outfile=" + built);

        Assert.Equal(Repository.Read("src/Server/wwwroot/" + name), await File.ReadAllTextAsync(built));
    }

    [Theory]
    [InlineData(StorefrontFolder)]
    [InlineData(ConsoleFolder)]
    public Task Script_WhenItsTypesAreChecked_HasNoFault(string folder) => RunInAsync(folder, "npm", "run", "--silent", "check");

    [Fact]
    public async Task Schemas_AreThoseOfTheRunningServer()
    {
        var (document, made) = (Path.Combine(temporary.Path, "openapi.json"), Path.Combine(temporary.Path, "schemas.d.ts"));
        using var answer = await (await shop.QuickAsync()).Anonymous().GetAsync(new Uri("/openapi/v1.json", UriKind.Relative));
        await File.WriteAllTextAsync(document, (await Reply.ReadAsync(answer)).Expect(HttpStatusCode.OK).Body);

        await RunAsync("npm", "run", "--silent", "types", "--", document, made);

        Assert.Equal(Repository.Read("src/Server/Storefront/Script/schemas.d.ts"), await File.ReadAllTextAsync(made));
    }

    [Fact]
    public void Scripts_Compressed_FitTheirBudget() =>
        Assert.InRange(Compressed("site.js") + Compressed("challenge.js"), 1, CompressedMax);

    [Theory]
    [InlineData(StorefrontFolder)]
    [InlineData(ConsoleFolder)]
    public void Packages_AreFixedAndNameNoRegistry(string folder)
    {
        Assert.DoesNotContain("\"resolved\"", Repository.Read(folder + "/package-lock.json"), StringComparison.Ordinal);
        Assert.DoesNotMatch("\"(\\^|~|>|latest)", Repository.Read(folder + "/package.json"));
    }

    [Fact]
    public async Task Decide_ForEveryCombinationOfFacts_IsWhatTheServerDecides()
    {
        await BundleAsync("button.ts");
        var expected = new StringBuilder();
        foreach (var facts in MainButtonTests.Combinations())
        {
            expected.Append(MainButtonTable.Row(MainButtonTable.Decide(fact => facts[fact])).Word).Append('\n');
        }

        var decided = await NodeAsync("""
            import { readFileSync } from "node:fs";
            import { decide } from "./button.mjs";
            const facts = Object.entries(JSON.parse(readFileSync(process.argv[2], "utf8")).facts);
            const all = facts.reduce((product, [, words]) => product * words.length, 1);
            const lines = [];
            for (let i = 0; i < all; i++) {
              const one = {};
              let rest = i;
              for (const [fact, words] of facts) {
                one[fact] = words[rest % words.length];
                rest = Math.floor(rest / words.length);
              }
              lines.push(decide(one));
            }
            process.stdout.write(lines.join("\n") + "\n");
            """, Path.Combine(Repository.Root, "src/Server/Storefront/main-button.json"));

        Assert.Equal(expected.ToString(), decided);
    }

    [Fact]
    public async Task Label_OfEachState_IsTheServers()
    {
        await BundleAsync("button.ts");
        var words = MainButtonTable.Rows.Select(row => row.Word).ToArray();

        var said = await NodeAsync("""
            import { isEnabled, label } from "./button.mjs";
            for (const state of process.argv.slice(2)) console.log([state, label(state, "zh", 7), label(state, "en", 7), isEnabled(state)].join("|"));
            """, words);

        Assert.Equal(
            MainButtonTable.Rows.Select(row => $"{row.Word}|{row.Zh}|{row.En}|{(row.Enabled ? "true" : "false")}".Replace("{n}", "7", StringComparison.Ordinal)),
            said.TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public async Task Clock_OfSeveralSamples_GoesByTheOneWithTheLeastRoundTrip()
    {
        await BundleAsync("clock.ts");

        var times = await NodeAsync(FakeTime + """
            console.log(Number.isNaN(clock.now()));
            await sampleTaking(300, 40);
            await sampleTaking(20, 10);
            await sampleTaking(500, 0);
            console.log(clock.now() - server());
            wall += 3_600_000;
            ticks += 5_000;
            console.log(clock.now() - server());
            wall -= 7_200_000;
            console.log(clock.now() - server());
            """);

        // 10 of 20 ms on the way there, as much as is supposed; the others would be wrong by 110 and 250 ms.
        Assert.Equal(["true", "0", "0", "0"], times.TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public async Task Clock_AfterTheMachineSlept_ForgetsWhatItKnew()
    {
        await BundleAsync("clock.ts");

        var times = await NodeAsync(FakeTime + """
            await sampleTaking(20, 10);
            console.log(clock.slept());
            wall += 60_000;
            epoch += 60_000;
            console.log(clock.slept());
            await sampleTaking(200, 100);
            console.log(clock.now() - server());
            """);

        Assert.Equal(["false", "true", "0"], times.TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public async Task Texts_AreThereInBothLanguagesAndNameThePhasesAsThePagesDo()
    {
        var phases = Enum.GetValues<SalePhase>().Where(phase => phase != SalePhase.Draft).ToArray();

        var said = await NodeAsync("""
            import { readFileSync } from "node:fs";
            const { zh, en } = JSON.parse(readFileSync(process.argv[2], "utf8"));
            console.log(JSON.stringify(Object.keys(zh)) === JSON.stringify(Object.keys(en)));
            for (const phase of process.argv.slice(3)) console.log(zh.phases[phase] + "|" + en.phases[phase]);
            """, [Path.Combine(Folder, "texts.json"), .. phases.Select(phase => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(phase.ToString()))]);

        Assert.Equal(["true", .. phases.Select(phase => $"{Language.Zh.Texts.Phase(phase)}|{Language.En.Texts.Phase(phase)}")], said.TrimEnd('\n').Split('\n'));
    }

    /// <summary>A server, a machine's two clocks, and a way between them that takes as long as the test says. The machine's clock is an hour wrong.</summary>
    private const string FakeTime = """
        let [ticks, epoch, wall, there, back] = [1_000, 1_700_000_000_000, 1_700_003_600_000, 0, 0];
        const server = () => epoch + ticks;
        Object.defineProperty(globalThis, "performance", { value: { now: () => ticks } });
        Date.now = () => wall + ticks;
        globalThis.fetch = async () => {
          ticks += there;
          const epochMs = server();
          ticks += back;
          return { ok: true, status: 200, headers: new Headers(), json: async () => ({ epochMs }) };
        };
        const clock = await import("./clock.mjs");
        async function sampleTaking(trip, wayThere) {
          [there, back] = [wayThere, trip - wayThere];
          await clock.sample();
        }

        """;

    private static int Compressed(string name)
    {
        using var small = new MemoryStream();
        using (var gzip = new GZipStream(small, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            gzip.Write(Encoding.UTF8.GetBytes(Repository.Read("src/Server/wwwroot/" + name)));
        }

        return (int)small.Length;
    }

    /// <summary>One source with what it imports, as a module that node can load.</summary>
    private Task BundleAsync(string source) => RunAsync(
        Path.Combine(Folder, "node_modules/.bin/esbuild"), source, "--bundle", "--format=esm", "--log-level=warning",
        "--outfile=" + Path.Combine(temporary.Path, Path.ChangeExtension(source, ".mjs")));

    /// <summary>What a module prints that stands beside the bundled ones.</summary>
    private async Task<string> NodeAsync(string module, params string[] arguments)
    {
        var file = Path.Combine(temporary.Path, "test.mjs");
        await File.WriteAllTextAsync(file, module);
        return await RunAsync("node", [file, .. arguments]);
    }

    private static Task<string> RunAsync(string program, params string[] arguments) => RunInAsync(StorefrontFolder, program, arguments);

    private static async Task<string> RunInAsync(string folder, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = Path.Combine(Repository.Root, folder), UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(Patience);
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: exit code {process.ExitCode}\n{await output}{await errors}");
        return await output;
    }
}
