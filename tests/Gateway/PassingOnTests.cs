using System.Net;

using FlashSale.Core.Wire;
using FlashSale.Tests.Servers;

using Xunit;

namespace FlashSale.Tests.Gateway;

/// <summary>What reaches the application, which instances, how often, and what is said when none answers.</summary>
public sealed class PassingOnTests
{
    [Fact]
    public async Task Headers_ThatSayWhereARequestComesFrom_AreSetNotTrusted()
    {
        await using var rig = await GatewayRig.StartAsync();
        await rig.SendAsync(HttpMethod.Post, "/api/v1/other", null, new StringContent("{}"),
        [
            ("X-Forwarded-For", "10.9.8.7"), ("X-Forwarded-For", "10.9.8.6"), ("x-forwarded-proto", "gopher"), ("X-Forwarded-Host", "evil"), ("X-Real-IP", "10.9.8.7"),
            ("Forwarded", "for=10.9.8.7"), ("X_Forwarded_For", "10.9.8.7"), ("X-Deadline-Ms", "99999999"), ("Proxy", "evil"), ("X-Other", "kept"), ("Host", "shop.example"),
        ]);

        var arrived = Assert.Single(rig.Application.Requests);
        Assert.Equal("127.0.0.1", arrived.Header("X-Forwarded-For"));
        Assert.Equal("http", arrived.Header("X-Forwarded-Proto"));
        Assert.Equal("shop.example", arrived.Header("X-Forwarded-Host"));
        Assert.Equal("shop.example", arrived.Header("Host"));
        Assert.Null(arrived.Header("X-Real-IP"));
        Assert.Null(arrived.Header("Forwarded"));
        Assert.Null(arrived.Header("Proxy"));
        Assert.Equal("kept", arrived.Header("X-Other"));
        Assert.InRange(int.Parse(arrived.Header("X-Deadline-Ms")!), 1_500, 2_000);
        Assert.DoesNotContain("10.9.8", arrived.Head, StringComparison.Ordinal);
    }

    /// <summary>Both sides know a request by the same id; whether it is traced is not for its sender to say.</summary>
    [Theory]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "^00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00$")]
    [InlineData("00-00000000000000000000000000000000-b7ad6b7169203331-01", "^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-00$")]
    [InlineData("anything else", "^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-00$")]
    [InlineData(null, "^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-00$")]
    public async Task Traceparent_OfARequest_KeepsItsIdOrGetsOne(string? sent, string arrives)
    {
        await using var rig = await GatewayRig.StartAsync();
        await rig.GetAsync("/api/v1/other", sent is null ? [] : [("traceparent", sent)]);

        Assert.Matches(arrives, Assert.Single(rig.Application.Requests).Header("Traceparent"));
    }

    [Fact]
    public async Task Deadline_OfARequestWhoseBodyWasSlow_IsShorter()
    {
        await using var rig = await GatewayRig.StartAsync();
        using var content = new StreamContent(new SlowStream("""{"a":1}"""u8.ToArray(), TimeSpan.FromMilliseconds(500)));
        content.Headers.ContentLength = 7;

        await rig.SendAsync(HttpMethod.Post, GatewayRig.Orders, GatewayRig.Session("alice"), content, [("X-Deadline-Ms", "99999999")]);
        await rig.GetAsync("/api/v1/other", ("X-Deadline-Ms", "99999999"));

        Assert.Equal(2, rig.Application.Requests.Count);
        Assert.InRange(int.Parse(rig.Application.Requests.First().Header("X-Deadline-Ms")!), 0, 1_550);
        Assert.Null(rig.Application.Requests.Last().Header("X-Deadline-Ms"));
    }

    [Theory]
    [InlineData("GET", "/api/v1/orders", "orders")]
    [InlineData("POST", "/api/v1/orders", "orders")]
    [InlineData("POST", "/API/V1/Orders/", "orders")]
    [InlineData("GET", "/api/v1/orders/abc", "orders")]
    [InlineData("POST", "/api/v1/orders/abc/payments", "orders")]
    [InlineData("POST", "/api/v1/orders/abc/cancellation", "orders")]
    [InlineData("POST", "/api/v1/offers/1F/order-tokens", "orders")]
    [InlineData("POST", "/api/v1/sales/1/reservations", "orders")]
    [InlineData("GET", "/api/v1/sales/1/reservations/me", "orders")]
    [InlineData("POST", "/api/v1/payment-callbacks/sandbox", "orders")]
    [InlineData("GET", "/api/v1/coupons/ABCD", "orders")]
    [InlineData("GET", "/api/v1/admin/sales", "console")]
    [InlineData("PUT", "/api/v1/admin/sales/1", "console")]
    [InlineData("GET", "/console/sales", "console")]
    [InlineData("GET", "/api/v1/sales", "storefront")]
    [InlineData("POST", "/api/v1/demo/sessions", "storefront")]
    [InlineData("GET", "/sales/x?y=1", "storefront")]
    [InlineData("POST", "/sales/x/reservation", "storefront")]
    [InlineData("POST", "/en/orders/1/cancellation", "storefront")]
    [InlineData("GET", "/orders", "storefront")]
    [InlineData("GET", "/openapi/v1.json", "storefront")]
    public async Task Path_GoesToTheRoleThatHasIt(string method, string path, string role)
    {
        await using var orders = Named("orders");
        await using var console = Named("console");
        await using var rig = await GatewayRig.StartAsync(site: site => site with { Orders = [orders.Port], Console = [console.Port] });
        rig.Application.Always(new StubAnswer(Body: "storefront"));

        var reply = await rig.SendAsync(new HttpMethod(method), path, null, method == "GET" ? null : new StringContent("{}"));

        Assert.Equal(role, reply.Body);
    }

    [Theory]
    [InlineData("/edge/state")]
    [InlineData("/edge/")]
    [InlineData("/Edge/State")]
    [InlineData("/%65dge/state")]
    [InlineData("/api/../edge/state")]
    [InlineData("//edge/state")]
    [InlineData("/edge%2Fstate")]
    [InlineData("/healthz/other")]
    [InlineData("/-/failed")]
    [InlineData("/-/plain/edge/state")]
    [InlineData("/-/problem/sold-out/200")]
    public async Task Path_ThatIsNobodysBusiness_IsNotFound(string path)
    {
        await using var rig = await GatewayRig.StartAsync();

        var answer = await rig.TalkAsync($"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 404 ", answer, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"not-found\"", answer, StringComparison.Ordinal);
        Assert.Empty(rig.Application.Requests);
    }

    // ---- retries ----

    [Theory]
    [InlineData("GET", "/api/v1/orders/abc", true)]
    [InlineData("GET", "/orders", true)]
    [InlineData("GET", "/api/v1/admin/sales", true)]
    [InlineData("POST", "/api/v1/orders", false)]
    [InlineData("POST", "/api/v1/orders/abc/payments", true)]
    [InlineData("POST", "/api/v1/orders/abc/cancellation", true)]
    [InlineData("POST", "/api/v1/sales/1/reservations", true)]
    [InlineData("POST", "/api/v1/payment-callbacks/sandbox", true)]
    [InlineData("POST", "/api/v1/coupons/ABCD/redemption", false)]
    [InlineData("POST", "/api/v1/admin/sales/1/pause", false)]
    [InlineData("PUT", "/api/v1/admin/sales/1", false)]
    [InlineData("DELETE", "/api/v1/admin/blacklist/alice", false)]
    [InlineData("POST", "/sign-in", false)]
    public async Task Request_WhenTheInstanceDiesWithIt_IsSentAgainOnlyWhereThatIsSafe(string method, string path, bool again)
    {
        // Both die with what they get: so it is seen how often a request is sent at all.
        await using var other = new StubApplication { AnswerAsync = _ => Task.FromResult<StubAnswer?>(null) };
        await using var rig = await GatewayRig.StartAsync(site: site =>
        {
            int[] both = [site.State[0], other.Port];
            return site with { Orders = both, Console = both, Storefront = both };
        });
        rig.Application.AnswerAsync = other.AnswerAsync;
        other.Requests.Clear();

        var reply = await rig.SendAsync(new HttpMethod(method), path, null, method == "GET" ? null : new StringContent("{}"));

        Assert.Equal(again ? 2 : 1, rig.Application.Requests.Count + other.Requests.Count);
        reply.ExpectProblem(method == "GET" ? ProblemCode.Overloaded : ProblemCode.OutcomeUnknown);
    }

    [Fact]
    public async Task Request_WhenOneOfTwoInstancesIsGone_IsAnsweredByTheOther()
    {
        await using var rig = await GatewayRig.StartAsync(site: site =>
        {
            int[] both = [LocalProcess.FreePort(), site.State[0]];
            return site with { Orders = both, Console = both, Storefront = both };
        });

        for (var i = 0; i < 20; i++)
        {
            // Nothing of it was sent to the one that is gone.
            Assert.True((await rig.PostAsync("/api/v1/admin/sales/1/pause", null, "{}")).WasPassedOn);
            Assert.True((await rig.GetAsync("/orders")).WasPassedOn);
        }
    }

    // ---- nobody answers ----

    [Theory]
    [InlineData("POST", "/api/v1/orders")]
    [InlineData("POST", "/api/v1/admin/sales/1/pause")]
    [InlineData("GET", "/api/v1/orders/abc")]
    [InlineData("GET", "/api/v1/sales")]
    public async Task Request_WhenNoInstanceIsThere_LeftNothing(string method, string path)
    {
        var nobody = LocalProcess.FreePort();
        await using var rig = await GatewayRig.StartAsync(site: site => site with { Orders = [nobody], Console = [nobody], Storefront = [nobody] });

        var reply = await rig.SendAsync(new HttpMethod(method), path, GatewayRig.Session("alice"), method == "GET" ? null : new StringContent("{}"));

        reply.ExpectProblem(ProblemCode.Overloaded);
    }

    [Fact]
    public async Task Order_WhenTheInstanceIsFrozen_HasAnUnknownOutcome()
    {
        await using var rig = await GatewayRig.StartAsync();
        rig.Application.AnswerAsync = async _ =>
        {
            await Task.Delay(TimeSpan.FromSeconds(20));
            return null;
        };

        using var stalls = new Stalls();
        var since = TimeProvider.System.GetTimestamp();
        (await rig.OrderAsync("alice", rig.Token("alice"))).ExpectProblem(ProblemCode.OutcomeUnknown);

        var took = TimeProvider.System.GetElapsedTime(since);
        // The watcher may need a moment to write down what has just ended.
        await Task.Delay(100);
        Assert.True(took < TimeSpan.FromSeconds(12) + stalls.LostSince(since), $"It took {took}");
        rig.Application.AnswerAsync = _ => Task.FromResult<StubAnswer?>(null);
    }

    [Theory]
    [InlineData("/orders", "zh-CN")]
    [InlineData("/", "zh-CN")]
    [InlineData("/en/orders", "en")]
    public async Task Page_WhenNoInstanceIsThere_IsTheBusyPage(string path, string language)
    {
        var nobody = LocalProcess.FreePort();
        await using var rig = await GatewayRig.StartAsync(site: site => site with { Storefront = [nobody] });

        var reply = await rig.GetAsync(path, ("Accept", "text/html,*/*;q=0.8"));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, reply.Status);
        Assert.Equal("text/html", reply.Reply.MediaType);
        Assert.Contains($"<html lang=\"{language}\">", reply.Body, StringComparison.Ordinal);
        Assert.InRange(int.Parse(reply.Headers["Refresh"]), 3, 8);
        Assert.Contains($"data-seconds=\"{reply.Headers["Refresh"]}\"", reply.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answer_OfTheApplication_IsNotTouched()
    {
        await using var rig = await GatewayRig.StartAsync();
        rig.Application.Always(new StubAnswer(503, """{"code":"ledger-unavailable"}""", "Content-Type: application/problem+json\r\nRetry-After: 7\r\nSet-Cookie: a=b\r\n"));

        var reply = await rig.OrderAsync("alice", rig.Token("alice"));

        Assert.Equal((HttpStatusCode.ServiceUnavailable, """{"code":"ledger-unavailable"}""", "7"), (reply.Status, reply.Body, reply.Reply.RetryAfter));
        Assert.Equal("a=b", reply.Headers["Set-Cookie"]);
        Assert.Single(rig.Application.Requests);
    }

    [Fact]
    public async Task Requests_WhateverBecomesOfThem_AddUp()
    {
        await using var rig = await GatewayRig.StartAsync(state => (state.SoldOut, state.User) = (true, EdgeState.Once(3)));
        const string Time = """flashsale_gateway_outcomes_total{class="time",outcome="answered"}""";
        var timesBefore = await rig.MetricAsync(Time);
        var (sent, arrived) = (0, 0);
        async Task<GatewayReply> OrderAsync(string user, string token)
        {
            var reply = await rig.OrderAsync(user, token);
            (sent, arrived) = (sent + 1, arrived + (reply.WasPassedOn ? 1 : 0));
            return reply;
        }

        for (var i = 0; i < 8; i++)
        {
            await rig.DecidedAsync(() => OrderAsync("alice", rig.Token("alice")));
            await rig.DecidedAsync(() => OrderAsync($"user-{i}", i % 2 == 0 ? "nonsense" : rig.Token($"user-{i}")));
            await rig.PostAsync(GatewayRig.Orders, null, "{}");
            await rig.GetAsync("/api/v1/time");
            await rig.GetAsync("/api/v1/sales/1/state");
        }

        // Those without a session, and what had to be asked again.
        var (orders, passed) = (sent + 8, arrived + 8);
        await rig.MetricIsAsync("""flashsale_gateway_requests_total{class="order"}""", orders);
        await rig.MetricIsAsync("""flashsale_gateway_decisions_total{layer="gateway",outcome="passed",reason="",sale=""}""", passed);
        var refusals = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var (reason, sale) in new[] { ("user-rate", ""), ("token", ""), ("sold-out", "31") })
        {
            refusals[reason] = await rig.MetricAsync($$"""flashsale_gateway_decisions_total{layer="gateway",outcome="refused",reason="{{reason}}",sale="{{sale}}"}""");
            await rig.MetricIsAsync($$"""flashsale_gateway_refusals_total{class="order",reason="{{reason}}"}""", refusals[reason]);
        }

        Assert.Equal(8, rig.Application.Requests.Count(request => request.Line.StartsWith("POST ", StringComparison.Ordinal)));
        Assert.Equal(orders, passed + refusals.Values.Sum());
        Assert.True(refusals.Values.All(count => count >= 4), string.Join(", ", refusals));
        await rig.MetricIsAsync(Time, timesBefore + 8);
        await rig.MetricIsAsync("""flashsale_gateway_outcomes_total{class="document",outcome="answered"}""", 8);
    }

    private static StubApplication Named(string name)
    {
        var stub = new StubApplication();
        stub.Always(new StubAnswer(Body: name));
        return stub;
    }

    /// <summary>Gives a byte, waits, then gives the rest.</summary>
    private sealed class SlowStream(byte[] bytes, TimeSpan pause) : MemoryStream(bytes)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (Position > 0)
            {
                await Task.Delay(pause, cancellationToken);
                return await base.ReadAsync(buffer, cancellationToken);
            }

            return await base.ReadAsync(buffer[..1], cancellationToken);
        }

        public override async Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken)
        {
            var buffer = new byte[bufferSize];
            for (int read; (read = await ReadAsync(buffer, cancellationToken)) > 0;)
            {
                await destination.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                await destination.FlushAsync(cancellationToken);
            }
        }
    }
}
