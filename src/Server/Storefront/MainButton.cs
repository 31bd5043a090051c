using System.Text.Json;

using FlashSale.Core.Orders;
using FlashSale.Core.Reservations;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;
using FlashSale.Storage;

namespace FlashSale.Server.Storefront;

/// <summary>The states of the main button: what a shopper can do next. Their words are in <see cref="MainButtonTable"/>.</summary>
public enum MainButton
{
    Loading,
    SignIn,
    Reserve,
    Reserved,
    ReservationClosed,

    /// <summary>Limit or risk; the rule is never named.</summary>
    NotEligible,
    Soon,
    Grab,
    Submitting,
    Queued,

    /// <summary>An order is held and waits for its payment.</summary>
    Won,
    Already,

    /// <summary>No unit is available, but unpaid orders hold some.</summary>
    Maybe,
    SoldOut,
    Paused,
    Ended,
    Busy,
    Offline,
}

/// <summary>What is known of the shopper who looks at a sale.</summary>
/// <param name="Reservation">Null without one.</param>
/// <param name="Eligibility">As the gate says; <see cref="Eligibility.Unknown"/> is no reason to hide the button, since the gate is asked again.</param>
/// <param name="Orders">The shopper's orders of the sale, newest first.</param>
public sealed record Shopper(bool SignedIn, ReservationStatus? Reservation, Eligibility Eligibility, IReadOnlyList<Order> Orders)
{
    public static Shopper Stranger { get; } = new(false, null, Eligibility.Unknown, []);
}

/// <summary>Which state the button of an offer is in: a function of sale, stock, shopper and now, read from <see cref="MainButtonTable"/>.</summary>
public static class MainButtons
{
    private static readonly TimeSpan LastMinute = TimeSpan.FromSeconds(60);

    public static MainButton Of(LiveOffer offer, Shopper shopper, DateTimeOffset now) => Decide(offer, shopper, now, LiveOrder(offer, shopper));

    /// <summary>The same without regard to orders that the shopper has: whether another one can be had.</summary>
    public static MainButton MayTake(LiveOffer offer, Shopper shopper, DateTimeOffset now) => Decide(offer, shopper, now, order: null);

    /// <summary>The order to show: one that waits for payment before one that is paid. Null when there is none.</summary>
    public static Order? LiveOrder(LiveOffer offer, Shopper shopper) => shopper.Orders
        .Where(order => order.OfferId == offer.Offer.Id && OrderLifeCycle.IsLive(order.Status))
        .MinBy(order => order.Status == OrderStatus.Held ? 0 : 1);

    public static bool IsEnabled(MainButton button) => MainButtonTable.Row(button).Enabled;

    /// <summary>True for a state that holds for the whole sale: then one button stands for all offers.</summary>
    public static bool IsOfSale(MainButton button) =>
        button is not (MainButton.Grab or MainButton.Won or MainButton.Already or MainButton.Maybe or MainButton.SoldOut);

    private static MainButton Decide(LiveOffer offer, Shopper shopper, DateTimeOffset now, Order? order)
    {
        var sale = offer.Sale.Sale;
        return MainButtonTable.Decide(fact => fact switch
        {
            // The page is rendered by a server that knows all it needs, and nothing of it is under way.
            "online" or "known" => "true",
            "step" => "idle",
            "order" => order is null ? "none" : Word(order.Status),
            "phase" => Word(offer.Sale.PhaseAt(now)),
            "stock" => !offer.SoldOut ? "available" : offer.Holds ? "held" : "none",
            "signedIn" => Word(shopper.SignedIn),
            "barred" => Word(shopper.Eligibility == Eligibility.NotEligible),
            "reservation" => !sale.RequiresReservation ? "not_needed" : shopper.Reservation is { } status ? Word(status) : "none",
            "reservations" => SalePhases.ReservationsAreOpen(sale, now) ? "open" : now < sale.ReservationOpensAt ? "before" : "closed",
            "lastMinute" => Word(sale.OpensAt - now <= LastMinute),
            _ => throw new ArgumentOutOfRangeException(nameof(fact), fact, "No such fact."),
        });
    }

    private static string Word(bool value) => value ? "true" : "false";

    private static string Word<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}

/// <param name="Word">Of the state, as in <c>data-main-button</c>.</param>
/// <param name="Enabled">A click does something.</param>
public sealed record MainButtonRow(MainButton Button, string Word, string Zh, string En, bool Enabled);

/// <summary>
/// The states and the rules of the main button, from <c>main-button.json</c>. The script of the pages is built with the same file, so that page and script
/// cannot come to different answers (decision 21).
/// </summary>
public static class MainButtonTable
{
    private static readonly JsonElement Json = Read();

    /// <summary>In the order of the enum.</summary>
    public static IReadOnlyList<MainButtonRow> Rows { get; } = [.. Json.GetProperty("states").EnumerateArray().Select(RowOf).OrderBy(row => row.Button)];

    /// <summary>Each fact with the words that it can have.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<string>> Facts { get; } =
        Json.GetProperty("facts").EnumerateObject().ToDictionary(fact => fact.Name, fact => Words(fact.Value), StringComparer.Ordinal);

    private static readonly IReadOnlyList<Rule> Rules = [.. Json.GetProperty("rules").EnumerateArray().Select(RuleOf)];

    public static MainButtonRow Row(MainButton button) => Rows[(int)button];

    /// <summary>The state of the first rule all of whose facts match. Facts are asked for only where a rule needs them.</summary>
    /// <param name="fact">The word of a fact, by its name.</param>
    public static MainButton Decide(Func<string, string> fact) =>
        Rules.First(rule => rule.If.All(condition => condition.Words.Contains(fact(condition.Fact), StringComparer.Ordinal))).State;

    private static MainButtonRow RowOf(JsonElement row) => new(
        Button(row), row.GetProperty("state").GetString()!, row.GetProperty("zh").GetString()!, row.GetProperty("en").GetString()!, row.GetProperty("enabled").GetBoolean());

    private static Rule RuleOf(JsonElement rule) =>
        new([.. rule.GetProperty("if").EnumerateObject().Select(condition => new Condition(condition.Name, Words(condition.Value)))], Button(rule));

    private static MainButton Button(JsonElement element) =>
        Enum.Parse<MainButton>(element.GetProperty("state").GetString()!.Replace("_", "", StringComparison.Ordinal), ignoreCase: true);

    /// <summary>True and false are words here.</summary>
    private static IReadOnlyList<string> Words(JsonElement values) =>
        [.. values.EnumerateArray().Select(value => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText())];

    private static JsonElement Read()
    {
        using var stream = typeof(MainButtonTable).Assembly.GetManifestResourceStream("main-button.json")!;
        using var document = JsonDocument.Parse(stream);
        return document.RootElement.Clone();
    }

    private sealed record Rule(IReadOnlyList<Condition> If, MainButton State);

    private sealed record Condition(string Fact, IReadOnlyList<string> Words);
}
