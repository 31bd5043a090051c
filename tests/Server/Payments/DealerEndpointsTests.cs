using System.Net;

using Xunit;

namespace FlashSale.Tests.Server.Payments;

public sealed class DealerEndpointsTests(Shop shop)
{
    [Fact]
    public async Task Redeem_ManyTimesAtOnce_WorksOnce()
    {
        var sale = await shop.OpenAsync();
        var bought = (await sale.NewShopper().BuyAsync()).Json;
        var code = bought.GetProperty("coupon").GetProperty("code").GetString()!;
        var dealer = sale.NewShopper("dealer");
        Assert.Equal("issued", (await dealer.SendAsync(HttpMethod.Get, "/api/v1/coupons/" + code)).Expect(HttpStatusCode.OK).Text("status"));

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => dealer.SendAsync(HttpMethod.Post, $"/api/v1/coupons/{code}/redemption")));

        var redeemed = Assert.Single(answers, answer => answer.Status == HttpStatusCode.OK);
        Assert.Equal("redeemed", redeemed.Text("status"));
        Assert.Equal(dealer.UserId, redeemed.Text("redeemedBy"));
        Assert.All(answers.Where(answer => answer != redeemed), answer => answer.ExpectProblem(HttpStatusCode.Conflict, "coupon-already-redeemed", effect: "applied"));
        Assert.Equal("redeemed", (await dealer.SendAsync(HttpMethod.Get, "/api/v1/coupons/" + code)).Text("status"));
        await sale.AssertReconciledAsync();
    }

    [Fact]
    public async Task Find_AsTyped_ReadsTheCode()
    {
        var sale = await shop.OpenAsync();
        var code = (await sale.NewShopper().BuyAsync()).Json.GetProperty("coupon").GetProperty("code").GetString()!;
        var typed = code.Replace("-", "", StringComparison.Ordinal).ToLowerInvariant().Replace('0', 'o').Replace('1', 'l');

        Assert.Equal(code, (await sale.NewShopper("dealer").SendAsync(HttpMethod.Get, "/api/v1/coupons/" + typed)).Expect(HttpStatusCode.OK).Text("code"));
    }

    [Fact]
    public async Task Find_WithWhatIsNoCode_Answers404()
    {
        var dealer = (await shop.OpenAsync()).NewShopper("dealer");
        foreach (var code in new[] { "0000-0000-0000", "x", "%F0%9F%8E%AB", "----", "....", new('A', 2_000), "a%2Fb", "%25", "'%20OR%201=1" })
        {
            (await dealer.SendAsync(HttpMethod.Get, "/api/v1/coupons/" + code)).ExpectProblem(HttpStatusCode.NotFound, "not-found");
            (await dealer.SendAsync(HttpMethod.Post, $"/api/v1/coupons/{code}/redemption")).ExpectProblem(HttpStatusCode.NotFound, "not-found");
        }
    }
}
