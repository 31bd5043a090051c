using System.Net;

using FlashSale.Core.Wire;
using FlashSale.Tests.Server;

using Xunit;

namespace FlashSale.Tests.Gateway;

/// <summary>What is kept for others, for how long, and what never is.</summary>
public sealed class DocumentTests
{
    private const string Sale = "/api/v1/sales/1";
    private const string State = "/api/v1/sales/1/state";
    private const string Public = "Content-Type: application/json\r\nCache-Control: public, max-age=1, stale-while-revalidate=2\r\nVary: Accept-Encoding\r\nETag: W/\"abc\"\r\n";
    private const string Page = "Content-Type: text/html; charset=utf-8\r\nCache-Control: public, max-age=10, stale-while-revalidate=60\r\nContent-Security-Policy: default-src 'none'\r\n";
    private const string Asset = "Content-Type: text/javascript\r\nCache-Control: public, max-age=31536000, immutable\r\n";
    private const string Live = "Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n";
    private static readonly TimeSpan Half = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly (string, string) Browser = ("Accept", "text/html");

    [Theory]
    [InlineData("/api/v1/sales", Public)]
    [InlineData(Sale, Public)]
    [InlineData(State, Public)]
    [InlineData("/", Page)]
    [InlineData("/en/sales/byd-han", Page)]
    [InlineData("/sales/byd-han/checkout/1aB", Page)]
    [InlineData("/assets/site.0123456789ab.js", Asset)]
    [InlineData("/icon.svg", Asset)]
    public async Task Document_WhenManyAskAtOnce_IsFetchedOnce(string path, string headers)
    {
        // They wait for two seconds at most (documents.lua), and a busy machine stands still for longer at times: then all is asked once more.
        for (var attempt = 1; ; attempt++)
        {
            await using var rig = await GatewayRig.StartAsync(state => state.LimitsEnabled = false);
            rig.Application.AnswerAsync = async _ =>
            {
                await Task.Delay(100);
                return new StubAnswer(200, "the document", headers);
            };

            var since = TimeProvider.System.GetTimestamp();
            var replies = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => rig.GetAsync(path)));
            if (attempt < 5 && TimeProvider.System.GetElapsedTime(since) >= 2 * Second && replies.Any(reply => reply.Status == HttpStatusCode.ServiceUnavailable))
            {
                continue;
            }

            Assert.All(replies, reply => Assert.Equal("the document", reply.Expect(HttpStatusCode.OK).Body));
            // Once for as long as it is kept (documents.lua), however long it took them all to ask.
            AssertFetched(rig, 1, since, headers == Asset ? TimeSpan.MaxValue : headers == Page || path == State ? Half : Second);
            Assert.All(replies, reply => Assert.Contains($"Cache-Control: {reply.Headers["Cache-Control"]}\r\n", headers, StringComparison.Ordinal));
            Assert.Equal(headers == Page, replies[0].Headers.ContainsKey("Content-Security-Policy"));
            return;
        }
    }

    [Fact]
    public async Task Document_WhenItsTimeIsOver_IsFetchedAgain()
    {
        await using var rig = await GatewayRig.StartAsync();
        rig.Application.AnswerAsync = _ => Task.FromResult<StubAnswer?>(new StubAnswer(200, $"{rig.Application.Requests.Count}", Public));

        for (var attempt = 1; ; attempt++)
        {
            rig.Application.Requests.Clear();
            var since = TimeProvider.System.GetTimestamp();
            var (first, second) = ((await rig.GetAsync(Sale)).Body, (await rig.GetAsync(Sale)).Body);
            // When its time was over before it was asked for again, that proves nothing.
            var proves = attempt == 5 || TimeProvider.System.GetElapsedTime(since) < 0.95 * Second;
            await Task.Delay(1_050);
            var third = (await rig.GetAsync(Sale)).Body;
            if (proves)
            {
                Assert.Equal(("1", "1", "2"), (first, second, third));
                return;
            }

            await Task.Delay(1_050);
        }
    }

    [Fact]
    public async Task Document_WhenItIsAskedForWithItsTag_IsNotSentAgain()
    {
        await using var rig = await GatewayRig.StartAsync();
        rig.Application.Always(new StubAnswer(200, "the document", Public));
        var since = TimeProvider.System.GetTimestamp();
        async Task<HttpStatusCode> AskAsync(string tags) => (await rig.GetAsync(Sale, ("If-None-Match", tags))).Status;

        Assert.Equal(HttpStatusCode.NotModified, await AskAsync("W/\"abc\""));
        Assert.Equal(HttpStatusCode.NotModified, await AskAsync("\"xyz\", \"abc\""));
        Assert.Equal(HttpStatusCode.NotModified, await AskAsync("*"));
        Assert.Equal(HttpStatusCode.OK, await AskAsync("\"ab\""));
        var reply = await rig.GetAsync(Sale, ("If-None-Match", "W/\"abc\""));
        Assert.Equal(("W/\"abc\"", ""), (reply.Headers["ETag"], reply.Body));
        AssertFetched(rig, 1, since, Second);
        Assert.All(rig.Application.Requests, request => Assert.Null(request.Header("If-None-Match")));
    }

    [Fact]
    public async Task Document_ForThoseWhoTakeGzip_IsKeptApart()
    {
        await using var rig = await GatewayRig.StartAsync();
        rig.Application.AnswerAsync = request => Task.FromResult<StubAnswer?>(
            request.Header("Accept-Encoding") is null ? new StubAnswer(200, "plain", Public) : new StubAnswer(200, "small", Public + "Content-Encoding: gzip\r\n"));
        var since = TimeProvider.System.GetTimestamp();
        async Task<string> AskAsync(string encodings) => (await rig.GetAsync(Sale, ("Accept-Encoding", encodings))).Body;

        Assert.Equal("small", await AskAsync("br, GZIP"));
        Assert.Equal("plain", await AskAsync("br"));
        Assert.Equal("plain", await AskAsync("gzip;q=0"));
        Assert.Equal("small", await AskAsync("gzip"));
        Assert.Equal(["gzip", null], rig.Application.Requests.Select(request => request.Header("Accept-Encoding")).Distinct());
        AssertFetched(rig, 2, since, Second / 2);
    }

    [Fact]
    public async Task Document_IsFetchedWithoutAnythingPersonal()
    {
        await using var rig = await GatewayRig.StartAsync();
        rig.Application.Always(new StubAnswer(200, "the document", Public));

        await rig.SendAsync(HttpMethod.Get, Sale + "?cache=" + "buster", GatewayRig.Session("alice"), headers: [("Cookie", "flashsale_session=x"), ("Range", "bytes=0-1"), ("X-Other", "x")]);

        var arrived = Assert.Single(rig.Application.Requests);
        Assert.Equal($"GET {Sale} HTTP/1.1", arrived.Line);
        Assert.All(new[] { "Authorization", "Cookie", "Range", "X-Other" }, name => Assert.Null(arrived.Header(name)));
        Assert.Equal("127.0.0.1", arrived.Header("X-Forwarded-For"));
    }

    /// <summary>The pages are the same for everybody, signed in or not, whatever an advertisement puts behind their address.</summary>
    [Fact]
    public async Task Page_OfSomebodyWhoIsSignedIn_IsThatOfEverybody()
    {
        await using var rig = await GatewayRig.StartAsync();
        rig.Application.AnswerAsync = request => Task.FromResult<StubAnswer?>(new StubAnswer(200, $"for {request.Header("Cookie") ?? "everybody"}", Page));

        var since = TimeProvider.System.GetTimestamp();
        var replies = new[]
        {
            await rig.GetAsync("/sales/x", Browser, ("Cookie", "flashsale_session=alice")),
            await rig.GetAsync("/sales/x?utm_source=y", Browser, ("Cookie", "flashsale_session=bob")),
            await rig.SendAsync(HttpMethod.Get, "/sales/x", GatewayRig.Session("carol")),
        };

        Assert.All(replies, reply => Assert.Equal("for everybody", reply.Expect(HttpStatusCode.OK).Body));
        AssertFetched(rig, 1, since, Half);
        Assert.All(rig.Application.Requests, request => Assert.Equal("GET /sales/x HTTP/1.1", request.Line));
    }

    /// <summary>What is made for one shopper passes, with its cookie and query, and so does what is sent to the same addresses.</summary>
    [Fact]
    public async Task LivePage_IsTheApplicationsEachTime()
    {
        await using var rig = await GatewayRig.StartAsync();
        rig.Application.AnswerAsync = request => Task.FromResult<StubAnswer?>(new StubAnswer(200, $"for {request.Header("Cookie")}", Live));

        foreach (var path in new[] { "/now", "/en/now", "/sales/x/now", "/en/sales/x/checkout/1/now?challenge=y", "/sales/x/reservation" })
        {
            rig.Application.Requests.Clear();
            Assert.Equal("for flashsale_session=alice", (await rig.GetAsync(path, Browser, ("Cookie", "flashsale_session=alice"))).Body);
            Assert.Equal("for flashsale_session=bob", (await rig.GetAsync(path, Browser, ("Cookie", "flashsale_session=bob"))).Body);
            Assert.Equal([path, path], rig.Application.Requests.Select(request => request.Line.Split(' ')[1]));
        }

        rig.Application.Requests.Clear();
        await rig.SendAsync(HttpMethod.Post, "/sales/x/checkout/1", null, new StringContent("token=z"), [("Cookie", "flashsale_session=alice")]);
        Assert.Equal(("POST /sales/x/checkout/1 HTTP/1.1", "token=z"), (rig.Application.Requests.Single().Line, rig.Application.Requests.Single().Body));
    }

    [Fact]
    public async Task Page_ForThoseWhoTakeBrotli_IsKeptApart()
    {
        await using var rig = await GatewayRig.StartAsync();
        rig.Application.AnswerAsync = request => Task.FromResult<StubAnswer?>(request.Header("Accept-Encoding") switch
        {
            "br, gzip" => new StubAnswer(200, "smallest", Page + "Content-Encoding: br\r\n"),
            "gzip" => new StubAnswer(200, "small", Page + "Content-Encoding: gzip\r\n"),
            _ => new StubAnswer(200, "plain", Page),
        });
        async Task<string> AskAsync(string encodings) => (await rig.GetAsync("/", ("Accept-Encoding", encodings))).Body;

        Assert.Equal(["smallest", "small", "plain", "small"], new[] { await AskAsync("gzip, deflate, br, zstd"), await AskAsync("gzip"), await AskAsync("br;q=0"), await AskAsync("br;q=0, gzip") });
    }

    /// <summary>A version that is rolled back is gone within a second, and a file whose name says what is in it is asked for once.</summary>
    [Fact]
    public async Task Page_WhenItsTimeIsOver_IsFetchedAgain_AndAFileIsNot()
    {
        await using var rig = await GatewayRig.StartAsync();
        rig.Application.AnswerAsync = request => Task.FromResult<StubAnswer?>(new StubAnswer(200, $"{rig.Application.Requests.Count}", request.Line.Contains("assets", StringComparison.Ordinal) ? Asset : Page));
        const string File = "/assets/site.0123456789ab.js";

        Assert.Equal(("1", "2"), ((await rig.GetAsync("/")).Body, (await rig.GetAsync(File)).Body));
        await Task.Delay(600);
        Assert.Equal(("3", "2"), ((await rig.GetAsync("/")).Body, (await rig.GetAsync(File)).Body));
        rig.Application.Always(new StubAnswer(404, "", "Content-Type: text/plain\r\nCache-Control: public, max-age=31536000\r\n"));
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(HttpStatusCode.NotFound, (await rig.GetAsync("/assets/site.000000000000.js")).Status);
        }

        Assert.Equal(5, rig.Application.Requests.Count);
    }

    [Theory]
    [InlineData("/api/v1/sales/1/reservations/me", Public)]
    [InlineData("/api/v1/orders/abc", Public)]
    [InlineData("/orders", Live)]
    [InlineData("/sales/x", Live)]
    [InlineData("/assets/x.js", Live)]
    [InlineData("/sales/x/offers/1F/checkout", Page)]
    [InlineData(Sale, "Content-Type: application/json\r\nCache-Control: private, max-age=60\r\n")]
    [InlineData(Sale, "Content-Type: application/json\r\nCache-Control: no-store\r\n")]
    [InlineData(Sale, "Content-Type: application/json\r\n")]
    [InlineData(Sale, Public + "Set-Cookie: a=b\r\n")]
    [InlineData("/", Page + "Set-Cookie: a=b\r\n")]
    public async Task Answer_ThatIsNotForEverybody_IsNotKept(string path, string headers)
    {
        await using var rig = await GatewayRig.StartAsync();
        rig.Application.Always(new StubAnswer(200, "x", headers));

        await rig.GetAsync(path);
        await rig.GetAsync(path);

        Assert.Equal(2, rig.Application.Requests.Count);
    }

    [Fact]
    public async Task Answer_ThatIsNotASuccess_IsPassedOnAndNotKept()
    {
        await using var rig = await GatewayRig.StartAsync();
        rig.Application.Always(new StubAnswer(404, """{"code":"not-found"}""", "Content-Type: application/problem+json\r\nCache-Control: public, max-age=1\r\n"));

        var reply = await rig.GetAsync(Sale);
        await rig.GetAsync(Sale);

        Assert.Equal((HttpStatusCode.NotFound, """{"code":"not-found"}""", "application/problem+json"), (reply.Status, reply.Body, reply.Reply.MediaType));
        Assert.Equal(2, rig.Application.Requests.Count);
    }

    /// <summary>What an error is answered with: an old document for ten seconds, an old state never (I9).</summary>
    [Fact]
    public async Task Document_WhenTheApplicationBreaks_IsTheOldOneForAWhile_AndTheStateNever()
    {
        await using var rig = await GatewayRig.StartAsync();
        rig.Application.Always(new StubAnswer(200, "old", Public));
        foreach (var path in new[] { Sale, State, "/" })
        {
            (await rig.GetAsync(path)).Expect(HttpStatusCode.OK);
        }

        rig.Application.AnswerAsync = _ => Task.FromResult<StubAnswer?>(null);
        await Task.Delay(1_100);

        Assert.Equal("old", (await rig.GetAsync(Sale)).Body);
        Assert.Equal("old", (await rig.GetAsync("/", Browser)).Body);
        (await rig.GetAsync(State)).ExpectProblem(ProblemCode.Overloaded);
        rig.Application.Always(new StubAnswer(200, "new", Public));
        Assert.Equal("new", (await rig.GetAsync(State)).Body);
    }

    [Fact]
    public async Task Document_WhileOneFetchesItAnew_IsGivenToOthersAsItWas()
    {
        await using var rig = await GatewayRig.StartAsync();
        rig.Application.Always(new StubAnswer(200, "old", Public));
        await rig.GetAsync(Sale);
        await Task.Delay(1_050);
        var fetched = new TaskCompletionSource();
        rig.Application.AnswerAsync = async _ =>
        {
            await fetched.Task;
            return new StubAnswer(200, "new", Public);
        };

        var since = TimeProvider.System.GetTimestamp();
        var first = rig.GetAsync(Sale);
        await Eventually.HoldsAsync(() => rig.Application.Requests.Count == 2, "it is being fetched");
        var meanwhile = (await rig.GetAsync(Sale)).Body;
        fetched.SetResult();

        Assert.Equal(("old", "new", "new"), (meanwhile, (await first).Body, (await rig.GetAsync(Sale)).Body));
        AssertFetched(rig, 2, since, Second);
    }

    /// <summary>As often as it must be, and again only when it was too old: it is kept for so long from when it was asked for.</summary>
    private static void AssertFetched(GatewayRig rig, int times, long since, TimeSpan kept) =>
        Assert.InRange(rig.Application.Requests.Count, times, times + (int)(TimeProvider.System.GetElapsedTime(since) / kept));
}
