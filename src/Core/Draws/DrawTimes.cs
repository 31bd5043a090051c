using FlashSale.Core.Sales;

namespace FlashSale.Core.Draws;

/// <summary>When what happens in the draw of a sale; all by the ledger's clock. The times follow the opening.</summary>
/// <param name="OpensAt">Requests to order that come from now on take part.</param>
/// <param name="ClosesAt">Those that come later do not, and wait behind those that do.</param>
public readonly record struct DrawTimes(DateTimeOffset OpensAt, DateTimeOffset ClosesAt)
{
    /// <summary>Every instance has had the time to write its entries: from now on the list may be fixed, and nobody enters any more.</summary>
    public DateTimeOffset FixedFrom => ClosesAt + Limits.DrawGrace;

    /// <summary>A list that was not fixed by then never is: who waited was told so.</summary>
    public DateTimeOffset FixedUntil => FixedFrom + Limits.DrawPatience;

    /// <summary>Everybody was let go; what comes from now on is served in the order of arrival.</summary>
    public DateTimeOffset EndsAt => FixedUntil + Limits.DrawOthersAfter;

    public static DrawTimes Of(Sale sale) => new(sale.OpensAt, sale.OpensAt.AddMilliseconds(sale.Defences.DrawMs));
}
