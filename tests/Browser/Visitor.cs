using System.Globalization;
using System.Text.RegularExpressions;

using FlashSale.Server.Storefront;
using FlashSale.Tests.Server;

using Microsoft.Playwright;

using Xunit;

using static Microsoft.Playwright.Assertions;

namespace FlashSale.Tests.Browser;

/// <summary>Somebody in the shop, with a browser of their own: one tab, or more.</summary>
public sealed class Visitor : IAsyncDisposable
{
    public const float PatienceMs = 20_000;

    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(PatienceMs);

    private readonly TestServer server;

    private Visitor(IBrowserContext profile, TestServer server, Look look)
    {
        Profile = profile;
        this.server = server;
        Look = look;
        Faults = new Faults(profile, server.Address);
    }

    public Look Look { get; }

    public Faults Faults { get; }

    /// <summary>The tab that the visitor looks at.</summary>
    public IPage Page { get; private set; } = null!;

    public IBrowserContext Profile { get; }

    /// <summary>The path and query of the tab's address.</summary>
    public string Path => new Uri(Page.Url).PathAndQuery;

    public static async Task<Visitor> ComeAsync(OneChromium chromium, TestServer server, Look look)
    {
        var visitor = new Visitor(await chromium.NewProfileAsync(look.Options(server.Address)), server, look);
        visitor.Profile.SetDefaultTimeout(PatienceMs);
        if (look.WallClock is { } clock)
        {
            await visitor.Profile.AddInitScriptAsync(clock);
        }

        await visitor.Profile.AddInitScriptAsync(Watching.Script);
        visitor.Page = await visitor.Profile.NewPageAsync();
        return visitor;
    }

    public Task GoAsync(string path) => Page.GotoAsync(path);

    /// <summary>The tab comes to this path.</summary>
    public Task ArrivesAsync(string path) => Eventually.HoldsAsync(() => Task.FromResult(Path == path), path, Patience);

    /// <summary>The tab comes to the page of an order; its path. A press only begins to lead there.</summary>
    public async Task<string> ArrivesAtOrderAsync(string prefix = "")
    {
        await Eventually.HoldsAsync(() => Task.FromResult(Path.StartsWith(prefix + "/orders/", StringComparison.Ordinal)), prefix + "/orders/", Patience);
        return Path;
    }

    /// <summary>Another tab, which is looked at from now on.</summary>
    public async Task<IPage> NewTabAsync(string path)
    {
        Page = await Profile.NewPageAsync();
        await Page.GotoAsync(path);
        return Page;
    }

    public void LookAt(IPage tab) => Page = tab;

    /// <summary>Through the page of the demo, as people do.</summary>
    public async Task SignInAsync(string user)
    {
        await Page.FillAsync("#user", user);
        await Page.PressAsync("#user", "Enter");
        await Expect(Page.Locator("[data-user-name]")).ToHaveTextAsync(user);
    }

    /// <summary>Signed in already, when the visitor comes.</summary>
    public Task HaveSessionAsync(string user, params string[] roles) =>
        Profile.AddCookiesAsync([new Cookie { Name = "flashsale_session", Value = server.CreateSession(user, roles), Url = server.Address.ToString(), HttpOnly = true }]);

    /// <summary>Signed in to the console, when the visitor comes.</summary>
    public Task HaveConsoleAsync(string user, params string[] roles) => Profile.AddCookiesAsync(
        [new Cookie { Name = "flashsale_console", Value = server.CreateSession(user, roles), Url = new Uri(server.Address, "/console").ToString(), HttpOnly = true }]);

    public ILocator Button(string? offerId = null) =>
        Page.Locator(offerId is null ? "[data-main-button]" : $"[data-main-button][data-offer='{offerId}']").First;

    /// <summary>The main button comes to this state; at that moment it has its label in the language of the page, and may be pressed or not as the table says.</summary>
    /// <param name="patience">For what comes at a time of its own.</param>
    public async Task SeesButtonAsync(string state, TimeSpan? patience = null)
    {
        ButtonLook? seen = null;
        try
        {
            await Eventually.HoldsAsync(async () => (seen = await LookAtButtonAsync()) is { } look && look.State == state, state, patience ?? Patience);
        }
        catch (Exception exception) when (exception is Xunit.Sdk.IAssertionException)
        {
            Assert.Fail($"The button on {Path} is not {state} but {seen?.State}: {seen?.Text}");
        }

        var expected = ButtonTable.Of(state);
        Assert.Matches(expected.Pattern(seen!.Language), seen.Text);
        Assert.Equal(expected.Enabled, seen.Enabled);
    }

    /// <summary>The button as it is now; null between two documents.</summary>
    public async Task<ButtonLook?> LookAtButtonAsync()
    {
        const string Script = """
            (() => {
              const button = document.querySelector("[data-main-button]");
              return button && { state: button.dataset.mainButton, text: button.textContent.trim(), enabled: !button.disabled, language: document.documentElement.lang };
            })()
            """;
        try
        {
            return await Page.EvaluateAsync<ButtonLook?>(Script);
        }
        catch (PlaywrightException)
        {
            return null;
        }
    }

    /// <summary>Presses the main button as soon as it may be.</summary>
    public Task PressAsync() => Button().ClickAsync();

    /// <summary>The words of the page's language.</summary>
    public async Task<Texts> TextsAsync() => (await LanguageAsync() == "en" ? Language.En : Language.Zh).Texts;

    public async Task<string> LanguageAsync() => (await Page.Locator("html").GetAttributeAsync("lang"))!;

    /// <summary>The text stands in the page, where a person sees it.</summary>
    public Task SeesAsync(string text) => Expect(Page.GetByText(text).Filter(new() { Visible = true }).First).ToBeVisibleAsync();

    public Task SeesHeadingAsync(string text, float patienceMs = PatienceMs) => Expect(Page.Locator("h1")).ToHaveTextAsync(text, new() { Timeout = patienceMs });

    public Task<T> ReadAsync<T>(string expression) => Page.EvaluateAsync<T>(expression);

    /// <summary>Waits until the expression is true. Not the driver's own way, which the content security policy of the pages forbids.</summary>
    public Task WaitAsync(string expression) => Eventually.HoldsAsync(
        async () =>
        {
            try
            {
                return await Page.EvaluateAsync<bool>(expression);
            }
            catch (PlaywrightException)
            {
                // Between two documents.
                return false;
            }
        },
        expression,
        Patience);

    /// <summary>The tab speaks to the browser itself.</summary>
    public Task<ICDPSession> ProtocolAsync() => Profile.NewCDPSessionAsync(Page);

    /// <summary>From now on each answer takes as long as this, and its bytes come at this rate.</summary>
    public async Task SlowDownAsync(int latencyMs, int bytesPerSecond) => await (await ProtocolAsync()).SendAsync(
        "Network.emulateNetworkConditions",
        new Dictionary<string, object> { ["offline"] = false, ["latency"] = latencyMs, ["downloadThroughput"] = bytesPerSecond, ["uploadThroughput"] = bytesPerSecond });

    public Task GoOfflineAsync(bool offline = true) => Profile.SetOfflineAsync(offline);

    /// <summary>Another tab covers this one, or no longer does.</summary>
    public Task HideAsync(bool hidden) => Page.EvaluateAsync($"__watching.hide({(hidden ? "true" : "false")})");

    /// <summary>When the texts of the countdown and the states of the main button changed, by the true clock of this machine, which is the server's.</summary>
    public Task<Change[]> ChangesAsync() => Page.EvaluateAsync<Change[]>("__watching.changes");

    /// <summary>From the next page on, the trips of its requests are noted.</summary>
    public Task NoteTripsAsync() => Profile.AddInitScriptAsync(Watching.Trips);

    public Task<Trip[]> TripsAsync() => Page.EvaluateAsync<Trip[]>("__trips");

    /// <summary>From now on a timer by the true clock runs beside those of the page, for each full second before this moment.</summary>
    public Task TickAsync(DateTimeOffset moment) => Page.EvaluateAsync("moment => __watching.tick(moment)", moment.ToUnixTimeMilliseconds());

    /// <summary>How late those timers were.</summary>
    public Task<Tick[]> TicksAsync() => Page.EvaluateAsync<Tick[]>("__watching.ticks");

    /// <summary>What the visitor's screen reader was told of by itself, in order.</summary>
    public Task<string[]> AnnouncedAsync() => Page.EvaluateAsync<string[]>("__watching.announced");

    /// <summary>How far things moved that nobody had touched; 0: nothing did.</summary>
    public Task<double> LayoutShiftAsync() => Page.EvaluateAsync<double>("__watching.shift()");

    /// <summary>The page is not wider than the screen.</summary>
    public async Task AssertFitsAsync() =>
        Assert.True(
            await Page.EvaluateAsync<int>("document.documentElement.scrollWidth") <= Look.Width,
            $"{Path} is wider than {Look.Width} px: " + await Page.EvaluateAsync<string>(Watching.TooWide, Look.Width));

    /// <summary>What stands on the screen at the end of a failed test.</summary>
    public async Task KeepAsync(string folder, string name)
    {
        Directory.CreateDirectory(folder);
        for (var i = 0; i < Profile.Pages.Count; i++)
        {
            var file = System.IO.Path.Combine(folder, i == 0 ? name : $"{name}-{i}");
            await File.WriteAllTextAsync(file + ".html", $"<!-- {Profile.Pages[i].Url} -->\n{await Profile.Pages[i].ContentAsync()}");
            await Profile.Pages[i].ScreenshotAsync(new() { Path = file + ".png", FullPage = true, Timeout = 5_000 });
        }
    }

    public ValueTask DisposeAsync() => Profile.DisposeAsync();
}

/// <summary>The main button at one moment.</summary>
public sealed class ButtonLook
{
    public string State { get; set; } = "";

    public string Text { get; set; } = "";

    public bool Enabled { get; set; }

    /// <summary>Of the page.</summary>
    public string Language { get; set; } = "";
}

/// <summary>A request and its answer.</summary>
public sealed class Trip
{
    public string Path { get; set; } = "";

    public double Ms { get; set; }

    /// <summary>The answer came: milliseconds since 1970, true time.</summary>
    public double At { get; set; }
}

/// <summary>A timer that was due at a full second.</summary>
public sealed class Tick
{
    /// <summary>Seconds until the moment.</summary>
    public int Left { get; set; }

    public double LateMs { get; set; }
}

/// <summary>Something that a person sees has changed.</summary>
public sealed class Change
{
    /// <summary><c>countdown</c>, or the state of a main button.</summary>
    public string What { get; set; } = "";

    public string Text { get; set; } = "";

    /// <summary>The button may be pressed.</summary>
    public bool Enabled { get; set; }

    /// <summary>Milliseconds since 1970, true time.</summary>
    public double At { get; set; }

    /// <summary>What the countdown says, in its last minute; else null.</summary>
    public int? SecondsLeft() =>
        Regex.Match(Text, "^([0-9]+) (秒|s)$", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1)) is { Success: true } match && What == "countdown"
            ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
            : null;
}
