using System.Net;
using System.Text;

using Xunit;

namespace FlashSale.Tests.Server.Checkout;

public sealed class OrderTokenEndpointsTests(Shop shop)
{
    [Fact]
    public async Task Submit_WithATokenOfLessThanASecond_IsRefusedUntilItIsOldEnough()
    {
        var sale = await ShopSale.OpenAsync(await shop.StrictAsync(), new ShopTerms());
        var refusals = 0;
        // When the first call came too late, because the machine stood still, it proves nothing.
        for (var attempt = 1; refusals == 0 && attempt <= 5; attempt++)
        {
            refusals = await SubmitUntilItIsOldEnoughAsync(sale.NewShopper());
        }

        Assert.NotEqual(0, refusals);
    }

    private static async Task<int> SubmitUntilItIsOldEnoughAsync(Shopper alice)
    {
        var issued = (await alice.AskTokenAsync()).Expect(HttpStatusCode.Created).Json;
        var token = issued.GetProperty("token").GetString()!;
        var usableAt = issued.GetProperty("usableAt").GetDateTimeOffset();
        Assert.Equal(TimeSpan.FromMinutes(10) - TimeSpan.FromSeconds(1), issued.GetProperty("expiresAt").GetDateTimeOffset() - usableAt);

        var refusals = 0;
        while (true)
        {
            var sent = TimeProvider.System.GetUtcNow();
            var last = await alice.SubmitAsync(token);
            if (last.Status == HttpStatusCode.Created)
            {
                break;
            }

            Assert.True(sent < usableAt.AddSeconds(1), "It is old enough: " + last.Body);
            last.ExpectProblem(HttpStatusCode.Forbidden, "order-token-rejected");
            refusals++;
            await Task.Delay(20);
        }

        Assert.True(TimeProvider.System.GetUtcNow() >= usableAt);
        return refusals;
    }

    [Fact]
    public async Task Submit_WithAnyTokenThatIsNotGood_GetsTheSameAnswer()
    {
        var sale = await shop.OpenAsync();
        var (alice, bob) = (sale.NewShopper(), sale.NewShopper());
        var bobs = await bob.TokenAsync();
        var good = await alice.TokenAsync();
        var forged = good[..^1] + (good[^1] == 'A' ? 'E' : 'A');
        string[] bodies =
        [
            "", "{}", """{"token":null}""", """{"token":17}""", """{"token":["a"]}""", """{"token":{}}""", """{"token":true}""", """{"token":""}""",
            """{"token":"garbage"}""", """{"token":"\ud800"}""", $$"""{"token":"{{bobs}}"}""", $$"""{"token":"{{forged}}"}""", $$"""{"token":"{{good}}="}""",
            $$"""{"token":" {{good}}"}""", $$"""{"token":"{{good}}","token":"x"}""", $$"""{"Token":"{{good}}"}""",
        ];

        HashSet<string> answers = [];
        foreach (var body in bodies)
        {
            using var content = new StringContent(body, Encoding.UTF8, "application/json");
            var refused = (await alice.SendAsync(HttpMethod.Post, "/api/v1/orders", content)).ExpectProblem(HttpStatusCode.Forbidden, "order-token-rejected");
            answers.Add(refused.Body.Replace(refused.Text("traceId"), "", StringComparison.Ordinal));
        }

        Assert.Single(answers);
        (await alice.SubmitAsync(good)).Expect(HttpStatusCode.Created);
        Assert.Equal(1, (await sale.AssertReconciledAsync()).GetProperty("held").GetInt64());
    }

    [Fact]
    public async Task Submit_WithATokenOfAnotherServersKey_IsRefused()
    {
        var elsewhere = await ShopSale.OpenAsync(await shop.StrictAsync(), new ShopTerms());
        var sale = await shop.OpenAsync();
        var alice = sale.NewShopper();
        var foreign = await elsewhere.Named(alice.UserId).TokenAsync();

        (await alice.SubmitAsync(foreign)).ExpectProblem(HttpStatusCode.Forbidden, "order-token-rejected");
    }

    [Fact]
    public async Task Issue_LongBeforeTheOpening_IsRefusedWithTheTimeOfIt()
    {
        var sale = await shop.OpenAsync(new ShopTerms { OpensIn = TimeSpan.FromMinutes(11) });
        var refused = (await sale.NewShopper().AskTokenAsync()).ExpectProblem(HttpStatusCode.Conflict, "sale-not-open");
        Assert.Equal(sale.OpensAt, refused.Json.GetProperty("opensAt").GetDateTimeOffset(), TimeSpan.FromMilliseconds(1));
    }

    [Fact]
    public async Task Issue_ForAnOfferThatIsNotThere_Answers404()
    {
        var alice = (await shop.OpenAsync()).NewShopper();
        foreach (var id in new[] { "0", "-1", "999999999", "9223372036854775808", "01", "1.0", "abc", new string('9', 400) })
        {
            (await alice.SendAsync(HttpMethod.Post, $"/api/v1/offers/{id}/order-tokens")).ExpectProblem(HttpStatusCode.NotFound, "not-found");
        }
    }
}
