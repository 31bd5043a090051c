using System.Globalization;

using FlashSale.Core;
using FlashSale.Core.Reservations;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;
using FlashSale.Storage.Sqlite;

namespace FlashSale.Bench;

/// <summary>
/// Reservations that are assessed with providers that take 50 ms, while orders are placed in the same process: how long they take, and what the orders feel
/// of it. Rounds with and without take turns, so that a drift of the machine meets both alike; the median of the rounds' ratios counts.
/// </summary>
public static class AssessBench
{
    private const int Rounds = 3;
    private const int ProviderMs = 50;

    private const int Connections = 64;

    /// <summary>Far below what two cores can do: what is measured is what one order waits for, not who gets more of a core.</summary>
    private const int OrdersPerSecond = 500;
    private const int WarmUpRequests = 10_000;
    private const int SeedPiece = 1_000;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    public static async Task<int> RunAsync(int reservations)
    {
        var keys = new BenchKeys();
        var sandboxData = BenchSale.NewDirectory();
        List<(double Seconds, double With, double Without)> rounds = [];
        try
        {
            await using var sandbox = await ServerProcess.StartProductAsync(keys, sandboxData, ("FlashSale__Roles", "risk-sandbox"));
            for (var round = 0; round < Rounds; round++)
            {
                var (seconds, with) = await MeasureAsync(keys, sandbox, reservations, length: null);
                var (_, without) = await MeasureAsync(keys, sandbox, reservations: 0, TimeSpan.FromSeconds(seconds));
                rounds.Add((seconds, with.P99Ms, without.P99Ms));
                Console.WriteLine(
                    $"{reservations:N0} assessed in {seconds:N1} s, {reservations / seconds:N0}/s; orders meanwhile {with.PerSecond:N0}/s p99 {with.P99Ms:N1} ms, without {without.PerSecond:N0}/s p99 {without.P99Ms:N1} ms");
            }
        }
        finally
        {
            Directory.Delete(sandboxData, recursive: true);
        }

        Console.WriteLine();
        Console.WriteLine($"seconds for {reservations:N0} reservations, median   {Median(rounds.Select(round => round.Seconds)):N1}");
        Console.WriteLine($"p99 of orders, with / without, median   {Median(rounds.Select(round => round.With / round.Without)):N2}");
        return 0;
    }

    /// <param name="length">Of the run where nothing is assessed; null: until all is.</param>
    private static async Task<(double Seconds, Crowd.Result Orders)> MeasureAsync(BenchKeys keys, ServerProcess sandbox, int reservations, TimeSpan? length)
    {
        var data = BenchSale.NewDirectory();
        try
        {
            var sale = await SeedAsync(data, reservations);
            // Away until the crowd is warm: nothing is assessed before the watch runs.
            await BehaveAsync(sandbox, new { down = true });
            var url = new Uri(sandbox.Url, "/sandbox").ToString();
            await using var server = await ServerProcess.StartProductAsync(keys, data, ("FlashSale__Risk__Credit__Url", url), ("FlashSale__Risk__Profile__Url", url));
            var requests = BenchSale.Requests([sale], keys, repeat: false);
            var crowd = new Crowd(server.Url, Connections);
            var left = WarmUpRequests;
            await crowd.RunAsync(() => Interlocked.Decrement(ref left) >= 0 ? requests() : null, TimeSpan.FromMinutes(1));

            await BehaveAsync(sandbox, new { latencyMs = ProviderMs });
            var since = TimeProvider.System.GetTimestamp();
            var done = false;
            var orders = crowd.RunAsync(() => Volatile.Read(ref done) ? null : requests(), length ?? Patience, OrdersPerSecond);
            if (length is null)
            {
                await WaitForAsync(server, reservations);
            }
            else
            {
                await orders;
            }

            var seconds = TimeProvider.System.GetElapsedTime(since).TotalSeconds;
            Volatile.Write(ref done, true);
            return (seconds, await orders);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    /// <summary>A sale to order from, and another with reservations that wait.</summary>
    private static async Task<Sale> SeedAsync(string data, int reservations)
    {
        var now = TimeProvider.System.GetUtcNow();
        await using var ledger = await SqliteLedger.OpenAsync(new SqliteLedgerOptions(BenchSale.LedgerFile(data)), TimeProvider.System, CancellationToken.None);
        var open = await BenchSale.CreateAsync(ledger, 1, stock: 1_000_000, requiresReservation: false, now.AddMinutes(-1));
        var coming = await BenchSale.CreateAsync(ledger, 2, stock: 100, requiresReservation: true, now.AddHours(2));
        foreach (var piece in Enumerable.Range(0, reservations).Chunk(SeedPiece))
        {
            await Task.WhenAll(piece.Select(i => ledger.ReserveAsync(
                new Reservation(Guid.CreateVersion7(now), coming.Id, UserId.Parse($"{(i % 20 == 0 ? "bad" : "good")}-{i}"), ReservationStatus.Pending),
                new Evidence($"{i % 5_000:x16}", now.AddDays(-1), $"198.51.{i / 256 % 256}.{i % 256}", now.AddSeconds(-9), false, false),
                CancellationToken.None)));
        }

        return open;
    }

    private static async Task BehaveAsync(ServerProcess sandbox, object behaviour)
    {
        using var http = new HttpClient { BaseAddress = sandbox.Url };
        using var answer = await http.PutAsync("/sandbox/behaviour", JsonContent.Create(behaviour));
        answer.EnsureSuccessStatusCode();
    }

    private static async Task WaitForAsync(ServerProcess server, int reservations)
    {
        using var http = new HttpClient { BaseAddress = server.Url };
        var since = TimeProvider.System.GetTimestamp();
        while (Decided(await http.GetStringAsync("/metrics")) < reservations)
        {
            if (TimeProvider.System.GetElapsedTime(since) > Patience)
            {
                throw new InvalidOperationException("They are not assessed in time.");
            }

            await Task.Delay(100);
        }
    }

    private static double Decided(string metrics) => metrics.Split('\n')
        .Where(line => line.StartsWith("flashsale_assessments_total{outcome=\"approved\"}", StringComparison.Ordinal) || line.StartsWith("flashsale_assessments_total{outcome=\"rejected\"}", StringComparison.Ordinal))
        .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(Rounds / 2);
}
