using System.Collections.Concurrent;
using System.Net;

using Xunit;

namespace FlashSale.Tests.Browser;

/// <summary>What a page may cost.</summary>
public sealed class BudgetTests(BrowserShop shop, OneChromium chromium) : BrowserTests(shop, chromium)
{
    private const int HtmlMax = 14 * 1024;
    private const int ScriptMax = 12 * 1024;
    private const int PageMax = 100 * 1024;
    private const int RequestsMax = 6;
    private const int StateMax = 400;

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
        var sale = await Shop.PublishAsync(new Terms { OpensIn = TimeSpan.FromMinutes(2) });
        foreach (var path in new[] { "/", sale.Path, sale.Checkout })
        {
            var visitor = await ComeSignedInAsync();
            var bytes = new ConcurrentDictionary<string, double>(StringComparer.Ordinal);
            var urls = new ConcurrentQueue<string>();
            var protocol = await visitor.ProtocolAsync();
            await protocol.SendAsync("Network.enable");
            protocol.Event("Network.requestWillBeSent").OnEvent += (_, sent) => urls.Enqueue(sent!.Value.GetProperty("request").GetProperty("url").GetString()!);
            protocol.Event("Network.loadingFinished").OnEvent += (_, done) => bytes[done!.Value.GetProperty("requestId").GetString()!] = done.Value.GetProperty("encodedDataLength").GetDouble();

            await visitor.GoAsync(path);
            if (path != "/")
            {
                await visitor.SeesButtonAsync("soon");
            }

            await visitor.Page.WaitForLoadStateAsync(Microsoft.Playwright.LoadState.NetworkIdle);
            var counted = urls.Where(url => !url.EndsWith("/icon.svg", StringComparison.Ordinal)).ToArray();
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
        var sale = await Shop.PublishAsync(new Terms { Offers = 4, OpensIn = TimeSpan.FromSeconds(3) });
        var visitor = await ComeSignedInAsync();
        var sizes = new ConcurrentBag<int>();
        visitor.Page.Response += async (_, answer) =>
        {
            if (answer.Url.EndsWith("/state", StringComparison.Ordinal) && answer.Status == 200)
            {
                sizes.Add((await answer.BodyAsync()).Length);
            }
        };
        await visitor.GoAsync(sale.Path);
        await visitor.SeesButtonAsync("soon");
        await visitor.SeesButtonAsync("grab");
        Assert.NotEmpty(sizes);
        Assert.All(sizes, size => Assert.InRange(size, 1, StateMax));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/en")]
    public async Task Layout_FromTheLoadToTheOpeningAndTheOrder_DoesNotShift(string prefix)
    {
        var sale = await Shop.PublishAsync(new Terms { OpensIn = TimeSpan.FromSeconds(15) });
        var visitor = await ComeSignedInAsync();
        await visitor.SlowDownAsync(latencyMs: 100, bytesPerSecond: 200_000);
        await visitor.GoAsync(prefix.Length == 0 ? "/" : prefix);
        await visitor.WaitAsync("[...document.querySelectorAll('[data-card] [data-phase]')].every((chip) => chip.textContent.trim() !== '')");
        await AssertStillAsync(visitor);

        await visitor.GoAsync(prefix + sale.Path);
        await visitor.SeesButtonAsync("soon");
        await AssertStillAsync(visitor);
        await visitor.GoAsync(prefix + sale.Checkout);
        await visitor.SeesButtonAsync("soon");
        var waiting = visitor.Page;
        await visitor.NewTabAsync(prefix + sale.Path);
        await visitor.SeesButtonAsync("grab");
        await AssertStillAsync(visitor);
        visitor.LookAt(waiting);
        await visitor.SeesButtonAsync("grab");
        await AssertStillAsync(visitor);
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
