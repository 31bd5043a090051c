using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;

using Xunit;

namespace FlashSale.Tests.Server.Console;

public sealed class OrderDeskTests(ConsoleServer console) : IClassFixture<ConsoleServer>
{
    [Fact]
    public async Task List_ByUserSaleOfferStatusOrId_FindsTheOrders()
    {
        var sale = await console.PublishAsync();
        var (anna, bert) = (Name("anna"), Name("bert"));
        var first = (await console.OrderAsync(sale.OfferId, anna)).Id;
        var second = (await console.OrderAsync(sale.OfferId, bert)).Id;
        await console.PayAsync(second, bert);

        Assert.Equal([second, first], await IdsAsync($"orders?saleId={sale.Id}"));
        Assert.Equal([second, first], await IdsAsync($"orders?offerId={sale.OfferId}&saleId={sale.Id}"));
        Assert.Equal([first], await IdsAsync($"orders?userId={anna}"));
        Assert.Equal([second], await IdsAsync($"orders?saleId={sale.Id}&status=paid"));
        Assert.Equal([first], await IdsAsync($"orders?orderId={first}"));
        Assert.Equal([], await IdsAsync($"orders?orderId={first}&status=paid"));
        Assert.Equal([], await IdsAsync($"orders?orderId={new string('0', 32)}"));
        Assert.Equal(second, (await IdsAsync("orders"))[0]);
        // The code of a coupon is as good as money: it does not stand in a list.
        Assert.DoesNotContain("coupon", (await console.GetAsync($"orders?saleId={sale.Id}")).Text);
    }

    [Fact]
    public async Task List_WhenAParameterIsWrong_NamesIt()
    {
        var answer = (await console.GetAsync("orders?userId=%20&saleId=x!&offerId=-1&status=Paid&orderId=7&cursor=-1")).Expect(HttpStatusCode.UnprocessableEntity);

        Assert.Equal(["cursor", "offerId", "orderId", "saleId", "status", "userId"], answer.Errors.Order());
    }

    [Fact]
    public async Task Find_AnOrderWithAHistory_TellsItInItsOrder()
    {
        var sale = await console.PublishAsync();
        var user = Name("carl");
        var id = (await console.OrderAsync(sale.OfferId, user)).Id;
        Assert.Equal(["cancellation"], Actions(await console.GetAsync($"orders/{id}")));
        await console.PayAsync(id, user);
        var paid = (await console.GetAsync($"orders/{id}")).Expect(HttpStatusCode.OK);
        Assert.Equal(["refund"], Actions(paid));
        (await console.PostAsync($"orders/{id}/refund", Reason("wrong car"))).Expect(HttpStatusCode.OK);

        var found = (await console.GetAsync($"orders/{id}")).Expect(HttpStatusCode.OK).Json;

        var timeline = found.GetProperty("timeline").EnumerateArray().ToList();
        Assert.Equal(["token_issued", "held", "payment_started", "paid", "coupon_issued", "refunded"], timeline.Select(one => one.GetProperty("kind").GetString()));
        Assert.Equal(("olga", "wrong car"), (timeline[^1].GetProperty("actor").GetString(), timeline[^1].GetProperty("reason").GetString()));
        var times = timeline.Select(one => one.GetProperty("at").GetDateTimeOffset()).ToList();
        Assert.Equal(times.Order(), times);
        Assert.Equal(("refunded", "revoked", "paid"), (
            found.GetProperty("order").GetProperty("status").GetString(), found.GetProperty("coupon").GetProperty("status").GetString(), found.GetProperty("payment").GetProperty("status").GetString()));
        Assert.Empty(found.GetProperty("actions").EnumerateArray());
        (await console.GetAsync($"orders/{new string('0', 32)}")).ExpectProblem(HttpStatusCode.NotFound, "not-found");
        (await console.GetAsync("orders/7")).ExpectProblem(HttpStatusCode.NotFound, "not-found");
    }

    [Fact]
    public async Task Cancel_AHeldOrder_GivesItsUnitToTheNextAndIsAudited()
    {
        var definition = console.Definition();
        definition["offers"]![0]!["stock"] = 1;
        var sale = await console.PublishAsync(definition);
        var user = Name("dora");
        var id = (await console.OrderAsync(sale.OfferId, user)).Id;

        var answer = (await console.PostAsync($"orders/{id}/cancellation", Reason("asked by telephone"))).Expect(HttpStatusCode.OK);
        (await console.PostAsync($"orders/{id}/cancellation", Reason("again"))).Expect(HttpStatusCode.OK);

        Assert.Equal("cancelled", answer.Json.GetProperty("status").GetString());
        var timeline = (await console.GetAsync($"orders/{id}")).Json.GetProperty("timeline").EnumerateArray().ToList();
        Assert.Equal(("cancelled", "olga", "asked by telephone"), (timeline[^1].GetProperty("kind").GetString(), timeline[^1].GetProperty("actor").GetString(), timeline[^1].GetProperty("reason").GetString()));
        await console.OrderAsync(sale.OfferId, Name("emil"));
        var entries = (await console.GetAsync("audit")).Json.GetProperty("items").EnumerateArray().Where(entry => entry.GetProperty("subject").GetString() == $"order/{id}");
        Assert.Equal("order.cancel", Assert.Single(entries).GetProperty("action").GetString());
        var books = (await console.GetAsync($"sales/{sale.Id}/reconciliation")).Json;
        Assert.Empty(books.GetProperty("violations").EnumerateArray());
    }

    [Fact]
    public async Task Refund_APaidOrder_SellsItsUnitAgainAndTheBooksAgree()
    {
        var definition = console.Definition();
        definition["offers"]![0]!["stock"] = 1;
        var sale = await console.PublishAsync(definition);
        var (user, next) = (Name("fred"), Name("gina"));
        var id = (await console.OrderAsync(sale.OfferId, user)).Id;
        (await console.PostAsync($"orders/{id}/refund", Reason("not paid yet"))).ExpectProblem(HttpStatusCode.Conflict, "order-not-refundable");
        await console.PayAsync(id, user);
        (await console.PostAsync($"orders/{id}/cancellation", Reason("too late"))).ExpectProblem(HttpStatusCode.Conflict, "order-not-cancellable");

        Assert.Equal("refunded", (await console.PostAsync($"orders/{id}/refund", Reason("wrong car"))).Expect(HttpStatusCode.OK).Json.GetProperty("status").GetString());
        Assert.Equal("refunded", (await console.PostAsync($"orders/{id}/refund", Reason("again"))).Expect(HttpStatusCode.OK).Json.GetProperty("status").GetString());

        var second = (await console.OrderAsync(sale.OfferId, next)).Id;
        await console.PayAsync(second, next);
        var books = (await console.GetAsync($"sales/{sale.Id}/reconciliation")).Json;
        Assert.Empty(books.GetProperty("violations").EnumerateArray());
    }

    [Fact]
    public async Task AnyCall_ByWhoHasNotTheRole_IsRefused()
    {
        var sale = await console.PublishAsync();
        var id = (await console.OrderAsync(sale.OfferId, Name("hugo"))).Id;
        foreach (var role in (string[])["auditor", "approver", "risk", "dealer"])
        {
            var client = console.Server.SignedIn("someone", role);
            foreach (var action in (string[])["cancellation", "refund"])
            {
                (await ConsoleServer.SendAsync(client, HttpMethod.Post, $"orders/{id}/{action}", Reason("no"))).ExpectProblem(HttpStatusCode.Forbidden, "forbidden");
            }

            var expected = role == "auditor" ? HttpStatusCode.OK : HttpStatusCode.Forbidden;
            (await ConsoleServer.SendAsync(client, HttpMethod.Get, "orders")).Expect(expected);
            (await ConsoleServer.SendAsync(client, HttpMethod.Get, $"orders/{id}")).Expect(expected);
        }

        (await console.PostAsync($"orders/{id}/cancellation", new JsonObject())).Expect(HttpStatusCode.UnprocessableEntity);
        Assert.Equal("held", (await console.GetAsync($"orders/{id}")).Json.GetProperty("order").GetProperty("status").GetString());
    }

    private static string Name(string name) => $"{name}-{Guid.NewGuid():N}";

    private static JsonObject Reason(string reason) => new() { ["reason"] = reason };

    private static IEnumerable<string?> Actions(Answer answer) => answer.Json.GetProperty("actions").EnumerateArray().Select(action => action.GetString());

    private async Task<List<string?>> IdsAsync(string path) =>
        [.. (await console.GetAsync(path)).Expect(HttpStatusCode.OK).Json.GetProperty("items").EnumerateArray().Select((JsonElement order) => order.GetProperty("id").GetString())];
}
