using System.Net;

using FlashSale.Core.Wire;
using FlashSale.Tests.Server;

using Xunit;

namespace FlashSale.Tests.Gateway;

/// <summary>Limits per address and per signed-in user. Where it is not what is tested, a permit comes back so seldom that no test is disturbed by one.</summary>
public sealed class LimitTests
{
    private const int Burst = 20;
    private static readonly (double, int) Tight = EdgeState.Once(Burst);

    /// <summary>In how many seconds all of them come back.</summary>
    private const int Window = 50 * Burst;

    [Fact]
    public async Task Address_WhenOneRequestMoreThanItsBurst_IsRefusedAsTheApplicationRefuses()
    {
        await using var rig = await GatewayRig.StartAsync(state => state.Address = Tight);

        Assert.Equal(Burst, await PassedAsync(rig, Burst + 5));
        var refused = (await rig.GetAsync("/api/v1/other")).ExpectProblem(ProblemCode.RateLimited);

        Assert.Equal($"\"address\";q={Burst};w={Window}", refused.Headers["RateLimit-Policy"]);
        Assert.Matches("^\"address\";r=0;t=[1-9][0-9]?$", refused.Headers["RateLimit"]);
        Assert.InRange(refused.Reply.Json.GetProperty("retryAfterMs").GetInt64(), 1, 1_000 * int.Parse(refused.Headers["Retry-After"]));
        Assert.Equal(Burst, rig.Application.Requests.Count);
        Assert.DoesNotContain("\n", rig.Nginx.ErrorLog, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Address_WhenTimeHasPassed_HasItsPermitsAgain()
    {
        await using var rig = await GatewayRig.StartAsync(state => state.Address = (10, Burst));
        var (since, first, refused) = (TimeProvider.System.GetTimestamp(), 0, default(GatewayReply));
        await Eventually.HoldsAsync(
            async () =>
            {
                var reply = await rig.GetAsync("/api/v1/other");
                (first, refused) = reply.WasPassedOn ? (first + 1, refused) : (first, reply.Expect(HttpStatusCode.TooManyRequests));
                return refused is not null;
            },
            "its permits are used up");
        var waitMs = refused!.Reply.Json.GetProperty("retryAfterMs").GetInt64();
        await Eventually.PassesAsync(TimeSpan.FromMilliseconds(waitMs));

        // 10 a second come back: as many as the wait was long, and in all none beyond what the time gives.
        var second = await PassedAsync(rig, 2 * Burst);
        var most = Burst + (10 * TimeProvider.System.GetElapsedTime(since).TotalSeconds) + 1;
        Assert.True(second >= waitMs / 100 && first + second <= most, $"{first} and, after {waitMs} ms, {second}; {most} at the most");
    }

    [Fact]
    public async Task Addresses_WhenThereAreMany_HaveALimitEach()
    {
        await using var rig = await GatewayRig.StartAsync(state => state.Address = Tight);

        foreach (var address in new[] { "127.0.0.2", "127.0.0.3", "127.1.0.2", "127.255.0.1" })
        {
            using var client = rig.Client(address);
            Assert.Equal(Burst, await PassedAsync(rig, Burst + 3, client: client));
        }
    }

    [Fact]
    public async Task Address_WhenItSaysThatItIsAnother_IsCountedAsItself()
    {
        await using var rig = await GatewayRig.StartAsync(state => state.Address = Tight);
        var passed = 0;
        for (var i = 0; i < Burst + 10; i++)
        {
            var reply = await rig.GetAsync("/api/v1/other", ("X-Forwarded-For", $"10.0.0.{i}"), ("X-Real-IP", $"10.0.0.{i}"), ("Forwarded", $"for=10.0.0.{i}"));
            passed += reply.WasPassedOn ? 1 : 0;
        }

        Assert.Equal(Burst, passed);
    }

    [Fact]
    public async Task User_WhenOneRequestMoreThanTheBurst_IsRefusedFromEveryAddress()
    {
        await using var rig = await GatewayRig.StartAsync(state => state.User = Tight);
        using var elsewhere = rig.Client("127.0.0.9");
        var session = GatewayRig.Session("alice");

        Assert.Equal(Burst / 2, await PassedAsync(rig, Burst / 2, session));
        Assert.Equal(Burst / 2, await PassedAsync(rig, Burst, session, elsewhere));

        var refused = (await rig.SendAsync(HttpMethod.Get, "/api/v1/other", session)).ExpectProblem(ProblemCode.RateLimited);
        Assert.Equal($"\"user\";q={Burst};w={Window}", refused.Headers["RateLimit-Policy"]);

        // The same user by the cookie of the pages; nobody else, and nobody at all.
        var cookie = await rig.GetAsync("/api/v1/other", ("Cookie", "a=b; flashsale_session=" + session));
        cookie.ExpectProblem(ProblemCode.RateLimited);
        Assert.True((await rig.GetAsync("/api/v1/other")).WasPassedOn);
        Assert.True((await rig.SendAsync(HttpMethod.Get, "/api/v1/other", GatewayRig.Session("bob"))).WasPassedOn);
    }

    [Fact]
    public async Task Users_WhenManyShareAnAddress_HaveALimitEach()
    {
        await using var rig = await GatewayRig.StartAsync(state => state.User = EdgeState.Once(2));

        for (var i = 0; i < 30; i++)
        {
            Assert.Equal(2, await PassedAsync(rig, 3, GatewayRig.Session($"user-{i}")));
        }
    }

    public static TheoryData<string> Forged => new(
        GatewayRig.Session("alice", key: GatewayRig.TokenKey),
        GatewayRig.Session("alice")[..^2] + "AA",
        GatewayRig.Session("alice", head: """{"alg":"none"}"""),
        GatewayRig.Session("alice", head: """{"alg":"HS512"}"""),
        GatewayRig.Session("alice", claims: new { iss = "flashsale", aud = "flashsale", sub = "alice", exp = 1 }),
        GatewayRig.Session("alice", claims: new { iss = "flashsale", aud = "flashsale", sub = "alice" }),
        GatewayRig.Session("alice", claims: new { iss = "other", aud = "flashsale", sub = "alice", exp = 4_000_000_000 }),
        GatewayRig.Session("alice", claims: new { iss = "flashsale", aud = "other", sub = "alice", exp = 4_000_000_000 }),
        GatewayRig.Session("alice", claims: new { iss = "flashsale", aud = "flashsale", sub = "alice", exp = 4_000_000_000, nbf = 3_999_999_999 }),
        "a.b.c", "..", "");

    [Theory]
    [MemberData(nameof(Forged))]
    public async Task User_WhenSessionsAreForged_LosesNoPermits(string forged)
    {
        await using var rig = await GatewayRig.StartAsync(state => state.User = Tight);

        // The application says what is wrong with them.
        Assert.Equal(3 * Burst, await PassedAsync(rig, 3 * Burst, forged));

        Assert.Equal(Burst, await PassedAsync(rig, Burst + 1, GatewayRig.Session("alice")));
    }

    [Fact]
    public async Task User_WhenAnotherSiteSendsTheirCookieAlong_LosesNoPermits()
    {
        await using var rig = await GatewayRig.StartAsync(state => state.User = Tight);
        async Task<int> PostAsync(int times, string origin)
        {
            var passed = 0;
            for (var i = 0; i < times; i++)
            {
                var reply = await rig.SendAsync(
                    HttpMethod.Post, "/api/v1/other", null, new StringContent("{}"), [("Cookie", "flashsale_session=" + GatewayRig.Session("alice")), ("Origin", origin)]);
                passed += reply.WasPassedOn ? 1 : 0;
            }

            return passed;
        }

        Assert.Equal(3 * Burst, await PostAsync(3 * Burst, "http://evil.example"));
        Assert.Equal(Burst, await PostAsync(Burst + 1, rig.Nginx.Address.ToString().TrimEnd('/')));
    }

    [Fact]
    public async Task Limits_WhenTheyAreChanged_HoldWithinASecond()
    {
        await using var rig = await GatewayRig.StartAsync(state => state.Address = Tight);
        await PassedAsync(rig, Burst + 1);

        rig.State.Change(() => rig.State.LimitsEnabled = false);
        await rig.KnowsStateAsync();
        Assert.Equal(5 * Burst, await PassedAsync(rig, 5 * Burst));

        rig.State.Change(() => (rig.State.LimitsEnabled, rig.State.Address) = (true, (1, 2)));
        await rig.KnowsStateAsync();
        // One comes back each second that this takes.
        var since = TimeProvider.System.GetTimestamp();
        var passed = await PassedAsync(rig, Burst);
        Assert.InRange(passed, 0, 2 + (int)TimeProvider.System.GetElapsedTime(since).TotalSeconds);
    }

    [Fact]
    public async Task Address_WhenManyRequestsComeAtOnce_GetsNoMoreThanItsBurst()
    {
        await using var rig = await GatewayRig.StartAsync(state => state.Address = EdgeState.Once(100));

        var replies = await Task.WhenAll(Enumerable.Range(0, 400).Select(_ => rig.GetAsync("/api/v1/other")));

        // Two workers that set a full bucket at once may give one away twice (limits.md).
        Assert.InRange(replies.Count(reply => reply.WasPassedOn), 100, 103);
    }

    private static async Task<int> PassedAsync(GatewayRig rig, int times, string? session = null, HttpClient? client = null)
    {
        var passed = 0;
        for (var i = 0; i < times; i++)
        {
            var reply = await rig.SendAsync(HttpMethod.Get, "/api/v1/other", session, client: client);
            Assert.True(reply.WasPassedOn || reply.Status == HttpStatusCode.TooManyRequests, reply.Body);
            passed += reply.WasPassedOn ? 1 : 0;
        }

        return passed;
    }
}
