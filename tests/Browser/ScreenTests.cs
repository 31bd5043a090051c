using Microsoft.Playwright;

using Xunit;

namespace FlashSale.Tests.Browser;

/// <summary>
/// A picture of every screen, in artifacts/screens; with <c>FLASHSALE_SCREENS=docs</c> also in docs/screens, for the gallery (docs/screens.md).
/// </summary>
public sealed class ScreenTests(BrowserShop shop, ScreenShop screens, OneChromium chromium) : BrowserTests(shop, chromium), IClassFixture<ScreenShop>
{
    /// <summary>The list goes on and on.</summary>
    private const int HeightMax = 1_600;
    private const int BytesMax = 160 * 1024;

    /// <summary>Those that are also shown on a desktop, and in the dark.</summary>
    private static readonly string[] AlsoElsewhere = ["list", "sale-open", "checkout", "coupon"];

    private static IEnumerable<string> Pictures =>
        Screens.All.SelectMany(screen => new[] { $"{screen.Name}.zh.jpg", $"{screen.Name}.en.jpg" })
            .Concat(AlsoElsewhere.SelectMany(name => new[] { $"{name}.desktop.jpg", $"{name}.dark.jpg" }));

    [Fact]
    public async Task Screens_InBothLanguages_AreKeptAsPictures()
    {
        var state = await screens.StateAsync();
        foreach (var (suffix, prefix, look) in new[]
        {
            ("zh", "", Look.Phone), ("en", "/en", Look.Phone), ("desktop", "", Look.Desktop), ("dark", "/en", Look.Phone with { Dark = true }),
        })
        {
            var visitor = await ComeAsync(look with { ReducedMotion = true }, screens.Server);
            visitor.Faults.Expect("problems/");
            foreach (var screen in Screens.All.Where(screen => suffix is "zh" or "en" || AlsoElsewhere.Contains(screen.Name)))
            {
                await visitor.ShowAsync(screen, state, prefix);
                await KeepAsync(visitor, $"{screen.Name}.{suffix}.jpg");
            }
        }
    }

    [Fact]
    public void Gallery_WhenItIsRead_HasEveryScreenInBothLanguages()
    {
        var gallery = Repository.Read("docs/screens.md");
        Assert.All(Pictures, picture => Assert.Contains($"(screens/{picture})", gallery, StringComparison.Ordinal));
        Assert.All(Pictures, picture => Assert.True(File.Exists(Path.Combine(Repository.Root, "docs/screens", picture)), $"docs/screens/{picture} is missing: see docs/screens.md."));
    }

    private static async Task KeepAsync(Visitor visitor, string name)
    {
        var height = Math.Min(HeightMax, await visitor.Page.EvaluateAsync<int>("document.documentElement.scrollHeight"));
        var picture = await visitor.Page.ScreenshotAsync(new() { FullPage = true, Clip = new() { Width = visitor.Look.Width, Height = height }, Type = ScreenshotType.Jpeg, Quality = 60, Animations = ScreenshotAnimations.Disabled, Caret = ScreenshotCaret.Hide });
        Assert.True(picture.Length <= BytesMax, $"{name} has {picture.Length} bytes.");
        List<string> folders = ["artifacts/screens"];
        if (Environment.GetEnvironmentVariable("FLASHSALE_SCREENS") == "docs")
        {
            folders.Add("docs/screens");
        }

        foreach (var folder in folders)
        {
            await File.WriteAllBytesAsync(Path.Combine(Directory.CreateDirectory(Path.Combine(Repository.Root, folder)).FullName, name), picture);
        }
    }
}
