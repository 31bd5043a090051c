using System.Text.Json;

using Xunit;

namespace FlashSale.Tests.Browser;

/// <summary>Each of the eighteen states of the main button, as a person meets it, with its label in both languages.</summary>
public sealed class ButtonTests(BrowserShop shop, OneChromium chromium) : BrowserTests(shop, chromium)
{
    private static readonly TimeSpan Far = TimeSpan.FromMinutes(10);
    private static readonly (TimeSpan, TimeSpan) ReservationsOpen = (TimeSpan.FromMinutes(-1), TimeSpan.FromMinutes(9));

    /// <summary>How somebody comes to see it: what the sale is like, and what they and others do.</summary>
    private static readonly Dictionary<string, Scene> Scenes = new(StringComparer.Ordinal)
    {
        ["loading"] = new(new Terms()) { Before = visitor => visitor.Page.RouteAsync("**/api/v1/**", _ => Task.CompletedTask) },
        ["sign_in"] = new(new Terms()) { SignedIn = false },
        ["reserve"] = new(new Terms { OpensIn = Far, Reservations = ReservationsOpen }),
        ["reserved"] = new(new Terms { OpensIn = Far, Reservations = ReservationsOpen }) { After = visitor => visitor.PressAsync() },
        ["reservation_closed"] = new(new Terms { OpensIn = Far, Reservations = (TimeSpan.FromMinutes(-2), TimeSpan.FromMinutes(-1)) }),
        ["not_eligible"] = new(new Terms()) { User = "barred" },
        ["soon"] = new(new Terms { OpensIn = Far }),
        ["grab"] = new(new Terms()),
        ["submitting"] = new(new Terms()) { Checkout = true, Before = visitor => AnswerOrdersAsync(visitor, null), After = visitor => PressGrabAsync(visitor) },
        ["queued"] = new(new Terms()) { Checkout = true, Before = visitor => AnswerOrdersAsync(visitor, 202), After = visitor => PressGrabAsync(visitor) },
        ["won"] = new(new Terms()) { Own = Placed.Held },
        ["already"] = new(new Terms()) { Own = Placed.Paid },
        ["maybe"] = new(new Terms { Stock = 1 }) { Others = Placed.Held },
        ["sold_out"] = new(new Terms { Stock = 1 }) { Others = Placed.Paid },
        ["paused"] = new(new Terms()) { Change = "pause" },
        ["ended"] = new(new Terms()) { Change = "closure" },
        ["busy"] = new(new Terms()) { Checkout = true, Before = visitor => AnswerOrdersAsync(visitor, 429), After = visitor => PressGrabAsync(visitor) },
        ["offline"] = new(new Terms()) { After = visitor => visitor.GoOfflineAsync() },
    };

    public static TheoryData<string> States => [.. ButtonTable.All.Select(state => state.State)];

    [Fact]
    public void Table_WhenCounted_HasTheEighteenStatesOfTheDesign() => Assert.Equal(
        "loading sign_in reserve reserved reservation_closed not_eligible soon grab submitting queued won already maybe sold_out paused ended busy offline".Split(' '),
        ButtonTable.All.Select(state => state.State));

    [Theory]
    [MemberData(nameof(States))]
    public async Task Button_InEachState_SaysSoInBothLanguages(string state)
    {
        var scene = Scenes[state];
        var sale = await Shop.PublishAsync(scene.Terms);
        await PlaceAsync(sale, scene.Others, NewUser("other"));
        if (scene.Change is { } change)
        {
            await sale.ChangeAsync(change);
        }

        foreach (var prefix in new[] { "", "/en" })
        {
            var visitor = await ComeAsync();
            visitor.Faults.Expect("429", "ERR_INTERNET_DISCONNECTED");
            var user = scene.User is { } name ? await BarAsync(NewUser(name)) : NewUser("viewer");
            await PlaceAsync(sale, scene.Own, user);
            if (scene.SignedIn)
            {
                await visitor.HaveSessionAsync(user);
            }

            await scene.Before(visitor);
            await visitor.GoAsync(prefix + (scene.Checkout ? sale.Checkout : sale.Path));
            await scene.After(visitor);
            await visitor.SeesButtonAsync(state);
            await visitor.AssertFitsAsync();
        }
    }

    private static async Task PlaceAsync(SaleOfTest sale, Placed what, string user)
    {
        if (what == Placed.Nothing)
        {
            return;
        }

        var order = await sale.OrderAsync(user);
        if (what == Placed.Paid)
        {
            await sale.PayAsync(order, user);
        }
    }

    private async Task<string> BarAsync(string user)
    {
        using var client = (await Shop.ServerAsync()).SignedIn("rita", "operator", "risk");
        using var answer = await client.PutAsync(
            new Uri("/api/v1/admin/blacklist/" + user, UriKind.Relative),
            new StringContent(JsonSerializer.Serialize(new { reason = "a test", source = "operator", expiresAt = TimeProvider.System.GetUtcNow().AddHours(1) }), System.Text.Encoding.UTF8, "application/json"));
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return user;
    }

    /// <param name="status">Null: the answer does not come.</param>
    private static Task AnswerOrdersAsync(Visitor visitor, int? status) => visitor.Page.RouteAsync("**/api/v1/orders**", route => route.Request.Method == "POST" && status is { } known
            ? route.FulfillAsync(new()
            {
                Status = known,
                ContentType = known == 202 ? "application/json" : "application/problem+json",
                Headers = new Dictionary<string, string> { ["Retry-After"] = "9", ["Location"] = "/api/v1/orders/pending" },
                Body = known == 202 ? "{}" : """{"type":"/problems/rate-limited","title":"t","status":429,"code":"rate-limited","effect":"none","traceId":"t"}""",
            })
            : Task.CompletedTask);

    private static async Task PressGrabAsync(Visitor visitor)
    {
        await visitor.SeesButtonAsync("grab");
        await visitor.PressAsync();
    }

    private enum Placed
    {
        Nothing,
        Held,
        Paid,
    }

    private sealed record Scene(Terms Terms)
    {
        public bool SignedIn { get; init; } = true;

        /// <summary>On the checkout; else on the page of the sale.</summary>
        public bool Checkout { get; init; }

        /// <summary>Somebody whom an operator has barred.</summary>
        public string? User { get; init; }

        public Placed Own { get; init; }

        public Placed Others { get; init; }

        /// <summary>What an operator does.</summary>
        public string? Change { get; init; }

        public Func<Visitor, Task> Before { get; init; } = _ => Task.CompletedTask;

        public Func<Visitor, Task> After { get; init; } = _ => Task.CompletedTask;
    }
}
