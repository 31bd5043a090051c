using Microsoft.Playwright;

using Xunit;

namespace FlashSale.Tests.Browser;

/// <summary>The rig sees what it is there to see.</summary>
public sealed class RigTests(BrowserShop shop, OneChromium chromium) : BrowserTests(shop, chromium)
{
    [Theory]
    [InlineData("setTimeout(() => { throw new Error('planted'); })", "planted")]
    [InlineData("console.error('planted')", "planted")]
    [InlineData("document.body.append(Object.assign(document.createElement('script'), { textContent: '1' }))", "Content Security Policy")]
    [InlineData("document.body.setAttribute('style', 'color: red')", "Content Security Policy")]
    [InlineData("void (location = 'http://127.0.0.1:9/')", "leaves the shop")]
    [InlineData("document.body.append(Object.assign(new Image(), { src: '/nowhere.png' }))", "404")]
    public async Task Fault_WhateverItIs_IsSeen(string script, string text)
    {
        var visitor = await ComeAsync();
        await visitor.GoAsync("/sign-in");
        await visitor.ReadAsync<object?>(script);

        await Server.Eventually.HoldsAsync(() => visitor.Faults.Unexpected().Any(fault => fault.Contains(text, StringComparison.Ordinal)), text);
        Assert.ThrowsAny<Exception>(visitor.Faults.AssertNone);

        visitor.Faults.Expect(text, "Content Security Policy", "net::ERR");
        await Server.Eventually.HoldsAsync(() => visitor.Faults.Unexpected().Count == 0, "what is expected is no fault");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task Clock_WhenItIsWrong_IsSoForDatesOnly(int hours)
    {
        var visitor = await ComeAsync(Look.Phone with { ClockAhead = TimeSpan.FromHours(hours) });
        await visitor.GoAsync("/sign-in");

        var before = TimeProvider.System.GetUtcNow();
        var dates = await visitor.ReadAsync<double[]>("[Date.now(), new Date().getTime(), performance.timeOrigin + performance.now()]");
        var after = TimeProvider.System.GetUtcNow();
        Assert.All(dates, date => Assert.InRange(date, before.AddHours(hours).ToUnixTimeMilliseconds() - 50, after.AddHours(hours).ToUnixTimeMilliseconds() + 50));
        Assert.InRange(await visitor.ReadAsync<double>("performance.now()"), 0, 60_000);
    }

    [Fact]
    public async Task Network_WhenItIsSlow_IsSoForThePage()
    {
        var visitor = await ComeAsync();
        await visitor.GoAsync("/sign-in");
        await visitor.SlowDownAsync(latencyMs: 300, bytesPerSecond: 50_000);
        Assert.InRange(await visitor.ReadAsync<double>("(async () => { const from = performance.now(); await fetch('/api/v1/time'); return performance.now() - from; })()"), 300, Visitor.PatienceMs);
    }

    [Fact]
    public async Task Network_WhenItIsGone_IsSoForThePage()
    {
        var visitor = await ComeAsync();
        await visitor.GoAsync("/sign-in");
        visitor.Faults.Expect("ERR_INTERNET_DISCONNECTED");
        await visitor.GoOfflineAsync();
        Assert.False(await visitor.ReadAsync<bool>("navigator.onLine"));
        await Assert.ThrowsAsync<PlaywrightException>(() => visitor.ReadAsync<object?>("fetch('/api/v1/time')"));
    }

    [Fact]
    public async Task Shift_WhenSomethingMoves_IsMeasured()
    {
        var visitor = await ComeAsync();
        await visitor.GoAsync("/sign-in");
        Assert.Equal(0, await visitor.LayoutShiftAsync());

        await visitor.ReadAsync<object?>("document.body.prepend(Object.assign(document.createElement('pre'), { textContent: '\\n'.repeat(9) }))");
        await Server.Eventually.HoldsAsync(async () => await visitor.LayoutShiftAsync() > 0, "a shift");
    }
}
