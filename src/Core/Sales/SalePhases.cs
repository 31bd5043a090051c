using System.Text.Json.Serialization;

using FlashSale.Core.Draws;
using FlashSale.Core.Wire;

namespace FlashSale.Core.Sales;

/// <summary>Where a sale stands in its life, as shoppers see it.</summary>
[JsonConverter(typeof(WordEnumConverter<SalePhase>))]
public enum SalePhase
{
    /// <summary>Not published: nobody but operators sees it.</summary>
    Draft,

    /// <summary>Published; reservations have not begun, or none are needed.</summary>
    Scheduled,

    /// <summary>Reservations are taken.</summary>
    Reserving,

    /// <summary>Everything is decided but the winners: reservations are closed, or the opening is less than 10 minutes away.</summary>
    Armed,
    Open,

    /// <summary>Halted by an operator; it goes on where it stood.</summary>
    Paused,

    /// <summary>Open, and no unit of any offer is available at this moment. Unpaid orders may bring some back.</summary>
    SoldOut,
    Ended,
}

/// <summary>The phase of a sale follows from (sale, stock, now); it is stored nowhere.</summary>
public static class SalePhases
{
    public static SalePhase Of(Sale sale, bool anyAvailable, DateTimeOffset now)
    {
        if (sale.Status == SaleStatus.Draft)
        {
            return SalePhase.Draft;
        }

        if (sale.Status == SaleStatus.Closed || now >= sale.ClosesAt)
        {
            return SalePhase.Ended;
        }

        if (sale.Status == SaleStatus.Paused)
        {
            return SalePhase.Paused;
        }

        if (now >= sale.OpensAt)
        {
            return anyAvailable ? SalePhase.Open : SalePhase.SoldOut;
        }

        if (!sale.RequiresReservation)
        {
            return TokensAreIssued(sale, now) ? SalePhase.Armed : SalePhase.Scheduled;
        }

        if (now < sale.ReservationOpensAt)
        {
            return SalePhase.Scheduled;
        }

        return now < sale.ReservationClosesAt ? SalePhase.Reserving : SalePhase.Armed;
    }

    /// <summary>Reservations are taken in their own window, whatever else the phase says, but not while the sale is paused.</summary>
    public static bool ReservationsAreOpen(Sale sale, DateTimeOffset now) =>
        sale.RequiresReservation
        && sale.Status == SaleStatus.Published
        && now >= sale.ReservationOpensAt
        && now < sale.ReservationClosesAt;

    /// <summary>
    /// Requests to order that come now may have to wait for the sale's draw: they take part in it, or come behind those that do. Not while the sale is paused.
    /// </summary>
    public static bool DrawIsOpen(Sale sale, DateTimeOffset now) =>
        sale.Defences.DrawMs > 0 && sale.Status == SaleStatus.Published && now >= sale.OpensAt && now < DrawTimes.Of(sale).EndsAt;

    /// <summary>Order tokens are issued from 10 minutes before the opening.</summary>
    public static bool TokensAreIssued(Sale sale, DateTimeOffset now) => now >= sale.OpensAt - Limits.TokensBeforeOpening;
}
