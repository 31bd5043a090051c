using System.Globalization;

namespace FlashSale.Bench;

/// <summary>
/// Durable orders through HTTP against the same server with no storage and against one transaction an order; sold-out answers against a fixed answer of
/// bare Kestrel. All in one run, in rounds, so that a drift of the machine meets all of them alike; the median of the rounds' ratios counts.
/// </summary>
public static class OrderBench
{
    private const int Connections = 512;
    private const int Rounds = 3;
    private const int WarmUpRequests = 3 * BenchSale.Users;

    public static async Task<int> RunAsync(int seconds)
    {
        var keys = new BenchKeys();
        var length = TimeSpan.FromSeconds(seconds);
        var results = new Dictionary<string, List<Crowd.Result>>();
        string? allocations = null;
        for (var round = 0; round < Rounds; round++)
        {
            Add(results, "signed POST and nothing behind it", await SignedAsync(keys, length));
            Add(results, "the same server, no storage", await NoStorageAsync(keys, length));
            var (durable, perOrder) = await DurableAsync(keys, length, batchMax: 512);
            Add(results, "durable order", durable);
            Add(results, "durable order, ids in no order", (await DurableAsync(keys, length, batchMax: 512, inOrder: false)).Result);
            Add(results, "durable order, one transaction each", (await DurableAsync(keys, length, batchMax: 1)).Result);
            Add(results, "bare Kestrel, fixed answer", await BareAsync(keys, length));
            var (soldOut, perRefusal) = await SoldOutAsync(keys, length);
            Add(results, "sold-out answer", soldOut);
            allocations = $"allocated by the server: {perOrder:N0} bytes an order, {perRefusal:N0} bytes a sold-out answer";
        }

        return Report(results, allocations!);
    }

    private static void Add(Dictionary<string, List<Crowd.Result>> results, string name, Crowd.Result result)
    {
        if (!results.TryGetValue(name, out var list))
        {
            results[name] = list = [];
        }

        list.Add(result);
        Console.WriteLine($"{name,-38} {result.PerSecond,8:N0}/s  p50 {result.P50Ms,6:N1} ms  p99 {result.P99Ms,6:N1} ms  {Statuses(result)}");
    }

    private static string Statuses(Crowd.Result result) =>
        string.Join(' ', result.ByStatus.OrderBy(entry => entry.Key).Select(entry => $"{entry.Key}×{entry.Value:N0}"));

    private static async Task<Crowd.Result> SignedAsync(BenchKeys keys, TimeSpan length)
    {
        await using var server = await ServerProcess.StartOtherAsync("serve-signed", keys);
        var sale = await AnySaleAsync();
        return await MeasureAsync(server, BenchSale.Requests([sale], keys, repeat: true), length);
    }

    private static async Task<Crowd.Result> NoStorageAsync(BenchKeys keys, TimeSpan length)
    {
        var data = BenchSale.NewDirectory();
        try
        {
            var sale = await BenchSale.CreateInFileAsync(data, stock: 1_000_000);
            await using var server = await ServerProcess.StartWithoutStorageAsync(keys, data);
            return await MeasureAsync(server, BenchSale.Requests([sale], keys, repeat: false), length);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static async Task<(Crowd.Result Result, double AllocatedPerRequest)> DurableAsync(
        BenchKeys keys, TimeSpan length, int batchMax, bool inOrder = true)
    {
        var data = BenchSale.NewDirectory();
        try
        {
            var sale = await BenchSale.CreateInFileAsync(data, stock: 1_000_000);
            await using var server = await ServerProcess.StartProductAsync(
                keys, data, ("FlashSale__Ledger__BatchMax", batchMax.ToString(CultureInfo.InvariantCulture)));
            return await MeasureAllocationsAsync(server, BenchSale.Requests([sale], keys, repeat: false, inOrder), length);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static async Task<Crowd.Result> BareAsync(BenchKeys keys, TimeSpan length)
    {
        await using var server = await ServerProcess.StartOtherAsync("serve-bare", keys);
        return await MeasureAsync(server, BenchSale.Requests([await AnySaleAsync()], keys, repeat: true), length);
    }

    private static async Task<(Crowd.Result Result, double AllocatedPerRequest)> SoldOutAsync(BenchKeys keys, TimeSpan length)
    {
        var data = BenchSale.NewDirectory();
        try
        {
            // One unit, which the first request takes; every other one is refused.
            var sale = await BenchSale.CreateInFileAsync(data, stock: 1);
            await using var server = await ServerProcess.StartProductAsync(keys, data);
            return await MeasureAllocationsAsync(server, BenchSale.Requests([sale], keys, repeat: true), length);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static async Task<Crowd.Result> MeasureAsync(ServerProcess server, Func<byte[]?> requests, TimeSpan length)
    {
        var crowd = await WarmUpAsync(server, requests);
        return await crowd.RunAsync(requests, length);
    }

    /// <summary>
    /// Every user has been here before, as shoppers have reserved and asked for their token before they order; and the runtime has compiled what is hot.
    /// </summary>
    private static async Task<Crowd> WarmUpAsync(ServerProcess server, Func<byte[]?> requests)
    {
        var crowd = new Crowd(server.Url, Connections);
        var left = WarmUpRequests;
        await crowd.RunAsync(() => Interlocked.Decrement(ref left) >= 0 ? requests() : null, TimeSpan.FromMinutes(1));
        return crowd;
    }

    private static async Task<(Crowd.Result Result, double AllocatedPerRequest)> MeasureAllocationsAsync(
        ServerProcess server, Func<byte[]?> requests, TimeSpan length)
    {
        var crowd = await WarmUpAsync(server, requests);
        var before = await AllocatedAsync(server);
        var result = await crowd.RunAsync(requests, length);
        return (result, (await AllocatedAsync(server) - before) / result.Requests);
    }

    private static async Task<double> AllocatedAsync(ServerProcess server)
    {
        using var http = new HttpClient { BaseAddress = server.Url };
        var text = await http.GetStringAsync("/metrics");
        var line = text.Split('\n').First(line => line.StartsWith("dotnet_gc_heap_total_allocated", StringComparison.Ordinal));
        return double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture);
    }

    private static async Task<Core.Sales.Sale> AnySaleAsync()
    {
        var data = BenchSale.NewDirectory();
        var sale = await BenchSale.CreateInFileAsync(data, stock: 1);
        Directory.Delete(data, recursive: true);
        return sale;
    }

    private static int Report(Dictionary<string, List<Crowd.Result>> results, string allocations)
    {
        // Round by round: neighbours in time met the same machine.
        double Ratio(string one, string other) =>
            results[one].Zip(results[other], (a, b) => a.PerSecond / b.PerSecond).Order().ElementAt(Rounds / 2);
        Console.WriteLine();
        var ratios = new (string What, double Is, double Wanted)[]
        {
            ("durable order / the same server with no storage", Ratio("durable order", "the same server, no storage"), 0.6),
            ("durable order / one transaction each", Ratio("durable order", "durable order, one transaction each"), 2.5),
            ("sold-out answer / bare Kestrel", Ratio("sold-out answer", "bare Kestrel, fixed answer"), 0.6),
        };
        foreach (var (what, ratio, wanted) in ratios)
        {
            Console.WriteLine($"{what,-46} {ratio:0.00}  (wanted: at least {wanted:0.00})");
        }

        Console.WriteLine($"{"the same, ids in no order",-46} {Ratio("durable order, ids in no order", "the same server, no storage"):0.00}");
        Console.WriteLine($"{"durable order / signed POST, nothing behind it",-46} {Ratio("durable order", "signed POST and nothing behind it"):0.00}");
        Console.WriteLine(allocations);
        return ratios.All(ratio => ratio.Is >= ratio.Wanted) ? 0 : 1;
    }
}
