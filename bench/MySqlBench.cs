using System.Globalization;

using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Sales;
using FlashSale.Storage;
using FlashSale.Storage.MySql;

namespace FlashSale.Bench;

/// <summary>Durable orders per second through the ledger on MariaDB or MySQL, by the size of the batches and the number of lanes.</summary>
public static class MySqlBench
{
    private static readonly int[] BatchSizes = [1, 16, 128, 512];
    private static int sales;

    public static async Task<int> RunAsync(int seconds)
    {
        await using var database = await StoreServer.StartMariaDbAsync();
        var connectionString = await database.CreateDatabaseAsync();
        foreach (var pattern in Enum.GetValues<WritePattern>())
        {
            foreach (var lanes in new[] { 1, 2 })
            {
                await using var ledger = await MySqlLedger.OpenAsync(
                    new MySqlLedgerOptions(connectionString, pattern, lanes, Connections: 2), CancellationToken.None);
                foreach (var size in BatchSizes)
                {
                    await MeasureAsync(ledger, lanes, size, TimeSpan.FromSeconds(0.5));
                    var perSecond = await MeasureAsync(ledger, lanes, size, TimeSpan.FromSeconds(seconds));
                    Console.WriteLine($"{pattern,-10} lanes {lanes}   batch {size,3}   {perSecond,8:N0} orders/s");
                }
            }
        }

        return 0;
    }

    private static async Task<double> MeasureAsync(MySqlLedger ledger, int lanes, int size, TimeSpan length)
    {
        var time = TimeProvider.System;
        // An offer for each lane: offers made one after another have ids one after another.
        var sale = await BenchSale.CreateAsync(ledger, ++sales, Limits.StockMax, requiresReservation: false, time.GetUtcNow().AddMinutes(-1), lanes);
        var started = time.GetTimestamp();
        var placed = await Task.WhenAll(Enumerable.Range(0, lanes).Select(lane => PlaceUntilAsync(ledger, sale, lane, size, () => time.GetElapsedTime(started) > length)));
        return placed.Sum() / time.GetElapsedTime(started).TotalSeconds;
    }

    private static async Task<long> PlaceUntilAsync(MySqlLedger ledger, Sale sale, int lane, int size, Func<bool> over)
    {
        var placed = 0L;
        while (!over())
        {
            var drafts = new OrderDraft[size];
            for (var i = 0; i < size; i++)
            {
                // Users, like the ids of people who had their token before the opening, come in no order.
                var user = UserId.Parse(Random.Shared.NextInt64().ToString("x16", CultureInfo.InvariantCulture));
                drafts[i] = new OrderDraft(new OrderId(Guid.NewGuid()), sale.Id, sale.Offers[lane].Id, user, sale.Offers[lane].Price, sale.Offers[lane].PerUserLimit, sale.PaymentWindow);
            }

            var batch = await ledger.PlaceAsync(drafts, CancellationToken.None);
            placed += batch.Results.Values.Count(result => result.Outcome == PlacementOutcome.Placed);
        }

        return placed;
    }
}
