using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Storage.Sqlite;

namespace FlashSale.Bench;

/// <summary>
/// Durable orders with metrics and traces on against the same program with both off. Both servers run all the time and take turns, each pair in the other order than the one
/// before, so that a drift of the machine meets both alike; the median of the pairs' ratios counts.
/// </summary>
public static class TelemetryBench
{
    private const int Connections = 512;
    private const int WarmUpRequests = 3 * BenchSale.Users;
    private const int OrdersPerSecondMost = 40_000;
    private const double Wanted = 0.97;
    private const double CostMax = 1.03;
    private static readonly TimeSpan ScrapeInterval = TimeSpan.FromSeconds(5);

    public static async Task<int> RunAsync(int pairs, int seconds)
    {
        var keys = new BenchKeys();
        await using var collector = await StartCollectorAsync();
        await using var on = await Side.StartAsync(
            keys, pairs, ("FlashSale__Telemetry__OtlpEndpoint", collector.Urls.Single()), ("FlashSale__Telemetry__TraceRatio", "0.01"));
        await using var off = await Side.StartAsync(keys, pairs, ("FlashSale__Telemetry__Enabled", "false"));
        using var over = new CancellationTokenSource();
        var scraping = ScrapeAsync(on.Url, over.Token);
        List<double> ratios = [], costs = [];
        for (var pair = 0; pair < pairs; pair++)
        {
            var isOnFirst = pair % 2 == 0;
            var first = await (isOnFirst ? on : off).MeasureAsync(pair, seconds);
            var second = await (isOnFirst ? off : on).MeasureAsync(pair, seconds);
            var (with, without) = isOnFirst ? (first, second) : (second, first);
            ratios.Add(with.Orders.PerSecond / without.Orders.PerSecond);
            costs.Add(with.Micros / without.Micros);
            Console.WriteLine(
                $"pair {pair + 1,2}  on {Text(with)}   off {Text(without)}   {ratios[^1]:0.000}");
        }

        await over.CancelAsync();
        var scrapes = await scraping;
        var median = MedianOf(ratios);
        Console.WriteLine();
        Console.WriteLine($"orders/s with metrics and traces on / off: median {median:0.000} of {pairs} pairs, {ratios[0]:0.000} to {ratios[^1]:0.000}  (wanted: at least {Wanted:0.00})");
        var cost = MedianOf(costs);
        Console.WriteLine($"processor time of the server for an order, on / off: median {cost:0.000}, {costs[0]:0.000} to {costs[^1]:0.000}  (wanted: at most {CostMax:0.00})");
        Console.WriteLine($"{scrapes} scrapes of {ScrapeInterval.TotalSeconds:0} s apart meanwhile; 1 in 100 requests traced, pushed by OTLP to a collector in this process");
        return median >= Wanted && cost <= CostMax ? 0 : 1;
    }

    private static double MedianOf(List<double> values)
    {
        values.Sort();
        return (values[(values.Count - 1) / 2] + values[values.Count / 2]) / 2;
    }

    private static string Text((Crowd.Result Orders, double Micros) measured) =>
        $"{measured.Orders.PerSecond,7:N0}/s {measured.Micros,6:N1} µs each, p99 {measured.Orders.P99Ms,5:N1} ms, {string.Join(' ', measured.Orders.ByStatus.OrderBy(entry => entry.Key).Select(entry => $"{entry.Key}×{entry.Value:N0}"))}";

    /// <summary>Takes what is pushed, and throws it away.</summary>
    private static async Task<WebApplication> StartCollectorAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{ServerProcess.FreePort()}");
        var app = builder.Build();
        app.Run(context => context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted));
        await app.StartAsync(CancellationToken.None);
        return app;
    }

    private static async Task<int> ScrapeAsync(Uri server, CancellationToken over)
    {
        using var http = new HttpClient { BaseAddress = server };
        using var timer = new PeriodicTimer(ScrapeInterval);
        var count = 0;
        try
        {
            while (await timer.WaitForNextTickAsync(over))
            {
                await http.GetStringAsync(new Uri("/metrics", UriKind.Relative), over);
                count++;
            }
        }
        catch (OperationCanceledException)
        {
            // The last pair is measured.
        }

        return count;
    }

    /// <summary>One of the two servers, with a sale for each pair and one to warm up with.</summary>
    private sealed class Side : IAsyncDisposable
    {
        private readonly string data;
        private readonly ServerProcess server;
        private readonly BenchKeys keys;
        private readonly List<Sale> sales;
        private readonly Crowd crowd;

        private Side(string data, ServerProcess server, BenchKeys keys, List<Sale> sales)
        {
            (this.data, this.server, this.keys, this.sales) = (data, server, keys, sales);
            crowd = new Crowd(server.Url, Connections);
        }

        public Uri Url => server.Url;

        public static async Task<Side> StartAsync(BenchKeys keys, int pairs, params (string Key, string Value)[] settings)
        {
            var folder = BenchSale.NewDirectory();
            List<Sale> made = [];
            await using (var ledger = await SqliteLedger.OpenAsync(new SqliteLedgerOptions(BenchSale.LedgerFile(folder)), TimeProvider.System, CancellationToken.None))
            {
                for (var number = 0; number <= pairs; number++)
                {
                    made.Add(await BenchSale.CreateAsync(ledger, number, stock: 1_000_000, requiresReservation: false, TimeProvider.System.GetUtcNow().AddMinutes(-1)));
                }
            }

            var side = new Side(folder, await ServerProcess.StartProductAsync(keys, folder, settings), keys, made);
            var requests = BenchSale.Requests([made[pairs]], keys, repeat: false);
            var left = WarmUpRequests;
            await side.crowd.RunAsync(() => Interlocked.Decrement(ref left) >= 0 ? requests() : null, TimeSpan.FromMinutes(2));
            return side;
        }

        /// <returns>And the processor time of the server for one of them.</returns>
        public async Task<(Crowd.Result Orders, double Micros)> MeasureAsync(int pair, int seconds)
        {
            // No more than are needed: each is signed.
            var parts = Math.Max(1, BenchSale.Users * Limits.PerUserLimitMax / (seconds * OrdersPerSecondMost));
            var requests = BenchSale.Requests([sales[pair]], keys, repeat: false, parts: parts);
            var before = server.ProcessorTime;
            var orders = await crowd.RunAsync(requests, TimeSpan.FromSeconds(seconds));
            return (orders, (server.ProcessorTime - before).TotalMicroseconds / orders.Requests);
        }

        public async ValueTask DisposeAsync()
        {
            await server.DisposeAsync();
            Directory.Delete(data, recursive: true);
        }
    }
}
