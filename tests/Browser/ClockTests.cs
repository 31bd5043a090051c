using System.Globalization;
using System.Text.RegularExpressions;

using Xunit;

namespace FlashSale.Tests.Browser;

/// <summary>The countdown is the server's, whatever the clock of the visitor's machine says, and the button waits for the server.</summary>
public sealed class ClockTests(BrowserShop shop, OneChromium chromium) : BrowserTests(shop, chromium)
{
    private const int LatencyMs = 200;

    /// <summary>Of the design: half a round trip and 50 ms.</summary>
    private static double ToleranceMs(int roundTripMs) => roundTripMs / 2.0 + 50;

    [Theory]
    [InlineData(0, 0, "")]
    [InlineData(1, 0, "")]
    [InlineData(-1, 0, "/en")]
    [InlineData(1, LatencyMs, "/en")]
    [InlineData(-1, LatencyMs, "")]
    public async Task Countdown_WhateverTheClientsClockSays_IsTheServers(int hoursAhead, int latencyMs, string prefix)
    {
        var sale = await Shop.PublishAsync(new Terms { OpensIn = TimeSpan.FromSeconds(12) });
        var visitor = await ComeSignedInAsync("punctual", Look.Phone with { ClockAhead = TimeSpan.FromHours(hoursAhead) });
        await visitor.GoAsync("/sign-in");
        if (latencyMs > 0)
        {
            await visitor.SlowDownAsync(latencyMs, 1_000_000);
        }

        await visitor.GoAsync(prefix + sale.Checkout);
        await visitor.SeesButtonAsync("soon");
        await visitor.SeesButtonAsync("grab");

        var changes = await visitor.ChangesAsync();
        var opensAt = sale.OpensAt.ToUnixTimeMilliseconds();
        var flips = changes
            .Where(change => change.What == "countdown")
            .Select(change => (Change: change, Left: SecondsOf(change.Text)))
            .Where(flip => flip.Left is > 0)
            // The first text comes when the clock is known, not when a second is full.
            .Skip(1)
            .Select(flip => flip.Change.At - (opensAt - flip.Left!.Value * 1_000.0))
            .Order()
            .ToArray();
        Assert.True(flips.Length >= 3, string.Join('\n', changes.Select(change => $"{change.What} {change.Text} {change.At - opensAt}")));
        // The middle one: a machine that is busy with other tests may show one of them late.
        Assert.InRange(flips[flips.Length / 2], -ToleranceMs(latencyMs), ToleranceMs(latencyMs));
        Assert.True(flips[0] >= -ToleranceMs(latencyMs), $"A second was over {-flips[0]} ms before it was.");

        var enabled = changes.Where(change => change.Enabled).ToArray();
        Assert.NotEmpty(enabled);
        Assert.All(enabled, change => Assert.Equal("grab", change.What));
        Assert.True(enabled[0].At >= opensAt, $"The button was ready {opensAt - enabled[0].At} ms before the opening.");
    }

    [Fact]
    public async Task Button_AsLongAsTheServersPhaseDoesNotSayOpen_IsNotEnabled()
    {
        var sale = await Shop.PublishAsync(new Terms { OpensIn = TimeSpan.FromSeconds(4) });
        var visitor = await ComeSignedInAsync("eager");
        var late = false;
        await visitor.Page.RouteAsync($"**/api/v1/sales/{sale.Id}/state", async route =>
        {
            // A server that has not opened yet, whatever the time is.
            var answer = await route.FetchAsync();
            var state = await answer.TextAsync();
            await route.FulfillAsync(new() { Response = answer, Body = late ? state : Regex.Replace(state, "\"phase\":\"[a-z_]+\"", "\"phase\":\"armed\"", RegexOptions.None, TimeSpan.FromSeconds(1)) });
        });

        foreach (var path in new[] { sale.Path, sale.Checkout })
        {
            late = false;
            await visitor.GoAsync(path);
            await visitor.SeesButtonAsync("soon");
            await Server.Eventually.HoldsAsync(() => TimeProvider.System.GetUtcNow() > sale.OpensAt.AddSeconds(3), "past the opening");
            await visitor.SeesButtonAsync("soon");
            Assert.DoesNotContain(await visitor.ChangesAsync(), change => change.Enabled);
            late = true;
            await visitor.SeesButtonAsync("grab");
        }
    }

    [Fact]
    public async Task Samples_AtLoad_AreThreeAndNoMoreUntilAMinuteBefore()
    {
        var sale = await Shop.PublishAsync(new Terms { OpensIn = TimeSpan.FromMinutes(5) });
        var visitor = await ComeSignedInAsync();
        var samples = 0;
        visitor.Page.Request += (_, request) => samples += request.Url.EndsWith("/api/v1/time", StringComparison.Ordinal) ? 1 : 0;
        await visitor.GoAsync(sale.Path);
        await visitor.SeesButtonAsync("soon");
        await visitor.WaitAsync($"document.querySelector('[data-countdown]').textContent.includes('4 ')");
        // What comes with the state and the shopper's own call counts as one too.
        Assert.InRange(samples, 1, 3);
    }

    private static int? SecondsOf(string text) =>
        Regex.Match(text, "^([0-9]+) (秒|s)$", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1)) is { Success: true } match
            ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
            : null;
}
