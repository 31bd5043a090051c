using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

using Microsoft.Playwright;

using Xunit;

namespace FlashSale.Tests.Browser;

/// <summary>What goes wrong between the click and the answer: the same token is asked again until there is a final answer, and there is one order at most.</summary>
public sealed class TroubleTests(BrowserShop shop, OneChromium chromium) : BrowserTests(shop, chromium)
{
    private const string Orders = "**/api/v1/orders";
    private readonly ConcurrentQueue<(string Token, DateTimeOffset At)> sent = [];

    [Theory]
    [InlineData("timedout")]
    [InlineData("connectionreset")]
    [InlineData("504")]
    [InlineData("outcome-unknown")]
    public async Task Order_WhenItWasPlacedButTheAnswerIsLost_IsConfirmedWithTheSameToken(string loss)
    {
        var (sale, visitor, user) = await AtTheButtonAsync();
        visitor.Faults.Expect("ERR_", "504", "503");
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await InterceptAsync(visitor, async (route, nth) =>
        {
            if (nth > 1)
            {
                // The next answer comes when it was seen what the page says until then.
                await told.Task;
                await route.ContinueAsync();
                return;
            }

            await route.FetchAsync();
            await LoseAsync(route, loss);
        });

        await visitor.PressAsync();
        await visitor.SeesAsync("正在确认结果");
        told.SetResult();
        await visitor.SeesButtonAsync("won");

        Assert.True(sent.Count > 1);
        Assert.Single(sent.Select(request => request.Token).Distinct());
        Assert.Single(await sale.OrdersOfAsync(user));
        await sale.AssertReconciledAsync();
    }

    [Theory]
    [InlineData(429, "rate-limited")]
    [InlineData(503, "overloaded")]
    public async Task Order_WhenTheShopIsBusy_WaitsAsLongAsItWasToldAndIsSentAgainByItself(int status, string code)
    {
        const int Seconds = 3;
        var (sale, visitor, user) = await AtTheButtonAsync();
        visitor.Faults.Expect(status.ToString());
        await InterceptAsync(visitor, (route, nth) => nth > 1 ? route.ContinueAsync() : RefuseAsync(route, status, code, Seconds));

        await visitor.PressAsync();
        await visitor.SeesButtonAsync("won");

        var busy = (await visitor.ChangesAsync()).First(change => change.What == "busy");
        Assert.Matches(ButtonTable.Of("busy").Pattern("zh"), busy.Text);
        Assert.False(busy.Enabled);
        var requests = sent.ToArray();
        Assert.Equal(2, requests.Length);
        Assert.Equal(requests[0].Token, requests[1].Token);
        // As long as it was told, and a little more, so that not all come back together; the machine may take its time too.
        var shown = int.Parse(Regex.Match(busy.Text, "[0-9]+", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1)).Value, CultureInfo.InvariantCulture);
        Assert.InRange(shown, Seconds, Seconds * 2);
        Assert.InRange((requests[1].At - requests[0].At).TotalSeconds, shown - 0.1, shown + Visitor.Patience.TotalSeconds);
        Assert.Single(await sale.OrdersOfAsync(user));
    }

    [Fact]
    public async Task Order_WhileTheSaleIsPaused_GoesOnWhenItIsResumed()
    {
        var (sale, visitor, user) = await AtTheButtonAsync();
        visitor.Faults.Expect("503");
        await InterceptAsync(visitor, async (route, nth) =>
        {
            if (nth == 1)
            {
                await sale.ChangeAsync("pause");
                await Server.Eventually.HoldsAsync(async () => await visitor.ReadAsync<string>(
                    $"fetch('/api/v1/sales/{sale.Id}/state', {{ cache: 'no-store' }}).then((answer) => answer.json()).then((state) => state.phase)") == "paused", "paused");
            }

            await route.ContinueAsync();
        });

        await visitor.PressAsync();
        await visitor.SeesButtonAsync("paused");
        await sale.ChangeAsync("resumption");
        await WinsAsync(sale, visitor, user);
    }

    [Fact]
    public async Task Network_WhenItGoesAndComesBack_LeavesNothingUndone()
    {
        var (sale, visitor, user) = await AtTheButtonAsync();
        visitor.Faults.Expect("ERR_INTERNET_DISCONNECTED");
        await visitor.GoOfflineAsync();
        await visitor.SeesButtonAsync("offline");
        await visitor.GoOfflineAsync(false);
        await visitor.SeesButtonAsync("grab");

        // Now in the middle of an order.
        await InterceptAsync(visitor, async (route, nth) =>
        {
            if (nth > 1)
            {
                await route.ContinueAsync();
                return;
            }

            await route.FetchAsync();
            await visitor.GoOfflineAsync();
            await route.AbortAsync("internetdisconnected");
        });
        await visitor.PressAsync();
        await visitor.SeesButtonAsync("offline");
        await visitor.GoOfflineAsync(false);
        await visitor.SeesButtonAsync("won");
        Assert.Single(sent.Select(request => request.Token).Distinct());
        Assert.Single(await sale.OrdersOfAsync(user));
    }

    [Fact]
    public async Task Network_WhenItIsSlow_IsSlowAndNoMore()
    {
        var sale = await Shop.PublishAsync();
        var visitor = await ComeSignedInAsync("rural");
        await visitor.GoAsync("/sign-in");
        await visitor.SlowDownAsync(latencyMs: 400, bytesPerSecond: 20_000);

        await visitor.GoAsync(sale.Checkout);
        await visitor.SeesButtonAsync("grab");
        await visitor.PressAsync();
        await visitor.SeesButtonAsync("won");

        // Over before a busy machine looks.
        var submitting = (await visitor.ChangesAsync()).First(change => change.What == "submitting");
        Assert.Matches(ButtonTable.Of("submitting").Pattern("zh"), submitting.Text);
        Assert.False(submitting.Enabled);
    }

    [Fact]
    public async Task Click_WhenItComesTwice_IsOneRequest()
    {
        var (_, visitor, _) = await AtTheButtonAsync();
        await InterceptAsync(visitor, async (route, _) =>
        {
            await Task.Delay(300);
            await route.ContinueAsync();
        });

        await visitor.ReadAsync<object?>("(() => { const button = document.querySelector('[data-main-button]'); button.click(); button.click(); button.form?.requestSubmit(); })()");
        await visitor.SeesButtonAsync("won");
        Assert.Single(sent);
    }

    [Fact]
    public async Task Reload_AfterTheClick_FindsTheOneOrder()
    {
        var (sale, visitor, user) = await AtTheButtonAsync();
        var placed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await InterceptAsync(visitor, async (route, nth) =>
        {
            if (nth > 1)
            {
                await route.ContinueAsync();
                return;
            }

            // The answer never comes: the page is gone before it.
            await route.FetchAsync();
            placed.SetResult();
        });
        await visitor.PressAsync();
        await placed.Task.WaitAsync(Visitor.Patience);

        await visitor.Page.ReloadAsync();
        await visitor.SeesButtonAsync("won");
        Assert.Single(await sale.OrdersOfAsync(user));
    }

    [Fact]
    public async Task Reload_WhenTheClickNeverArrived_KeepsTheToken()
    {
        var (sale, visitor, user) = await AtTheButtonAsync();
        var reloaded = false;
        // The page gives up an answer that does not come, and asks again: that does not arrive either.
        await InterceptAsync(visitor, (route, _) => Volatile.Read(ref reloaded) ? route.ContinueAsync() : Task.CompletedTask);
        await visitor.PressAsync();
        await visitor.SeesButtonAsync("submitting");

        Volatile.Write(ref reloaded, true);
        await visitor.Page.ReloadAsync();
        await WinsAsync(sale, visitor, user);
    }

    [Fact]
    public async Task Back_AfterTheOrder_ShowsTheOrderAndOffersNoOther()
    {
        var (sale, visitor, user) = await AtTheButtonAsync();
        await visitor.PressAsync();
        await visitor.SeesButtonAsync("won");
        await visitor.PressAsync();
        await visitor.SeesHeadingAsync((await visitor.TextsAsync()).Won);
        var order = visitor.Path;

        await visitor.Page.GoBackAsync();
        await visitor.SeesButtonAsync("won");
        await visitor.PressAsync();
        await visitor.ArrivesAsync(order);
        Assert.Single(await sale.OrdersOfAsync(user));
    }

    [Fact]
    public async Task Tab_WhileItIsHidden_DoesNotPoll()
    {
        var sale = await Shop.PublishAsync();
        var visitor = await ComeSignedInAsync();
        var polls = 0;
        visitor.Page.Request += (_, request) => polls += request.Url.EndsWith("/state", StringComparison.Ordinal) ? 1 : 0;
        await visitor.GoAsync(sale.Path);
        await visitor.SeesButtonAsync("grab");
        var before = polls;
        await Server.Eventually.HoldsAsync(() => polls > before, "it polls");

        await visitor.HideAsync(true);
        before = polls;
        // Twice the time between two polls.
        await Task.Delay(TimeSpan.FromSeconds(5));
        Assert.Equal(before, polls);

        await sale.ChangeAsync("pause");
        await visitor.HideAsync(false);
        await visitor.SeesButtonAsync("paused");
    }

    [Fact]
    public async Task State_WhenTheShopIsBusy_IsNotAskedForSoonerThanTheShopSays()
    {
        const int Seconds = 6;
        var sale = await Shop.PublishAsync();
        var visitor = await ComeSignedInAsync();
        visitor.Faults.Expect("503");
        var asked = 0;
        await visitor.Page.RouteAsync("**/state", route => Interlocked.Increment(ref asked) > 1 ? route.ContinueAsync() : RefuseAsync(route, 503, "overloaded", Seconds));

        await visitor.GoAsync(sale.Path);
        await visitor.SeesButtonAsync("grab", Visitor.Patience + TimeSpan.FromSeconds(Seconds));

        // By the page's own clock, from the refusal to the next question: how long the test takes to refuse does not count.
        var times = await visitor.ReadAsync<double[]>("performance.getEntriesByType('resource').filter((entry) => entry.name.endsWith('/state')).flatMap((entry) => [entry.startTime, entry.responseEnd])");
        // The jitter of the polling may take a tenth off.
        Assert.InRange((times[2] - times[1]) / 1_000, Seconds * 0.9, Seconds * 2.5);
    }

    /// <summary>Somebody whose next press orders.</summary>
    private async Task<(SaleOfTest Sale, Visitor Visitor, string User)> AtTheButtonAsync()
    {
        var sale = await Shop.PublishAsync();
        var visitor = await ComeAsync();
        var user = NewUser("troubled");
        await visitor.HaveSessionAsync(user);
        await visitor.GoAsync(sale.Checkout);
        await visitor.SeesButtonAsync("grab");
        return (sale, visitor, user);
    }

    /// <summary>By itself, or with another press; with one token and one order.</summary>
    private async Task WinsAsync(SaleOfTest sale, Visitor visitor, string user)
    {
        await Server.Eventually.HoldsAsync(
            async () => await visitor.Button().GetAttributeAsync("data-main-button") is "grab" or "won", "it goes on", Visitor.Patience);
        if (await visitor.Button().GetAttributeAsync("data-main-button") == "grab")
        {
            await visitor.PressAsync();
        }

        await visitor.SeesButtonAsync("won");
        Assert.Single(sent.Select(request => request.Token).Distinct());
        Assert.Single(await sale.OrdersOfAsync(user));
    }

    /// <param name="answer">What becomes of the nth request to order, counted from one.</param>
    private Task InterceptAsync(Visitor visitor, Func<IRoute, int, Task> answer) => visitor.Page.RouteAsync(Orders, async route =>
    {
        if (route.Request.Method != "POST")
        {
            await route.ContinueAsync();
            return;
        }

        sent.Enqueue((JsonElement.Parse(route.Request.PostData!).GetProperty("token").GetString()!, TimeProvider.System.GetUtcNow()));
        await answer(route, sent.Count);
    });

    private static Task LoseAsync(IRoute route, string how) => how switch
    {
        "504" => route.FulfillAsync(new() { Status = 504, ContentType = "text/html", Body = "<h1>504 Gateway Time-out</h1>" }),
        "outcome-unknown" => RefuseAsync(route, 503, how, 1, "unknown"),
        _ => route.AbortAsync(how),
    };

    private static Task RefuseAsync(IRoute route, int status, string code, int seconds, string effect = "none") => route.FulfillAsync(new()
    {
        Status = status,
        ContentType = "application/problem+json",
        Headers = new Dictionary<string, string> { ["Retry-After"] = seconds.ToString() },
        Body = JsonSerializer.Serialize(new { type = "/problems/" + code, title = code, status, code, effect, traceId = "test", retryAfterMs = seconds * 1_000 }),
    });
}
