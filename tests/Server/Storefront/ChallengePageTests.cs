using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Text.RegularExpressions;

using FlashSale.Core;
using FlashSale.Core.Challenges;
using FlashSale.Core.Reservations;
using FlashSale.Core.Sales;
using FlashSale.Server.Http;
using FlashSale.Server.Storefront;
using FlashSale.Tests.Core.Challenges;

using Xunit;

namespace FlashSale.Tests.Server.Storefront;

/// <summary>The pages of a sale that challenges, for a browser without script.</summary>
public sealed class ChallengePageTests(ChallengePageTests.Rig rig) : IClassFixture<ChallengePageTests.Rig>
{
    private static readonly SaleDefences Always = new() { Challenge = ChallengePolicy.Always, ChallengeBits = Limits.ChallengeBitsMin };
    private static int numbers;

    private SteppedServer Server => rig.Server;

    [Theory]
    [InlineData("", "等于几？", "提交得太快了", "回答不正确", "验证已过期", "已预约")]
    [InlineData("/en", "What is ", "That was very quick", "That was not the answer", "The check ran out", "Reserved")]
    public async Task Reserve_WithTheAnswerToTheQuestion_GoesThroughAfterTheTimeThatAPersonNeeds(
        string prefix, string question, string soon, string wrong, string expired, string reserved)
    {
        var sale = await Server.PublishReservingAsync(Always);
        var (user, path) = (NewUser(), $"{prefix}/sales/{sale.Slug}");
        var page = await GetAsync(user, path + "/now");
        Assert.Contains(question, page.Body, StringComparison.Ordinal);
        Assert.Contains("<label for=\"answer\">", page.Body, StringComparison.Ordinal);
        var stamp = Field(page, "challenge");
        Assert.NotEmpty(Field(page, "visit"));

        var early = await SendAsync(user, path, page, Answer(sale, user, stamp));
        Assert.Equal(HttpStatusCode.Forbidden, early.Status);
        Assert.Contains(soon, early.Body, StringComparison.Ordinal);
        Assert.Equal(stamp, Field(early, "challenge"));
        Assert.Equal(Field(page, "visit"), Field(early, "visit"));

        Server.Time.Advance(TimeSpan.FromSeconds(4));
        var mistaken = await SendAsync(user, path, early, "99");
        Assert.Contains(wrong, mistaken.Body, StringComparison.Ordinal);
        Assert.NotEqual(stamp, Field(mistaken, "challenge"));

        Server.Time.Advance(TimeSpan.FromMinutes(5) + TimeSpan.FromMilliseconds(1));
        var late = await SendAsync(user, path, mistaken, "1");
        Assert.Contains(expired, late.Body, StringComparison.Ordinal);

        Server.Time.Advance(TimeSpan.FromSeconds(4));
        var through = await SendAsync(user, path, late, " " + Answer(sale, user, Field(late, "challenge")) + " ");
        Assert.Equal((HttpStatusCode.SeeOther, path + "/reservation"), (through.Status, through.Location));
        Assert.Contains(reserved, (await GetAsync(user, path + "/now")).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reserve_WhereOnlySuspiciousCallersAreChallenged_AsksWhoeverSendsTheFormAtOnce()
    {
        var sale = await Server.PublishReservingAsync(Always with { Challenge = ChallengePolicy.Suspicious });
        var (hasty, calm) = (NewUser(), NewUser());
        var path = $"/sales/{sale.Slug}";
        var page = await GetAsync(hasty, path + "/now");
        Assert.DoesNotContain("data-challenge", page.Body, StringComparison.Ordinal);
        var asked = await SendAsync(hasty, path, page, "");
        Assert.Equal(HttpStatusCode.Forbidden, asked.Status);
        Assert.Contains("请先完成验证", asked.Body, StringComparison.Ordinal);

        var calms = await GetAsync(calm, path + "/now");
        Server.Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(HttpStatusCode.SeeOther, (await SendAsync(calm, path, calms, "")).Status);
    }

    [Fact]
    public async Task Checkout_OfASaleThatChallenges_IsBehindTheChallengeAndTheSameOrderWhenLoadedAgain()
    {
        var sale = await Server.PublishAsync(Always);
        var user = NewUser();
        var path = $"/en/sales/{sale.Slug}/checkout/{sale.Offers[0].Id}";
        var device = Server.OldDevice();
        var (now, page) = (path + "/now", await GetAsync(user, path + "/now", device));
        Assert.Equal(HttpStatusCode.OK, page.Status);
        Assert.DoesNotContain("name=\"token\"", page.Body, StringComparison.Ordinal);
        Assert.Contains("method=\"get\"", page.Body, StringComparison.Ordinal);
        var stamp = Field(page, "challenge");

        var wrong = await GetAsync(user, $"{now}?challenge={stamp}&nonce=&answer=99x", device);
        Assert.Equal(HttpStatusCode.Forbidden, wrong.Status);
        var nonce = SteppedServer.Work(stamp, Limits.ChallengeBitsMin);
        var first = Field((await GetAsync(user, $"{now}?challenge={stamp}&nonce={nonce}", device)).Expect(HttpStatusCode.OK), "token");
        Server.Time.Advance(TimeSpan.FromSeconds(1));
        var second = Field((await GetAsync(user, $"{now["/en".Length..]}?challenge={stamp}&nonce={nonce}&answer=", device)).Expect(HttpStatusCode.OK), "token");
        Assert.NotEqual(first, second);
        var order = await PostAsync(user, path, device, ("token", first));
        Server.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(order.Location, (await PostAsync(user, path, device, ("token", second))).Location);

        // A link on any site may bring somebody else's solution: it counts against nobody.
        var other = NewUser();
        for (var i = 0; i <= Limits.FaultsForgiven; i++)
        {
            Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync(other, $"{now}?challenge={stamp}&nonce={nonce}", device)).Status);
        }

        Assert.False(Server.Get<RecentFaults>().AreMany(UserId.Parse(other)));
    }

    [Fact]
    public async Task Page_ForSomebodyWhoIsSignedIn_GivesTheBrowserADeviceOnce()
    {
        var sale = await Server.PublishAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"/sales/{sale.Slug}/now", UriKind.Relative));
        using (var stranger = await Server.Client.SendAsync(request))
        {
            Assert.False(stranger.Headers.Contains("Set-Cookie"));
        }

        using var signedIn = new HttpRequestMessage(HttpMethod.Get, new Uri($"/sales/{sale.Slug}/now", UriKind.Relative));
        signedIn.Headers.Add("Authorization", "Bearer " + Server.SessionOf("ada"));
        using var answer = await Server.Client.SendAsync(signedIn);
        var cookie = answer.Headers.GetValues("Set-Cookie").Single();
        Assert.Matches("^fs_device=[A-Za-z0-9_-]+; max-age=31536000; path=/; samesite=lax; httponly$", cookie);
        Assert.Contains("worker-src 'self'", answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);

        using var again = new HttpRequestMessage(HttpMethod.Get, new Uri($"/sales/{sale.Slug}/now", UriKind.Relative));
        again.Headers.Add("Authorization", "Bearer " + Server.SessionOf("ada"));
        again.Headers.Add("Cookie", cookie[..cookie.IndexOf(';', StringComparison.Ordinal)]);
        using var known = await Server.Client.SendAsync(again);
        Assert.False(known.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task Sale_WhateverItsWayToGivePlaces_SaysIt()
    {
        var arrival = await Server.PublishAsync();
        var draw = await Server.PublishAsync(new SaleDefences { DrawMs = 1_500 });

        Assert.Contains("先后顺序分配，不抽签", (await GetAsync("ada", "/sales/" + arrival.Slug)).Body, StringComparison.Ordinal);
        var drawn = await GetAsync("ada", "/sales/" + draw.Slug);
        Assert.Contains("1.5 秒内到达的下单请求由抽签决定先后", drawn.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("不抽签", drawn.Body, StringComparison.Ordinal);
        Assert.Contains("within 1.5 s of the opening are put in order by a draw", (await GetAsync("ada", "/en/sales/" + draw.Slug)).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sale_ForAReservationThatIsBeingCheckedOrRejected_SaysSoAndNoMore()
    {
        var sale = await Server.PublishReservingAsync();
        foreach (var (user, status) in new[] { ("pending", ReservationStatus.Pending), ("rejected", ReservationStatus.Rejected) })
        {
            await Server.ReserveAsync(sale, user, status);
        }

        Assert.Contains("预约已提交，正在审核", (await GetAsync("pending", $"/sales/{sale.Slug}/now")).Body, StringComparison.Ordinal);
        Assert.Contains("data-main-button=\"reserved\"", (await GetAsync("pending", $"/sales/{sale.Slug}/now")).Body, StringComparison.Ordinal);
        Assert.Contains("Reservation received, being checked", (await GetAsync("pending", $"/en/sales/{sale.Slug}/now")).Body, StringComparison.Ordinal);
        Assert.Contains("暂不符合参与条件", (await GetAsync("rejected", $"/sales/{sale.Slug}/now")).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scripts_TakenTogether_StayWithinTheirBudget()
    {
        var bytes = 0L;
        foreach (var file in Server.Get<SiteFiles>().Assets)
        {
            using var packed = new MemoryStream();
            await using (var zip = new GZipStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
            {
                await zip.WriteAsync(await Server.Client.GetByteArrayAsync(new Uri(file.Address, UriKind.Relative)));
            }

            bytes += packed.Length;
        }

        Assert.InRange(bytes, 1_000, 12 * 1024);
    }

    private string Answer(Sale sale, string user, string stamp)
    {
        var subject = new ChallengeSubject(ChallengePurpose.Reservation, UserId.Parse(user), sale.Id, default);
        Server.Get<ChallengeStamps>().Verify(subject, new Solution(stamp, null, null), Server.Time.GetUtcNow(), out var challenge);
        return ChallengeStampsTests.AnswerOf(challenge!);
    }

    /// <summary>Sends the form that reserves, as the page has it.</summary>
    private Task<Reply> SendAsync(string user, string path, Reply page, string answer) => PostAsync(
        user, path + "/reservation", Server.Get<Devices>().Create(Server.Time.GetUtcNow().AddSeconds(-2)),
        ("visit", Field(page, "visit")), ("challenge", Field(page, "challenge")), ("nonce", ""), ("answer", answer));

    private Task<Reply> GetAsync(string user, string path, string? device = null) =>
        Server.SendAsync(HttpMethod.Get, user, path, cookie: device is null ? null : $"{Devices.Cookie}={device}");

    private Task<Reply> PostAsync(string user, string path, string device, params (string Key, string Value)[] fields) => Server.SendAsync(
        HttpMethod.Post, user, path, new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Key, field.Value))), cookie: $"{Devices.Cookie}={device}");

    /// <summary>The value of a hidden field; empty without one.</summary>
    private static string Field(Reply page, string name) =>
        Regex.Match(page.Body, $"name=\"{name}\" value=\"([^\"]*)\"", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1)).Groups[1].Value;

    private static string NewUser() => "form-" + Interlocked.Increment(ref numbers).ToString(CultureInfo.InvariantCulture);

    public sealed class Rig : IAsyncLifetime
    {
        private readonly TemporaryFolder folder = new();

        public SteppedServer Server { get; private set; } = null!;

        /// <summary>Nothing assesses reservations, so that they stay as they are.</summary>
        public async ValueTask InitializeAsync() => Server = await SteppedServer.StartAsync(folder.Path, null, "Roles=storefront,orders,console,jobs");

        public async ValueTask DisposeAsync()
        {
            await Server.DisposeAsync();
            folder.Dispose();
        }
    }
}
