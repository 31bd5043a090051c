using System.Net;

using Xunit;

namespace FlashSale.Tests.Server.Orders;

/// <summary>More time to pay an order, and how its owner is reached.</summary>
public sealed class OrderCareTests(Shop shop)
{
    private static readonly object Contact = new { name = "王小明", phone = "+86 139-0000-0000", city = "杭州" };

    [Fact]
    public async Task Extend_WhenHeld_GivesHalfTheWindowOnce()
    {
        var sale = await shop.OpenAsync();
        var alice = sale.NewShopper();
        var order = await alice.OrderAsync();

        var extended = (await alice.ExtendAsync(order.Text("id"))).Expect(HttpStatusCode.OK);

        Assert.Equal(TimeSpan.FromMinutes(20), extended.Json.GetProperty("payBefore").GetDateTimeOffset() - order.Json.GetProperty("createdAt").GetDateTimeOffset());
        Assert.Equal(extended.Body, (await alice.ReadAsync(order.Text("id"))).Expect(HttpStatusCode.OK).Body);
        (await alice.ExtendAsync(order.Text("id"))).ExpectProblem(HttpStatusCode.Conflict, "order-not-extendable");
        Assert.Equal(1, (await sale.AssertReconciledAsync()).GetProperty("held").GetInt64());
    }

    [Fact]
    public async Task Extend_TwentyTimesAtOnce_ExtendsOnce()
    {
        var sale = await shop.OpenAsync();
        var alice = sale.NewShopper();
        var order = (await alice.OrderAsync()).Text("id");

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => alice.ExtendAsync(order)));

        Assert.Single(answers, answer => answer.Status == HttpStatusCode.OK);
        Assert.All(
            answers.Where(answer => answer.Status != HttpStatusCode.OK),
            answer => answer.ExpectProblem(HttpStatusCode.Conflict, "order-not-extendable"));
    }

    [Fact]
    public async Task Extend_OfAShortWindow_ExpiresAfterTheLongerTime()
    {
        var (sale, alice, order, extended) = await ExtendInTimeAsync();
        var payBefore = Shopper.PayBeforeOf(extended);
        Assert.Equal(TimeSpan.FromSeconds(7), payBefore - order.Json.GetProperty("createdAt").GetDateTimeOffset());

        await Eventually.HoldsAsync(
            async () =>
            {
                var status = (await alice.ReadAsync(order.Text("id"))).Text("status");
                Assert.True(status == "held" || TimeProvider.System.GetUtcNow() >= payBefore, $"It is {status} too soon.");
                return status == "expired";
            },
            "the order expires");

        (await alice.ExtendAsync(order.Text("id"))).ExpectProblem(HttpStatusCode.Conflict, "order-not-extendable");
        await sale.AssertReconciledAsync();
    }

    /// <summary>An order with two seconds to pay, and what became of it.</summary>
    private async Task<(ShopSale Sale, Shopper Shopper, Reply Order, Reply Extended)> ExtendInTimeAsync()
    {
        for (var attempt = 1; ; attempt++)
        {
            var sale = await shop.OpenAsync(new ShopTerms(Stock: 1) { PaymentWindowSeconds = 2 });
            var alice = sale.NewShopper();
            var order = await alice.OrderAsync();
            var extended = await alice.ExtendAsync(order.Text("id"));
            // A machine that stood still may have let the window end first: then it proves nothing.
            if (attempt == 5 || extended.Status != HttpStatusCode.Conflict || TimeProvider.System.GetUtcNow() < Shopper.PayBeforeOf(order))
            {
                return (sale, alice, order, extended.Expect(HttpStatusCode.OK));
            }
        }
    }

    [Fact]
    public async Task ExtendAndContact_WhenTheOrderHasEnded_AreRefused()
    {
        var sale = await shop.OpenAsync();
        var alice = sale.NewShopper();
        var order = (await alice.OrderAsync()).Text("id");
        (await alice.CancelAsync(order)).Expect(HttpStatusCode.OK);

        (await alice.ExtendAsync(order)).ExpectProblem(HttpStatusCode.Conflict, "order-not-extendable");
        (await PutAsync(alice, order, Contact)).ExpectProblem(HttpStatusCode.Conflict, "contact-closed");
        (await GetAsync(alice, order)).ExpectProblem(HttpStatusCode.NotFound, "not-found");
    }

    [Fact]
    public async Task Extend_OfAPaidOrder_IsRefused()
    {
        var alice = (await shop.OpenAsync()).NewShopper();

        (await alice.ExtendAsync((await alice.BuyAsync()).Text("id"))).ExpectProblem(HttpStatusCode.Conflict, "order-not-extendable");
    }

    [Fact]
    public async Task ExtendAndContact_OfAnothersOrder_AnswerAsIfThereWereNone()
    {
        var sale = await shop.OpenAsync();
        var (alice, mallory) = (sale.NewShopper(), sale.NewShopper("operator", "dealer", "auditor"));
        var order = (await alice.OrderAsync()).Text("id");
        (await PutAsync(alice, order, Contact)).Expect(HttpStatusCode.OK);

        foreach (var id in new[] { order, "none", Guid.NewGuid().ToString("N") })
        {
            (await mallory.ExtendAsync(id)).ExpectProblem(HttpStatusCode.NotFound, "not-found");
            (await PutAsync(mallory, id, Contact)).ExpectProblem(HttpStatusCode.NotFound, "not-found");
            (await GetAsync(mallory, id)).ExpectProblem(HttpStatusCode.NotFound, "not-found");
        }
    }

    [Fact]
    public async Task Contact_OfAHeldAndAPaidOrder_IsKeptAndErasedWithTheUser()
    {
        var sale = await shop.OpenAsync();
        var alice = sale.NewShopper();
        var order = (await alice.BuyAsync()).Text("id");
        (await GetAsync(alice, order)).ExpectProblem(HttpStatusCode.NotFound, "not-found");

        var kept = (await PutAsync(alice, order, new { name = " 王小明 ", phone = "+86 139-0000-0000", city = "杭州" })).Expect(HttpStatusCode.OK);

        Assert.Equal(("王小明", "+86 139-0000-0000", "杭州"), (kept.Text("name"), kept.Text("phone"), kept.Text("city")));
        Assert.Equal(kept.Body, (await GetAsync(alice, order)).Expect(HttpStatusCode.OK).Body);
        // Nowhere else.
        foreach (var path in new[] { "audit", $"sales/{sale.Id}/export" })
        {
            Assert.DoesNotContain("139-0000", (await sale.AdminAsync(HttpMethod.Get, path)).Expect(HttpStatusCode.OK).Body, StringComparison.Ordinal);
        }

        var erased = (await sale.AdminAsync(HttpMethod.Delete, "risk/users/" + alice.UserId)).Expect(HttpStatusCode.OK).Json;
        Assert.Equal(1, erased.GetProperty("contacts").GetInt32());
        (await GetAsync(alice, order)).ExpectProblem(HttpStatusCode.NotFound, "not-found");
        Assert.Equal("paid", (await alice.ReadAsync(order)).Text("status"));
    }

    [Fact]
    public async Task Contact_WithInvalidFields_NamesThemAll()
    {
        var alice = (await shop.OpenAsync()).NewShopper();
        var order = (await alice.OrderAsync()).Text("id");

        var refused = (await PutAsync(alice, order, new { name = "  ", phone = "call me", city = new string('x', 61) }))
            .ExpectProblem(HttpStatusCode.UnprocessableEntity, "invalid-fields");

        Assert.Equal(["city", "name", "phone"], refused.Json.GetProperty("errors").EnumerateObject().Select(error => error.Name));
        (await GetAsync(alice, order)).ExpectProblem(HttpStatusCode.NotFound, "not-found");
    }

    private static Task<Reply> PutAsync(Shopper shopper, string order, object contact) =>
        shopper.SendAsync(HttpMethod.Put, $"/api/v1/orders/{order}/contact", contact);

    private static Task<Reply> GetAsync(Shopper shopper, string order) => shopper.SendAsync(HttpMethod.Get, $"/api/v1/orders/{order}/contact");
}
