using System.Collections.Concurrent;
using System.Net;

using Microsoft.Playwright;

using Xunit;

using static Microsoft.Playwright.Assertions;

namespace FlashSale.Tests.Browser;

/// <summary>What a page may cost.</summary>
public sealed class BudgetTests(BrowserShop shop, OneChromium chromium) : BrowserTests(shop, chromium)
{
    private const int HtmlMax = 14 * 1024;
    private const int ScriptMax = 12 * 1024;
    private const int PageMax = 100 * 1024;
    private const int RequestsMax = 6;
    private const int StateMax = 400;

    /// <summary>A waiting page asks every nine seconds, or a tenth sooner. A test that is held up sees what was sent since the load too.</summary>
    private const double PollSecondsMin = 8;

    [Theory]
    [InlineData("")]
    [InlineData("/en")]
    public async Task Pages_WithTheirStyle_FitIntoTheFirstFlight(string prefix)
    {
        var sale = await Shop.PublishAsync(new Terms { Offers = 4 });
        foreach (var path in new[] { "/", sale.Path, sale.Checkout })
        {
            var (html, packed, policy) = await FetchAsync((prefix + path).TrimEnd('/') is { Length: > 0 } some ? some : "/");
            Assert.True(packed <= HtmlMax, $"{prefix}{path} has {packed} bytes.");
            Assert.Contains("<style>", html, StringComparison.Ordinal);
            Assert.DoesNotContain("<link rel=\"stylesheet\"", html, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("@font-face", html, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Page_AtLoad_StaysWithinItsBudget()
    {
        var sale = await Shop.PublishAsync(new Terms { OpensIn = TimeSpan.FromMinutes(5) });
        foreach (var path in new[] { "/", sale.Path, sale.Checkout })
        {
            var visitor = await ComeSignedInAsync();
            var bytes = new ConcurrentDictionary<string, double>(StringComparer.Ordinal);
            var sent = new ConcurrentQueue<(string Url, double At)>();
            var protocol = await visitor.ProtocolAsync();
            await protocol.SendAsync("Network.enable");
            protocol.Event("Network.requestWillBeSent").OnEvent += (_, asked) => sent.Enqueue((asked!.Value.GetProperty("request").GetProperty("url").GetString()!, asked.Value.GetProperty("timestamp").GetDouble()));
            protocol.Event("Network.loadingFinished").OnEvent += (_, done) => bytes[done!.Value.GetProperty("requestId").GetString()!] = done.Value.GetProperty("encodedDataLength").GetDouble();

            await visitor.GoAsync(path);
            if (path != "/")
            {
                await visitor.SeesButtonAsync("soon");
            }

            await visitor.Page.WaitForLoadStateAsync(LoadState.NetworkIdle);
            var requests = sent.ToArray();
            var counted = requests.Where(request => request.At < requests[0].At + PollSecondsMin).Select(request => request.Url).Where(url => !url.EndsWith("/icon.svg", StringComparison.Ordinal)).ToArray();
            Assert.True(counted.Length <= RequestsMax, $"{path}:\n" + string.Join('\n', counted));
            Assert.InRange(bytes.Values.Sum(), 1, PageMax);
            Assert.True(bytes.Values.Sum() <= PageMax);
            Assert.All(counted.Where(url => url.EndsWith(".js", StringComparison.Ordinal)), url => Assert.Contains("/assets/", url, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Scripts_Compressed_FitTheirBudget()
    {
        var visitor = await ComeAsync();
        await visitor.GoAsync("/");
        var script = await visitor.Page.Locator("script[src]").GetAttributeAsync("src");
        Assert.Equal(1, await visitor.Page.Locator("script").CountAsync());
        Assert.Matches("^/assets/site\\.[0-9a-f]{12}\\.js$", script);
        var (_, packed, _) = await FetchAsync(script!);
        Assert.InRange(packed, 500, ScriptMax);
    }

    [Fact]
    public async Task State_WhateverThePhase_IsSmall()
    {
        var visitor = await ComeSignedInAsync();
        var reading = new ConcurrentQueue<Task<int?>>();
        visitor.Page.Response += (_, answer) =>
        {
            if (answer.Url.EndsWith("/state", StringComparison.Ordinal) && answer.Status == 200)
            {
                reading.Enqueue(SizeAsync(answer));
            }
        };
        var sale = await BeforeOpeningAsync(
            3,
            async sale =>
            {
                await visitor.GoAsync(sale.Path);
                await visitor.SeesButtonAsync("soon");
                return true;
            },
            time => new Terms { Offers = 4, OpensIn = time });
        await visitor.SeesButtonAsync("grab", sale.OpeningPatience);
        var sizes = (await Task.WhenAll(reading).WaitAsync(Visitor.Patience)).OfType<int>().ToArray();
        Assert.NotEmpty(sizes);
        Assert.All(sizes, size => Assert.InRange(size, 1, StateMax));
    }

    /// <summary>Of the body; null when the page has gone before it was read.</summary>
    private static async Task<int?> SizeAsync(IResponse answer)
    {
        try
        {
            return (await answer.BodyAsync()).Length;
        }
        catch (PlaywrightException)
        {
            return null;
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("/en")]
    public async Task Layout_FromTheLoadToTheOpeningAndTheOrder_DoesNotShift(string prefix)
    {
        var visitor = await ComeSignedInAsync();
        await visitor.SlowDownAsync(latencyMs: 100, bytesPerSecond: 200_000);
        var sale = await BeforeOpeningAsync(15, async sale =>
        {
            await WaitOnEachPageAsync(visitor, prefix, sale);
            return true;
        });
        var waiting = visitor.Page;
        await visitor.NewTabAsync(prefix + sale.Path);
        await visitor.SeesButtonAsync("grab", sale.OpeningPatience);
        await AssertStillAsync(visitor);
        visitor.LookAt(waiting);
        await visitor.SeesButtonAsync("grab");
        await AssertStillAsync(visitor);

        // Later than what the browser takes for the effect of the click itself.
        await visitor.Page.RouteAsync("**/api/v1/orders", async route =>
        {
            await Task.Delay(TimeSpan.FromSeconds(1.5));
            await route.ContinueAsync();
        });
        await visitor.PressAsync();
        await visitor.SeesButtonAsync("won");
        await Expect(visitor.Page.Locator("[data-result]")).ToBeFocusedAsync();
        await AssertStillAsync(visitor);
    }

    /// <summary>On a slow network the bar at the foot of a phone is there before what is in it.</summary>
    [Fact]
    public async Task Bar_BeforeItsButtonHasArrived_IsAsHighAsWithIt()
    {
        var sale = await Shop.PublishAsync();
        var visitor = await ComeSignedInAsync();
        foreach (var path in new[] { sale.Path, sale.Checkout })
        {
            await visitor.GoAsync(path);
            await visitor.SeesButtonAsync("grab");
            var heights = await visitor.ReadAsync<int[]>(
                "(() => { const bar = document.querySelector('[data-main-button]').parentElement, full = bar.offsetHeight; bar.replaceChildren(); return [full, bar.offsetHeight]; })()");
            Assert.Equal(heights[0], heights[1]);
        }
    }

    /// <summary>The list, the sale and the checkout, where the visitor stays.</summary>
    private static async Task WaitOnEachPageAsync(Visitor visitor, string prefix, SaleOfTest sale)
    {
        await visitor.GoAsync(prefix.Length == 0 ? "/" : prefix);
        await visitor.WaitAsync("[...document.querySelectorAll('[data-card] [data-phase]')].every((chip) => chip.textContent.trim() !== '')");
        await AssertStillAsync(visitor);

        await visitor.GoAsync(prefix + sale.Path);
        await visitor.SeesButtonAsync("soon");
        await AssertStillAsync(visitor);
        await visitor.GoAsync(prefix + sale.Checkout);
        await visitor.SeesButtonAsync("soon");
    }

    private static async Task AssertStillAsync(Visitor visitor) =>
        Assert.True(await visitor.LayoutShiftAsync() == 0, $"{visitor.Path}: " + string.Join('\n', await visitor.ReadAsync<string[]>("__watching.moved()")));

    /// <summary>As a browser asks for it: the text, the bytes on the wire without headers, and the content security policy.</summary>
    private async Task<(string Text, int Packed, string Policy)> FetchAsync(string path)
    {
        var address = new Uri((await Shop.ServerAsync()).Address, path);
        using var handler = new HttpClientHandler { AutomaticDecompression = DecompressionMethods.None };
        using var client = new HttpClient(handler);
        using var plain = await client.GetAsync(address);
        client.DefaultRequestHeaders.AcceptEncoding.ParseAdd("gzip");
        HttpResponseMessage? answer = null;
        // What has just changed is made on the fly, until it is published.
        await Server.Eventually.HoldsAsync(
            async () =>
            {
                answer?.Dispose();
                answer = await client.GetAsync(address);
                return answer.Content.Headers.ContentEncoding.Contains("gzip");
            },
            path + " is published");
        using var packed = answer!;
        return (
            await plain.Content.ReadAsStringAsync(),
            (await packed.Content.ReadAsByteArrayAsync()).Length,
            packed.Headers.TryGetValues("Content-Security-Policy", out var policies) ? string.Join(' ', policies) : "");
    }
}
