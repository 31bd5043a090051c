using System.Net;

using FlashSale.Core.Sales;
using FlashSale.Server.Http;

using Xunit;

namespace FlashSale.Tests.Server.Checkout;

/// <summary>Devices, and the limits of what one of them, or one user, may have. The rate limits are on.</summary>
public sealed class DeviceTests(DeviceTests.Rig rig) : IClassFixture<DeviceTests.Rig>
{
    private static int numbers;

    private SteppedServer Server => rig.Server;

    [Fact]
    public async Task Visit_WithoutADevice_MakesOneAndKeepsItAfterwards()
    {
        var sale = await Server.PublishAsync();
        var path = $"/api/v1/sales/{sale.Id}/visits";
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative));
        request.Headers.Add("Authorization", "Bearer " + Server.SessionOf("visitor"));
        using var response = await Server.Client.SendAsync(request);
        var first = (await Reply.ReadAsync(response)).Expect(HttpStatusCode.Created);
        var cookie = response.Headers.GetValues("Set-Cookie").Single();

        var device = first.Text("device");
        Assert.StartsWith($"fs_device={device}; max-age=31536000; path=/; samesite=lax; httponly", cookie, StringComparison.Ordinal);
        Assert.Equal(device, (await Server.PostAsync("visitor", path, device: device)).Expect(HttpStatusCode.Created).Text("device"));
        Assert.Equal(device, (await Server.PostAsync("visitor", path, cookie: "fs_device=" + device)).Expect(HttpStatusCode.Created).Text("device"));
        foreach (var bad in new[] { "x", device[..^1], first.Text("visit"), device + "=" })
        {
            Assert.NotEqual(bad, (await Server.PostAsync("visitor", path, device: bad)).Expect(HttpStatusCode.Created).Text("device"));
        }

        (await Server.PostAsync("visitor", "/api/v1/sales/999999/visits")).ExpectProblem(HttpStatusCode.NotFound, "not-found");
        (await Server.PostAsync("visitor", "/api/v1/sales/x/visits")).ExpectProblem(HttpStatusCode.NotFound, "not-found");
    }

    [Fact]
    public async Task Submit_FromAnotherDeviceThanTheTokens_IsRefusedLikeAnyBadToken()
    {
        var sale = await Server.PublishAsync(limit: 10);
        var (user, mine, other) = (NewUser(), Server.OldDevice(), Server.OldDevice());
        var token = (await Server.AskTokenAsync(sale, user, device: mine)).Expect(HttpStatusCode.Created).Text("token");
        Server.Time.Advance(TimeSpan.FromSeconds(1));

        var refusals = new[]
        {
            await Server.OrderAsync(user, token),
            await Server.OrderAsync(user, token, device: other),
            await Server.OrderAsync(user, token, device: mine[..^1]),
            await Server.OrderAsync(user, token, cookie: $"{Devices.Cookie}={other}"),
            // The header speaks for a client that has both.
            await Server.OrderAsync(user, token, device: other, cookie: $"{Devices.Cookie}={mine}"),
            await Server.OrderAsync(user, token[..^1] + (token[^1] == 'A' ? 'E' : 'A'), device: mine),
            await Server.OrderAsync(NewUser(), token, device: mine),
        };

        Assert.Single(refusals.Select(refused =>
        {
            refused.ExpectProblem(HttpStatusCode.Forbidden, "order-token-rejected");
            return refused.Body.Replace(refused.Text("traceId"), "", StringComparison.Ordinal);
        }).Distinct());
        (await Server.OrderAsync(user, token, cookie: $"{Devices.Cookie}={mine}")).Expect(HttpStatusCode.Created);
        (await Server.OrderAsync(user, token, device: mine, cookie: $"{Devices.Cookie}={other}")).Expect(HttpStatusCode.OK);

        // Who named no device is not held to one.
        var free = (await Server.AskTokenAsync(sale, user)).Expect(HttpStatusCode.Created).Text("token");
        Server.Time.Advance(TimeSpan.FromSeconds(1));
        (await Server.OrderAsync(user, free, device: other)).Expect(HttpStatusCode.Created);
        (await Server.OrderAsync(user, free)).Expect(HttpStatusCode.OK);
    }

    [Fact]
    public async Task AskToken_MoreOftenThanAllowed_IsRefusedUntilTheFirstIsTenMinutesOld()
    {
        var sale = await Server.PublishAsync(new SaleDefences { TokensPerUser = 3 });
        var other = await Server.PublishAsync(new SaleDefences { TokensPerUser = 3 });
        var user = NewUser();
        for (var i = 0; i < 3; i++)
        {
            (await Server.AskTokenAsync(sale, user)).Expect(HttpStatusCode.Created);
            Server.Time.Advance(TimeSpan.FromSeconds(10));
        }

        var refused = (await Server.AskTokenAsync(sale, user)).ExpectProblem(HttpStatusCode.TooManyRequests, "rate-limited");

        Assert.Equal(60, int.Parse(refused.RetryAfter!));
        (await Server.AskTokenAsync(sale, NewUser())).Expect(HttpStatusCode.Created);
        (await Server.AskTokenAsync(other, user)).Expect(HttpStatusCode.Created);
        Server.Time.Advance(TimeSpan.FromMinutes(10) - TimeSpan.FromSeconds(30) - TimeSpan.FromMilliseconds(1));
        (await Server.AskTokenAsync(sale, user)).ExpectProblem(HttpStatusCode.TooManyRequests, "rate-limited");
        Server.Time.Advance(TimeSpan.FromMilliseconds(1));
        (await Server.AskTokenAsync(sale, user)).Expect(HttpStatusCode.Created);
        (await Server.AskTokenAsync(sale, user)).ExpectProblem(HttpStatusCode.TooManyRequests, "rate-limited");
    }

    [Fact]
    public async Task AskToken_FiftyTimesAtOnce_GivesAsManyAsAreAllowed()
    {
        var sale = await Server.PublishAsync(new SaleDefences { TokensPerUser = 7 });
        var user = NewUser();

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Server.AskTokenAsync(sale, user)));

        Assert.Equal(7, answers.Count(answer => answer.Status == HttpStatusCode.Created));
        Assert.Equal(43, answers.Count(answer => answer.Status == HttpStatusCode.TooManyRequests));
    }

    [Fact]
    public async Task AskToken_WhenMoreThanHalfOfThemAreUsed_IsChallengedWhereSuspiciousCallersAre()
    {
        var sale = await Server.PublishAsync(new SaleDefences { Challenge = ChallengePolicy.Suspicious, ChallengeBits = 8, TokensPerUser = 4 });
        var (user, device) = (NewUser(), Server.OldDevice());
        for (var i = 0; i < 3; i++)
        {
            (await Server.AskTokenAsync(sale, user, device: device)).Expect(HttpStatusCode.Created);
        }

        var refused = await Server.AskTokenAsync(sale, user, device: device);
        (await Server.AskTokenAsync(sale, user, new { solution = SteppedServer.Solve(refused) }, device)).Expect(HttpStatusCode.Created);
        (await Server.AskTokenAsync(sale, user, device: device)).ExpectProblem(HttpStatusCode.TooManyRequests, "rate-limited");
    }

    [Fact]
    public async Task Call_OfMoreAccountsThanADeviceMayHave_IsRefusedToTheLaterOnes()
    {
        var sale = await Server.PublishReservingAsync(new SaleDefences { AccountsPerDevice = 2 });
        var (device, another) = (Server.OldDevice(), Server.OldDevice());
        var users = Enumerable.Range(0, 4).Select(_ => NewUser()).ToArray();
        foreach (var user in users[..2])
        {
            (await Server.ReserveAsync(sale, user, device: device)).Expect(HttpStatusCode.Created);
        }

        (await Server.ReserveAsync(sale, users[2], device: device)).ExpectProblem(HttpStatusCode.Forbidden, "not-eligible");
        (await Server.ReserveAsync(sale, users[2], device: another)).Expect(HttpStatusCode.Created);
        (await Server.ReserveAsync(sale, users[3])).Expect(HttpStatusCode.Created);
        foreach (var user in users[..2])
        {
            (await Server.ReserveAsync(sale, user, device: device)).Expect(HttpStatusCode.OK);
            await Server.AwaitApprovalAsync(sale, user);
            (await Server.AskTokenAsync(sale, user, device: device)).Expect(HttpStatusCode.Created);
        }

        await Server.AwaitApprovalAsync(sale, users[2]);
        (await Server.AskTokenAsync(sale, users[2], device: device)).ExpectProblem(HttpStatusCode.Forbidden, "not-eligible");
        (await Server.AskTokenAsync(sale, users[2], device: another)).Expect(HttpStatusCode.Created);
        var open = await Server.PublishAsync(new SaleDefences { AccountsPerDevice = 2 });
        (await Server.AskTokenAsync(open, users[2], device: device)).Expect(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Call_OfManyAccountsAtOnce_LetsExactlyTheFirstIn()
    {
        var sale = await Server.PublishAsync(new SaleDefences { AccountsPerDevice = 5 });
        var device = Server.OldDevice();
        var users = Enumerable.Range(0, 30).Select(_ => NewUser()).ToArray();

        var answers = await Task.WhenAll(users.Select(user => Server.AskTokenAsync(sale, user, device: device)));

        Assert.Equal(5, answers.Count(answer => answer.Status == HttpStatusCode.Created));
        Assert.Equal(25, answers.Count(answer => answer.Status == HttpStatusCode.Forbidden));
    }

    [Fact]
    public async Task AskToken_ByWhoeverIsNotEligible_GetsTheSameBytesForEveryReason()
    {
        var sale = await Server.PublishAsync(new SaleDefences { AccountsPerDevice = 1 });
        var (device, barred, third) = (Server.OldDevice(), NewUser(), NewUser());
        (await Server.AskTokenAsync(sale, NewUser(), device: device)).Expect(HttpStatusCode.Created);
        await Server.BarAsync(barred);

        var refusals = new[] { await Server.AskTokenAsync(sale, barred), await Server.AskTokenAsync(sale, barred, device: device), await Server.AskTokenAsync(sale, third, device: device) };

        Assert.Single(refusals.Select(refused =>
        {
            refused.ExpectProblem(HttpStatusCode.Forbidden, "not-eligible");
            return refused.Body.Replace(refused.Text("traceId"), "", StringComparison.Ordinal);
        }).Distinct());
    }

    private static string NewUser() => $"owner-{Interlocked.Increment(ref numbers)}";

    public sealed class Rig : IAsyncLifetime
    {
        private readonly TemporaryFolder folder = new();

        public SteppedServer Server { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Server = await SteppedServer.StartAsync(folder.Path, null, "Limits:Enabled=true");

        public async ValueTask DisposeAsync()
        {
            await Server.DisposeAsync();
            folder.Dispose();
        }
    }
}
