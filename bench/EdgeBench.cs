using System.Globalization;
using System.Net.Http.Headers;
using System.Text;

using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Core.Tokens;
using FlashSale.Server.Http;
using FlashSale.Storage.Sqlite;
using FlashSale.Tools.Overload;

namespace FlashSale.Bench;

/// <summary>
/// What a refusal costs at each layer of the edge, against a fixed answer of bare Kestrel and against an order; and what is left of the orders when several times as
/// many people come as can be served. Layers and bare server take turns in rounds; the median of the rounds' ratios counts.
/// </summary>
public static class EdgeBench
{
    private const int Rounds = 3;
    private const int Connections = 512;
    private const int Users = 20_000;
    private const string Bare = "bare Kestrel, fixed answer";
    private const string Order = "durable order";
    private const int SlowClients = 1_000;
    private const string OrderBesideSlow = "durable order, 1,000 slow";
    private const string Return200 = "nginx, return 200";
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(2);

    /// <param name="Set">The limits to put; what is not named keeps its default.</param>
    /// <param name="Code">What every answer says, but for the few that the limit lets through.</param>
    private sealed record Layer(string Name, string Set, int Status, string Code, string Reason, int Sale = 0, int Users = EdgeBench.Users);

    private static readonly Layer[] Layers =
    [
        new("total limit", """{"total":{"perSecond":100,"burst":100}}""", 429, "rate-limited", "total_limit"),
        new("address limit", """{"address":{"perSecond":10,"burst":10}}""", 429, "rate-limited", "address_limit"),
        // Few users, or as many requests a second would be allowed as there are users.
        new("user limit", """{"user":{"perSecond":1,"burst":1}}""", 429, "rate-limited", "user_limit", Users: 100),
        new("sale limit", """{"sale":{"perSecond":1,"burst":1}}""", 429, "rate-limited", "sale_limit"),
        new("not open", "{}", 409, "sale-not-open", "sale_not_open", Sale: 1),
        new("sold out", "{}", 409, "sold-out", "sold_out", Sale: 2),
        new("paused", "{}", 503, "sale-paused", "sale_paused", Sale: 3),
        new("shed", """{"shedding":{"pagesPercent":0,"documentsPercent":0,"tokensPercent":0,"ordersPercent":0}}""", 503, "overloaded", "shed"),
    ];

    /// <summary>What the gateway answers by itself; the address limit last, as it leaves nobody else in.</summary>
    private static readonly Layer[] NginxLayers =
    [
        new("nginx, bad token", "{}", 403, "order-token-rejected", "token_forged"),
        new("nginx, sold out", "{}", 409, "sold-out", "sold_out", Sale: 2),
        new("nginx, address limit", """{"address":{"perSecond":10,"burst":10}}""", 429, "rate-limited", "address_limit"),
    ];

    internal static readonly string Unlimited = $"{{\"perSecond\":{Limits.RateMax},\"burst\":{Limits.RateMax}}}";

    private static readonly string Defaults =
        $$"""
        {
          "total": {{Unlimited}}, "address": {{Unlimited}}, "user": {{Unlimited}}, "sale": {{Unlimited}},
          "shedding": {"pagesPercent": 50, "documentsPercent": 65, "tokensPercent": 80, "ordersPercent": 100 }
        }
        """;

    public static async Task<int> RunAsync(int seconds)
    {
        var keys = new BenchKeys();
        var length = TimeSpan.FromSeconds(seconds);
        Dictionary<string, List<(PumpCrowd.Result Result, double Micros)>> results = [];
        var isRight = true;
        for (var round = 0; round < Rounds; round++)
        {
            await BareAsync(keys, length, results);
            isRight &= await LayersAsync(keys, length, results);
            await OrderAsync(keys, length, results);
            isRight &= await NginxAsync(keys, length, results);
        }

        List<(string Who, string Bare, OverloadOutcome Outcome)> runs =
        [
            ("", Bare, await OverloadAsync(keys, length, naive: false)),
            (" (naive clients)", Bare, await OverloadAsync(keys, length, naive: true)),
        ];
        if (results.ContainsKey(Return200))
        {
            runs.Add((" (nginx)", Return200, await OverloadAsync(keys, length, naive: false, nginx: true)));
        }

        Console.WriteLine();
        EdgeParts.Run();
        return Report(results, runs) && isRight ? 0 : 1;
    }

    private static async Task BareAsync(BenchKeys keys, TimeSpan length, Dictionary<string, List<(PumpCrowd.Result, double)>> results)
    {
        await using var server = await ServerProcess.StartOtherAsync("serve-bare", keys);
        var requests = Requests(await OneSaleAsync(), keys, Users);
        Measure(Bare, server, requests, length, results);
    }

    private static async Task<bool> LayersAsync(BenchKeys keys, TimeSpan length, Dictionary<string, List<(PumpCrowd.Result Result, double)>> results)
    {
        var data = BenchSale.NewDirectory();
        try
        {
            var sales = await SalesAsync(data);
            await using var server = await ServerProcess.StartProductAsync(keys, data, ("FlashSale__Limits__Enabled", "true"));
            using var admin = Operator(server, keys);
            await SendAsync(admin, HttpMethod.Post, $"sales/{sales[3].Id}/pause", """{"reason":"bench"}""");
            var isRight = true;
            foreach (var layer in Layers)
            {
                await SendAsync(admin, HttpMethod.Put, "limits", Defaults);
                await SendAsync(admin, HttpMethod.Put, "limits", layer.Set);
                var before = await DecisionsAsync(admin, layer.Reason);
                var answered = Measure(layer.Name, server, Requests(sales[layer.Sale], keys, layer.Users), length, results);
                var refused = answered.Answers.Where(row => row.Status == layer.Status && row.Code == layer.Code).Sum(row => row.Count);
                var counted = await DecisionsAsync(admin, layer.Reason) - before;
                // The warm-up is counted too, so there are more.
                if (refused < answered.Total * 0.99 || counted < refused)
                {
                    Console.WriteLine($"{layer.Name}: {refused:N0} of {answered.Total:N0} answers say {layer.Code}, and {counted:N0} were counted as {layer.Reason}: this is not the layer that was meant");
                    isRight = false;
                }
            }

            return isRight;
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static async Task OrderAsync(BenchKeys keys, TimeSpan length, Dictionary<string, List<(PumpCrowd.Result, double)>> results)
    {
        var data = BenchSale.NewDirectory();
        try
        {
            var sale = await BenchSale.CreateInFileAsync(data, Limits.StockMax);
            await using var server = await ServerProcess.StartProductAsync(keys, data, ("FlashSale__Limits__Enabled", "true"));
            using var admin = Operator(server, keys);
            await SendAsync(admin, HttpMethod.Put, "limits", Defaults);
            // What is measured is an order's cost: none of these is to be shed.
            await SendAsync(admin, HttpMethod.Put, "limits", $$$"""{"shedding":{"inFlightMin":{{{Limits.InFlightMax}}},"writerWaitMs":{{{Limits.WriterWaitMaxMs}}}}}""");
            var requests = BenchSale.Requests([sale], keys, repeat: false);
            Measure(Order, server, requests, length, results);
            await using var slow = new SlowCrowd(server.Url, SlowClients);
            Measure(OrderBesideSlow, server, requests, length, results);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    /// <summary>Not one in a hundred of these requests may come as far as the application.</summary>
    private static async Task<bool> NginxAsync(BenchKeys keys, TimeSpan length, Dictionary<string, List<(PumpCrowd.Result Result, double)>> results)
    {
        var data = BenchSale.NewDirectory();
        try
        {
            var sales = await SalesAsync(data);
            await using var server = await ServerProcess.StartProductAsync(keys, data, ("FlashSale__Limits__Enabled", "true"), ("FlashSale__TrustedProxies", "127.0.0.1"));
            await using var nginx = await NginxProcess.StartAsync(server.Url, keys);
            if (nginx is null)
            {
                Console.WriteLine("nginx: not measured, nginx or deploy/nginx is not here");
                return true;
            }

            using var admin = Operator(server, keys);
            await SendAsync(admin, HttpMethod.Put, "limits", Defaults);
            PumpCrowd.Run(server.Url, 1, Requests(sales[2], keys, 1), TimeSpan.FromSeconds(1));
            Measure(Return200, server, Requests(sales[0], keys, Users), length, results, nginx.FixedUrl);
            var isRight = true;
            foreach (var layer in NginxLayers)
            {
                await SendAsync(admin, HttpMethod.Put, "limits", layer.Set);
                await Task.Delay(TimeSpan.FromSeconds(1));
                var before = await DecisionsAsync(admin, "");
                var signedBy = layer.Status == 403 ? new BenchKeys() : keys;
                var answered = Measure(layer.Name, server, Requests(sales[layer.Sale], keys, layer.Users, signedBy.Tokens), length, results, nginx.Url);
                var refused = answered.Answers.Where(row => row.Status == layer.Status && row.Code == layer.Code).Sum(row => row.Count);
                var passed = await DecisionsAsync(admin, "") - before;
                if (refused < answered.Total * 0.99 || passed > answered.Total * 0.01)
                {
                    Console.WriteLine($"{layer.Name}: {refused:N0} of {answered.Total:N0} answers say {layer.Code}, and {passed:N0} requests were passed on");
                    isRight = false;
                }
            }

            return isRight;
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static async Task<OverloadOutcome> OverloadAsync(BenchKeys keys, TimeSpan length, bool naive, bool nginx = false)
    {
        var data = BenchSale.NewDirectory();
        try
        {
            // With a payment provider: somebody pays meanwhile.
            await using var server = await ServerProcess.StartProductAsync(
                keys, data, ("FlashSale__Limits__Enabled", "true"), ("FlashSale__Payments__Sandbox__Secret", keys.TokensText), ("FlashSale__TrustedProxies", "127.0.0.1"));
            await using var gateway = nginx ? await NginxProcess.StartAsync(server.Url, keys) : null;
            var settings = new OverloadSettings
            {
                Target = gateway?.Url ?? server.Url,
                AuthKey = keys.Auth,
                Factors = naive ? [3, 10] : [1, 2, 3, 5, 10],
                Length = length,
                Naive = naive,
                Seed = 1,
            };
            Console.WriteLine(naive ? "\noverload, each failure sent again three times at once" : nginx ? "\noverload through nginx" : "\noverload");
            using var run = new OverloadRun(settings, Tools.CommandLine.MakeConsole(Console.Out), TimeProvider.System);
            return await run.MeasureAsync(CancellationToken.None);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static PumpCrowd.Result Measure(
        string name, ServerProcess server, Func<byte[]?> requests, TimeSpan length, Dictionary<string, List<(PumpCrowd.Result, double)>> results, Uri? through = null)
    {
        PumpCrowd.Run(through ?? server.Url, Connections, requests, WarmUp);
        var before = server.ProcessorTime;
        var result = PumpCrowd.Run(through ?? server.Url, Connections, requests, length);
        var micros = (server.ProcessorTime - before).TotalMicroseconds / result.Total;
        if (!results.TryGetValue(name, out var list))
        {
            results[name] = list = [];
        }

        list.Add((result, micros));
        Console.WriteLine($"{name,-28} {micros,6:N1} µs each  {result}");
        return result;
    }

    /// <summary>Open with ample stock; not open for an hour; sold out after the first order; open, to be paused.</summary>
    private static async Task<Sale[]> SalesAsync(string data)
    {
        await using var ledger = await SqliteLedger.OpenAsync(new SqliteLedgerOptions(BenchSale.LedgerFile(data)), TimeProvider.System, CancellationToken.None);
        var now = TimeProvider.System.GetUtcNow();
        return
        [
            await BenchSale.CreateAsync(ledger, 1, Limits.StockMax, requiresReservation: false, now.AddMinutes(-1)),
            await BenchSale.CreateAsync(ledger, 2, 100, requiresReservation: false, now.AddMinutes(9)),
            await BenchSale.CreateAsync(ledger, 3, 1, requiresReservation: false, now.AddMinutes(-1)),
            await BenchSale.CreateAsync(ledger, 4, 100, requiresReservation: false, now.AddMinutes(-1)),
        ];
    }

    private static async Task<Sale> OneSaleAsync()
    {
        var data = BenchSale.NewDirectory();
        var sale = await BenchSale.CreateInFileAsync(data, stock: 1);
        Directory.Delete(data, recursive: true);
        return sale;
    }

    /// <summary>One request of each user, again and again.</summary>
    private static Func<byte[]?> Requests(Sale sale, BenchKeys keys, int users, byte[]? signedBy = null)
    {
        var time = TimeProvider.System;
        var sessions = new Sessions(keys.Auth, time);
        var tokens = new OrderTokens(signedBy ?? keys.Tokens, [], TokenAges.Default);
        var issuedAt = time.GetUtcNow().AddSeconds(-5);
        var requests = new byte[users][];
        for (var i = 0; i < users; i++)
        {
            var user = UserId.Parse($"user-{i}");
            var token = tokens.Create(new OrderToken(issuedAt, OrderId.Create(issuedAt), sale.Id, sale.Offers[0].Id, user));
            requests[i] = Crowd.OrderRequest(sessions.Create(user, [], TimeSpan.FromHours(1)), token);
        }

        var next = -1;
        return () => requests[(next = (next + 1) % users)];
    }

    internal static HttpClient Operator(ServerProcess server, BenchKeys keys)
    {
        var session = new Tools.SessionTokens(keys.Auth).Create("operator", TimeProvider.System.GetUtcNow().AddHours(1), "operator");
        var http = new HttpClient { BaseAddress = server.Url };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", session);
        return http;
    }

    internal static async Task SendAsync(HttpClient admin, HttpMethod method, string path, string json)
    {
        using var request = new HttpRequestMessage(method, "/api/v1/admin/" + path) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        using var response = await admin.SendAsync(request);
        if (!response.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"{method} {path}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
        }
    }

    private static async Task<long> DecisionsAsync(HttpClient client, string reason)
    {
        var text = await client.GetStringAsync("/metrics");
        return text.Split('\n')
            .Where(line => line.StartsWith("flashsale_decisions_total{", StringComparison.Ordinal) && line.Contains($"reason=\"{reason}", StringComparison.Ordinal))
            .Sum(line => long.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }

    private static bool Report(Dictionary<string, List<(PumpCrowd.Result Result, double Micros)>> results, List<(string Who, string Bare, OverloadOutcome Outcome)> runs)
    {
        static double Median(IEnumerable<double> values) => values.Order().ElementAt(Rounds / 2);
        double Speed(string name, string against) => Median(results[name].Zip(results[against], (one, bare) => one.Result.PerSecond / bare.Result.PerSecond));
        double Cost(string name) => Median(results[name].Zip(results[Order], (one, order) => one.Micros / order.Micros));
        List<(string What, double Is, double Wanted, bool AtLeast)> rows = [];
        foreach (var layer in Layers)
        {
            rows.Add(($"{layer.Name}: refusals / bare Kestrel", Speed(layer.Name, Bare), 0.8, true));
            rows.Add(($"{layer.Name}: processor time / an order's", Cost(layer.Name), 0.2, false));
        }

        rows.Add(("orders beside 1,000 slow clients / without them", Speed(OrderBesideSlow, Order), 0.95, true));
        foreach (var layer in NginxLayers.Where(layer => results.ContainsKey(layer.Name)))
        {
            rows.Add(($"{layer.Name}: refusals / return 200", Speed(layer.Name, Return200), 0.6, true));
        }

        foreach (var (who, against, run) in runs)
        {
            var bare = Median(results[against].Select(one => one.Result.PerSecond));
            rows.Add(($"acknowledged orders not in the ledger{who}", run.Report.Findings.Sum(finding => finding.Violations), 0, false));
            foreach (var spike in run.Spikes)
            {
                AddSpike(rows, run, spike, bare, who);
            }
        }

        foreach (var (what, value, wanted, atLeast) in rows)
        {
            var good = atLeast ? value >= wanted : value <= wanted;
            Console.WriteLine($"{what,-62} {value,9:0.00}  (wanted: at {(atLeast ? "least" : "most")} {wanted:0.00}){(good ? "" : "  MISSED")}");
        }

        return rows.All(row => row.AtLeast ? row.Is >= row.Wanted : row.Is <= row.Wanted);
    }

    /// <summary>As long as refusals leave something of the machine, orders get what is left; when they alone would fill it, it stays up.</summary>
    private static void AddSpike(List<(string, double, double, bool)> rows, OverloadOutcome run, SpikeOutcome spike, double bare, string who)
    {
        const double Full = 0.8;
        var name = $"{spike.Factor:0.#}×{who}";
        if (spike.Refusals < Full * bare)
        {
            rows.Add(($"{name}: orders / what refusals leave of the peak", spike.Goodput / (run.Peak * (1 - (spike.Refusals / bare))), 0.85, true));
        }
        else
        {
            rows.Add(($"{name}: answered or cut / bare Kestrel", (spike.Goodput + spike.Refusals + spike.Cut) / bare, 0.8, true));
            rows.Add(($"{name}: p99 of orders / at 80 % load", spike.P99 / run.CalmP99, 5, false));
        }

        rows.Add(($"{name}: paying, cancelling, reading that succeeded, %", spike.Protected, 99.9, true));
        rows.Add(($"{name}: seconds until it is itself again", spike.RecoveredAfter ?? double.PositiveInfinity, 5, false));
    }
}
