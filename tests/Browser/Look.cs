using System.Globalization;

using Microsoft.Playwright;

namespace FlashSale.Tests.Browser;

/// <summary>What somebody looks with: by default a phone, with script.</summary>
public sealed record Look
{
    public static Look Phone { get; } = new();

    public static Look NoScript { get; } = new() { Script = false };

    public static Look Tablet { get; } = new() { Width = 768, Height = 1024 };

    public static Look Desktop { get; } = new() { Width = 1280, Height = 800 };

    /// <summary>CSS pixels.</summary>
    public int Width { get; init; } = 360;

    public int Height { get; init; } = 640;

    public bool Script { get; init; } = true;

    public bool Dark { get; init; }

    public bool ReducedMotion { get; init; }

    /// <summary>How far the clock of the visitor's machine is ahead of the true time; negative: behind. Its monotonic clock is right, as everybody's is.</summary>
    public TimeSpan ClockAhead { get; init; }

    public BrowserNewContextOptions Options(Uri address) => new()
    {
        BaseURL = address.ToString(),
        ViewportSize = new ViewportSize { Width = Width, Height = Height },
        HasTouch = Width < 1024,
        JavaScriptEnabled = Script,
        ColorScheme = Dark ? ColorScheme.Dark : ColorScheme.Light,
        ReducedMotion = ReducedMotion ? Microsoft.Playwright.ReducedMotion.Reduce : Microsoft.Playwright.ReducedMotion.NoPreference,
        Locale = "zh-CN",
        // Not the shop's: the pages say Beijing time wherever they are read.
        TimezoneId = "America/Los_Angeles",
    };

    /// <summary>Runs before any script of a page: the wall clock that this visitor has. <c>performance.now()</c> is left alone.</summary>
    public string? WallClock => ClockAhead == TimeSpan.Zero ? null : """
        (() => {
          const ahead = AHEAD, True = (globalThis.__trueDate = Date);
          globalThis.Date = class Date extends True {
            constructor(...parts) { parts.length === 0 ? super(True.now() + ahead) : super(...parts); }
            static now() { return True.now() + ahead; }
          };
          const origin = performance.timeOrigin + ahead;
          Object.defineProperty(performance, "timeOrigin", { get: () => origin });
        })();
        """.Replace("AHEAD", ClockAhead.TotalMilliseconds.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
}
