using System.Text;

using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Storage.Sqlite;

namespace FlashSale.Bench;

/// <summary>
/// What the crowd before the opening costs: a published page and the state of its sale from the application, against a static file of the same bytes from bare Kestrel; the same through the gateway, against nginx's own
/// static file; and what one shopper loads until the click, from whom.
/// </summary>
public static class StorefrontBench
{
    private const int Rounds = 3;
    private const int Connections = 256;
    private const double Wanted = 0.70;
    private const string Page = "/sales/bench-1";
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1);

    public static async Task<int> RunAsync(int seconds)
    {
        var length = TimeSpan.FromSeconds(seconds);
        var keys = new BenchKeys();
        var (data, files) = (BenchSale.NewDirectory(), BenchSale.NewDirectory());
        try
        {
            var (open, soon) = await SalesAsync(data);
            await using var product = await ServerProcess.StartProductAsync(keys, data, ("FlashSale__Limits__Enabled", "true"), ("FlashSale__TrustedProxies", "127.0.0.1"));
            await SetUpAsync(product, keys);
            var state = $"/api/v1/sales/{open.Id}/state";
            await KeepAsync(product.Url, Page, Path.Combine(files, "page.br"), "br");
            await KeepAsync(product.Url, state, Path.Combine(files, "state.gz"), "gzip");
            await using var bare = await ServerProcess.StartOtherAsync("serve-files", keys, (FilesServer.Folder, files));
            List<Pair> pairs =
            [
                new("published page / static file, bare Kestrel", product.Url, Page, bare.Url, "/page.br", product, bare),
                new("state / static file, bare Kestrel", product.Url, state, bare.Url, "/state.gz", product, bare),
            ];
            await using var nginx = await NginxProcess.StartAsync(product.Url, keys);
            if (nginx is not null)
            {
                File.Copy(Path.Combine(files, "page.br"), Path.Combine(nginx.Files, "page"));
                File.Copy(Path.Combine(files, "state.gz"), Path.Combine(nginx.Files, "state"));
                pairs.Add(new("through the gateway: page / nginx's static file", nginx.Url, Page, nginx.FilesUrl, "/page"));
                pairs.Add(new("through the gateway: state / nginx's static file", nginx.Url, state, nginx.FilesUrl, "/state"));
            }

            var good = Compare(pairs, length);
            await StorefrontCrowd.RunAsync("application", product.Url, product.Url, keys, soon);
            if (nginx is not null)
            {
                await StorefrontCrowd.RunAsync("gateway", nginx.Url, product.Url, keys, soon);
            }

            return good ? 0 : 1;
        }
        finally
        {
            Directory.Delete(data, recursive: true);
            Directory.Delete(files, recursive: true);
        }
    }

    private static bool Compare(List<Pair> pairs, TimeSpan length)
    {
        var ratios = pairs.ToDictionary(pair => pair, _ => new List<double>());
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var pair in pairs)
            {
                var ours = Measure(pair.Ours, pair.Path, pair.Product, length);
                var theirs = Measure(pair.Theirs, pair.File, pair.Bare, length);
                ratios[pair].Add(ours / theirs);
            }
        }

        foreach (var (pair, rounds) in ratios)
        {
            var median = rounds.Order().ElementAt(Rounds / 2);
            Console.WriteLine($"{pair.Name,-52} {median:0.00} of {string.Join(", ", rounds.Select(one => $"{one:0.00}"))}  (wanted: at least {Wanted:0.00}){(median >= Wanted ? "" : "  MISSED")}");
        }

        return ratios.Values.All(rounds => rounds.Order().ElementAt(Rounds / 2) >= Wanted);
    }

    private static double Measure(Uri server, string path, ServerProcess? process, TimeSpan length)
    {
        // As a browser asks, but for what no answer here depends on.
        var request = Encoding.ASCII.GetBytes(
            $"GET {path} HTTP/1.1\r\nHost: {server.Authority}\r\nAccept: text/html,*/*;q=0.8\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: zh-CN,zh;q=0.9\r\n"
            + $"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\nCookie: flashsale_session={new string('x', 300)}\r\n\r\n");
        PumpCrowd.Run(server, Connections, () => request, WarmUp);
        var before = process?.ProcessorTime;
        var result = PumpCrowd.Run(server, Connections, () => request, length);
        var each = process is null ? "" : $"{(process.ProcessorTime - before!.Value).TotalMicroseconds / result.Total,5:0.0} µs each";
        Console.WriteLine($"{server.Authority + path,-46} {each,13} {result}");
        // What was shed on a machine that others use is no answer.
        return result.PerSecond * result.Answers.Where(row => row.Status == 200).Sum(row => row.Count) / result.Total;
    }

    /// <summary>One that is open, and one that opens in a few minutes, for which order tokens are given out.</summary>
    private static async Task<(Sale Open, Sale Soon)> SalesAsync(string data)
    {
        await using var ledger = await SqliteLedger.OpenAsync(new SqliteLedgerOptions(BenchSale.LedgerFile(data)), TimeProvider.System, CancellationToken.None);
        var now = TimeProvider.System.GetUtcNow();
        return (
            await BenchSale.CreateAsync(ledger, 1, Limits.StockMax, requiresReservation: false, now.AddMinutes(-1)),
            await BenchSale.CreateAsync(ledger, 2, Limits.StockMax, requiresReservation: false, now.AddMinutes(4)));
    }

    /// <summary>Limits are counted, and never reached; and the pages are published.</summary>
    private static async Task SetUpAsync(ServerProcess product, BenchKeys keys)
    {
        using var admin = EdgeBench.Operator(product, keys);
        await EdgeBench.SendAsync(admin, HttpMethod.Put, "limits", $$"""{"total": {{EdgeBench.Unlimited}}, "address": {{EdgeBench.Unlimited}}, "user": {{EdgeBench.Unlimited}}, "sale": {{EdgeBench.Unlimited}}}""");
        for (var attempt = 0; (await admin.GetStringAsync("/api/v1/admin/site")).Contains("\"shown\":0", StringComparison.Ordinal); attempt++)
        {
            if (attempt > 100)
            {
                throw new InvalidOperationException("The pages were not published.");
            }

            await Task.Delay(100);
        }

        await Task.Delay(TimeSpan.FromSeconds(1));
    }

    /// <summary>What a browser would get, packed, into a file.</summary>
    private static async Task KeepAsync(Uri server, string path, string file, string coding)
    {
        using var client = new HttpClient { BaseAddress = server };
        client.DefaultRequestHeaders.Add("Accept-Encoding", coding);
        using var answer = await client.GetAsync(path);
        answer.EnsureSuccessStatusCode();
        if (!answer.Content.Headers.ContentEncoding.Contains(coding))
        {
            throw new InvalidOperationException($"{path} is not sent as {coding}.");
        }

        var body = await answer.Content.ReadAsByteArrayAsync();
        await File.WriteAllBytesAsync(file, body);
        Console.WriteLine($"{path}: {body.Length:N0} bytes as {coding}");
    }

    /// <param name="Ours">Who answers for <paramref name="Path"/>.</param>
    /// <param name="Theirs">Who has the same bytes as <paramref name="File"/>.</param>
    /// <param name="Product">Whose processor time counts for ours, and <paramref name="Bare"/> for theirs; null for nginx.</param>
    private sealed record Pair(string Name, Uri Ours, string Path, Uri Theirs, string File, ServerProcess? Product = null, ServerProcess? Bare = null);
}
