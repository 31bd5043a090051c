using System.Globalization;
using System.Text.Json;

using FlashSale.Core;
using FlashSale.Core.Sales;

namespace FlashSale.Server.Jobs;

/// <summary>A sale of the demo as <c>demo-sales.json</c> has it, held again and again in rounds.</summary>
/// <param name="FirstOpensAfterSeconds">After the start of the program.</param>
public sealed record DemoSale(string Slug, LocalizedText Title, int FirstOpensAfterSeconds, bool RequiresReservation, IReadOnlyList<DemoOffer> Offers)
{
    private static readonly TimeSpan Length = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan PaymentWindow = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan ReservationsCloseBefore = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan CouponsLive = TimeSpan.FromDays(90);

    public static IReadOnlyList<DemoSale> Read() =>
        JsonSerializer.Deserialize<DemoSale[]>(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "demo-sales.json")), JsonSerializerOptions.Web)!;

    /// <summary>The draft of a round. Reservations, where they are needed, are open at once.</summary>
    public Sale Draft(int round, DateTimeOffset now, DateTimeOffset opensAt) => new()
    {
        Slug = round == 1 ? Slug : $"{Slug}-{round}",
        Title = round == 1 ? Title : new LocalizedText($"{Title.Zh} · 第 {round} 场", $"{Title.En} · round {round}"),
        ReservationOpensAt = RequiresReservation ? now : null,
        ReservationClosesAt = RequiresReservation ? opensAt - ReservationsCloseBefore : null,
        OpensAt = opensAt,
        ClosesAt = opensAt + Length,
        RequiresReservation = RequiresReservation,
        PaymentWindow = PaymentWindow,
        Offers = [.. Offers.Select(offer => offer.Draft(opensAt, opensAt + CouponsLive))],
    };

    /// <summary>The round that a slug names; 0 when it is not one of this sale.</summary>
    public int RoundOf(string slug)
    {
        if (slug == Slug)
        {
            return 1;
        }

        return slug.StartsWith(Slug + "-", StringComparison.Ordinal)
            && int.TryParse(slug.AsSpan(Slug.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var round)
            ? round
            : 0;
    }
}

public sealed record DemoOffer(string Sku, LocalizedText Title, int FaceValueYuan, int PriceYuan, int Stock, int PerUserLimit)
{
    public Offer Draft(DateTimeOffset validFrom, DateTimeOffset validUntil) => new()
    {
        Sku = Sku,
        Title = Title,
        FaceValue = Money.Cny(FaceValueYuan * 100L),
        Price = Money.Cny(PriceYuan * 100L),
        Stock = Stock,
        PerUserLimit = PerUserLimit,
        ValidFrom = validFrom,
        ValidUntil = validUntil,
    };
}
