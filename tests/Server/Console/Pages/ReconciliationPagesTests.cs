using System.Net;

using Xunit;

namespace FlashSale.Tests.Server.Console.Pages;

public sealed class ReconciliationPagesTests(ConsoleServer shop) : IClassFixture<ConsoleServer>
{
    [Fact]
    public async Task Page_WhenTheBooksAgree_SaysSoWithTheFigures()
    {
        var published = await shop.PublishAsync();
        var paid = await shop.OrderAsync(published.OfferId, "anna");
        await shop.PayAsync(paid.Id, "anna");
        await shop.OrderAsync(published.OfferId, "bert");
        var ada = new DeskVisitor(shop.Server, "ada", "auditor");

        var zh = (await ada.GetAsync($"/console/sales/{published.Id}/reconciliation")).Expect(HttpStatusCode.OK);
        var en = (await ada.GetAsync($"/console/en/sales/{published.Id}/reconciliation")).Expect(HttpStatusCode.OK);
        var csv = (await ada.GetAsync($"/console/en/sales/{published.Id}/reconciliation.csv")).Expect(HttpStatusCode.OK);

        Assert.Contains("账实相符", zh.Text);
        Assert.Contains("Everything agrees", en.Text);
        Assert.Contains("Ledger Initial 10 Adjustments 0 Available 8 Held 1 Sold 1 Gate Gate stock 8 Gate pending 0 Change log Changes 4 Orders Orders held 1 Orders paid 1 Coupons Coupons 1 Payments Payments paid 1", en.Text);
        Assert.StartsWith($"{published.OfferId},\"30,000 yuan\",10,0,8,1,1,4,1,1,1,1,8,0,Agrees,", csv.Lines[1]);
        (await ada.GetAsync("/console/sales/123/reconciliation")).Expect(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Page_WhenTheBooksWereTamperedWith_SaysWhatDoesNotAgreeInBothLanguages()
    {
        await using var server = new ConsoleServer();
        await server.InitializeAsync();
        var published = await server.PublishAsync();
        await server.TamperAsync(published);
        var ada = new DeskVisitor(server.Server, "ada", "auditor");

        var zh = (await ada.GetAsync($"/console/sales/{published.Id}/reconciliation")).Expect(HttpStatusCode.OK);
        var en = (await ada.GetAsync($"/console/en/sales/{published.Id}/reconciliation")).Expect(HttpStatusCode.OK);

        Assert.Contains($"优惠券 {published.OfferId}：已支付订单与优惠券不符：1 与 0。", zh.Text);
        Assert.Contains("库存流水无法重放，序号 2", zh.Text);
        Assert.DoesNotContain("differ", zh.Text);
        Assert.Contains("does not replay at seq 2", en.Text);
        Assert.Contains("Does not agree", en.Text);
        Assert.DoesNotContain("Everything agrees", en.Text);
        Assert.Contains("orders paid and their coupons differ: 1 and 0", (await ada.GetAsync($"/console/en/sales/{published.Id}/reconciliation.csv")).Html);
    }
}
