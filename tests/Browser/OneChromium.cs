using FlashSale.Tests.Browser;

using Microsoft.Playwright;

using Xunit;

[assembly: AssemblyFixture(typeof(OneChromium))]

namespace FlashSale.Tests.Browser;

/// <summary>The one browser of a test run: the Chromium of this machine, started when the first test asks for it. Each visitor has a profile of their own in it.</summary>
public sealed class OneChromium : IAsyncDisposable
{
    private const string Program = "/usr/bin/chromium";

    private static readonly string[] Arguments =
    [
        "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--force-color-profile=srgb", "--font-render-hinting=none",
    ];

    private readonly Lazy<Task<(IPlaywright Driver, IBrowser Browser)>> started = new(StartAsync);

    public async Task<IBrowserContext> NewProfileAsync(BrowserNewContextOptions options) => await (await started.Value).Browser.NewContextAsync(options);

    public async ValueTask DisposeAsync()
    {
        if (started.IsValueCreated && !started.Value.IsFaulted)
        {
            var (driver, browser) = await started.Value;
            await browser.DisposeAsync();
            driver.Dispose();
        }
    }

    private static async Task<(IPlaywright, IBrowser)> StartAsync()
    {
        Assertions.SetDefaultExpectTimeout(Visitor.PatienceMs);
        var driver = await Playwright.CreateAsync();
        return (driver, await driver.Chromium.LaunchAsync(new() { ExecutablePath = Program, Args = Arguments }));
    }
}
