using System.Net;
using System.Net.Sockets;
using System.Text;

using FlashSale.Core;

using FlashSale.Tools;
using FlashSale.Tools.Overload;

using Spectre.Console;

using Xunit;

namespace FlashSale.Tests.Server.Edge;

/// <summary>More than the server can take: what it lets go of first, what it never does, and that it is itself again afterwards.</summary>
[Collection(PeakCollection.Name)]
public sealed class OverloadTests
{
    private const int InFlight = 100;

    /// <summary>Each kind is shed at a level of its own. The load is held still by callbacks whose bodies do not end: they are never refused, and answered by nobody.</summary>
    [Fact]
    public async Task Load_AsItRises_ShedsPagesThenDocumentsThenTokensThenOrders_AndNeverPayingCancellingOrReading()
    {
        await using var server = await TestServer.StartAsync(("FlashSale__Tokens__MinimumAge", "00:00:00"));
        var sale = await ShopSale.OpenAsync(server, new ShopTerms(Stock: 1_000, Limit: 10));
        (await sale.AdminAsync(HttpMethod.Put, "limits", new { shedding = new { inFlightMin = InFlight, inFlightMax = InFlight } })).Expect(HttpStatusCode.OK);
        var shopper = sale.NewShopper();
        using var load = new HeldLoad(server);

        // Half of what may be under way is for pages, 65 % for documents, 80 % for tokens, all for orders.
        await AssertShedAsync(sale, shopper, load, 40, []);
        await AssertShedAsync(sale, shopper, load, 57, ["page"]);
        await AssertShedAsync(sale, shopper, load, 72, ["page", "document"]);
        await AssertShedAsync(sale, shopper, load, 90, ["page", "document", "token"]);
        await AssertShedAsync(sale, shopper, load, 110, ["page", "document", "token", "order"]);
        await load.ReleaseAsync();
        await AssertShedAsync(sale, shopper, load, 0, []);
        await sale.AssertReconciledAsync();
    }

    [Fact]
    public async Task Load_ThreeTimesThePeak_LosesNothingAndServesThoseWhoPayCancelAndRead()
    {
        await using var server = await TestServer.StartAsync();
        var settings = new OverloadSettings
        {
            Target = server.Address,
            AuthKey = Convert.FromBase64String(server.AuthKey),
            Factors = [3],
            Length = TimeSpan.FromSeconds(2),
            Naive = true,
            Seed = 11,
            Connections = 512,
            Users = 5_000,
            PeakConnections = 128,
            WarmUpOrders = 2_000,
            MeasureLength = TimeSpan.FromSeconds(0.5),
            RecoveryLength = TimeSpan.FromSeconds(1),
        };
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(TextWriter.Null) });
        var (spike, served) = (default(SpikeOutcome)!, false);
        for (var attempt = 1; !served && attempt <= 3; attempt++)
        {
            using var stalls = new Stalls();
            using var run = new OverloadRun(settings, console, TimeProvider.System);
            var outcome = await run.MeasureAsync(CancellationToken.None);
            Assert.True(outcome.Report.ExitCode == ExitCodes.Holds, outcome.Report.Verdict);
            spike = outcome.Spikes.Single();
            served = spike.Probes.Where(probe => probe.IsProtected).All(probe => probe.Tally.Offered == probe.Tally.Succeeded);
            // Not even those are served while the machine stands still, and then another spike must tell.
            Assert.True(served || stalls.Longest > TimeSpan.FromSeconds(0.7), string.Join(", ", spike.Probes.Select(probe => $"{probe.Name}: {probe.Tally.Succeeded} of {probe.Tally.Offered}")));
        }

        Assert.True(served);
        Assert.True(spike.Orders.Succeeded > 0);
        Assert.Equal(spike.Orders.Sent, spike.Orders.Answers.Sum(row => row.Count));
        // Whoever was answered was answered properly; a commit that hung for too long has an outcome that nobody knows yet, and the same order again settles it.
        Assert.All(spike.Orders.Answers, row => Assert.Contains((row.Status, row.Code), new[] { (201, ""), (200, ""), (503, "overloaded"), (503, "outcome-unknown") }));
        // And afterwards everybody is served.
        var sale = await ShopSale.OpenAsync(server, new ShopTerms(Stock: 100));
        var shoppers = Enumerable.Range(0, 50).Select(_ => sale.NewShopper()).ToArray();
        var tokens = await Task.WhenAll(shoppers.Select(shopper => shopper.TokenAsync()));
        await Task.Delay(TimeSpan.FromMilliseconds(1_100));
        var orders = await Task.WhenAll(shoppers.Zip(tokens, (shopper, token) => shopper.SubmitAsync(token)));
        Assert.All(orders, order => order.Expect(HttpStatusCode.Created));
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => sale.SendAsync(HttpMethod.Get, "/", session: null))), page => page.Expect(HttpStatusCode.OK));
    }

    private static async Task AssertShedAsync(ShopSale sale, Shopper shopper, HeldLoad load, int level, string[] shed)
    {
        // What is needed must be had before the load is there.
        await load.ReleaseAsync();
        var paying = (await shopper.OrderAsync()).Text("id");
        var cancelling = (await shopper.OrderAsync()).Text("id");
        var token = await shopper.TokenAsync();
        await load.RiseAsync(level);

        var replies = new Dictionary<string, Reply>
        {
            ["page"] = await PageAsync(sale.Server),
            ["document"] = await sale.SendAsync(HttpMethod.Get, $"/api/v1/sales/{sale.Id}", session: null),
            ["token"] = await sale.NewShopper().AskTokenAsync(),
            ["order"] = await shopper.SubmitAsync(token),
        };
        (await shopper.StartPaymentAsync(paying)).Expect(HttpStatusCode.Created);
        (await shopper.CancelAsync(cancelling)).Expect(HttpStatusCode.OK);
        (await shopper.CancelAsync(paying)).Expect(HttpStatusCode.OK);
        (await shopper.ReadAsync(paying)).Expect(HttpStatusCode.OK);
        // A published page is sent in less time than it would take to say that there is none.
        (await sale.SendAsync(HttpMethod.Get, "/", session: null)).Expect(HttpStatusCode.OK);
        await load.AssertHeldAsync();

        Assert.Equal(shed, replies.Where(reply => reply.Value.Status == HttpStatusCode.ServiceUnavailable).Select(reply => reply.Key));
        foreach (var (kind, reply) in replies.Where(reply => (int)reply.Value.Status >= 400))
        {
            if (kind == "page")
            {
                // A person sees the busy page, which comes back by itself.
                Assert.Equal("text/html", reply.MediaType);
                Assert.NotNull(reply.RetryAfter);
                await AssertBusyPageAsync(sale.Server);
            }
            else
            {
                reply.ExpectProblem(HttpStatusCode.ServiceUnavailable, "overloaded");
            }
        }

        // The next level finds the shopper without live orders.
        if (replies["order"].Status == HttpStatusCode.Created)
        {
            (await shopper.CancelAsync(replies["order"].Text("id"))).Expect(HttpStatusCode.OK);
        }
    }

    /// <summary>After a time that is drawn for each. What a form brought is not sent again, and the page does not say that it would be.</summary>
    private static async Task AssertBusyPageAsync(TestServer server)
    {
        using var client = server.Anonymous();
        HashSet<string> drawn = [];
        for (var i = 0; i < 60; i++)
        {
            using var page = await SendAsync(HttpMethod.Get, "/orders");
            drawn.Add(page.Headers.GetValues("Refresh").Single());
            Assert.Contains("自动重试", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        Assert.Equal(["3", "4", "5", "6", "7", "8"], drawn.Order(StringComparer.Ordinal));
        using var form = await SendAsync(HttpMethod.Post, "/sign-in");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, form.StatusCode);
        Assert.False(form.Headers.Contains("Refresh"));
        Assert.DoesNotContain("自动重试", await form.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path)
        {
            using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
            request.Headers.TryAddWithoutValidation("Accept", "text/html");
            return await client.SendAsync(request);
        }
    }

    private static async Task<Reply> PageAsync(TestServer server)
    {
        using var client = server.Anonymous();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/now", UriKind.Relative));
        request.Headers.TryAddWithoutValidation("Accept", "text/html");
        using var response = await client.SendAsync(request);
        return await Reply.ReadAsync(response);
    }

    /// <summary>Requests that are under way for as long as the test wants.</summary>
    private sealed class HeldLoad(TestServer server) : IDisposable
    {
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
        private readonly List<Socket> held = [];
        private readonly string session = server.CreateSession("olga", "operator");

        public async Task RiseAsync(int level)
        {
            while (held.Count < level)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                held.Add(socket);
                await socket.ConnectAsync(IPAddress.Loopback, server.Address.Port);
                // An operator's, whose body is longer than what is awaited before a request takes its place.
                await socket.SendAsync(Encoding.ASCII.GetBytes(
                    $"POST /api/v1/admin/sales HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {session}\r\nContent-Type: application/json\r\nContent-Length: {4 * Limits.BodyBytesAwaited}\r\n\r\n"
                    + new string(' ', Limits.BodyBytesAwaited + 1)));
            }

            await WaitAsync(inFlight => inFlight >= level);
        }

        public async Task ReleaseAsync()
        {
            held.ForEach(socket => socket.Dispose());
            held.Clear();
            await WaitAsync(inFlight => inFlight <= 1);
        }

        /// <summary>None was cut off for being slow while the answers were taken.</summary>
        public async Task AssertHeldAsync() => await WaitAsync(inFlight => inFlight >= held.Count);

        public void Dispose() => held.ForEach(socket => socket.Dispose());

        private async Task WaitAsync(Func<int, bool> reached)
        {
            using var client = server.Operator();
            var since = TimeProvider.System.GetTimestamp();
            while (true)
            {
                var load = System.Text.Json.JsonElement.Parse(await client.GetStringAsync(new Uri("/api/v1/admin/load", UriKind.Relative)));
                var inFlight = load.GetProperty("inFlight").GetInt32();
                if (reached(inFlight))
                {
                    return;
                }

                Assert.True(TimeProvider.System.GetElapsedTime(since) < Patience, $"{inFlight} are under way, and {held.Count} are held");
                await Task.Delay(10);
            }
        }
    }
}
