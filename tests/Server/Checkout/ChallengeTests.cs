using System.Net;

using FlashSale.Core;
using FlashSale.Core.Challenges;
using FlashSale.Core.Sales;
using FlashSale.Server.Http;
using FlashSale.Storage;
using FlashSale.Tests.Core.Challenges;

using Xunit;

namespace FlashSale.Tests.Server.Checkout;

/// <summary>Challenges as the callers of the API meet them, at the reservation and at the checkout.</summary>
public sealed class ChallengeTests(ChallengeTests.Rig rig) : IClassFixture<ChallengeTests.Rig>
{
    private static readonly SaleDefences Always = new() { Challenge = ChallengePolicy.Always, ChallengeBits = Limits.ChallengeBitsMin };
    private static readonly SaleDefences Suspicious = Always with { Challenge = ChallengePolicy.Suspicious };
    private static int numbers;

    private SteppedServer Server => rig.Server;

    [Fact]
    public async Task AskToken_WhenASaleAlwaysChallenges_SaysWhatToSolveAndTakesTheSolution()
    {
        var sale = await Server.PublishAsync(Always with { ChallengeBits = 9 });
        var user = NewUser();

        var refused = (await Server.AskTokenAsync(sale, user)).ExpectProblem(HttpStatusCode.Forbidden, "challenge-required");

        var challenge = refused.Json.GetProperty("challenge");
        Assert.Equal("sha-256", challenge.GetProperty("algorithm").GetString());
        Assert.Equal(9, challenge.GetProperty("bits").GetInt32());
        Assert.Equal(Server.Time.GetUtcNow().AddMinutes(5), challenge.GetProperty("expiresAt").GetDateTimeOffset());
        Assert.EndsWith("等于几？", challenge.GetProperty("question").GetProperty("zh").GetString(), StringComparison.Ordinal);
        Assert.StartsWith("What is ", challenge.GetProperty("question").GetProperty("en").GetString(), StringComparison.Ordinal);

        (await Server.AskTokenAsync(sale, user, new { })).ExpectProblem(HttpStatusCode.Forbidden, "challenge-required");
        (await Server.AskTokenAsync(sale, user, new { solution = SteppedServer.Solve(refused) })).Expect(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Solution_UsedFiftyTimesAtOnce_IsOneOrder()
    {
        var sale = await Server.PublishAsync(Always, limit: 10);
        var user = NewUser();
        var solution = SteppedServer.Solve(await Server.AskTokenAsync(sale, user));
        List<string> issued = [];
        for (var moment = 0; moment < 5; moment++)
        {
            // At different times the tokens are others; the order is not.
            Server.Time.Advance(TimeSpan.FromMilliseconds(1));
            var asked = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Server.AskTokenAsync(sale, user, new { solution })));
            issued.AddRange(asked.Select(answer => answer.Expect(HttpStatusCode.Created).Text("token")));
        }

        Assert.Equal(5, issued.Distinct().Count());
        Server.Time.Advance(TimeSpan.FromSeconds(1));

        var answers = await Task.WhenAll(issued.Select(token => Server.OrderAsync(user, token)));

        Assert.Single(answers, answer => answer.Status == HttpStatusCode.Created);
        Assert.Equal(49, answers.Count(answer => answer.Status == HttpStatusCode.OK));
        Assert.Single(answers.Select(answer => answer.Text("id")).Distinct());
        Assert.Single(await Server.Get<ILedger>().ListOrdersAsync(UserId.Parse(user), null, 50, CancellationToken.None));

        // Later as well, until it runs out; another challenge is another order.
        Server.Time.Advance(TimeSpan.FromMinutes(4));
        var late = (await Server.AskTokenAsync(sale, user, new { solution })).Expect(HttpStatusCode.Created).Text("token");
        Server.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(answers[0].Text("id"), (await Server.OrderAsync(user, late)).Expect(HttpStatusCode.OK).Text("id"));
        var next = SteppedServer.Solve(await Server.AskTokenAsync(sale, user));
        var second = (await Server.AskTokenAsync(sale, user, new { solution = next })).Expect(HttpStatusCode.Created).Text("token");
        Server.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.NotEqual(answers[0].Text("id"), (await Server.OrderAsync(user, second)).Expect(HttpStatusCode.Created).Text("id"));
    }

    [Fact]
    public async Task Solution_OfAnythingElse_IsRefusedWithANewChallenge()
    {
        var sale = await Server.PublishAsync(Always);
        var other = await Server.PublishAsync(Always);
        var reserving = await Server.PublishReservingAsync(Always);
        var (alice, bob) = (NewUser(), NewUser());
        var alices = SteppedServer.Solve(await Server.AskTokenAsync(sale, alice));
        foreach (var asked in new[]
        {
            await Server.AskTokenAsync(sale, bob, new { solution = alices }),
            await Server.AskTokenAsync(other, alice, new { solution = alices }),
            await Server.ReserveAsync(reserving, alice, new { solution = alices }),
            await Server.AskTokenAsync(sale, alice, new { solution = new { challenge = "AAAA", nonce = "1" } }),
        })
        {
            SteppedServer.Solve(asked);
        }

        (await Server.AskTokenAsync(sale, alice, new { solution = alices })).Expect(HttpStatusCode.Created);
        Server.Time.Advance(TimeSpan.FromMinutes(5) + TimeSpan.FromMilliseconds(1));
        var expired = await Server.AskTokenAsync(sale, alice, new { solution = alices });
        (await Server.AskTokenAsync(sale, alice, new { solution = SteppedServer.Solve(expired) })).Expect(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Reserve_WhenASaleAlwaysChallenges_IsMadeOnceHoweverOftenTheSolutionIsSent()
    {
        var sale = await Server.PublishReservingAsync(Always);
        var user = NewUser();
        var solution = SteppedServer.Solve(await Server.ReserveAsync(sale, user));

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Server.ReserveAsync(sale, user, new { solution })));

        Assert.Single(answers, answer => answer.Status == HttpStatusCode.Created);
        Assert.Equal(19, answers.Count(answer => answer.Status == HttpStatusCode.OK));
    }

    [Fact]
    public async Task Answer_WhenItComesTooSoon_IsGoodALittleLater()
    {
        var sale = await Server.PublishAsync(Always);
        var user = NewUser();
        var stamp = (await Server.AskTokenAsync(sale, user)).Json.GetProperty("challenge").GetProperty("stamp").GetString()!;
        var subject = new ChallengeSubject(ChallengePurpose.Checkout, UserId.Parse(user), sale.Id, sale.Offers[0].Id);
        Server.Get<ChallengeStamps>().Verify(subject, new Solution(stamp, null, null), Server.Time.GetUtcNow(), out var challenge);
        var body = new { solution = new { challenge = stamp, answer = ChallengeStampsTests.AnswerOf(challenge!) } };
        Server.Time.Advance(TimeSpan.FromMilliseconds(3_999));

        var soon = (await Server.AskTokenAsync(sale, user, body)).ExpectProblem(HttpStatusCode.Forbidden, "challenge-required");

        Assert.Equal(stamp, soon.Json.GetProperty("challenge").GetProperty("stamp").GetString());
        Assert.Equal(1, soon.Json.GetProperty("retryAfterMs").GetInt64());
        Server.Time.Advance(TimeSpan.FromMilliseconds(1));
        (await Server.AskTokenAsync(sale, user, body)).Expect(HttpStatusCode.Created);
        Assert.False(Server.Get<RecentFaults>().AreMany(UserId.Parse(user)));
    }

    [Fact]
    public async Task Call_WhenOnlySuspiciousCallersAreChallenged_LetsAKnownDevicePassThatLookedAtThePage()
    {
        var sale = await Server.PublishReservingAsync(Suspicious);
        var device = Server.OldDevice();
        var visit = Server.Get<Callers>();
        string VisitOf(string user, SaleId id) => visit.MakeVisit(id, UserId.Parse(user));
        var (alice, bob) = (NewUser(), NewUser());
        var (alices, bobs, elsewhere) = (VisitOf(alice, sale.Id), VisitOf(bob, sale.Id), VisitOf(alice, new SaleId(sale.Id.Value + 1)));

        // No visit, one of less than a second, another's, of another sale, none of ours; no device, and a new one.
        SteppedServer.Solve(await Server.ReserveAsync(sale, alice, device: device));
        Server.Time.Advance(TimeSpan.FromMilliseconds(999));
        SteppedServer.Solve(await Server.ReserveAsync(sale, alice, new { visit = alices }, device));
        Server.Time.Advance(TimeSpan.FromMilliseconds(1));
        foreach (var wrong in new[] { bobs, elsewhere, "AAAA", device })
        {
            SteppedServer.Solve(await Server.ReserveAsync(sale, alice, new { visit = wrong }, device));
        }

        SteppedServer.Solve(await Server.ReserveAsync(sale, alice, new { visit = alices }));
        SteppedServer.Solve(await Server.ReserveAsync(sale, alice, new { visit = alices }, device: alices));
        var young = Server.Get<Devices>().Create(Server.Time.GetUtcNow());
        SteppedServer.Solve(await Server.ReserveAsync(sale, alice, new { visit = alices }, young));
        (await Server.ReserveAsync(sale, alice, new { visit = alices }, device)).Expect(HttpStatusCode.Created);
        Server.Time.Advance(TimeSpan.FromSeconds(2));
        (await Server.ReserveAsync(sale, bob, new { visit = bobs }, young)).Expect(HttpStatusCode.Created);

        // The checkout asks for no visit.
        await Server.AwaitApprovalAsync(sale, alice);
        await Server.AwaitApprovalAsync(sale, bob);
        (await Server.AskTokenAsync(sale, alice, device: device)).Expect(HttpStatusCode.Created);
        (await Server.AskTokenAsync(sale, bob, cookie: $"{Devices.Cookie}={young}")).Expect(HttpStatusCode.Created);
        SteppedServer.Solve(await Server.AskTokenAsync(sale, alice));
    }

    [Fact]
    public async Task Call_AfterMoreFaultsThanHappenToAPerson_IsChallenged()
    {
        var sale = await Server.PublishAsync(Suspicious);
        var device = Server.OldDevice();
        var (alice, bob) = (NewUser(), NewUser());
        var bobs = (await Server.AskTokenAsync(sale, bob, device: device)).Expect(HttpStatusCode.Created).Text("token");
        for (var i = 0; i <= Limits.FaultsForgiven; i++)
        {
            (await Server.AskTokenAsync(sale, alice, device: device)).Expect(HttpStatusCode.Created);
            (await Server.OrderAsync(alice, bobs, device)).ExpectProblem(HttpStatusCode.Forbidden, "order-token-rejected");
        }

        var refused = await Server.AskTokenAsync(sale, alice, device: device);
        (await Server.AskTokenAsync(sale, alice, new { solution = SteppedServer.Solve(refused) }, device)).Expect(HttpStatusCode.Created);
        (await Server.AskTokenAsync(sale, bob, device: device)).Expect(HttpStatusCode.Created);

        // Wrong solutions count too; what is no token at all, and a solution that ran out, do not.
        var carol = NewUser();
        for (var i = 0; i <= Limits.FaultsForgiven; i++)
        {
            (await Server.OrderAsync(carol, "garbage", device)).ExpectProblem(HttpStatusCode.Forbidden, "order-token-rejected");
        }

        Assert.False(Server.Get<RecentFaults>().AreMany(UserId.Parse(carol)));
        for (var i = 0; i <= Limits.FaultsForgiven; i++)
        {
            (await Server.AskTokenAsync(sale, carol, new { solution = new { challenge = "AAAA", nonce = "1" } }, device)).Expect(HttpStatusCode.Created);
        }

        SteppedServer.Solve(await Server.AskTokenAsync(sale, carol, device: device));
        Server.Time.Advance(Limits.RecentWindow);
        (await Server.AskTokenAsync(sale, carol, device: device)).Expect(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Call_FromACrowdedNetwork_IsChallengedAndNeverRefused()
    {
        var sale = await Server.PublishAsync(Suspicious with { AccountsPerAddress = 3 });
        var device = Server.OldDevice();
        var users = Enumerable.Range(0, 4).Select(_ => NewUser()).ToArray();
        foreach (var user in users[..3])
        {
            (await Server.AskTokenAsync(sale, user, device: device, from: "198.51.100.7")).Expect(HttpStatusCode.Created);
            (await Server.AskTokenAsync(sale, user, device: device, from: $"2001:db8:1:2::{user.Length}:{numbers:x}")).Expect(HttpStatusCode.Created);
        }

        foreach (var (user, from) in new[] { (users[3], "198.51.100.7"), (users[0], "::ffff:198.51.100.7"), (users[3], "2001:db8:1:2:ffff::1"), (users[0], "2001:db8:1:2::1") })
        {
            var refused = await Server.AskTokenAsync(sale, user, device: device, from: from);
            (await Server.AskTokenAsync(sale, user, new { solution = SteppedServer.Solve(refused) }, device, from: from)).Expect(HttpStatusCode.Created);
        }

        (await Server.AskTokenAsync(sale, users[3], device: device, from: "198.51.100.8")).Expect(HttpStatusCode.Created);
        (await Server.AskTokenAsync(sale, users[3], device: device, from: "2001:db8:1:3::1")).Expect(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Call_WhenNothingIsChallenged_NeedsNeitherBodyNorDevice()
    {
        var sale = await Server.PublishReservingAsync();
        var user = NewUser();
        foreach (var body in new object?[] { null, new { }, new { visit = "x", solution = new { challenge = "x" } }, new { solution = new { challenge = "x", nonce = new string('9', 80) } } })
        {
            Assert.InRange((int)(await Server.ReserveAsync(sale, user, body)).Status, 200, 201);
            await Server.AwaitApprovalAsync(sale, user);
            (await Server.AskTokenAsync(sale, user, body)).Expect(HttpStatusCode.Created);
        }

        Assert.False(Server.Get<RecentFaults>().AreMany(UserId.Parse(user)));
    }

    [Theory]
    [InlineData("""{"visit":17}""", "visit")]
    [InlineData("""{"visit":""}""", "visit")]
    [InlineData("""{"visit":["a"]}""", "visit")]
    [InlineData("""{"solution":"x"}""", "solution")]
    [InlineData("""{"solution":[]}""", "solution")]
    [InlineData("""{"solution":{}}""", "solution.challenge")]
    [InlineData("""{"solution":{"challenge":null,"nonce":"1"}}""", "solution.challenge")]
    [InlineData("""{"solution":{"challenge":"a","nonce":1}}""", "solution.nonce")]
    [InlineData("""{"solution":{"challenge":"a","answer":7}}""", "solution.answer")]
    [InlineData("""{"solution":{"challenge":"a","answer":"\u0000"}}""", "solution.answer")]
    public async Task Body_WithAFieldOfAnotherType_Is422(string body, string field)
    {
        var sale = await Server.PublishReservingAsync(Always);
        foreach (var path in new[] { $"/api/v1/sales/{sale.Id}/reservations", $"/api/v1/offers/{sale.Offers[0].Id}/order-tokens" })
        {
            using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
            var refused = (await Server.SendAsync(HttpMethod.Post, NewUser(), path, content)).ExpectProblem(HttpStatusCode.UnprocessableEntity, "invalid-fields");
            Assert.True(refused.Json.GetProperty("errors").TryGetProperty(field, out _), refused.Body);
        }
    }

    [Fact]
    public async Task Solution_WhateverIsInIt_IsNeverTaken()
    {
        var sale = await Server.PublishAsync(Always with { ChallengeBits = Limits.ChallengeBitsMax });
        foreach (var stamp in new[] { "x", new string('A', 204), new string('=', 50), "é", "\ud83c\udfab", "../..", "{}" })
        {
            foreach (var nonce in new[] { "0", "x", new string('0', 80), "٣", "1e3" })
            {
                var user = NewUser();
                (await Server.AskTokenAsync(sale, user, new { visit = stamp, solution = new { challenge = stamp, nonce, answer = nonce } }))
                    .ExpectProblem(HttpStatusCode.Forbidden, "challenge-required");
            }
        }
    }

    private static string NewUser() => $"asker-{Interlocked.Increment(ref numbers)}";

    public sealed class Rig : IAsyncLifetime
    {
        private readonly TemporaryFolder folder = new();

        public SteppedServer Server { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Server = await SteppedServer.StartAsync(folder.Path, null, "TrustedProxies=127.0.0.1");

        public async ValueTask DisposeAsync()
        {
            await Server.DisposeAsync();
            folder.Dispose();
        }
    }
}
