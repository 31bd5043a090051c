using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;

using Microsoft.Playwright;

using Xunit;

namespace FlashSale.Tests.Browser;

/// <summary>The order token of the checkout: asked for when it is of use, and never exchanged under a click.</summary>
public sealed class CheckoutTests(BrowserShop shop, OneChromium chromium) : BrowserTests(shop, chromium)
{
    private const string Tokens = "**/api/v1/offers/*/order-tokens";
    private const string Orders = "**/api/v1/orders";
    private readonly ConcurrentQueue<string> asked = [];

    [Theory]
    [InlineData(500, "internal-error", "loading")]
    [InlineData(404, "not-found", "loading")]
    [InlineData(403, "not-eligible", "not_eligible")]
    [InlineData(409, "not-reserved", "grab")]
    public async Task Token_WhenItIsRefused_IsNotAskedForAgainAndAgain(int status, string code, string state)
    {
        var sale = await Shop.PublishAsync();
        var visitor = await ComeSignedInAsync("refused");
        visitor.Faults.Expect(status.ToString(CultureInfo.InvariantCulture));
        await visitor.Page.RouteAsync(Tokens, route =>
        {
            asked.Enqueue(code);
            return RefuseAsync(route, status, code);
        });

        await visitor.GoAsync(sale.Checkout);
        await Server.Eventually.HoldsAsync(() => !asked.IsEmpty, "a token is asked for");
        await Task.Delay(TimeSpan.FromSeconds(3));

        // The waits grow: 1, 2, 4 s where it may pass, and 4 s and more where it will not.
        Assert.InRange(asked.Count, 1, 5);
        if (state != "grab")
        {
            await visitor.SeesButtonAsync(state);
        }
    }

    [Fact]
    public async Task Token_OfSomebodyWhoMayNotOrder_IsNotAskedFor()
    {
        var sale = await Shop.PublishAsync(new Terms { Reservations = (TimeSpan.FromHours(-2), TimeSpan.FromHours(-1)) });
        var visitor = await ComeSignedInAsync("unreserved");
        await visitor.Page.RouteAsync(Tokens, route =>
        {
            asked.Enqueue("asked");
            return route.ContinueAsync();
        });

        await visitor.GoAsync(sale.Checkout);
        await visitor.SeesButtonAsync("reservation_closed");
        await Task.Delay(TimeSpan.FromSeconds(1));

        Assert.Empty(asked);
    }

    /// <summary>A token that is about to run out is renewed; what was pressed meanwhile goes on with the one that it was pressed with.</summary>
    [Fact]
    public async Task Token_WhenTheNextOneComesAfterTheClick_IsNotExchanged()
    {
        var sale = await Shop.PublishAsync();
        var visitor = await ComeSignedInAsync("renewing");
        visitor.Faults.Expect("ERR_CONNECTION_RESET");
        var clicked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var renewed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var tokens = 0;
        await visitor.Page.RouteAsync(Tokens, async route =>
        {
            var first = Interlocked.Increment(ref tokens) == 1;
            var answer = await route.FetchAsync();
            if (first)
            {
                // 29 s are left of it: it is time for the next.
                var body = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(await answer.TextAsync())!;
                body["expiresAt"] = JsonSerializer.SerializeToElement(TimeProvider.System.GetUtcNow().AddSeconds(29));
                await route.FulfillAsync(new() { Response = answer, Json = body });
                return;
            }

            await clicked.Task;
            await route.FulfillAsync(new() { Response = answer });
            renewed.TrySetResult();
        });
        await visitor.Page.RouteAsync(Orders, async route =>
        {
            asked.Enqueue(JsonDocument.Parse(route.Request.PostData!).RootElement.GetProperty("token").GetString()!);
            if (asked.Count > 1)
            {
                await route.ContinueAsync();
                return;
            }

            await route.FetchAsync();
            clicked.TrySetResult();
            await renewed.Task;
            await Task.Delay(200);
            await route.AbortAsync("connectionreset");
        });

        await visitor.GoAsync(sale.Checkout);
        await Server.Eventually.HoldsAsync(() => Volatile.Read(ref tokens) > 1, "the next token is on its way");
        await visitor.SeesButtonAsync("grab");
        await visitor.PressAsync();
        await visitor.SeesButtonAsync("won");

        Assert.True(asked.Count > 1);
        Assert.Single(asked.Distinct());
    }

    [Fact]
    public async Task Won_WhenTheOrderIsCancelledElsewhere_IsTakenBack()
    {
        var sale = await Shop.PublishAsync();
        var user = NewUser("fickle");
        var visitor = await ComeAsync();
        await visitor.HaveSessionAsync(user);
        await visitor.GoAsync(sale.Checkout);
        await visitor.SeesButtonAsync("grab");
        await visitor.PressAsync();
        await visitor.SeesButtonAsync("won");

        using (var client = (await Shop.ServerAsync()).SignedIn(user))
        {
            using var answer = await client.PostAsync(new Uri($"/api/v1/orders/{Assert.Single(await sale.OrdersOfAsync(user))}/cancellation", UriKind.Relative), null);
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        }

        // As a browser tells a page that comes back from its history, which the driver switches off.
        await visitor.ReadAsync<bool>("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))");
        await visitor.SeesButtonAsync("grab");
    }

    private static Task RefuseAsync(IRoute route, int status, string code) => route.FulfillAsync(new()
    {
        Status = status,
        ContentType = "application/problem+json",
        Body = JsonSerializer.Serialize(new { type = "/problems/" + code, title = code, status, code, effect = "none", traceId = "t" }),
    });
}
