using System.Globalization;

using FlashSale.Tests.Server;

using Xunit;

namespace FlashSale.Tests.Browser;

/// <summary>
/// A test in a real browser. When it is over, nothing may have gone wrong in any of its pages unnoticed; when it failed, what was on the screens is kept in artifacts/tests/browser.
/// </summary>
public abstract class BrowserTests(BrowserShop shop, OneChromium chromium) : IAsyncLifetime
{
    private static int numbers;
    private readonly List<Visitor> visitors = [];

    protected BrowserShop Shop { get; } = shop;

    /// <summary>A name that no test had before.</summary>
    protected static string NewUser(string name) => name + Interlocked.Increment(ref numbers).ToString(CultureInfo.InvariantCulture);

    /// <param name="server">Another one than the shop's.</param>
    protected async Task<Visitor> ComeAsync(Look? look = null, TestServer? server = null)
    {
        var visitor = await Visitor.ComeAsync(chromium, server ?? await Shop.ServerAsync(), look ?? Look.Phone);
        visitors.Add(visitor);
        return visitor;
    }

    /// <summary>Somebody who is signed in, under a new name.</summary>
    protected async Task<Visitor> ComeSignedInAsync(string name = "shopper", Look? look = null, TestServer? server = null)
    {
        var visitor = await ComeAsync(look, server);
        await visitor.HaveSessionAsync(NewUser(name));
        return visitor;
    }

    /// <summary>
    /// A sale before whose opening the steps were taken. They are taken at the pace of the machine: when it was too busy, once more with another sale, which opens in twice the time, up to two minutes.
    /// </summary>
    /// <param name="seconds">From the publication to the opening, at first.</param>
    /// <param name="steps">False when they came too late. What goes wrong in them before the opening is wrong; what does after it may be late.</param>
    protected Task<SaleOfTest> BeforeOpeningAsync(int seconds, Func<SaleOfTest, Task<bool>> steps, Func<TimeSpan, Terms>? terms = null) =>
        InTimeAsync(seconds, terms ?? (time => new Terms { OpensIn = time }), sale => sale.OpensAt, steps);

    /// <summary>The same, before the end of a sale that is open.</summary>
    protected Task<SaleOfTest> BeforeEndAsync(int seconds, Func<SaleOfTest, Task<bool>> steps) =>
        InTimeAsync(seconds, time => new Terms { ClosesIn = time }, sale => sale.ClosesAt, steps);

    private async Task<SaleOfTest> InTimeAsync(int seconds, Func<TimeSpan, Terms> terms, Func<SaleOfTest, DateTimeOffset> moment, Func<SaleOfTest, Task<bool>> steps)
    {
        const int SecondsMax = 120;
        for (; ; seconds *= 2)
        {
            var sale = await Shop.PublishAsync(terms(TimeSpan.FromSeconds(seconds)));
            var before = visitors.Count;
            try
            {
                if (await steps(sale))
                {
                    return sale;
                }

                Assert.True(seconds * 2 <= SecondsMax, $"Not even {seconds} s are enough.");
            }
            catch (Exception) when (TimeProvider.System.GetUtcNow() >= moment(sale) && seconds * 2 <= SecondsMax)
            {
                // Once more.
            }

            // Who came too late has no part in the test.
            foreach (var late in visitors[before..])
            {
                await late.DisposeAsync();
                visitors.Remove(late);
            }
        }
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        var failed = TestContext.Current.TestState?.Result == TestResult.Failed;
        var faults = visitors.SelectMany(visitor => visitor.Faults.Unexpected()).ToArray();
        foreach (var visitor in visitors)
        {
            if (failed || faults.Length > 0)
            {
                await visitor.KeepAsync(Path.Combine(Repository.Root, "artifacts/tests/browser"), FileName(visitors.IndexOf(visitor)));
            }

            await visitor.DisposeAsync();
        }

        Assert.True(faults.Length == 0, string.Join('\n', faults));
    }

    private static string FileName(int visitor) =>
        $"{TestContext.Current.TestClass?.TestClassSimpleName}.{TestContext.Current.TestMethod?.MethodName}.{TestContext.Current.Test?.UniqueID[..6]}-{visitor}";
}
