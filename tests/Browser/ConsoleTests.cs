using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;

using FlashSale.Tests.Server;
using FlashSale.Tests.Server.Console;

using Microsoft.Playwright;

using Xunit;

using static Microsoft.Playwright.Assertions;

namespace FlashSale.Tests.Browser;

/// <summary>A shop whose sales a second person publishes.</summary>
public sealed class FourEyesShop : IAsyncLifetime
{
    public TestServer Server { get; private set; } = null!;

    /// <summary>A draft to begin with: open for an hour, 200 units.</summary>
    public string PatternId { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        Server = await TestServer.StartAsync(("FlashSale__Console__FourEyes", "true"), ("FlashSale__Tokens__MinimumAge", "00:00:00"));
        var now = TimeProvider.System.GetUtcNow();
        PatternId = (await ConsoleServer.SendAsync(Server.Operator(), HttpMethod.Post, "sales", new JsonObject
        {
            ["slug"] = "pattern",
            ["title"] = new JsonObject { ["zh"] = "双十一购车券", ["en"] = "Double Eleven car coupons" },
            ["opensAt"] = ConsoleServer.Rfc3339(now.AddSeconds(-1)),
            ["closesAt"] = ConsoleServer.Rfc3339(now.AddHours(1)),
            ["requiresReservation"] = false,
            ["offers"] = new JsonArray(ConsoleServer.Offer("A", 200)),
        })).Expect(HttpStatusCode.Created).Id;
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}

/// <summary>Operators at work, in a real browser.</summary>
public sealed class ConsoleTests(BrowserShop shop, FourEyesShop own, OneChromium chromium) : BrowserTests(shop, chromium), IClassFixture<FourEyesShop>
{
    private static readonly TimeSpan Shanghai = TimeSpan.FromHours(8);

    /// <summary>Of the crowd: how many got none, and when the last one came who got one.</summary>
    private int turnedAway;
    private long lastPlaced;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Sale_FromItsDefinitionToItsReport_IsRunInTheConsole(bool script)
    {
        var slug = "journey-" + (script ? "script" : "forms");
        var anna = await ComeToConsoleAsync("anna", script, "operator");
        var ben = await ComeToConsoleAsync("ben", script, "approver");
        var id = await DefineAsync(anna, slug);

        // Whoever defined it may not publish it; another person does, and sees what it is.
        await anna.GoAsync($"/console/en/sales/{id}/publication");
        await Expect(anna.Page.Locator("main form")).ToHaveCountAsync(0);
        await ben.GoAsync($"/console/en/sales/{id}/publication");
        await ben.SeesAsync(slug);
        await SendAsync(ben, "publication", "Published.");

        // The readiness board, and the gate.
        await anna.GoAsync($"/console/en/sales/{id}/readiness");
        await SendAsync(anna, "warm-up", "Loaded into the gate.");

        // The board under load: it follows, with script and without.
        using var ends = new CancellationTokenSource();
        var load = LoadAsync(id, ends.Token);
        await anna.GoAsync($"/console/en/sales/{id}");
        await Eventually.HoldsAsync(async () => await FigureAsync(anna, "placed") > 5, "orders on the board", Visitor.Patience);
        if (script)
        {
            await Expect(anna.Page.Locator("[data-chart] canvas")).ToHaveCountAsync(4);
        }

        await HaltAndGoOnAsync(anna, id);

        // Closed for good, which asks for its name.
        await anna.GoAsync($"/console/en/sales/{id}/closure");
        await anna.Page.FillAsync("[name=slug]", slug);
        await SendAsync(anna, "closure", "The sale is closed.", ("reason", "the end"));
        await ends.CancelAsync();
        await load;
        await anna.GoAsync($"/console/en/sales/{id}/report");
        await anna.SeesAsync("Nothing is violated.");
        var stock = await StockAsync(id);
        await anna.GoAsync($"/console/en/sales/{id}");
        await Eventually.HoldsAsync(async () => await FigureAsync(anna, "held") == stock.Held && await FigureAsync(anna, "available") == stock.Available, "the board is what the ledger says");
        await anna.SeesAsync("Sale closed");
    }

    [Theory]
    [InlineData("/console", false)]
    [InlineData("/console/en", true)]
    public async Task Pages_OfTheConsole_HaveNoBarrierAndFit(string root, bool dark)
    {
        var slug = "axe" + (dark ? "-dark" : "");
        var id = await PublishAsync(slug);
        var full = await FillAsync(id, slug);
        List<string> found = [];
        // Somebody who may do everything, and somebody who may only look: each sees other pages.
        foreach (var roles in new[] { new[] { "operator", "approver", "risk", "auditor" }, ["auditor"] })
        {
            var visitor = await ComeToConsoleAsync("ada", true, roles);
            visitor.Faults.Expect("403", "422");
            await visitor.Page.EmulateMediaAsync(new() { ColorScheme = dark ? ColorScheme.Dark : ColorScheme.Light, ReducedMotion = ReducedMotion.Reduce });
            foreach (var path in Places(id).Select(place => place.Path).Concat(full))
            {
                await visitor.Page.SetViewportSizeAsync(1280, 800);
                await visitor.GoAsync(root + path);
                found.AddRange(await BarriersAsync(visitor, $"{root}{path} for {roles[0]}"));
            }

            if (roles.Length > 1)
            {
                await visitor.Page.SetViewportSizeAsync(1280, 800);
                await visitor.GoAsync($"{root}/sales/{id}/closure");
                await visitor.Page.FillAsync("[name=slug]", "another");
                await visitor.Page.FillAsync("[name=reason]", "the end");
                await visitor.Page.Locator("form[action$='/closure'] button[type=submit]").ClickAsync();
                await Expect(visitor.Page.Locator("main [aria-invalid=true]")).ToHaveCountAsync(1);
                found.AddRange(await BarriersAsync(visitor, $"{root}/sales/{id}/closure, refused"));
            }
        }

        Assert.True(found.Count == 0, string.Join('\n', found));
    }

    /// <summary>What keeps somebody from using the page that stands there, on a screen of either size.</summary>
    private static async Task<List<string>> BarriersAsync(Visitor visitor, string where)
    {
        List<string> found = [];
        Assert.False(await visitor.ReadAsync<string>("document.querySelector('h1')?.textContent ?? ''") is "", where);
        foreach (var width in new[] { 1280, 360 })
        {
            await visitor.Page.SetViewportSizeAsync(width, 800);
            // The charts follow with the next frames.
            await visitor.ReadAsync<object?>("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
            if (await visitor.ReadAsync<int>("document.documentElement.scrollWidth") > width)
            {
                found.Add($"{where} is wider than {width} px");
            }
        }

        // What is folded away is there too.
        await visitor.ReadAsync<object?>("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
        found.AddRange((await visitor.ReadAsync<string[]>(SameIds)).Select(id => $"{where} has the id {id} twice"));
        found.AddRange((await visitor.ReadAsync<string[]>(Unreachable)).Select(html => $"{where}: the keyboard cannot scroll {html}"));
        await visitor.ReadAsync<object?>(AccessTests.Axe + "; undefined");
        found.AddRange((await visitor.ReadAsync<string[]>(AccessTests.Check)).Select(fault => $"{where}: {fault}"));
        return found;
    }

    /// <summary>An order that is paid, users who are barred, somebody who was assessed; where they are seen.</summary>
    private async Task<string[]> FillAsync(string id, string name)
    {
        var client = own.Server.Operator();
        var offer = (await ConsoleServer.SendAsync(client, HttpMethod.Get, $"sales/{id}")).Json.GetProperty("offers")[0].GetProperty("id").GetString();
        var shopper = own.Server.SignedIn(NewUser(name));
        var token = (await ConsoleServer.SendAsync(shopper, HttpMethod.Post, $"/api/v1/offers/{offer}/order-tokens")).Expect(HttpStatusCode.Created).Json.GetProperty("token").GetString();
        var order = (await ConsoleServer.SendAsync(shopper, HttpMethod.Post, "/api/v1/orders", new JsonObject { ["token"] = token })).Expect(HttpStatusCode.Created);
        foreach (var user in new[] { "a.b", "a-b", "a_b" })
        {
            (await ConsoleServer.SendAsync(client, HttpMethod.Put, $"blacklist/{user}", new JsonObject { ["reason"] = "a farm", ["source"] = "test" })).Expect(HttpStatusCode.OK);
        }

        var reserved = await PublishAsync(name + "-reserved", requiresReservation: true);
        for (var i = 0; i < 3; i++)
        {
            (await ConsoleServer.SendAsync(own.Server.SignedIn(NewUser(name)), HttpMethod.Post, $"/api/v1/sales/{reserved}/reservations")).Expect(HttpStatusCode.Created);
        }

        await Eventually.HoldsAsync(
            async () => (await ConsoleServer.SendAsync(client, HttpMethod.Get, $"sales/{reserved}/assessments?state=done")).Json.GetProperty("items").GetArrayLength() == 3, "all are assessed");
        return [$"/orders/{order.Id}", $"/sales/{id}/closure", $"/risk?sale={reserved}&show=all&threshold=1", "/sales/" + reserved];
    }

    /// <summary>The pictures of docs/console.md, when FLASHSALE_SCREENS says where; else only that each can be taken.</summary>
    [Theory]
    [InlineData("/console", "zh")]
    [InlineData("/console/en", "en")]
    public async Task Pictures_OfTheConsole_AreTaken(string root, string language)
    {
        var folder = Environment.GetEnvironmentVariable("FLASHSALE_SCREENS") is { Length: > 0 } chosen ? Path.Combine(Repository.Root, chosen, "screens/console") : Path.Combine(Repository.Root, "artifacts/tests/console");
        Directory.CreateDirectory(folder);
        var id = await PublishAsync("pictures-" + language);
        using var ends = new CancellationTokenSource();
        var load = LoadAsync(id, ends.Token);
        var visitor = await ComeToConsoleAsync("ada", true, "operator", "approver", "risk", "auditor");
        await visitor.GoAsync($"{root}/sales/{id}");
        await Eventually.HoldsAsync(async () => await FigureAsync(visitor, "placed") > 15, "orders on the board", Visitor.Patience);
        foreach (var (path, name) in Places(id))
        {
            if (name.Length > 0)
            {
                await visitor.GoAsync(root + path);
                if (name == "live")
                {
                    await Expect(visitor.Page.Locator("[data-chart] canvas")).ToHaveCountAsync(4);
                }

                var file = Path.Combine(folder, $"{name}-{language}.jpg");
                await visitor.Page.ScreenshotAsync(new() { Path = file, FullPage = true, Type = ScreenshotType.Jpeg, Quality = 60 });
                Assert.True(new FileInfo(file).Length > 10_000, file);
            }
        }

        await ends.CancelAsync();
        await load;
    }

    private const string SameIds = """
        [...document.querySelectorAll("[id]")].map((one) => one.id).filter((id, i, all) => all.indexOf(id) !== i)
        """;

    private const string Unreachable = """
        [...document.querySelectorAll(".wide")].filter((one) => one.tabIndex !== 0 || !(one.getAttribute("aria-label") || one.getAttribute("aria-labelledby"))).map((one) => one.outerHTML.slice(0, 120))
        """;

    private static (string Path, string Name)[] Places(string id) =>
    [
        ("", "plan"),
        ("/sales/new", ""),
        ($"/sales/{id}", "live"),
        ($"/sales/{id}/definition", "definition"),
        ($"/sales/{id}/preview", "preview"),
        ($"/sales/{id}/publication", "publication"),
        ($"/sales/{id}/readiness", "readiness"),
        ($"/sales/{id}/pause", ""),
        ($"/sales/{id}/stock", "stock"),
        ($"/sales/{id}/reconciliation", "reconciliation"),
        ($"/sales/{id}/report", "report"),
        ($"/orders?sale={id}", "orders"),
        ($"/risk?sale={id}", "risk"),
        ("/blacklist", "blacklist"),
        ("/limits", "limits"),
        ("/service", "service"),
        ("/audit", "audit"),
        ("/sign-in", ""),
    ];

    /// <summary>A new sale after an earlier one; its id.</summary>
    private async Task<string> DefineAsync(Visitor anna, string slug)
    {
        await anna.GoAsync($"/console/en/sales/new?from={own.PatternId}");
        var now = TimeProvider.System.GetUtcNow().ToOffset(Shanghai);
        await anna.Page.FillAsync("[name=slug]", slug);
        await anna.Page.FillAsync("[name='title.en']", $"Journey {slug}");
        await anna.Page.FillAsync("[name='title.zh']", $"旅程 {slug}");
        await anna.Page.FillAsync("[name=opensAt]", now.AddMinutes(-1).ToString("yyyy-MM-dd'T'HH:mm", CultureInfo.InvariantCulture));
        await anna.Page.FillAsync("[name=closesAt]", now.AddHours(1).ToString("yyyy-MM-dd'T'HH:mm", CultureInfo.InvariantCulture));
        await anna.Page.Locator("button[value=save]").ClickAsync();
        await Expect(anna.Page.Locator("h1")).ToContainTextAsync(slug);
        return anna.Path.Split('/', '?')[4];
    }

    /// <summary>Pause holds everywhere within a second; more units come, with the number that is expected; resumed, it goes on.</summary>
    private async Task HaltAndGoOnAsync(Visitor anna, string id)
    {
        await anna.GoAsync($"/console/en/sales/{id}/pause");
        await SendAsync(anna, "pause", "Paused, in every instance within a second.", ("reason", "a look at the price"));
        await Task.Delay(TimeSpan.FromSeconds(1));
        var aSecondLater = TimeProvider.System.GetTimestamp();
        // The first of them may have come before that second was over, the next have not.
        await SeesTurnedAwayAsync(2);
        var before = await StockAsync(id);
        await SeesTurnedAwayAsync(5);
        Assert.Equal(before, await StockAsync(id));
        Assert.True(Volatile.Read(ref lastPlaced) < aSecondLater, "An order was placed that came a second after the pause.");

        await anna.GoAsync($"/console/en/sales/{id}/stock");
        await SendAsync(anna, "stock", "The stock was adjusted.", ("delta", "50"), ("reference", "PO-7"), ("reason", "more cars"));
        Assert.Equal(before.Available + 50, (await StockAsync(id)).Available);

        await anna.GoAsync($"/console/en/sales/{id}/resumption");
        await SendAsync(anna, "resumption", "Resumed, in every instance within a second.", ("reason", "all is well"));
        await Eventually.HoldsAsync(async () => (await StockAsync(id)).Held > before.Held, "orders again");
    }

    /// <summary>Fills in the form that leads there, sends it, and sees what it did.</summary>
    private static async Task SendAsync(Visitor visitor, string action, string done, params (string Field, string Value)[] fields)
    {
        var form = visitor.Page.Locator($"form[action$='/{action}']").Filter(new() { Visible = true }).First;
        foreach (var (field, value) in fields)
        {
            await form.Locator($"[name={field}]").FillAsync(value);
        }

        await form.Locator("button[type=submit]").ClickAsync();
        await Expect(visitor.Page.Locator(".done[role=status]")).ToHaveTextAsync(done);
    }

    private async Task<Visitor> ComeToConsoleAsync(string user, bool script, params string[] roles)
    {
        var visitor = await ComeAsync((script ? Look.Desktop : Look.NoScript) with { Width = 1280, Height = 900 }, own.Server);
        await visitor.HaveConsoleAsync(user, roles);
        // The preview shows a shopper's page, whose script may not run there.
        visitor.Faults.Expect("Blocked script execution");
        return visitor;
    }

    private async Task<string> PublishAsync(string slug, bool requiresReservation = false)
    {
        var client = own.Server.Operator();
        var now = TimeProvider.System.GetUtcNow();
        var definition = new JsonObject
        {
            ["slug"] = slug,
            ["title"] = new JsonObject { ["zh"] = "星途 L7 限时购车券", ["en"] = "Coupons for the Startrail L7" },
            ["opensAt"] = ConsoleServer.Rfc3339(requiresReservation ? now.AddMinutes(5) : now.AddSeconds(-1)),
            ["closesAt"] = ConsoleServer.Rfc3339(now.AddHours(1)),
            ["requiresReservation"] = requiresReservation,
            ["offers"] = new JsonArray(ConsoleServer.Offer("A", 200), ConsoleServer.Offer("B", 100)),
        };
        if (requiresReservation)
        {
            definition["reservationOpensAt"] = ConsoleServer.Rfc3339(now.AddSeconds(-1));
            definition["reservationClosesAt"] = ConsoleServer.Rfc3339(now.AddMinutes(4));
        }

        var created = (await ConsoleServer.SendAsync(client, HttpMethod.Post, "sales", definition)).Expect(HttpStatusCode.Created);
        (await ConsoleServer.SendAsync(own.Server.SignedIn("ben", "approver"), HttpMethod.Post, $"sales/{created.Id}/publication")).Expect(HttpStatusCode.OK);
        return created.Id;
    }

    /// <summary>So many more of the crowd come away with nothing.</summary>
    private async Task SeesTurnedAwayAsync(int more)
    {
        var until = Volatile.Read(ref turnedAway) + more;
        await Eventually.HoldsAsync(() => Volatile.Read(ref turnedAway) >= until, "shoppers are turned away");
    }

    /// <summary>Shoppers, one after the other, each of whom wants one.</summary>
    private async Task LoadAsync(string sale, CancellationToken ends)
    {
        var offer = (await ConsoleServer.SendAsync(own.Server.Operator(), HttpMethod.Get, $"sales/{sale}")).Json.GetProperty("offers")[0].GetProperty("id").GetString();
        while (!ends.IsCancellationRequested)
        {
            var shopper = own.Server.SignedIn(NewUser("crowd"));
            var came = TimeProvider.System.GetTimestamp();
            var placed = false;
            var token = await ConsoleServer.SendAsync(shopper, HttpMethod.Post, $"/api/v1/offers/{offer}/order-tokens");
            if (token.Status == HttpStatusCode.Created)
            {
                placed = (await ConsoleServer.SendAsync(shopper, HttpMethod.Post, "/api/v1/orders", new JsonObject { ["token"] = token.Json.GetProperty("token").GetString() })).Status == HttpStatusCode.Created;
            }

            if (placed)
            {
                Volatile.Write(ref lastPlaced, came);
            }
            else
            {
                Interlocked.Increment(ref turnedAway);
            }

            await Task.Delay(60, CancellationToken.None);
        }
    }

    private async Task<(long Available, long Held)> StockAsync(string sale)
    {
        var offer = (await ConsoleServer.SendAsync(own.Server.Operator(), HttpMethod.Get, $"sales/{sale}/reconciliation")).Expect(HttpStatusCode.OK).Json.GetProperty("offers")[0];
        return (offer.GetProperty("available").GetInt64(), offer.GetProperty("held").GetInt64());
    }

    private static async Task<long> FigureAsync(Visitor visitor, string figure)
    {
        if (!visitor.Look.Script)
        {
            await visitor.Page.ReloadAsync();
        }

        return await visitor.Page.Locator($"[data-figure={figure}]").First.TextContentAsync() is { } text && long.TryParse(text.Replace(",", "", StringComparison.Ordinal), CultureInfo.InvariantCulture, out var value) ? value : -1;
    }
}
