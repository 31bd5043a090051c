using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;

using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Server.Http;

namespace FlashSale.Bench;

/// <summary>
/// Shoppers with a browser's cache, from the moment they open the page of a sale until the one at which they would click: page, script, me, the time twice, the state as often as it asks for, the checkout's page and
/// an order token. Bytes are those on the wire, heads included; what the application was asked is its own count.
/// </summary>
internal static partial class StorefrontCrowd
{
    private const int Shoppers = 200;
    private static readonly TimeSpan Arrive = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(20);

    public static async Task RunAsync(string through, Uri target, Uri application, BenchKeys keys, Sale sale)
    {
        var sessions = new Sessions(keys.Auth, TimeProvider.System);
        var before = await AskedAsync(application);
        var until = TimeProvider.System.GetTimestamp() + (long)(Wait.TotalSeconds * TimeProvider.System.TimestampFrequency);
        var shoppers = Enumerable.Range(0, Shoppers)
            .Select(i => new Shopper(target, sessions.Create(UserId.Parse($"{through}-{i}"), [], TimeSpan.FromHours(1)), sale, Arrive * (i / (double)Shoppers), until))
            .ToArray();
        await Task.WhenAll(shoppers.Select(shopper => shopper.WalkAsync()));
        var asked = await AskedAsync(application) - before;
        Console.WriteLine(
            $"{through}: {Shoppers} shoppers, {Wait.TotalSeconds:0} s before the click: each {shoppers.Average(shopper => shopper.Requests):0.0} requests, "
            + $"{shoppers.Average(shopper => shopper.Received):N0} bytes received, {shoppers.Average(shopper => shopper.Sent):N0} sent; the application was asked {asked / (double)Shoppers:0.00} times for each");
    }

    /// <summary>Without what the gateway and this program ask for themselves.</summary>
    private static async Task<long> AskedAsync(Uri application)
    {
        using var client = new HttpClient { BaseAddress = application };
        return (await client.GetStringAsync("/metrics")).Split('\n')
            .Where(line => line.StartsWith("flashsale_requests_total{", StringComparison.Ordinal) && !line.Contains("essential", StringComparison.Ordinal))
            .Sum(line => long.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }

    [GeneratedRegex("/assets/site\\.[0-9a-f]+\\.js", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex ScriptAddress();

    private sealed class Shopper(Uri target, string session, Sale sale, TimeSpan after, long until)
    {
        private readonly Dictionary<string, string> tags = [];
        private long received;
        private long sent;

        public int Requests { get; private set; }

        public long Received => Interlocked.Read(ref received);

        public long Sent => Interlocked.Read(ref sent);

        public async Task WalkAsync()
        {
            await Task.Delay(after);
            using var handler = new SocketsHttpHandler { UseCookies = false, AutomaticDecompression = DecompressionMethods.All, ConnectCallback = ConnectAsync, MaxConnectionsPerServer = 6 };
            using var browser = new HttpClient(handler) { BaseAddress = target };
            browser.DefaultRequestHeaders.Add("Cookie", "flashsale_session=" + session);
            browser.DefaultRequestHeaders.Add("Sec-Fetch-Site", "same-origin");
            var html = await GetAsync(browser, $"/sales/{sale.Slug}");
            await GetAsync(browser, ScriptAddress().Match(html).Value);
            await GetAsync(browser, $"/api/v1/sales/{sale.Id}/me");
            await GetAsync(browser, "/api/v1/time");
            await GetAsync(browser, "/api/v1/time");
            await PollAsync(browser);
            // The script is in the browser's cache by then, for good.
            await GetAsync(browser, $"/sales/{sale.Slug}/checkout/{sale.Offers[0].Id}");
            Requests++;
            using var token = await browser.PostAsync($"/api/v1/offers/{sale.Offers[0].Id}/order-tokens", content: null);
            token.EnsureSuccessStatusCode();
        }

        /// <summary>As often as the state says, and with jitter, as the script does.</summary>
        private async Task PollAsync(HttpClient browser)
        {
            var path = $"/api/v1/sales/{sale.Id}/state";
            var every = TimeSpan.FromSeconds(2);
            while (TimeProvider.System.GetTimestamp() < until)
            {
                if (await GetAsync(browser, path) is { Length: > 0 } state)
                {
                    using var document = JsonDocument.Parse(state);
                    every = TimeSpan.FromMilliseconds(document.RootElement.GetProperty("nextPollMs").GetInt32());
                }

                await Task.Delay(every * (0.9 + 0.2 * Random.Shared.NextDouble()));
            }
        }

        /// <returns>Empty for what the browser has.</returns>
        private async Task<string> GetAsync(HttpClient browser, string path)
        {
            Requests++;
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            if (tags.TryGetValue(path, out var tag))
            {
                request.Headers.TryAddWithoutValidation("If-None-Match", tag);
            }

            using var answer = await browser.SendAsync(request);
            if (answer.StatusCode == HttpStatusCode.NotModified)
            {
                return "";
            }

            answer.EnsureSuccessStatusCode();
            if (answer.Headers.ETag is { } fresh)
            {
                tags[path] = fresh.ToString();
            }

            return await answer.Content.ReadAsStringAsync();
        }

        private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(context.DnsEndPoint, cancellation);
            return new CountingStream(socket, this);
        }

        private sealed class CountingStream(Socket socket, Shopper shopper) : NetworkStream(socket, ownsSocket: true)
        {
            public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
            {
                var read = await base.ReadAsync(buffer, cancellationToken);
                Interlocked.Add(ref shopper.received, read);
                return read;
            }

            public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
            {
                Interlocked.Add(ref shopper.sent, buffer.Length);
                return base.WriteAsync(buffer, cancellationToken);
            }
        }
    }
}
