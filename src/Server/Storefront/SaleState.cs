using System.Text.Json;

using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Storage;

namespace FlashSale.Server.Storefront;

/// <summary>Makes the state document that waiting pages poll, in few bytes.</summary>
public static class SaleState
{
    /// <summary>
    /// What it may weigh for a sale of up to four offers, stale or not: what is not known then makes room for the word. Plain it keeps to that with offer ids of two digits in every phase, and of three in most; compressed
    /// with any.
    /// </summary>
    public const int BytesMax = 400;

    private const int PollSeldomMs = 30_000;
    private const int PollFarMs = 9_000;
    private const int PollNearMs = 2_000;
    private static readonly TimeSpan Far = Limits.TokensBeforeOpening;
    private static readonly TimeSpan Near = TimeSpan.FromMinutes(1);

    public static PublicDocument Make(LiveSale live, DateTimeOffset now)
    {
        var document = Describe(live, now);
        var body = Bytes(document);
        if (body.Length > BytesMax)
        {
            // Whole seconds spare 8 bytes. The opening is never told too early, nor the end too late; the sale's own document has the exact times.
            document = document with { OpensAt = WholeSecond(document.OpensAt, TimeSpan.TicksPerSecond - 1), ClosesAt = WholeSecond(document.ClosesAt, 0) };
            body = Bytes(document);
        }

        // The tag leaves the server's time out: a document that differs in nothing else is not sent again.
        return PublicDocument.Of(body, Bytes(document with { ServerTime = default }));
    }

    private static SaleStateDocument Describe(LiveSale live, DateTimeOffset now)
    {
        var sale = live.Sale;
        var phase = live.PhaseAt(now);
        var stale = live.IsStale(now);
        long seq = 0;
        var offers = new OfferStateDocument[live.Offers.Count];
        var holds = false;
        for (var i = 0; i < offers.Length; i++)
        {
            // Taken once, so that the parts of the document speak of the same moment.
            var stock = live.Offers[i].Stock;
            seq += stock?.Seq ?? 0;
            holds |= stock?.Held > 0;
            offers[i] = new OfferStateDocument(live.Offers[i].Offer.Id.ToString(), live.Offers[i].SoldPercent, stock?.Available == 0, stale ? null : stock?.Held > 0);
        }

        return new SaleStateDocument(
            phase,
            Rev(sale, seq, now),
            sale.OpensAt,
            sale.ClosesAt,
            WholeSecond(now, 0),
            offers,
            NextPollMs(sale, phase, holds, now),
            stale ? true : null);
    }

    /// <summary>
    /// Counts the changes of the sale, of its stock and those that time brings (see <see cref="Boundaries"/>). A change of the sale may move its times and take
    /// back all of the last kind, so it weighs more than they do together: the number only ever rises.
    /// </summary>
    private static long Rev(Sale sale, long seq, DateTimeOffset now)
    {
        const int MoreThanBoundaries = 16;
        return sale.Rev * MoreThanBoundaries + seq + Boundaries(sale).Count(boundary => now >= boundary);
    }

    /// <summary>The moments at which phase or poll interval change by themselves, at most nine.</summary>
    private static IEnumerable<DateTimeOffset> Boundaries(Sale sale)
    {
        if (sale is { RequiresReservation: true, ReservationOpensAt: { } from, ReservationClosesAt: { } until })
        {
            yield return from - Far;
            yield return from - Near;
            yield return from;
            yield return until;
        }

        yield return sale.OpensAt - Far;
        yield return sale.OpensAt - Near;
        yield return sale.OpensAt;
        yield return sale.ClosesAt;
    }

    private static int NextPollMs(Sale sale, SalePhase phase, bool holds, DateTimeOffset now)
    {
        switch (phase)
        {
            case SalePhase.Open or SalePhase.Paused:
                return PollNearMs;
            case SalePhase.SoldOut:
                return holds ? PollNearMs : PollFarMs;
            case SalePhase.Ended:
                return PollFarMs;
            default:
                var next = sale.RequiresReservation && now < sale.ReservationOpensAt ? sale.ReservationOpensAt.Value : sale.OpensAt;
                return next - now > Far ? PollSeldomMs : next - now > Near ? PollFarMs : PollNearMs;
        }
    }

    private static DateTimeOffset WholeSecond(DateTimeOffset value, long plusTicks)
    {
        var ticks = value.UtcTicks + plusTicks;
        return new DateTimeOffset(ticks - ticks % TimeSpan.TicksPerSecond, TimeSpan.Zero);
    }

    private static byte[] Bytes(SaleStateDocument document) => JsonSerializer.SerializeToUtf8Bytes(document, WireJson.Default.SaleStateDocument);
}
