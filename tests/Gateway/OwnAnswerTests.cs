using System.Diagnostics;
using System.Net;

using FlashSale.Core.Wire;
using FlashSale.Tests.Server;
using FlashSale.Tests.Server.Telemetry;
using FlashSale.Tests.Servers;

using Xunit;

namespace FlashSale.Tests.Gateway;

/// <summary>What the gateway answers by itself, and how it starts.</summary>
public sealed class OwnAnswerTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(7_200_123)]
    [InlineData(-40_000)]
    public async Task Time_IsTheApplicationsClock(int aheadMs)
    {
        await using var rig = await GatewayRig.StartAsync(state => state.ClockIsAhead = TimeSpan.FromMilliseconds(aheadMs));

        var before = rig.State.Now;
        var reply = (await rig.GetAsync("/api/v1/time")).Expect(HttpStatusCode.OK);
        var after = rig.State.Now;

        var epochMs = reply.Reply.Json.GetProperty("epochMs").GetInt64();
        Assert.InRange(epochMs, before.ToUnixTimeMilliseconds() - 100, after.ToUnixTimeMilliseconds() + 100);
        Assert.Equal(DateTimeOffset.FromUnixTimeMilliseconds(epochMs).UtcDateTime.ToString(UtcTimeConverter.Format), reply.Reply.Text("serverTime"));
        Assert.Equal(("application/json", "no-store"), (reply.Headers["Content-Type"], reply.Headers["Cache-Control"]));
        Assert.Empty(rig.Application.Requests);
    }

    [Fact]
    public async Task Time_WhenTheApplicationStops_GoesOn()
    {
        await using var rig = await GatewayRig.StartAsync(state => state.ClockIsAhead = TimeSpan.FromHours(1));
        rig.Application.State = null;
        await Task.Delay(700);

        var epochMs = (await rig.GetAsync("/api/v1/time")).Expect(HttpStatusCode.OK).Reply.Json.GetProperty("epochMs").GetInt64();

        Assert.InRange(epochMs, rig.State.Now.AddSeconds(-1).ToUnixTimeMilliseconds(), rig.State.Now.AddSeconds(1).ToUnixTimeMilliseconds());
    }

    [Fact]
    public async Task Time_AskedForInAnotherWay_IsTheApplicationsToAnswer()
    {
        await using var rig = await GatewayRig.StartAsync();
        Assert.True((await rig.PostAsync("/api/v1/time", null, "{}")).WasPassedOn);
    }

    [Fact]
    public async Task Metrics_WhenPrometheusReadsThem_AreRightAndStandInTheDocuments()
    {
        await using var rig = await GatewayRig.StartAsync(state => state.Address = (1, 1));
        await Eventually.HoldsAsync(
            async () =>
            {
                await rig.OrderAsync("anna", rig.Token("anna"));
                await rig.OrderAsync("anna", rig.Token("anna"));
                return await rig.MetricAsync("""flashsale_gateway_refusals_total{class="order",reason="address-rate"}""") > 0;
            },
            "the second is refused, as soon as it comes within a second of the first");
        var scrape = new Scrape((await rig.GetAsync("/gateway/metrics")).Expect(HttpStatusCode.OK).Body);

        Assert.Equal("", await scrape.CheckAsync());
        Assert.Contains(scrape.Lines, line => line.StartsWith("flashsale_gateway_decisions_total{", StringComparison.Ordinal));
        var named = scrape.Lines.Where(line => line.StartsWith("# TYPE ", StringComparison.Ordinal)).Select(line => line.Split(' ')[2]).ToArray();
        Assert.Equal(8, named.Length);
        Assert.All(named, name => Assert.Contains($"| `{name}` | ", Repository.Read("docs/metrics.md"), StringComparison.Ordinal));
    }

    [Fact]
    public async Task BusyPage_WhenAPageIsRefused_RetriesAfterATimeDrawnForEach()
    {
        await using var rig = await GatewayRig.StartAsync(state => state.Address = EdgeState.Once(1));
        await rig.GetAsync("/orders");
        HashSet<string> drawn = [];
        for (var i = 0; i < 60; i++)
        {
            var reply = await rig.GetAsync("/orders", ("Accept", "text/html,application/xhtml+xml"));
            Assert.Equal((HttpStatusCode.TooManyRequests, "text/html"), (reply.Status, reply.Reply.MediaType));
            Assert.Equal(["\"address\";q=1;w=50", "no-store"], [reply.Headers["RateLimit-Policy"], reply.Headers["Cache-Control"]]);
            Assert.DoesNotContain("script-src", reply.Headers["Content-Security-Policy"], StringComparison.Ordinal);
            drawn.Add(reply.Headers["Refresh"]);
        }

        Assert.Equal(["3", "4", "5", "6", "7", "8"], drawn.Order());

        // A form is for its sender to send again, and an API call never gets a page.
        var form = await rig.SendAsync(HttpMethod.Post, "/en/sales/x/reservation", null, new StringContent(""), [("Accept", "text/html")]);
        Assert.False(form.Headers.ContainsKey("Refresh"));
        Assert.Contains("<html lang=\"en\">", form.Body, StringComparison.Ordinal);
        Assert.Contains("data-seconds=\"0\"", form.Body, StringComparison.Ordinal);
        (await rig.GetAsync("/api/v1/other", ("Accept", "text/html"))).ExpectProblem(ProblemCode.RateLimited);
    }

    [Theory]
    [InlineData("busy.html")]
    [InlineData("busy.en.html")]
    public void BusyPage_StandsByItself(string name)
    {
        var page = Repository.Read("deploy/nginx/html/" + name);
        Assert.InRange(page.Length, 500, 4_096);
        Assert.DoesNotMatch("(?i)(src=|url\\(|@import|http:|https:)", page);
        Assert.Contains("<meta name=\"viewport\"", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        Assert.Single(System.Text.RegularExpressions.Regex.Matches(page, "\\{n\\}"));
    }

    [Fact]
    public async Task Health_IsThatOfTheGatewayItself()
    {
        var instance = new StubApplication();
        await using var rig = await GatewayRig.StartAsync(site: site =>
        {
            instance.State = new EdgeState().Write;
            return site with { State = [instance.Port] };
        });
        (await rig.GetAsync("/healthz/live")).Expect(HttpStatusCode.OK);
        (await rig.GetAsync("/healthz/ready")).Expect(HttpStatusCode.OK);

        await instance.DisposeAsync();

        await Eventually.HoldsAsync(async () => (await rig.GetAsync("/healthz/ready")).Status == HttpStatusCode.ServiceUnavailable, "it is not ready");
        (await rig.GetAsync("/healthz/live")).Expect(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Nginx_WhenItChecksTheConfigurationAsItComes_FindsNothingWrong()
    {
        using var folder = new TemporaryFolder();
        var start = new ProcessStartInfo("nginx", ["-t", "-p", folder.Path, "-c", Path.Combine(Repository.Root, "deploy", "nginx", "nginx.conf")]) { RedirectStandardError = true, UseShellExecute = false };
        using var check = Process.Start(start)!;
        var said = await check.StandardError.ReadToEndAsync();
        await check.WaitForExitAsync();

        Assert.Equal(0, check.ExitCode);
        // Nothing but "syntax is ok" and "test is successful".
        Assert.Equal(2, said.Trim().Split('\n').Length);
        Assert.DoesNotContain("warn", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("short", "session_key must be 32 bytes")]
    [InlineData("file:/nowhere/auth.key", "cannot be read")]
    public async Task Nginx_WhenAKeyIsWrong_DoesNotStart(string key, string why)
    {
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => Nginx.StartAsync(NginxSite.Of(1) with { SessionKey = key }));
        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reload_KeepsServing()
    {
        await using var rig = await GatewayRig.StartAsync(state => state.SoldOut = true);
        rig.Nginx.Reload();
        for (var i = 0; i < 50; i++)
        {
            using var client = rig.Client();
            (await rig.SendAsync(HttpMethod.Get, "/api/v1/time", null, client: client)).Expect(HttpStatusCode.OK);
            await Task.Delay(10);
        }

        await rig.KnowsStateAsync();
        using var fresh = rig.Client();
        StringContent Order() => new($$"""{"token":"{{rig.Token("alice")}}"}""", System.Text.Encoding.UTF8, "application/json");
        await rig.RefusedAsync(() => rig.SendAsync(HttpMethod.Post, GatewayRig.Orders, GatewayRig.Session("alice"), Order(), client: fresh), ProblemCode.SoldOut);
    }
}
