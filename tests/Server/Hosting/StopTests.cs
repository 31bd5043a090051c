using System.Collections.Concurrent;
using System.Net;

using FlashSale.Server.Telemetry;

using Xunit;

namespace FlashSale.Tests.Server.Hosting;

public sealed class StopTests
{
    [Fact]
    public async Task Stop_InTheMiddleOfASale_LosesNoOrderThatWasAcknowledged()
    {
        await using var server = await TestServer.StartAsync(("FlashSale__Tokens__MinimumAge", "00:00:00"));
        var sale = await ShopSale.OpenAsync(server, new ShopTerms(Stock: 100_000));
        var acknowledged = new ConcurrentBag<(Shopper Shopper, string Order)>();
        var odd = new ConcurrentBag<string>();
        var crowd = Task.WhenAll(Enumerable.Range(0, 32).Select(_ => ShopUntilItEndsAsync(sale, acknowledged, odd)));
        await Eventually.HoldsAsync(() => acknowledged.Count > 200, "the sale is running");

        var readiness = ReadinessUntilItEndsAsync(server);
        await server.StopAsync();
        await crowd;

        Assert.Contains(HttpStatusCode.ServiceUnavailable, await readiness);
        Assert.Empty(odd);
        await server.RestartAsync();
        foreach (var (shopper, order) in acknowledged)
        {
            Assert.Equal("held", (await shopper.ReadAsync(order)).Expect(HttpStatusCode.OK).Text("status"));
        }

        // Nobody lost an answer but those who were cut off: every order in the books was acknowledged, or its shopper got no answer at all.
        Assert.InRange((await sale.AssertReconciledAsync()).GetProperty("held").GetInt64(), acknowledged.Count, acknowledged.Count + 32);
    }

    private static async Task ShopUntilItEndsAsync(ShopSale sale, ConcurrentBag<(Shopper Shopper, string Order)> acknowledged, ConcurrentBag<string> odd)
    {
        try
        {
            while (true)
            {
                var shopper = sale.NewShopper();
                var answer = await shopper.SubmitAsync(await shopper.TokenAsync());
                if (answer.Status == HttpStatusCode.Created)
                {
                    acknowledged.Add((shopper, answer.Text("id")));
                }
                else if (answer.Status != HttpStatusCode.ServiceUnavailable)
                {
                    odd.Add($"{(int)answer.Status} {answer.Body}");
                }
            }
        }
        catch (HttpRequestException)
        {
            // The server is gone.
        }
    }

    /// <summary>Once it has started it has, though it does not serve any more: else it would be killed for stopping.</summary>
    [Fact]
    public async Task Startup_WhileTheServerStops_IsStillOver()
    {
        await using var server = await TestServer.StartAsync();
        using var before = await server.Anonymous().GetAsync(new Uri("/healthz/startup", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, before.StatusCode);

        var seen = ReadinessUntilItEndsAsync(server, "/healthz/startup");
        await server.StopAsync();

        Assert.Equal([HttpStatusCode.OK], await seen);
    }

    [Fact]
    public void HasStarted_BeforeTheSalesAreLoaded_IsFalseAndThenTrueForGood()
    {
        var readiness = new Readiness();
        Assert.False(readiness.HasStarted);
        Assert.NotEmpty(readiness.Reasons());

        readiness.Warm = true;
        readiness.LedgerProblem = "away";

        Assert.True(readiness.HasStarted);
        Assert.NotEmpty(readiness.Reasons());
    }

    private static async Task<HashSet<HttpStatusCode>> ReadinessUntilItEndsAsync(TestServer server, string path = "/healthz/ready")
    {
        HashSet<HttpStatusCode> seen = [];
        var client = server.Anonymous();
        try
        {
            while (true)
            {
                using var answer = await client.GetAsync(new Uri(path, UriKind.Relative));
                seen.Add(answer.StatusCode);
                await Task.Delay(20);
            }
        }
        catch (HttpRequestException)
        {
            return seen;
        }
    }
}
