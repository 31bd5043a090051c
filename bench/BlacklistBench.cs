using System.Diagnostics;
using System.Net;

using FlashSale.Core;
using FlashSale.Core.Wire;
using FlashSale.Storage;
using FlashSale.Storage.Memory;
using FlashSale.Storage.MySql;
using FlashSale.Storage.Redis;
using FlashSale.Storage.Sqlite;

namespace FlashSale.Bench;

/// <summary>What an instance spends to take over the whole blacklist and to follow one change of it, and what it costs to ask for an address.</summary>
public static class BlacklistBench
{
    private const int Changes = 20;
    private static readonly int[] Sizes = [10_000, 100_000];

    public static async Task<int> RunAsync()
    {
        LookUp();
        var folder = BenchSale.NewDirectory();
        await using (var ledger = await SqliteLedger.OpenAsync(new SqliteLedgerOptions(BenchSale.LedgerFile(folder)), TimeProvider.System, CancellationToken.None))
        {
            await using var gate = new MemoryGate();
            await MeasureAsync("SQLite, gate in memory", ledger, gate);
        }

        Directory.Delete(folder, recursive: true);
        await using var database = await StoreServer.StartMariaDbAsync();
        await using var redis = await StoreServer.StartRedisAsync();
        await using var shared = await MySqlLedger.OpenAsync(new MySqlLedgerOptions(await database.CreateDatabaseAsync()), CancellationToken.None);
        await using var redisGate = await RedisGate.OpenAsync(new RedisGateOptions(redis.Redis) { Timeout = Limits.GateTimeoutMax }, TimeProvider.System, CancellationToken.None);
        await MeasureAsync("MariaDB, gate in Redis", shared, redisGate);
        return 0;
    }

    private static async Task MeasureAsync(string what, ILedger ledger, IGate gate)
    {
        var actor = Actor.System("bench");
        var sale = await BenchSale.CreateAsync(ledger, 1, 100, requiresReservation: false, TimeProvider.System.GetUtcNow());
        var users = 0;
        foreach (var size in Sizes)
        {
            while (users < size)
            {
                await ledger.ImportBlacklistAsync(
                    [.. Enumerable.Range(users, Limits.BlacklistImportLines).Select(i => new BlacklistLine(BlacklistKind.User, $"user-{i}", new BlacklistRequest("a bench", "bench", null)))],
                    actor, CancellationToken.None);
                users += Limits.BlacklistImportLines;
            }

            var catalog = new SaleCatalog();
            using var warmUp = new WarmUp(ledger, gate, catalog, new OriginBlacklist(), new Settlements(gate, catalog, TimeProvider.System), TimeProvider.System);
            await warmUp.RunAsync(sale, anew: false, CancellationToken.None);
            var whole = await CostAsync(() => warmUp.RefreshAsync(CancellationToken.None));
            var follow = (Wall: 0.0, Cpu: 0.0);
            for (var i = 0; i < Changes; i++)
            {
                await ledger.BlacklistAsync(UserId.Parse($"late-{i}"), new BlacklistRequest("a bench", "bench", null), actor, CancellationToken.None);
                var (wall, cpu) = await CostAsync(() => warmUp.RefreshAsync(CancellationToken.None));
                follow = (follow.Wall + wall, follow.Cpu + cpu);
            }

            Console.WriteLine($"{what}, {size:N0} users: everything {whole.Wall:N0} ms ({whole.Cpu:N0} ms CPU), one change {follow.Wall / Changes:N1} ms ({follow.Cpu / Changes:N1} ms CPU)");
        }
    }

    private static void LookUp()
    {
        foreach (var lengths in new[] { 1, 3, 17 })
        {
            var list = new OriginBlacklist();
            list.Put(new BlacklistNews(1, IsWhole: true, [.. Enumerable.Range(0, 10_000).Select(i =>
                new BlacklistChange(BlacklistKind.Address, $"10.{i / 256}.{i % 256}.0/{24 - (i % lengths)}", DateTimeOffset.MaxValue))]));
            var (address, now) = (IPAddress.Parse("203.0.113.7"), TimeProvider.System.GetUtcNow());
            const int Times = 1_000_000;
            var clock = Stopwatch.StartNew();
            for (var i = 0; i < Times; i++)
            {
                _ = list.Bars(address, now);
            }

            Console.WriteLine($"look-up among 10,000 ranges of {lengths} lengths: {clock.Elapsed.TotalNanoseconds / Times:N0} ns");
        }
    }

    private static async Task<(double Wall, double Cpu)> CostAsync(Func<Task> work)
    {
        using var process = Process.GetCurrentProcess();
        var before = process.TotalProcessorTime;
        var clock = Stopwatch.StartNew();
        await work();
        var wall = clock.Elapsed.TotalMilliseconds;
        process.Refresh();
        return (wall, (process.TotalProcessorTime - before).TotalMilliseconds);
    }
}
