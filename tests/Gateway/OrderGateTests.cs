using System.Security.Cryptography;
using System.Text;

using FlashSale.Core;
using FlashSale.Core.Wire;
using FlashSale.Tests.Server;

using Xunit;

namespace FlashSale.Tests.Gateway;

/// <summary>What the gateway answers to a request to order, and what it must leave to the application.</summary>
public sealed class OrderGateTests
{
    private static readonly TimeSpan Good = TimeSpan.FromSeconds(5);

    // ---- the token ----

    [Fact]
    public async Task Order_WithAGoodToken_IsPassedOnAsItCame()
    {
        await using var rig = await GatewayRig.StartAsync();
        var token = rig.Token("alice");

        var reply = await rig.OrderAsync("alice", token);

        Assert.True(reply.WasPassedOn, reply.Body);
        var arrived = Assert.Single(rig.Application.Requests);
        Assert.Equal("POST /api/v1/orders HTTP/1.1", arrived.Line);
        Assert.Equal($$"""{"token":"{{token}}"}""", arrived.Body);
        Assert.Equal("Bearer " + GatewayRig.Session("alice")[..20], arrived.Header("Authorization")![..27]);
    }

    /// <summary>Tokens that are not good, and why; the caller sees one answer for all.</summary>
    public static TheoryData<string> BadTokens => new(
        "forged", "wrong key", "wrong user", "another's order id", "not canonical", "padded", "short", "long", "version", "cut", "words", "too young", "too old");

    [Theory]
    [MemberData(nameof(BadTokens))]
    public async Task Order_WithABadToken_IsRefusedHere(string what)
    {
        await using var rig = await GatewayRig.StartAsync();
        if (what == "too young")
        {
            await rig.TooYoungAsync(TimeSpan.FromMilliseconds(400));
            Assert.Empty(rig.Application.Requests);
            return;
        }

        var good = rig.Token("alice");
        var reply = await rig.OrderAsync("alice", what switch
        {
            "forged" => Flipped(good, good.Length - 3),
            "wrong key" => rig.Token("alice", Good, GatewayRig.SessionKey),
            "wrong user" => rig.Token("alicf"),
            "another's order id" => Flipped(good, 24),
            "not canonical" => NotCanonical(rig),
            "padded" => good + "=",
            "short" => good[..40],
            "long" => good + new string('A', 100),
            "version" => "B" + good[1..],
            "cut" => good[..^4],
            "too old" => rig.Token("alice", TimeSpan.FromMilliseconds(601_000)),
            _ => "nonsense",
        });

        reply.ExpectProblem(ProblemCode.OrderTokenRejected);
        Assert.Empty(rig.Application.Requests);
    }

    [Fact]
    public async Task Order_WithATokenOfThePreviousKey_IsPassedOn()
    {
        await using var rig = await GatewayRig.StartAsync();
        Assert.True((await rig.OrderAsync("alice", rig.Token("alice", Good, GatewayRig.PreviousTokenKey))).WasPassedOn);
    }

    /// <summary>As instances that share a ledger make it when none is set (Settings.ReadTokenKey).</summary>
    [Fact]
    public async Task Order_WithATokenOfTheKeyThatFollowsFromTheSessions_IsPassedOn()
    {
        var auth = Convert.ToBase64String(GatewayRig.SessionKey);
        var key = HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.ASCII.GetBytes(auth), 32, info: "flashsale order tokens"u8.ToArray());
        await using var rig = await GatewayRig.StartAsync(site: site => site with { TokenKeys = ["derived"] });

        Assert.True((await rig.OrderAsync("alice", rig.Token("alice", Good, key))).WasPassedOn);
        (await rig.OrderAsync("alice", rig.Token("alice"))).ExpectProblem(ProblemCode.OrderTokenRejected);
    }

    [Fact]
    public async Task Order_WhenTheKeysAreInFiles_IsDecidedWithThem()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("auth.key"), Convert.ToBase64String(GatewayRig.SessionKey) + "\n");
        await File.WriteAllTextAsync(folder.File("order-tokens.key"), Convert.ToBase64String(GatewayRig.TokenKey) + "\n");
        await using var rig = await GatewayRig.StartAsync(
            state => state.SoldOut = true, site => site with { SessionKey = "file:" + folder.File("auth.key"), TokenKeys = ["file:" + folder.File("order-tokens.key")] });

        await rig.OrderRefusedAsync(ProblemCode.SoldOut);
    }

    /// <summary>Within the margin of 100 ms at either end the application decides; the gateway's idea of the clock may be wrong by as much again.</summary>
    [Theory]
    [InlineData(780, false)]
    [InlineData(1_000, true)]
    [InlineData(599_990, true)]
    [InlineData(600_210, false)]
    public async Task Order_AtTheBoundsOfItsAge_IsRefusedOnlyBeyondTheMargin(int ageMs, bool passedOn)
    {
        await using var rig = await GatewayRig.StartAsync();
        await rig.OrderAsync("warm", rig.Token("warm"));
        for (var attempt = 1; ; attempt++)
        {
            var since = TimeProvider.System.GetTimestamp();
            var reply = await rig.OrderAsync("alice", rig.Token("alice", TimeSpan.FromMilliseconds(ageMs)));
            // The token grows older on its way; when that was long, it proves nothing.
            if (TimeProvider.System.GetElapsedTime(since) < TimeSpan.FromMilliseconds(10) || attempt == 50)
            {
                Assert.Equal(passedOn, reply.WasPassedOn);
                return;
            }
        }
    }

    [Theory]
    [InlineData(3_600_000)]
    [InlineData(-3_600_000)]
    public async Task Order_WhenTheApplicationsClockIsAnother_IsMeasuredByThat(int aheadMs)
    {
        await using var rig = await GatewayRig.StartAsync(state =>
        {
            state.ClockIsAhead = TimeSpan.FromMilliseconds(aheadMs);
            (state.OpensAt, state.ClosesAt) = (state.Now.AddMinutes(-1), state.Now.AddMinutes(1));
        });

        Assert.True((await rig.OrderAsync("alice", rig.Token("alice", TimeSpan.FromSeconds(1.05)))).WasPassedOn);
        await rig.TooYoungAsync(TimeSpan.FromMilliseconds(300));
        (await rig.OrderAsync("alice", rig.Token("alice", TimeSpan.FromMinutes(11)))).ExpectProblem(ProblemCode.OrderTokenRejected);
    }

    // ---- what is the application's to answer ----

    [Theory]
    [InlineData("""{"token":"nonsense","token":"x"}""", "application/json")]
    [InlineData("""{"token":"non\u0073ense"}""", "application/json")]
    [InlineData("""{"token":null}""", "application/json")]
    [InlineData("""{"token":""}""", "application/json")]
    [InlineData("""{"more":1,"token":"nonsense"}""", "application/json")]
    [InlineData("""["nonsense"]""", "application/json")]
    [InlineData("""{"token":"nonsense"} x""", "application/json")]
    [InlineData("", "application/json")]
    [InlineData("""{"token":"nonsense"}""", "text/plain")]
    [InlineData("""{"token":"nonsense"}""", "application/jsonx")]
    public async Task Order_InAnUnusualSpelling_IsPassedOn(string body, string type)
    {
        await using var rig = await GatewayRig.StartAsync(state => state.SoldOut = true);

        Assert.True((await rig.PostAsync(GatewayRig.Orders, "alice", body, type)).WasPassedOn);

        Assert.Equal(body, Assert.Single(rig.Application.Requests).Body);
    }

    [Fact]
    public async Task Order_WithoutASession_IsPassedOn()
    {
        await using var rig = await GatewayRig.StartAsync(state => state.SoldOut = true);

        Assert.True((await rig.PostAsync(GatewayRig.Orders, null, """{"token":"nonsense"}""")).WasPassedOn);
        var forged = await rig.SendAsync(
            HttpMethod.Post, GatewayRig.Orders, GatewayRig.Session("alice", GatewayRig.TokenKey), new StringContent("""{"token":"nonsense"}""", Encoding.UTF8, "application/json"));
        Assert.True(forged.WasPassedOn);
    }

    [Fact]
    public async Task Order_WhenTheGatewayHasNoKeys_IsPassedOn()
    {
        await using var rig = await GatewayRig.StartAsync(state => state.SoldOut = true, site => site with { SessionKey = "", TokenKeys = [] });
        Assert.True((await rig.OrderAsync("alice", "nonsense")).WasPassedOn);
        Assert.True((await rig.OrderAsync("alice", rig.Token("alice"))).WasPassedOn);
    }

    // ---- the sale ----

    [Fact]
    public async Task Order_WhenSoldOut_IsRefusedHere()
    {
        await using var rig = await GatewayRig.StartAsync(state => state.SoldOut = true);

        await rig.OrderRefusedAsync(ProblemCode.SoldOut);

        Assert.Empty(rig.Application.Requests);
        await rig.MetricIsAsync("""flashsale_gateway_decisions_total{layer="gateway",outcome="refused",reason="sold-out",sale="31"}""", 1);
    }

    [Fact]
    public async Task Order_WhenItExistsAlready_IsPassedOnWhateverTheSaleSays()
    {
        await using var rig = await GatewayRig.StartAsync(state => state.SoldOut = true);
        var (exists, not) = (OrderId.Create(TimeProvider.System.GetUtcNow()), OrderId.Create(TimeProvider.System.GetUtcNow()));
        rig.State.SetOrders(exists, OrderId.Create(TimeProvider.System.GetUtcNow()));
        await rig.KnowsStateAsync();
        async Task<bool> PassesAsync(OrderId order) => (await rig.DecidedAsync(() => rig.OrderAsync("alice", rig.Token("alice", Good, order: order)))).WasPassedOn;

        Assert.True(await PassesAsync(exists));
        Assert.False(await PassesAsync(not));

        rig.State.Change(() => rig.State.Paused = true);
        await rig.KnowsStateAsync();
        Assert.True(await PassesAsync(exists));
        Assert.False(await PassesAsync(not));

        // Not known: nobody may be refused.
        rig.State.SetUnknownOrders();
        await rig.KnowsStateAsync();
        Assert.True(await PassesAsync(not));
    }

    [Fact]
    public async Task Filter_WithManyOrders_FindsEachAndFewOthers()
    {
        await using var rig = await GatewayRig.StartAsync(state => (state.SoldOut, state.LimitsEnabled) = (true, false));
        OrderId[] orders = [.. Enumerable.Range(0, 300).Select(_ => OrderId.Create(TimeProvider.System.GetUtcNow()))];
        rig.State.SetOrders(orders);
        await rig.KnowsStateAsync();

        var known = await Task.WhenAll(orders.Select(order => rig.OrderAsync("alice", rig.Token("alice", Good, order: order))));
        Assert.All(known, reply => Assert.True(reply.WasPassedOn));

        var passedOn = 0;
        foreach (var _ in orders)
        {
            passedOn += (await rig.DecidedAsync(() => rig.OrderAsync("alice", rig.Token("alice")))).WasPassedOn ? 1 : 0;
        }

        // 8,192 bits, 300 orders, 6 bits each: under one in a thousand by chance.
        Assert.InRange(passedOn, 0, 5);
    }

    [Theory]
    [InlineData(EdgeState.Sale, EdgeState.Offer + 1)]
    [InlineData(EdgeState.Sale + 1, EdgeState.Offer)]
    public async Task Order_ForWhatTheStateDoesNotName_IsPassedOn(long sale, long offer)
    {
        await using var rig = await GatewayRig.StartAsync(state => (state.SoldOut, state.Paused) = (true, true));
        Assert.True((await rig.OrderAsync("alice", rig.Token("alice", Good, sale: sale, offer: offer))).WasPassedOn);
    }

    [Fact]
    public async Task Order_WhenPaused_IsRefusedUntilItIsNot()
    {
        await using var rig = await GatewayRig.StartAsync(state => state.Paused = true);
        var refused = await rig.OrderRefusedAsync(ProblemCode.SalePaused);
        Assert.InRange(refused.Reply.Json.GetProperty("retryAfterMs").GetInt64(), 1_000, 2_000);

        rig.State.Change(() => rig.State.Paused = false);
        await rig.KnowsStateAsync();
        Assert.True((await rig.OrderAsync("alice", rig.Token("alice"))).WasPassedOn);
    }

    [Fact]
    public async Task Order_BeforeTheOpening_IsRefusedUntilShortlyBefore()
    {
        await using var rig = await GatewayRig.StartAsync();
        rig.State.Change(() => rig.State.OpensAt = rig.State.Now.AddSeconds(5));
        rig.State.SetUnknownOrders();
        await rig.KnowsStateAsync();
        var asked = rig.State.Now;

        var refused = await rig.OrderRefusedAsync(ProblemCode.SaleNotOpen);
        Assert.Equal(rig.State.OpensAt, refused.Reply.Json.GetProperty("opensAt").GetDateTimeOffset());
        Assert.InRange(refused.Reply.Json.GetProperty("serverTime").GetDateTimeOffset(), asked.AddSeconds(-1), rig.State.Now.AddSeconds(1));

        var lastRefused = asked;
        await Eventually.HoldsAsync(
            async () =>
            {
                var (sent, user) = (rig.State.Now, $"user{rig.Application.Asked}");
                var passedOn = (await rig.DecidedAsync(() => rig.OrderAsync(user, rig.Token(user)))).WasPassedOn;
                lastRefused = passedOn ? lastRefused : sent;
                return passedOn;
            },
            "orders are passed on");
        Assert.True(rig.State.Now >= rig.State.OpensAt.AddMilliseconds(-120), "An order was passed on too early.");
        // What was sent after the opening was not refused, however long it was on its way; the clock is known to 100 ms.
        Assert.True(lastRefused < rig.State.OpensAt.AddMilliseconds(120), $"Refused at {lastRefused:O}, and it opened at {rig.State.OpensAt:O}.");
    }

    [Theory]
    [InlineData(-5_000, true, false)]
    [InlineData(1_000, true, true)]
    [InlineData(3_500, true, true)]
    [InlineData(6_000, false, false)]
    public async Task Order_AroundTheEnd_IsRefusedOnlyWellAfterIt(int agoMs, bool passedOn, bool soldOut)
    {
        await using var rig = await GatewayRig.StartAsync();
        for (var attempt = 1; ; attempt++)
        {
            // Over, but not for long: the end may have been moved, and "sold out" is not the answer any more.
            rig.State.Change(() => (rig.State.ClosesAt, rig.State.SoldOut) = (rig.State.Now.AddMilliseconds(-agoMs), soldOut));
            await rig.KnowsStateAsync();

            var reply = await rig.DecidedAsync(() => rig.OrderAsync("alice", rig.Token("alice")));

            // Five seconds after the end it is refused; when it came to that meanwhile, it proves nothing.
            if (!passedOn || attempt == 5 || rig.State.Now < rig.State.ClosesAt.AddSeconds(4.9))
            {
                Assert.Equal(passedOn, reply.WasPassedOn);
                if (!passedOn)
                {
                    reply.ExpectProblem(ProblemCode.SaleEnded);
                }

                return;
            }
        }
    }

    // ---- never the other way round ----

    [Theory]
    [InlineData("stopped")]
    [InlineData("slow")]
    [InlineData("not json")]
    [InlineData("another document")]
    [InlineData("cut")]
    public async Task Order_WhenTheStateCannotBeRead_IsPassedOnAfterHalfASecond(string what)
    {
        await using var rig = await GatewayRig.StartAsync(state => state.SoldOut = true);
        await rig.OrderRefusedAsync(ProblemCode.SoldOut);

        switch (what)
        {
            case "slow":
                rig.Application.StateDelay = TimeSpan.FromMilliseconds(600);
                break;
            case "stopped":
                rig.Application.State = null;
                break;
            case "cut":
                var whole = rig.State.Write();
                rig.Application.State = () => whole[..^20];
                break;
            default:
                rig.Application.State = () => what == "not json" ? "busy" : """{"epochMs":1,"rev":"x"}""";
                break;
        }

        // A question may be under way, whose answer counts from when it was asked.
        await Task.Delay(TimeSpan.FromMilliseconds(500 + 250 + 50));
        Assert.True((await rig.OrderAsync("alice", rig.Token("alice"))).WasPassedOn);

        // Whose clock was known goes on, and so do limits: they are no answer about the sale.
        await rig.TooYoungAsync(TimeSpan.FromMilliseconds(200));
    }

    [Fact]
    public async Task State_WhenTheFirstInstanceIsSilent_IsReadFromTheNext()
    {
        await using var deaf = new StubApplication { State = () => "{}", StateDelay = TimeSpan.FromSeconds(30) };
        await using var rig = await GatewayRig.StartAsync(state => state.SoldOut = true, site => site with { State = [deaf.Port, 1, site.State[0]] });

        await rig.OrderRefusedAsync(ProblemCode.SoldOut);

        // When the one that answers is late, the others are asked again, and that is right.
        await Eventually.HoldsAsync(
            async () =>
            {
                var asked = deaf.Asked;
                await rig.KnowsStateAsync();
                await rig.KnowsStateAsync();
                return deaf.Asked == asked;
            },
            "the silent one is left alone");
    }

    [Fact]
    public async Task State_WhenNothingChanges_IsAskedForFourTimesASecond()
    {
        await using var rig = await GatewayRig.StartAsync();
        var (since, before) = (TimeProvider.System.GetTimestamp(), rig.Application.Asked);
        await Eventually.HoldsAsync(() => rig.Application.Asked >= before + 8, "it is asked for");

        // No worker asks within 0.24 s of another (poller.lua); one question may have been on its way before, and one come late.
        Assert.InRange(rig.Application.Asked - before, 8, 2 + (TimeProvider.System.GetElapsedTime(since).TotalSeconds / 0.24));
    }

    private static string Flipped(string token, int at) => token[..at] + (token[at] == 'A' ? 'B' : 'A') + token[(at + 1)..];

    /// <summary>The same bytes, spelled with stray low bits in the last character.</summary>
    private static string NotCanonical(GatewayRig rig)
    {
        const string Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        var token = rig.Token("alice");
        Assert.NotEqual(0, token.Length % 4);
        return token[..^1] + Digits[Digits.IndexOf(token[^1], StringComparison.Ordinal) + 1];
    }
}
