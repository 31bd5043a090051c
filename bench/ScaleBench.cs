using System.Globalization;

using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Storage.MySql;

namespace FlashSale.Bench;

/// <summary>The product on MariaDB and Redis as it grows: more sales, instances, shards of the gate, rows of the change log. Orders/s through HTTP.</summary>
public static class ScaleBench
{
    private const int Connections = 512;
    private const int Rounds = 3;
    private const int ManySales = 12;
    private const int ManyRows = 10_000_000;
    private const double WantedOfManySales = 0.9;

    public static async Task<int> RunAsync(int seconds)
    {
        await using var database = await StoreServer.StartMariaDbAsync();
        var bench = new Stores(database, new BenchKeys(), TimeSpan.FromSeconds(seconds));
        var sales = await CompareAsync("1 sale", bench.With(1), $"{ManySales} sales", bench.With(ManySales));
        await CompareAsync("1 instance", bench.With(1), "2 instances", bench.With(1) with { Instances = 2 });
        await CompareAsync("1 shard", bench.With(1) with { Shards = 1 }, "8 shards", bench.With(1) with { Shards = 8 });
        await CompareAsync("empty change log", bench.With(1), $"{ManyRows:N0} rows before", bench.With(1) with { Rows = ManyRows });
        return sales >= WantedOfManySales ? 0 : 1;
    }

    /// <returns>The median of the ratios of neighbouring runs.</returns>
    private static async Task<double> CompareAsync(string one, Setup first, string other, Setup second)
    {
        List<double> ratios = [];
        for (var round = 0; round < (second.Rows > 0 ? 1 : Rounds); round++)
        {
            var a = await first.MeasureAsync(one);
            var b = await second.MeasureAsync(other);
            ratios.Add(b.PerSecond / a.PerSecond);
        }

        var ratio = ratios.Order().ElementAt(ratios.Count / 2);
        Console.WriteLine($"{other} / {one}: {ratio:0.00}");
        Console.WriteLine();
        return ratio;
    }

    private sealed record Stores(StoreServer Database, BenchKeys Keys, TimeSpan Length)
    {
        public Setup With(int sales) => new(this, sales);
    }

    private sealed record Setup(Stores Stores, int Sales)
    {
        public int Instances { get; init; } = 1;

        /// <summary>As the product chooses on one server, unless a comparison is about it.</summary>
        public int Shards { get; init; } = 1;

        /// <summary>Of an offer in the same tables, before the run.</summary>
        public int Rows { get; init; }

        public async Task<Crowd.Result> MeasureAsync(string name)
        {
            var connection = await Stores.Database.CreateDatabaseAsync();
            var sales = await CreateAsync(connection);
            await using var gate = await StoreServer.StartRedisAsync();
            List<ServerProcess> servers = [];
            List<string> folders = [];
            try
            {
                for (var i = 0; i < Instances; i++)
                {
                    folders.Add(BenchSale.NewDirectory());
                    servers.Add(await ServerProcess.StartProductAsync(
                        Stores.Keys,
                        folders[i],
                        ("FlashSale__Ledger__Provider", "mysql"), ("ConnectionStrings__Ledger", connection),
                        ("FlashSale__Gate__Provider", "redis"), ("ConnectionStrings__Gate", gate.Redis),
                        ("FlashSale__Gate__Shards", Shards.ToString(CultureInfo.InvariantCulture))));
                }

                // The gate is loaded by a job of one of them.
                await Task.Delay(TimeSpan.FromSeconds(2));
                var result = await RunAsync(servers, sales);
                Console.WriteLine($"{name,-24} {result.PerSecond,7:N0} orders/s  p50 {result.P50Ms,6:N1} ms  p99 {result.P99Ms,6:N1} ms  {Statuses(result)}");
                return result;
            }
            finally
            {
                foreach (var server in servers)
                {
                    await server.DisposeAsync();
                }

                folders.ForEach(folder => Directory.Delete(folder, recursive: true));
            }
        }

        private async Task<IReadOnlyList<Sale>> CreateAsync(string connection)
        {
            await using var ledger = await MySqlLedger.OpenAsync(new MySqlLedgerOptions(connection), CancellationToken.None);
            List<Sale> sales = [];
            for (var i = 0; i < Sales; i++)
            {
                sales.Add(await BenchSale.CreateAsync(ledger, i, Limits.StockMax, requiresReservation: false, TimeProvider.System.GetUtcNow().AddMinutes(-1)));
            }

            if (Rows > 0)
            {
                // An offer of an older sale, that is over: its rows are what the tables have grown by.
                var old = await BenchSale.CreateAsync(ledger, Sales, Limits.StockMax, requiresReservation: false, TimeProvider.System.GetUtcNow().AddHours(-3));
                await Stores.Database.ExecuteAsync(
                    connection,
                    $"INSERT INTO stock_changes (offer_id, bucket, seq, kind, delta, balance_after, at) SELECT {old.Offers[0].Id.Value}, 0, seq + 1, 'adjust', 1, seq, 0 FROM seq_1_to_{Rows}");
            }

            return sales;
        }

        /// <summary>The crowd is spread over the instances.</summary>
        private async Task<Crowd.Result> RunAsync(List<ServerProcess> servers, IReadOnlyList<Sale> sales)
        {
            var crowds = servers.Select((server, i) => (
                Crowd: new Crowd(server.Url, Connections / servers.Count),
                Requests: BenchSale.Requests(sales, Stores.Keys, repeat: false, part: i, parts: servers.Count))).ToList();
            await Task.WhenAll(crowds.Select(each => each.Crowd.RunAsync(each.Requests, Stores.Length)));
            var results = await Task.WhenAll(crowds.Select(each => each.Crowd.RunAsync(each.Requests, Stores.Length)));
            return new Crowd.Result(
                results.Sum(result => result.PerSecond),
                results.Sum(result => result.Requests),
                results.SelectMany(result => result.ByStatus).GroupBy(entry => entry.Key).ToDictionary(group => group.Key, group => group.Sum(entry => entry.Value)),
                results.Max(result => result.P50Ms),
                results.Max(result => result.P99Ms));
        }

        private static string Statuses(Crowd.Result result) =>
            string.Join(' ', result.ByStatus.OrderBy(entry => entry.Key).Select(entry => $"{entry.Key}×{entry.Value:N0}"));
    }
}
