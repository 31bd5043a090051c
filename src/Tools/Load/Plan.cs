using System.Text;

using FlashSale.Tools.History;

namespace FlashSale.Tools.Load;

/// <summary>What a winner does with the order.</summary>
internal enum Fate
{
    Pays,
    Cancels,
    LetsExpire,
}

/// <summary>What a bot tries.</summary>
internal enum BotKind
{
    /// <summary>Orders without a token.</summary>
    NoToken,

    /// <summary>Orders with a token that it made up.</summary>
    Garbage,

    /// <summary>Orders at the opening with a token that it has just got, then again like a person.</summary>
    Hasty,

    /// <summary>Changes bits of its token, or signs it with a key of its own.</summary>
    Forger,

    /// <summary>Submits somebody else's token.</summary>
    Thief,

    /// <summary>Submits somebody's token without a session, or with one that was forged or has expired.</summary>
    Stranger,

    /// <summary>Repeats its order again and again after it has won.</summary>
    Repeater,

    /// <summary>Submits several tokens of its own dozens of times at once.</summary>
    Stormer,

    /// <summary>Comes to a sale that asks for a reservation without one.</summary>
    GateCrasher,
}

internal sealed class PlannedSale
{
    public required string Id { get; init; }
    public required string Slug { get; init; }
    public required bool RequiresReservation { get; init; }
    public required IReadOnlyList<PlannedOffer> Offers { get; init; }
    public required Uri ReservationsUri { get; init; }
    public required Uri ReservationUri { get; init; }
}

internal sealed class PlannedOffer
{
    private int placed;
    private int paid;
    private int soldOut;

    public required string Id { get; init; }
    public required string Title { get; init; }
    public required int Stock { get; init; }
    public required Uri TokensUri { get; init; }

    /// <summary>Honest shoppers' entries; whose tokens thieves take.</summary>
    public List<Entry> Honest { get; } = [];
    public int Placed => Volatile.Read(ref placed);
    public int Paid => Volatile.Read(ref paid);
    public int SoldOut => Volatile.Read(ref soldOut);
    public bool IsSettled => Paid >= Stock;

    public void CountPlaced() => Interlocked.Increment(ref placed);

    public void CountPaid() => Interlocked.Increment(ref paid);

    public void CountSoldOut() => Interlocked.Increment(ref soldOut);
}

/// <param name="Line">Index of the address to send from.</param>
internal sealed record Shopper(string Name, string Bearer, int Line, BotKind? Bot)
{
    /// <summary>Sent with every call; each ends with a line break.</summary>
    public string Headers { get; set; } = "";

    /// <summary>Counts this shopper's calls besides those of the whole run.</summary>
    public Metrics? Counted { get; init; }
}

/// <summary>One user who wants one offer.</summary>
internal sealed class Entry
{
    public required Shopper User { get; init; }
    public required PlannedSale Sale { get; init; }
    public required PlannedOffer Offer { get; init; }
    public required Fate Fate { get; init; }

    /// <summary>How long the winner thinks before paying or cancelling, in microseconds.</summary>
    public required long ThinkTime { get; init; }

    /// <summary>Of its tokens; only a storm has more than one.</summary>
    public List<HeldToken> Tokens { get; } = [];

    /// <summary>Not again before this; microseconds.</summary>
    public long NotBefore { get; set; }
}

/// <param name="Body">The body of the request to order, made once.</param>
/// <param name="AskedAt">When the token was asked for: it cannot be older.</param>
/// <param name="UsableAt">Old enough from then on.</param>
internal sealed record HeldToken(string Text, byte[] Body, string Fingerprint, long AskedAt, long UsableAt)
{
    public static HeldToken Of(string text, long askedAt, long usableAt) =>
        new(text, Encoding.UTF8.GetBytes($$"""{"token":"{{text}}"}"""), HistoryRecord.Fingerprint(text), askedAt, usableAt);
}

internal static class PlanMaker
{
    /// <summary>Demand exceeds the stock by this much, so that units that come back find a buyer.</summary>
    private const double DemandOverStock = 1.5;

    /// <summary>Bots sit at few addresses with many accounts.</summary>
    private const int BotLines = 32;
    private const double BotsComeWithin = 0.25;
    private const long ThinkTimeMax = 1_500_000;

    public static List<Shopper> MakeUsers(LoadSettings settings, SessionTokens sessions, DateTimeOffset expires, string run)
    {
        var bots = (int)((long)settings.Users * settings.BotPercent / 100);
        var kinds = Enum.GetValues<BotKind>();
        var users = new List<Shopper>(settings.Users);
        for (var i = 0; i < settings.Users; i++)
        {
            var isBot = i < bots;
            var name = $"{(isBot ? "bot" : "user")}-{run}-{i}";
            var line = isBot ? i % Math.Min(BotLines, settings.Sources) : Seeds.Mix(settings.Seed, i) % settings.Sources;
            users.Add(new Shopper(name, "Bearer " + sessions.Create(name, expires), line, isBot ? kinds[i % kinds.Length] : null));
        }

        return users;
    }

    /// <summary>How many offers each honest user wants: as few as give every offer more demand than stock, if there are enough people.</summary>
    public static int OffersOfEach(LoadSettings settings, int honest) =>
        (int)Math.Clamp(Math.Ceiling(DemandOverStock * settings.Units / Math.Max(1, honest)), 1, settings.Sales * settings.Offers);

    /// <returns>In the order in which they come.</returns>
    public static Entry[] MakeEntries(LoadSettings settings, IReadOnlyList<Shopper> users, IReadOnlyList<PlannedSale> sales)
    {
        var offers = sales.SelectMany(sale => sale.Offers.Select(offer => (Sale: sale, Offer: offer))).ToArray();
        var honest = Math.Max(1, users.Count(user => user.Bot is null));
        var each = OffersOfEach(settings, honest);
        var random = new Random(Seeds.Mix(settings.Seed, 0xF47E));
        var thinkTime = Math.Min(ThinkTimeMax, (long)settings.PaymentWindow.TotalMicroseconds / 4);
        var entries = new List<Entry>();
        foreach (var kind in users.GroupBy(user => user.Bot))
        {
            var place = 0;
            foreach (var user in kind)
            {
                // Bots want one thing each; consecutive places give every offer the same crowd.
                for (var n = 0; n < (user.Bot is null ? each : 1); n++, place++)
                {
                    var (sale, offer) = offers[place % offers.Length];
                    var draw = random.Next(100);
                    var entry = new Entry
                    {
                        User = user,
                        Sale = sale,
                        Offer = offer,
                        Fate = draw < settings.CancelPercent ? Fate.Cancels
                            : draw < settings.CancelPercent + settings.AbandonPercent ? Fate.LetsExpire
                            : Fate.Pays,
                        ThinkTime = random.NextInt64(thinkTime),
                    };
                    entries.Add(entry);
                    if (user.Bot is null)
                    {
                        offer.Honest.Add(entry);
                    }
                }
            }
        }

        // Bots are quicker than people: an attack proves something only while there is something to be had.
        return [.. entries
            .Select(entry => (Entry: entry, Place: random.NextDouble() * (entry.User.Bot is null ? 1 : BotsComeWithin)))
            .OrderBy(pair => pair.Place)
            .Select(pair => pair.Entry)];
    }

    public static HistorySale Describe(PlannedSale sale, long opensAt, LoadSettings settings, long price) => new()
    {
        Id = sale.Id,
        Slug = sale.Slug,
        OpensAt = opensAt,
        RequiresReservation = sale.RequiresReservation,
        PaymentWindowSeconds = (int)settings.PaymentWindow.TotalSeconds,
        Offers = [.. sale.Offers.Select(offer => new HistoryOffer(offer.Id, offer.Stock, PerUserLimit: 1, price))],
    };
}
