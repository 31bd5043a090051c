using FlashSale.Core.Wire;
using FlashSale.Tests.Server;

using Xunit;

namespace FlashSale.Tests.Gateway;

/// <summary>What the gateway says to barred addresses by itself, and what it leaves to the application.</summary>
public sealed class BlacklistTests
{
    private const string Tokens = "/api/v1/offers/1F/order-tokens";
    private const string Reservations = "/api/v1/sales/31/reservations";

    [Fact]
    public async Task Call_FromABarredAddress_IsRefusedAsTheApplicationRefuses_AndOthersAreNot()
    {
        await using var rig = await GatewayRig.StartAsync(state => state.BarredAddresses =
            ["7f000205/32", "7f030000/16", "7f048000/17", "00000000000000000000ffff7f000306/128", "20010db8000000000000000000000000/32", "rubbish", "7f/8", "7f000000/33"]);
        foreach (var barred in new[] { "127.0.2.5", "127.3.0.1", "127.3.255.254", "127.4.128.0", "127.4.255.1" })
        {
            using var client = rig.Client(barred);
            await rig.RefusedAsync(() => PostAsync(rig, client, Tokens), ProblemCode.NotEligible);
            await rig.RefusedAsync(() => PostAsync(rig, client, Reservations), ProblemCode.NotEligible);
            await rig.RefusedAsync(() => PostAsync(rig, client, Tokens + "/", ("X-Forwarded-For", "8.8.8.8"), ("X-Real-IP", "8.8.8.8")), ProblemCode.NotEligible);
        }

        Assert.Empty(rig.Application.Requests);
        foreach (var free in new[] { "127.0.2.4", "127.0.2.6", "127.2.255.255", "127.4.127.255", "127.5.0.1" })
        {
            using var client = rig.Client(free);
            Assert.True((await PostAsync(rig, client, Tokens, ("X-Forwarded-For", "127.0.2.5"))).WasPassedOn, free);
        }

        await rig.MetricIsAsync("""flashsale_gateway_refusals_total{class="shopping",reason="barred-address"}""", 15);
    }

    /// <summary>Paying, cancelling, reading and what the application must decide itself go on.</summary>
    [Fact]
    public async Task Call_FromABarredAddress_WhenItIsNoneOfTheGatewaysBusiness_GoesOn()
    {
        await using var rig = await GatewayRig.StartAsync(state => state.BarredAddresses = ["7f000205/32"]);
        using var client = rig.Client("127.0.2.5");
        foreach (var path in new[]
        {
            "/api/v1/orders/ab/payments", "/api/v1/orders/ab/cancellation", "/api/v1/sales/31/visits", "/api/v1/offers/2F/order-tokens", "/api/v1/sales/32/reservations",
            "/api/v1/sales/31/reservations/me", "/api/v1/orders",
        })
        {
            Assert.True((await PostAsync(rig, client, path)).WasPassedOn, path);
        }

        Assert.True((await rig.SendAsync(HttpMethod.Post, Tokens, null, client: client)).WasPassedOn);
        Assert.True((await rig.SendAsync(HttpMethod.Post, Tokens, GatewayRig.Session("alice", Convert.FromBase64String(TestServer.NewKey())), client: client)).WasPassedOn);
        var expires = TimeProvider.System.GetUtcNow().AddHours(1).ToUnixTimeSeconds();
        foreach (var (role, passes) in new (object, bool)[] { ("operator", true), (new[] { "risk" }, true), (Array.Empty<string>(), false) })
        {
            var session = GatewayRig.Session("olga", claims: new { iss = "flashsale", aud = "flashsale", sub = "olga", exp = expires, role });
            Assert.Equal(passes, (await rig.DecidedAsync(() => rig.SendAsync(HttpMethod.Post, Tokens, session, client: client))).WasPassedOn);
        }
    }

    [Fact]
    public async Task Address_WhenItIsBarredAndLetInAgain_IsHeardOfWithinASecond_AndNothingIsSaidFromAnOldState()
    {
        await using var rig = await GatewayRig.StartAsync();
        using var client = rig.Client("127.0.2.5");
        Assert.True((await PostAsync(rig, client, Tokens)).WasPassedOn);

        rig.State.Change(() => rig.State.BarredAddresses = ["7f000200/24"]);
        await Eventually.HoldsAsync(async () => !(await PostAsync(rig, client, Tokens)).WasPassedOn, "it is barred");
        rig.State.Change(() => rig.State.BarredAddresses = null);
        await Eventually.HoldsAsync(async () => (await PostAsync(rig, client, Tokens)).WasPassedOn, "it is let in again");

        rig.State.Change(() => rig.State.BarredAddresses = [.. Enumerable.Range(0, 10_000).Select(i => $"{0x0a000000 + (i << 8):x8}/24").Append("7f000205/32")]);
        await Eventually.HoldsAsync(async () => !(await PostAsync(rig, client, Tokens)).WasPassedOn, "it is barred among many");
        rig.Application.State = null;
        await Eventually.HoldsAsync(async () => (await PostAsync(rig, client, Tokens)).WasPassedOn, "what the application does not say any more is not said for it");
    }

    private static Task<GatewayReply> PostAsync(GatewayRig rig, HttpClient client, string path, params IReadOnlyList<(string Name, string Value)> headers) =>
        rig.SendAsync(HttpMethod.Post, path, GatewayRig.Session("alice"), headers: headers, client: client);
}
