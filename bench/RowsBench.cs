using FlashSale.Core;
using FlashSale.Storage;
using FlashSale.Storage.Sqlite;

namespace FlashSale.Bench;

/// <summary>Orders per second with a million orders in the ledger against an empty one, in the same run.</summary>
public static class RowsBench
{
    private const int Rows = 1_000_000;
    private const int Connections = 512;
    private const double Wanted = 0.8;

    public static async Task<int> RunAsync(int seconds)
    {
        var length = TimeSpan.FromSeconds(seconds);
        var keys = new BenchKeys();
        var full = BenchSale.NewDirectory();
        try
        {
            await FillAsync(full);
            List<double> ratios = [];
            for (var round = 0; round < 3; round++)
            {
                var empty = BenchSale.NewDirectory();
                var without = await MeasureAsync(keys, empty, 1, length);
                Directory.Delete(empty, recursive: true);
                var with = await MeasureAsync(keys, full, round + 2, length);
                ratios.Add(with / without);
                Console.WriteLine($"empty ledger {without,8:N0}/s   {Rows:N0} orders {with,8:N0}/s   ratio {with / without:0.00}");
            }

            var median = ratios.Order().ElementAt(1);
            Console.WriteLine($"orders/s with {Rows:N0} rows / empty: {median:0.00}  (wanted: at least {Wanted:0.00})");
            return median >= Wanted ? 0 : 1;
        }
        finally
        {
            Directory.Delete(full, recursive: true);
        }
    }

    private static async Task FillAsync(string data)
    {
        var time = TimeProvider.System;
        await using var ledger = await SqliteLedger.OpenAsync(new SqliteLedgerOptions(BenchSale.LedgerFile(data)), time, CancellationToken.None);
        // Sold in a sale of its own that is over, as a shop's older orders are.
        var sale = await BenchSale.CreateAsync(ledger, 1, Rows, requiresReservation: false, time.GetUtcNow().AddHours(-3));
        var started = time.GetTimestamp();
        var orders = 0;
        while (orders < Rows)
        {
            var drafts = new OrderDraft[Limits.BatchMax];
            for (var i = 0; i < drafts.Length; i++, orders++)
            {
                drafts[i] = new OrderDraft(
                    OrderId.Create(time.GetUtcNow()), sale.Id, sale.Offers[0].Id, UserId.Parse($"old-{orders / 10}"), sale.Offers[0].Price, 10, sale.PaymentWindow);
            }

            await ledger.PlaceAsync(drafts, CancellationToken.None);
        }

        Console.WriteLine($"{orders:N0} orders written in {time.GetElapsedTime(started).TotalSeconds:N0} s");
    }

    private static async Task<double> MeasureAsync(BenchKeys keys, string data, int number, TimeSpan length)
    {
        Core.Sales.Sale sale;
        await using (var ledger = await SqliteLedger.OpenAsync(new SqliteLedgerOptions(BenchSale.LedgerFile(data)), TimeProvider.System, CancellationToken.None))
        {
            sale = await BenchSale.CreateAsync(ledger, number, 1_000_000, requiresReservation: false, TimeProvider.System.GetUtcNow().AddMinutes(-1));
        }

        await using var server = await ServerProcess.StartProductAsync(keys, data);
        var requests = BenchSale.Requests([sale], keys, repeat: false);
        var crowd = new Crowd(server.Url, Connections);
        await crowd.RunAsync(requests, length / 4);
        return (await crowd.RunAsync(requests, length)).PerSecond;
    }
}
