using FlashSale.Tests.Server;
using FlashSale.Tests.Servers;
using FlashSale.Tools;
using FlashSale.Tools.Load;
using FlashSale.Tools.Verify;

using Spectre.Console;

using Xunit;

namespace FlashSale.Tests.Faults;

/// <summary>The shop as it is run behind the gateway: two instances take orders, one each shows the shop, serves operators and does the jobs.</summary>
[Collection(FaultCollection.Name)]
public sealed class TwoOrderInstancesTests(FaultServers servers)
{
    private const int Stock = 500;
    private static readonly string[] Roles = ["console", "jobs", "risk", "storefront", "orders", "orders"];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task Kill_OfEachInstanceBehindTheGateway_TheAuditorFindsNothing()
    {
        await using var shop = await RolesSite.StartAsync(servers);
        await using var nginx = await Nginx.StartAsync(new NginxSite
        {
            Orders = shop.Ports("orders"),
            Storefront = shop.Ports("storefront"),
            Console = shop.Ports("console"),
            State = [.. shop.Ports("orders"), .. shop.Ports("storefront")],
            SessionKey = shop.Instances[0].AuthKey,
            TokenKeys = ["derived"],
        });
        using var folder = new TemporaryFolder();
        var run = new LoadRun(Settings(nginx, shop, folder), AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(TextWriter.Null) }), TimeProvider.System);
        using var over = new CancellationTokenSource(Patience);
        var running = run.RunAsync(over.Token);
        long Placed() => run.Metrics.CountOf(key => key.Op is "order" or "order (bots)" && key.Status == 201);
        async Task ReachAsync(long placed)
        {
            while (Placed() < placed)
            {
                Assert.False(running.IsCompleted, $"The load was over after {Placed()} orders.\n{Describe(run)}");
                await Task.Delay(1, over.Token);
            }
        }

        List<long> placedAt = [];
        List<Task> coming = [];
        for (var i = 0; i < Roles.Length; i++)
        {
            await ReachAsync(Placed() + 40);
            placedAt.Add(Placed());
            await shop.Instances[i].KillAsync();
            // While one that takes orders is away the other one goes on; the rest is not needed for that.
            await ReachAsync(Placed() + 20);
            coming.Add(shop.Instances[i].RestartAsync());
            await (Roles[i] == "orders" ? coming[^1] : Task.Delay(TimeSpan.FromMilliseconds(500), over.Token));
        }

        await Task.WhenAll(coming);
        var code = await running;
        Assert.True(code == ExitCodes.Holds && run.Outcome!.Settled, Describe(run));
        FaultReport.Write("kill -9 of each instance behind the gateway", $"after {string.Join(", ", placedAt)} orders", Describe(run));
    }

    private static LoadSettings Settings(Nginx nginx, RolesSite shop, TemporaryFolder folder) => new()
    {
        Target = nginx.Address,
        AuthKey = Convert.FromBase64String(shop.Instances[0].AuthKey),
        Sales = 2,
        Offers = 1,
        Stock = Stock,
        Users = 2_200,
        BotPercent = 15,
        Rate = 60,
        PrepareRate = 1_000,
        Seed = 51,
        ReportDirectory = folder.Path,
        Timeout = Patience,
        PaymentWindow = TimeSpan.FromSeconds(6),
        CancelPercent = 8,
        AbandonPercent = 4,
        Sources = 32,
        Connections = 512,
        CallTimeout = TimeSpan.FromSeconds(6),
        CommandLine = "",
    };

    private static string Describe(LoadRun run) => string.Join('\n',
    [
        run.Outcome?.Report.Verdict ?? "no report",
        .. run.Outcome?.Report.Findings.Where(finding => finding.State == FindingState.Violated)
            .Select(finding => $"{finding.Id} {finding.Title}: {finding.Figures}\n  {string.Join("\n  ", finding.Examples)}") ?? [],
        .. run.Metrics.Counts.Select(row => $"{row.Op} {row.Status} {row.Code}: {row.Count}"),
        .. run.Metrics.Notes.Select(note => $"{note.Key}: {note.Value}"),
    ]);

    /// <summary>An instance for each of <see cref="Roles"/>, on a database of their own.</summary>
    private sealed class RolesSite : IAsyncDisposable
    {
        public IReadOnlyList<TestServer> Instances { get; private set; } = [];

        public static async Task<RolesSite> StartAsync(FaultServers servers)
        {
            await servers.Redis.FlushAsync();
            (string Key, string Value)[] common =
            [
                ("FlashSale__Ledger__Provider", "mysql"),
                ("ConnectionStrings__Ledger", servers.MariaDb.ConnectionString(await servers.MariaDb.CreateDatabaseAsync(), "SslMode=Disabled")),
                ("FlashSale__Gate__Provider", "redis"), ("ConnectionStrings__Gate", servers.Redis.Address),
                ("FlashSale__TrustedProxies", "127.0.0.1"), ("FlashSale__Limits__Enabled", "true"),
                (TestServer.AuthKeySetting, TestServer.NewKey()), (TestServer.SandboxSecretSetting, TestServer.NewKey()),
            ];
            var site = new RolesSite();
            List<TestServer> started = [];
            site.Instances = started;
            try
            {
                foreach (var role in Roles)
                {
                    started.Add(await TestServer.StartAsync([.. common, ("FlashSale__Roles", role)]));
                }

                return site;
            }
            catch
            {
                await site.DisposeAsync();
                throw;
            }
        }

        public IReadOnlyList<int> Ports(string role) => [.. Instances.Where((_, i) => Roles[i] == role).Select(instance => instance.Address.Port)];

        public async ValueTask DisposeAsync() => await Task.WhenAll(Instances.Select(instance => instance.DisposeAsync().AsTask()));
    }
}
