using System.Globalization;

using FlashSale.Core.Orders;
using FlashSale.Storage.MySql;

namespace FlashSale.Bench;

/// <summary>
/// One hot stock row on a real MariaDB, through the same HTTP server: a transaction an order in both patterns of the seed's row 10, at the best of several pool
/// sizes, against the ledger writer.
/// </summary>
public static class HotRowBench
{
    private const int Rounds = 3;
    private const string Writer = "ledger writer";
    private const string OneText = "a transaction each, pattern 1, in one text";
    private static readonly int[] Crowds = [64, 512];
    private static readonly int[] Pools = [8, 32];
    private static readonly (int Connections, double Wanted)[] Bars = [(64, 5), (512, 10)];

    public static async Task<int> RunAsync(int seconds)
    {
        await using var database = await StoreServer.StartMariaDbAsync();
        var keys = new BenchKeys();
        var results = new Dictionary<(string Name, int Connections), List<Crowd.Result>>();
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var connections in Crowds)
            {
                foreach (var pattern in Enum.GetValues<WritePattern>())
                {
                    Crowd.Result? best = null;
                    foreach (var pool in Pools)
                    {
                        var result = await MeasureAsync(database, keys, connections, seconds, $"{Name(pattern)}, pool of {pool}", pattern, pool, oneText: false);
                        best = best is null || result.PerSecond > best.PerSecond ? result : best;
                    }

                    Add(results, Name(pattern), connections, best!);
                }

                Add(results, OneText, connections, await MeasureAsync(
                    database, keys, connections, seconds, $"{OneText}, {Pools[0]}", WritePattern.LogFirst, Pools[0], oneText: true));
                Add(results, Writer, connections, await MeasureAsync(database, keys, connections, seconds, Writer, WritePattern.LogFirst, pool: null, oneText: false));
            }
        }

        return Report(results);
    }

    private static string Name(WritePattern pattern) =>
        pattern == WritePattern.LogFirst ? "a transaction each, pattern 1" : "a transaction each, pattern 2";

    private static void Add(Dictionary<(string, int), List<Crowd.Result>> results, string name, int connections, Crowd.Result result)
    {
        if (!results.TryGetValue((name, connections), out var list))
        {
            results[(name, connections)] = list = [];
        }

        list.Add(result);
    }

    /// <param name="database">An empty database of it is used.</param>
    /// <param name="keys">Of tokens and sessions.</param>
    /// <param name="connections">Of the crowd.</param>
    /// <param name="seconds">That count.</param>
    /// <param name="name">What to print.</param>
    /// <param name="pattern">What a transaction writes first.</param>
    /// <param name="pool">Connections of a server that writes a transaction an order; null for the product.</param>
    /// <param name="oneText">All statements of such a transaction but COMMIT in one round trip.</param>
    private static async Task<Crowd.Result> MeasureAsync(
        StoreServer database, BenchKeys keys, int connections, int seconds, string name, WritePattern pattern, int? pool, bool oneText)
    {
        var connection = await database.CreateDatabaseAsync();
        var data = BenchSale.NewDirectory();
        try
        {
            Core.Sales.Sale sale;
            await using (var ledger = await MySqlLedger.OpenAsync(new MySqlLedgerOptions(connection), CancellationToken.None))
            {
                sale = await BenchSale.CreateAsync(ledger, 1, Core.Limits.StockMax, requiresReservation: false, TimeProvider.System.GetUtcNow().AddMinutes(-1));
                await database.ExecuteAsync(connection, PerOrderLedger.Log);
            }

            (string, string)[] stores =
            [
                ("FlashSale__Ledger__Provider", "mysql"), ("ConnectionStrings__Ledger", connection),
                ("FlashSale__Ledger__WritePattern", pattern == WritePattern.LogFirst ? "log-first" : "stock-first"),
            ];
            await using var server = pool is { } size
                ? await ServerProcess.StartPerOrderAsync(
                    keys,
                    data,
                    [
                        .. stores, ("FlashSale__Ledger__BatchMax", "1"), ("FlashSale__Roles", "orders"),
                        (PerOrderLedger.PoolKey, size.ToString(CultureInfo.InvariantCulture)), .. oneText ? [(PerOrderLedger.OneTextKey, "1")] : Array.Empty<(string, string)>(),
                    ])
                : await ServerProcess.StartProductAsync(keys, data, stores);
            var requests = BenchSale.Requests([sale], keys, repeat: false);
            var crowd = new Crowd(server.Url, connections);
            // As long as what counts: the runtime has compiled what is hot, and the tables have grown as much.
            await crowd.RunAsync(requests, TimeSpan.FromSeconds(seconds));
            var waits = await database.ReadStatusAsync("Innodb_row_lock_waits");
            var result = await crowd.RunAsync(requests, TimeSpan.FromSeconds(seconds));
            waits = await database.ReadStatusAsync("Innodb_row_lock_waits") - waits;
            Console.WriteLine(
                $"{connections,3} connections  {name,-42} {result.PerSecond,7:N0} orders/s  p50 {result.P50Ms,6:N1} ms  p99 {result.P99Ms,6:N1} ms  {waits / (double)result.Requests,5:0.00} lock waits an order  {Statuses(result)}");
            return result;
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static string Statuses(Crowd.Result result) =>
        string.Join(' ', result.ByStatus.OrderBy(entry => entry.Key).Select(entry => $"{entry.Key}×{entry.Value:N0}"));

    private static int Report(Dictionary<(string Name, int Connections), List<Crowd.Result>> results)
    {
        Console.WriteLine();
        Console.WriteLine("wanted against pattern 1: at least 5× at 64 connections, 10× at 512, a lower p99 at both");
        var met = true;
        foreach (var (connections, wanted) in Bars)
        {
            var writer = results[(Writer, connections)];
            foreach (var name in (string[])[Name(WritePattern.LogFirst), Name(WritePattern.StockFirst), OneText])
            {
                // Round by round: neighbours in time met the same machine.
                var others = results[(name, connections)];
                var ratio = writer.Zip(others, (a, b) => a.PerSecond / b.PerSecond).Order().ElementAt(Rounds / 2);
                var latency = writer.Zip(others, (a, b) => a.P99Ms / b.P99Ms).Order().ElementAt(Rounds / 2);
                Console.WriteLine($"{connections,3} connections: ledger writer / {name,-42} {ratio,5:0.0}×   p99 {latency:0.00} of it");
                met &= name != Name(WritePattern.LogFirst) || (ratio >= wanted && latency < 1);
            }
        }

        return met ? 0 : 1;
    }
}
