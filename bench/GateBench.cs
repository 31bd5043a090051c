using System.Diagnostics;
using System.Globalization;

using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Sales;
using FlashSale.Core.Stock;
using FlashSale.Storage;
using FlashSale.Storage.Redis;

namespace FlashSale.Bench;

/// <summary>The gate in Redis against the least that a script call costs on the same server, by the same driver, in turns; settlements; memory of reservations.</summary>
public static class GateBench
{
    /// <summary>The crowd at which the bar counts.</summary>
    private const int Crowd = 256;
    private const int Batch = 256;
    private const int SettlementsAtOnce = 4;
    private const int Rounds = 3;
    private const double WantedRatio = 0.70;
    private const double WantedSettled = 30_000;
    private const double WantedBytes = 100;
    private static readonly int[] Crowds = [1, 64, Crowd, 512];
    private static readonly SaleId SaleId = new(1);
    private static readonly OfferId OfferId = new(11);

    public static async Task<int> RunAsync(int seconds)
    {
        await using var redis = await StoreServer.StartRedisAsync();
        await using var gate = await RedisGate.OpenAsync(
            new RedisGateOptions(redis.Redis) { Timeout = Limits.GateTimeoutMax }, TimeProvider.System, CancellationToken.None);
        await using var bare = await BareScript.OpenAsync(redis.Redis);
        return Math.Max(await AdmitAsync(gate, bare, seconds), Math.Max(await SettleAsync(gate, seconds), await ReserveAsync(gate, bare)));
    }

    private static async Task<int> AdmitAsync(RedisGate gate, BareScript bare, int seconds)
    {
        var reached = 1.0;
        foreach (var callers in Crowds)
        {
            List<double> admitted = [];
            List<double> soldOut = [];
            for (var round = 1; round <= Rounds; round++)
            {
                var rates = await RatesAsync(gate, bare, callers, seconds);
                admitted.Add(rates.Admitted / rates.Bare);
                soldOut.Add(rates.SoldOut / rates.Bare);
                Console.WriteLine(
                    $"{callers} callers, round {round}: bare EVALSHA {rates.Bare:N0}/s, admitted {rates.Admitted:N0}/s ({admitted[^1]:P0}), " +
                    $"sold out {rates.SoldOut:N0}/s ({soldOut[^1]:P0})");
            }

            Console.WriteLine($"{callers} callers, median: admitted {Median(admitted):P0}, sold out {Median(soldOut):P0}\n{await CostAsync(gate, bare, callers)}");
            reached = callers == Crowd ? Math.Min(Median(admitted), Median(soldOut)) : reached;
        }

        Console.WriteLine($"{Crowd} callers: {reached:P0}  (wanted: at least {WantedRatio:P0})");
        return reached >= WantedRatio ? 0 : 1;
    }

    /// <summary>
    /// Each on a server with nothing else to do. What is admitted stays pending: a settlement has its own measurement, and would only take turns with this one.
    /// </summary>
    private static async Task<(double Bare, double Admitted, double SoldOut)> RatesAsync(RedisGate gate, BareScript bare, int callers, int seconds)
    {
        await LoadAsync(gate, bare);
        await RateAsync(1, callers, i => AdmitOneAsync(gate, i, AdmissionOutcome.Admitted));
        await LoadAsync(gate, bare);
        var (_, least) = await RateAsync(seconds, callers, i => bare.CallAsync($"user-{i}"));
        var (_, admitted) = await RateAsync(seconds, callers, i => AdmitOneAsync(gate, i, AdmissionOutcome.Admitted));
        await gate.SettleAsync(At(0, 3), CancellationToken.None);
        var (_, soldOut) = await RateAsync(seconds, callers, i => AdmitOneAsync(gate, 100_000_000 + i, AdmissionOutcome.SoldOut));
        return (least, admitted, soldOut);
    }

    /// <summary>More than can be sold while it is measured.</summary>
    private static async Task LoadAsync(RedisGate gate, BareScript bare)
    {
        var now = TimeProvider.System.GetUtcNow();
        await bare.FlushAsync();
        await gate.WarmUpAsync(Load(now, Limits.StockMax), anew: true, CancellationToken.None);
        await gate.SettleAsync(At(100 * Limits.StockMax, 2), CancellationToken.None);
    }

    /// <summary>What the server itself spends, by its own clock, with nothing else going on.</summary>
    private static async Task<string> CostAsync(RedisGate gate, BareScript bare, int callers)
    {
        await LoadAsync(gate, bare);
        var admitted = await bare.CostAsync(() => RateAsync(1, callers, i => AdmitOneAsync(gate, i, AdmissionOutcome.Admitted)));
        await gate.SettleAsync(At(0, 3), CancellationToken.None);
        var soldOut = await bare.CostAsync(() => RateAsync(1, callers, i => AdmitOneAsync(gate, 100_000_000 + i, AdmissionOutcome.SoldOut)));
        var least = await bare.CostAsync(() => RateAsync(1, callers, i => bare.CallAsync($"user-{i}")));
        return $"""
              admitted: {admitted}
              sold out: {soldOut}
              bare:     {least}
            """;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static async Task<int> SettleAsync(RedisGate gate, int seconds)
    {
        var now = TimeProvider.System.GetUtcNow();
        await gate.WarmUpAsync(Load(now, Limits.StockMax), anew: true, CancellationToken.None);
        List<SettledOrder[]> batches = [];
        for (var i = 0; i < 400; i++)
        {
            SettledOrder[] batch = [.. Enumerable.Range(0, Batch).Select(k => new SettledOrder(OrderId.Create(now), UserId.Parse($"user-{i}-{k}")))];
            await Task.WhenAll(batch.Select(order => gate.AdmitAsync(new AdmissionRequest(SaleId, OfferId, order.OrderId, order.UserId, now), CancellationToken.None).AsTask()));
            batches.Add(batch);
        }

        var clock = Stopwatch.StartNew();
        await Parallel.ForAsync(0, batches.Count, new ParallelOptions { MaxDegreeOfParallelism = SettlementsAtOnce }, async (i, cancellation) =>
            await gate.SettleAsync(At(Limits.StockMax - (i + 1) * Batch, 2 + i) with { Committed = batches[i] }, cancellation));
        var rate = batches.Count * Batch / clock.Elapsed.TotalSeconds;
        Console.WriteLine($"settled: {rate:N0} orders/s in batches of {Batch}  (wanted: at least {WantedSettled:N0})");
        return rate >= WantedSettled ? 0 : 1;
    }

    private static async Task<int> ReserveAsync(RedisGate gate, BareScript bare)
    {
        var worst = 0.0;
        foreach (var users in new[] { 10_000, 1_000_000 })
        {
            var now = TimeProvider.System.GetUtcNow();
            var load = Load(now, 100);
            await bare.FlushAsync();
            await gate.WarmUpAsync(load, anew: true, CancellationToken.None);
            var before = await bare.UsedMemoryAsync();
            var clock = Stopwatch.StartNew();
            await gate.WarmUpAsync(load with { Reserved = [.. Enumerable.Range(0, users).Select(i => UserId.Parse($"user-{i}"))] }, anew: false, CancellationToken.None);
            var took = clock.Elapsed;
            var bytes = (await bare.UsedMemoryAsync() - before) / users;
            Console.WriteLine($"{users:N0} reservations: {bytes:N1} bytes each, loaded in {took.TotalSeconds:N2} s");
            worst = Math.Max(worst, bytes);
        }

        Console.WriteLine($"(wanted: less than {WantedBytes} bytes each)");
        return worst < WantedBytes ? 0 : 1;
    }

    private static async ValueTask AdmitOneAsync(RedisGate gate, int i, AdmissionOutcome expected)
    {
        var now = TimeProvider.System.GetUtcNow();
        var request = new AdmissionRequest(SaleId, OfferId, OrderId.Create(now), UserId.Parse($"user-{i}"), now);
        var outcome = await gate.AdmitAsync(request, CancellationToken.None);
        if (outcome != expected)
        {
            throw new InvalidOperationException($"{outcome} instead of {expected}");
        }
    }

    /// <summary>Calls a second, with so many under way at any time.</summary>
    private static async Task<(int Calls, double Rate)> RateAsync(int seconds, int callers, Func<int, ValueTask> call)
    {
        var calls = 0;
        var clock = Stopwatch.StartNew();
        var until = TimeSpan.FromSeconds(seconds);
        await Task.WhenAll(Enumerable.Range(0, callers).Select(async _ =>
        {
            while (clock.Elapsed < until)
            {
                await call(Interlocked.Increment(ref calls));
            }
        }));
        return (calls, calls / clock.Elapsed.TotalSeconds);
    }

    private static Settlement At(int available, long seq) =>
        new(OfferId, new OfferStock(OfferId, 0, StockRow.Restore(available, 0, available, 0, 0, seq)), [], [], [], null);

    private static GateLoad Load(DateTimeOffset now, int stock) =>
        new(SaleAt(now), [new OfferStock(OfferId, 0, StockRow.Create(stock).Row)], [], [], []);

    private static Sale SaleAt(DateTimeOffset now) => new()
    {
        Id = SaleId,
        Slug = "bench",
        Title = new LocalizedText("一", "one"),
        RequiresReservation = false,
        OpensAt = now.AddMinutes(-1),
        ClosesAt = now.AddHours(1),
        PaymentWindow = TimeSpan.FromMinutes(15),
        Status = SaleStatus.Published,
        Offers =
        [
            new Offer
            {
                Id = OfferId,
                Sku = "o",
                Title = new LocalizedText("一", "one"),
                FaceValue = Money.Cny(2),
                Price = Money.Cny(1),
                Stock = 1,
                PerUserLimit = 1,
                ValidFrom = now,
                ValidUntil = now.AddYears(1),
            },
        ],
    };

    /// <summary>The least that a script call costs: the same driver, one key, one argument, a script that does nothing.</summary>
    private sealed class BareScript : IAsyncDisposable
    {
        private const string Text = "return 0";
        private static readonly StackExchange.Redis.RedisKey[] Keys = ["bare"];
        private readonly byte[] hash;
        private readonly StackExchange.Redis.ConnectionMultiplexer connection;
        private readonly StackExchange.Redis.IDatabase database;

        private BareScript(StackExchange.Redis.ConnectionMultiplexer connection, byte[] hash)
        {
            this.hash = hash;
            this.connection = connection;
            database = connection.GetDatabase();
        }

        public static async Task<BareScript> OpenAsync(string address)
        {
            var opened = await StackExchange.Redis.ConnectionMultiplexer.ConnectAsync(address + ",allowAdmin=true");
            return new BareScript(opened, await opened.GetServer(opened.GetEndPoints()[0]).ScriptLoadAsync(Text));
        }

        /// <summary>With a timeout, as every caller needs and the driver does not have.</summary>
        public async ValueTask CallAsync(string user) => await database.ScriptEvaluateAsync(hash, Keys, [user]).WaitAsync(Limits.GateTimeoutMax);

        /// <summary>What one call of ours cost: scripts by the server's clock, processor time of the server and of this process; and how many went in one script call.</summary>
        public async Task<string> CostAsync(Func<Task<(int Calls, double Rate)>> run)
        {
            await database.ExecuteAsync("CONFIG", "RESETSTAT");
            var (server, client) = (await UsedProcessorAsync(), Environment.CpuUsage.TotalTime.TotalSeconds);
            var (calls, _) = await run();
            (server, client) = (await UsedProcessorAsync() - server, Environment.CpuUsage.TotalTime.TotalSeconds - client);

            // calls=9,usec=123,usec_per_call=…
            var scripts = (await InfoAsync("commandstats", "cmdstat_evalsha")).Split(',', '=');
            var (sent, spent) = (Number(scripts[1]), Number(scripts[3]));
            return $"{spent / calls:N1} us of Redis ({calls / sent:N1} in one script call); processor time {1e6 * server / calls:N1} us of Redis, {1e6 * client / calls:N1} us of ours";
        }

        private async Task<double> UsedProcessorAsync() => Number(await InfoAsync("cpu", "used_cpu_user")) + Number(await InfoAsync("cpu", "used_cpu_sys"));

        private async Task<string> InfoAsync(string section, string key) =>
            (await connection.GetServer(connection.GetEndPoints()[0]).InfoAsync(section)).SelectMany(part => part).First(pair => pair.Key == key).Value;

        private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

        /// <summary>What was unlinked is freed behind the scenes, and would be counted against what comes next.</summary>
        public async Task FlushAsync()
        {
            await database.ExecuteAsync("FLUSHALL", "SYNC");
            await Task.Delay(500);
        }

        public async Task<double> UsedMemoryAsync() => Number(await InfoAsync("memory", "used_memory"));

        public ValueTask DisposeAsync()
        {
            connection.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
