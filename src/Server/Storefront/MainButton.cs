using FlashSale.Core.Orders;
using FlashSale.Core.Reservations;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;
using FlashSale.Storage;

namespace FlashSale.Server.Storefront;

/// <summary>The states of the main button: what a shopper can do next. Their words are in <see cref="Texts.Label"/>.</summary>
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

/// <summary>Which state the button of an offer is in: a function of sale, stock, shopper and now.</summary>
public static class MainButtons
{
    private static readonly TimeSpan SoonIs = TimeSpan.FromSeconds(60);

    public static MainButton Of(LiveOffer offer, Shopper shopper, DateTimeOffset now)
    {
        // A live order comes before everything else: its owner must find it.
        if (LiveOrder(offer, shopper) is { } order)
        {
            return order.Status == OrderStatus.Held ? MainButton.Won : MainButton.Already;
        }

        return MayTake(offer, shopper, now);
    }

    /// <summary>The same without regard to orders that the shopper has: whether another one can be had.</summary>
    public static MainButton MayTake(LiveOffer offer, Shopper shopper, DateTimeOffset now)
    {
        var sale = offer.Sale.Sale;
        switch (offer.Sale.PhaseAt(now))
        {
            case SalePhase.Ended:
                return MainButton.Ended;
            case SalePhase.Paused:
                return MainButton.Paused;
            case SalePhase.Open or SalePhase.SoldOut when offer.SoldOut:
                return offer.Stock?.Held > 0 ? MainButton.Maybe : MainButton.SoldOut;
        }

        if (!shopper.SignedIn)
        {
            return MainButton.SignIn;
        }

        // Who waits for the assessment is not eligible yet, and is not told that they never will be.
        if ((shopper.Eligibility == Eligibility.NotEligible && shopper.Reservation != ReservationStatus.Pending) || shopper.Reservation == ReservationStatus.Rejected)
        {
            return MainButton.NotEligible;
        }

        if (now < sale.OpensAt)
        {
            return sale.RequiresReservation ? BeforeOpening(sale, shopper, now) : MainButton.Soon;
        }

        return !sale.RequiresReservation || shopper.Reservation == ReservationStatus.Approved ? MainButton.Grab
            : shopper.Reservation is null ? MainButton.ReservationClosed
            : MainButton.NotEligible;
    }

    /// <summary>The order to show: one that waits for payment before one that is paid. Null when there is none.</summary>
    public static Order? LiveOrder(LiveOffer offer, Shopper shopper) => shopper.Orders
        .Where(order => order.OfferId == offer.Offer.Id && OrderLifeCycle.IsLive(order.Status))
        .MinBy(order => order.Status == OrderStatus.Held ? 0 : 1);

    public static bool IsEnabled(MainButton button) =>
        button is MainButton.SignIn or MainButton.Reserve or MainButton.Grab or MainButton.Won or MainButton.Already or MainButton.Maybe;

    /// <summary>True for a state that holds for the whole sale: then one button stands for all offers.</summary>
    public static bool IsOfSale(MainButton button) =>
        button is not (MainButton.Grab or MainButton.Won or MainButton.Already or MainButton.Maybe or MainButton.SoldOut);

    private static MainButton BeforeOpening(Sale sale, Shopper shopper, DateTimeOffset now)
    {
        if (shopper.Reservation is not null)
        {
            return sale.OpensAt - now <= SoonIs ? MainButton.Soon : MainButton.Reserved;
        }

        return SalePhases.ReservationsAreOpen(sale, now) ? MainButton.Reserve
            : now < sale.ReservationOpensAt ? MainButton.Soon
            : MainButton.ReservationClosed;
    }
}
