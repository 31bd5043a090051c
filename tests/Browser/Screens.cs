using System.Net;

using FlashSale.Tests.Server;
using FlashSale.Tests.Server.Console;
using FlashSale.Tests.Server.Storefront;

using Xunit;

using static Microsoft.Playwright.Assertions;

namespace FlashSale.Tests.Browser;

/// <summary>A screen that people see, and how a test comes to it.</summary>
/// <param name="Name">Of its pictures, and in the gallery.</param>
/// <param name="Role">Of whoever looks at it; null: a shopper.</param>
public sealed record Screen(string Name, Func<ScreenState, string> Path, string? Button = null, string? Role = null)
{
    /// <summary>What is done there before it is as the name says.</summary>
    public Func<Visitor, Task> Then { get; init; } = _ => Task.CompletedTask;

    public bool Stranger { get; init; }

    /// <summary>Somebody else each time, who has no order yet.</summary>
    public bool Newcomer { get; init; }
}

/// <summary>The sales and orders of one shopper in which all screens can be seen.</summary>
public sealed record ScreenState(
    string User, SaleOfTest Reserving, SaleOfTest Reserved, SaleOfTest Open, SaleOfTest Taken, SaleOfTest SoldOut, SaleOfTest Ended, SaleOfTest Paused, string Held, string Paid, string Cancelled, string Payment, string Code);

/// <summary>Every screen of the shop: for the pictures, and for what holds on each of them.</summary>
public static class Screens
{
    private static int newcomers;

    public static IReadOnlyList<Screen> All { get; } =
    [
        new("list", _ => "/"),
        new("sale-reserving", state => state.Reserving.Path, "reserve"),
        new("sale-open", state => state.Open.Path, "grab"),
        new("sale-sold-out", state => state.SoldOut.Path, "sold_out"),
        new("sale-paused", state => state.Paused.Path, "paused"),
        new("sale-ended", state => state.Ended.Path, "ended"),
        new("sale-without-script", state => state.Open.Path + "/now", "grab"),
        new("sign-in", _ => "/sign-in") { Stranger = true },
        new("reservation", state => state.Reserved.Path + "/reservation"),
        new("checkout", state => state.Open.Checkout, "grab"),
        new("checkout-result", state => state.Taken.Checkout, "won") { Then = OrderAsync, Newcomer = true },
        new("order-held", state => "/orders/" + state.Held, "won"),
        new("payment", state => "/sandbox/payments/" + state.Payment),
        new("order-paid", state => "/orders/" + state.Paid),
        new("order-cancelled", state => "/orders/" + state.Cancelled),
        new("coupon", state => "/coupons/" + state.Paid),
        new("orders", _ => "/orders"),
        new("dealer", state => "/dealer?code=" + state.Code, Role: "dealer"),
        new("problem", _ => "/problems/sold-out"),
        new("busy", _ => "/busy") { Then = StayAsync },
    ];

    /// <summary>Shows a screen to somebody who is signed in as the screen wants it, and waits until it is there.</summary>
    public static async Task ShowAsync(this Visitor visitor, Screen screen, ScreenState state, string prefix)
    {
        await visitor.Profile.ClearCookiesAsync();
        if (!screen.Stranger)
        {
            var user = screen.Role is not null ? "dora" : screen.Newcomer ? state.User + Interlocked.Increment(ref newcomers) : state.User;
            await visitor.HaveSessionAsync(user, screen.Role is { } role ? [role] : []);
        }

        await visitor.GoAsync(prefix + screen.Path(state));
        await screen.Then(visitor);
        if (screen.Button is { } button)
        {
            await visitor.SeesButtonAsync(button);
        }
    }

    /// <summary>The page comes again within seconds, but not in a hidden tab.</summary>
    public static Task StayAsync(Visitor visitor) => Eventually.HoldsAsync(
        async () =>
        {
            try
            {
                await visitor.HideAsync(true);
                return await visitor.ReadAsync<bool>("document.hidden");
            }
            catch (Microsoft.Playwright.PlaywrightException)
            {
                // Between two documents.
                return false;
            }
        },
        "the page stays");

    private static async Task OrderAsync(Visitor visitor)
    {
        await visitor.SeesButtonAsync("grab");
        await visitor.PressAsync();
        await Expect(visitor.Page.Locator("[data-result]")).ToBeFocusedAsync();
    }
}

/// <summary>A shop of its own, in which every screen can be seen and the list is as short as in the demo.</summary>
public sealed class ScreenShop : IAsyncLifetime
{
    private const string User = "linyi";
    private readonly DemoShop shop = new();
    private readonly Lazy<Task<ScreenState>> made;

    public ScreenShop() => made = new(MakeAsync);

    public TestServer Server => shop.Server;

    /// <summary>Made once. The orders of the result are made on its own screen.</summary>
    public Task<ScreenState> StateAsync() => made.Value;

    public ValueTask InitializeAsync() => shop.InitializeAsync();

    public ValueTask DisposeAsync() => shop.DisposeAsync();

    private async Task<ScreenState> MakeAsync()
    {
        var reserving = await PublishAsync(new Terms { OpensIn = TimeSpan.FromMinutes(30), Reservations = (TimeSpan.FromMinutes(-1), TimeSpan.FromMinutes(25)) });
        var reserved = await PublishAsync(new Terms { OpensIn = TimeSpan.FromMinutes(40), Reservations = (TimeSpan.FromMinutes(-1), TimeSpan.FromMinutes(35)) });
        var open = await PublishAsync(new Terms { Stock = 20, Offers = 2 });
        var (taken, soldOut) = (await PublishAsync(new Terms { Stock = 100 }), await PublishAsync(new Terms { Stock = 2 }));
        var (ended, paused) = (await PublishAsync(new Terms()), await PublishAsync(new Terms()));
        (await CallAsync($"sales/{reserved.Id}/reservations")).Expect(HttpStatusCode.Created);
        foreach (var (other, sale) in new[] { ("ada", soldOut), ("bo", soldOut), ("chen", open), ("dai", open), ("fei", open), ("gu", ended) })
        {
            await sale.PayAsync(await sale.OrderAsync(other), other);
        }

        await ended.ChangeAsync("closure");
        await paused.ChangeAsync("pause");
        var orders = await Task.WhenAll(Enumerable.Range(0, 3).Select(async _ => await (await PublishAsync(new Terms())).OrderAsync(User)));
        var payment = (await CallAsync($"orders/{orders[0]}/payments")).Expect(HttpStatusCode.Created).Id;
        await open.PayAsync(orders[1], User);
        (await CallAsync($"orders/{orders[2]}/cancellation")).Expect(HttpStatusCode.OK);
        var paid = (await ConsoleServer.SendAsync(Server.SignedIn(User), HttpMethod.Get, "/api/v1/orders/" + orders[1])).Expect(HttpStatusCode.OK);
        return new ScreenState(
            User, reserving, reserved, open, taken, soldOut, ended, paused, orders[0], orders[1], orders[2], payment, paid.Json.GetProperty("coupon").GetProperty("code").GetString()!);
    }

    private Task<SaleOfTest> PublishAsync(Terms terms) => SaleOfTest.PublishAsync(shop, terms);

    private Task<Answer> CallAsync(string path) => ConsoleServer.SendAsync(Server.SignedIn(User), HttpMethod.Post, "/api/v1/" + path);
}
