using System.Collections.Concurrent;

using FlashSale.Tests.Server;
using FlashSale.Tests.Server.Storefront;

using Xunit;

namespace FlashSale.Tests.Browser;

/// <summary>The server goes away while somebody is in the shop.</summary>
public sealed class RestartTests(BrowserShop shop, OneChromium chromium, DemoShop own) : BrowserTests(shop, chromium), IClassFixture<DemoShop>
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Order_WhenTheServerIsAwayAtTheClick_IsPlacedOnceItIsBack(bool killed)
    {
        var sale = await SaleOfTest.PublishAsync(own, new Terms());
        var user = NewUser("steady");
        var visitor = await ComeAsync(server: own.Server);
        await visitor.HaveSessionAsync(user);
        visitor.Faults.Expect("ERR_", "503");
        var tokens = new ConcurrentBag<string?>();
        visitor.Page.Request += (_, request) =>
        {
            if (request.Method == "POST" && request.Url.EndsWith("/api/v1/orders", StringComparison.Ordinal))
            {
                tokens.Add(request.PostData);
            }
        };
        await visitor.GoAsync(sale.Checkout);
        await visitor.SeesButtonAsync("grab");

        await (killed ? own.Server.KillAsync() : own.Server.StopAsync());
        await visitor.PressAsync();
        await Eventually.HoldsAsync(() => tokens.Count > 1, "it tries again");
        await own.Server.RestartAsync();

        // The longer the server was away, the more rarely it is asked: every fifteen seconds in the end.
        await visitor.SeesButtonAsync("won", Visitor.Patience * 2);
        Assert.Single(tokens.Distinct());
        Assert.Single(await sale.OrdersOfAsync(user));
        await sale.AssertReconciledAsync();
    }
}
