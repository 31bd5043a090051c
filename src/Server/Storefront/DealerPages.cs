using FlashSale.Core.Coupons;
using FlashSale.Core.Orders;
using FlashSale.Core.Wire;
using FlashSale.Server.Http;
using FlashSale.Server.Storefront.Views;
using FlashSale.Storage;

namespace FlashSale.Server.Storefront;

/// <param name="Typed">What was asked for, as it was typed or scanned; null when nothing was yet.</param>
/// <param name="Coupon">Null when there is none with this code.</param>
/// <param name="Redeemed">What the form that was just sent did; null when none was.</param>
public sealed record DealerModel(string? Typed, Coupon? Coupon, LiveOffer? Offer, RedemptionOutcome? Redeemed);

/// <summary>Where a dealer looks up a coupon and redeems it. The code on the shopper's screen leads here.</summary>
public static class DealerPages
{
    private const string Route = "/dealer";

    // More than a code with blanks between its characters; what is longer is none.
    public const int CodeMax = 40;

    public static void MapDealerPages(this IEndpointRouteBuilder app, Language language)
    {
        app.MapGet(Route, (string? code, HttpContext context, ILedger ledger, ShopperReader shoppers) =>
            ShowAsync(code, Visit.Begin(context, language), ledger, shoppers, context));
        app.MapPost(Route, (HttpContext context, ILedger ledger, ShopperReader shoppers) =>
            RedeemAsync(Visit.Begin(context, language), ledger, shoppers, context));
    }

    public static string PathOf(string code) => Route + "?code=" + Uri.EscapeDataString(code);

    private static async Task<IResult> ShowAsync(string? code, Visit visit, ILedger ledger, ShopperReader shoppers, HttpContext context)
    {
        var typed = code?.Trim() is { Length: > 0 and <= CodeMax } some ? some : null;
        if (visit.Session is not { } session)
        {
            return visit.SignIn(typed is null ? Route : PathOf(typed));
        }

        if (!session.Roles.HasFlag(Roles.Dealer))
        {
            return ProblemPages.Show(visit, ProblemCode.Forbidden, context);
        }

        var coupon = typed is null ? null : await ledger.FindCouponAsync(CodeOf(typed), context.RequestAborted);
        return visit.Show<DealerPage>(new DealerModel(typed, coupon, OfferOf(coupon, shoppers), null));
    }

    /// <summary>
    /// The answer is the page itself: only this one says that the coupon has just been redeemed. Loaded or sent again, it says that it had been before, whoever shows it.
    /// </summary>
    private static async Task<IResult> RedeemAsync(Visit visit, ILedger ledger, ShopperReader shoppers, HttpContext context)
    {
        if (visit.Session is not { } session)
        {
            return SessionPages.Refuse(visit, Route, context);
        }

        if (!session.Roles.HasFlag(Roles.Dealer))
        {
            return ProblemPages.Show(visit, ProblemCode.Forbidden, context);
        }

        if (await Visit.ReadFormAsync(context) is not { } form)
        {
            return ProblemPages.Show(visit, ProblemCode.MalformedRequest, context);
        }

        var typed = form["code"].ToString();
        var (outcome, coupon) = await ledger.RedeemAsync(CodeOf(typed), session.User, context.RequestAborted);
        return visit.Show<DealerPage>(
            new DealerModel(typed, coupon, OfferOf(coupon, shoppers), outcome),
            outcome == RedemptionOutcome.Redeemed ? StatusCodes.Status200OK : StatusCodes.Status409Conflict);
    }

    /// <summary>What cannot be a code is looked up all the same, as one that nobody has (as <c>DealerEndpoints</c> does).</summary>
    private static string CodeOf(string typed) => CouponCode.TryNormalize(typed, out var code) ? code : "----";

    private static LiveOffer? OfferOf(Coupon? coupon, ShopperReader shoppers) => coupon is null ? null : shoppers.FindOffer(coupon.OfferId);
}
