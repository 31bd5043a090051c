using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;

using FlashSale.Core.Wire;
using FlashSale.Tests.Faults;
using FlashSale.Tests.Server;
using FlashSale.Tests.Server.Console;
using FlashSale.Tests.Servers;

using Xunit;

namespace FlashSale.Tests.Deploy;

/// <summary>A ledger is copied while orders are written to it, as docs/runbooks/backup.md says; a server that starts on the copy has every order that was acknowledged before, and its books agree.</summary>
[Collection(FaultCollection.Name)]
public sealed class BackupTests(FaultServers servers)
{
    private const int Crowd = 8;
    private const int OrdersBefore = 100;
    private static readonly (string Key, string Value) YoungTokens = Crash.CrashServer.YoungTokens;

    [Fact]
    public async Task Restore_OfASqliteFileThatWasCopiedUnderOrders_IsWhole()
    {
        await using var server = await TestServer.StartAsync(YoungTokens);
        using var folder = new TemporaryFolder();
        var sale = await ShopSale.OpenAsync(server, new ShopTerms(Stock: 100_000));
        var before = await BackUpUnderOrdersAsync(
            async user => (await sale.Named(user).OrderAsync()).Text("id"),
            async () => await ToolRun.RunAsync("sqlite3", folder.Path, Path.Combine(server.DataDirectory, "flashsale.db"), $"VACUUM INTO '{folder.File("flashsale.db")}'"));
        CopyKeys(server.DataDirectory, folder);
        var token = await sale.Named("late").TokenAsync();

        await using var restored = await TestServer.StartAsync(YoungTokens, ("FlashSale__DataDirectory", folder.Path), (TestServer.AuthKeySetting, server.AuthKey));

        await AssertWholeAsync(restored, sale.Id, before);

        // A token that was given out before is good on it: the keys came along.
        var order = new System.Text.Json.Nodes.JsonObject { ["token"] = token };
        (await ConsoleServer.SendAsync(restored.SignedIn("late"), HttpMethod.Post, "/api/v1/orders", order)).Expect(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Restore_OfADatabaseThatWasDumpedUnderOrders_IsWhole()
    {
        await using var site = await Site.StartAsync(servers, [YoungTokens], [YoungTokens]);
        using var folder = new TemporaryFolder();
        var sale = await site.OpenSaleAsync(stock: 100_000);
        var empty = await site.MariaDb.CreateDatabaseAsync();
        var access = $"-h 127.0.0.1 -P {site.MariaDb.Port} -u {MariaDb.User}";
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["MYSQL_PWD"] = MariaDb.Password };
        Task<ToolRun> ShellAsync(string command) => ToolRun.RunAsync("bash", folder.Path, environment, "-euo", "pipefail", "-c", command);
        var before = await BackUpUnderOrdersAsync(
            user => MetricNamesTests.BuyAsync(site, sale.Offers[0].Id, user),
            () => ShellAsync($"mariadb-dump --no-defaults {access} --single-transaction --skip-lock-tables --hex-blob --routines {site.Database} > backup.sql && tail -1 backup.sql | grep 'Dump completed'"));
        var restoring = await ShellAsync($"mariadb --no-defaults {access} {empty} < backup.sql");
        Assert.True(restoring.ExitCode == 0, restoring.Everything);

        await using var restored = await TestServer.StartAsync(
            YoungTokens,
            ("FlashSale__Ledger__Provider", "mysql"),
            ("ConnectionStrings__Ledger", site.MariaDb.ConnectionString(empty, "SslMode=Disabled")),
            (TestServer.AuthKeySetting, site.Instances[0].AuthKey));

        await AssertWholeAsync(restored, sale.Id, before);
    }

    /// <summary>The orders, by their user, that were acknowledged before the copy was begun. The crowd orders until it is made.</summary>
    private static async Task<IReadOnlyDictionary<string, string>> BackUpUnderOrdersAsync(Func<string, Task<string>> orderAsync, Func<Task<ToolRun>> backUpAsync)
    {
        ConcurrentDictionary<string, string> acknowledged = new(StringComparer.Ordinal);
        using var enough = new CancellationTokenSource();
        var crowd = Task.WhenAll(Enumerable.Range(0, Crowd).Select(async shopper =>
        {
            for (var i = 0; !enough.IsCancellationRequested; i++)
            {
                var user = $"shopper-{shopper}-{i}";
                acknowledged[user] = await orderAsync(user);
            }
        }));
        try
        {
            await Eventually.HoldsAsync(() => Task.FromResult(acknowledged.Count >= OrdersBefore || crowd.IsFaulted), "orders come in", TimeSpan.FromSeconds(30));
            var before = acknowledged.ToDictionary(StringComparer.Ordinal);
            var done = await backUpAsync();
            Assert.True(done.ExitCode == 0, done.Everything);
            Assert.True(acknowledged.Count > before.Count, "Nobody ordered meanwhile.");
            return before;
        }
        finally
        {
            await enough.CancelAsync();
            await crowd;
        }
    }

    private static async Task AssertWholeAsync(TestServer restored, string sale, IReadOnlyDictionary<string, string> before)
    {
        foreach (var (user, order) in before)
        {
            var found = (await ConsoleServer.SendAsync(restored.SignedIn(user), HttpMethod.Get, "/api/v1/orders/" + order)).Expect(HttpStatusCode.OK);
            Assert.Equal("held", found.Json.GetProperty("status").GetString());
        }

        var answer = (await ConsoleServer.SendAsync(restored.Operator(), HttpMethod.Get, $"sales/{sale}/reconciliation")).Expect(HttpStatusCode.OK);
        var report = JsonSerializer.Deserialize(answer.Text, WireJson.Default.ReconciliationDocument)!;
        Assert.Empty(report.Violations);
        Assert.True(report.Offers.Single().Held >= before.Count);

        // And what looks at every row all the time finds nothing either.
        await Eventually.HoldsAsync(
            async () => MetricNames.Read(await restored.Anonymous().GetStringAsync(new Uri("/metrics", UriKind.Relative))) is var metrics
                && metrics["flashsale_reconciliation_checked_total"].Any(line => double.Parse(line.Split(' ')[^1]) > before.Count)
                && metrics["flashsale_reconciliation_violations"].All(line => line.EndsWith(" 0", StringComparison.Ordinal)),
            "all rows were checked");
    }

    private static void CopyKeys(string from, TemporaryFolder to)
    {
        Directory.CreateDirectory(to.File("keys"));
        foreach (var key in Directory.EnumerateFiles(Path.Combine(from, "keys")))
        {
            File.Copy(key, to.File(Path.Combine("keys", Path.GetFileName(key))));
        }
    }
}
