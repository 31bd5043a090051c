using FlashSale.Core.Coupons;
using FlashSale.Core.Orders;
using FlashSale.Core.Wire;
using FlashSale.Server.Http;
using FlashSale.Storage;

namespace FlashSale.Server.Payments;

/// <summary>What a dealer does with a coupon.</summary>
public static class DealerEndpoints
{
    public static void MapDealers(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/api/v1/coupons/{code}").RequireRole(Roles.Dealer).WithTags("Dealers");
        group.MapGet("", FindAsync)
            .WithSummary("A coupon by its code")
            .Produces<CouponDocument>()
            .ProducesProblem(StatusCodes.Status404NotFound);
        group.MapPost("/redemption", RedeemAsync)
            .WithSummary("Redeem a coupon, once")
            .Produces<CouponDocument>()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict);
    }

    /// <summary>
    /// What cannot be a code is looked up all the same, as a code that nobody has: so it takes as long as any other unknown one.
    /// </summary>
    private static string Normalize(string typed) => CouponCode.TryNormalize(typed, out var code) ? code : "----";

    private static async Task FindAsync(string code, HttpContext context, ILedger ledger) =>
        await WriteAsync(context, await ledger.FindCouponAsync(Normalize(code), context.RequestAborted));

    private static async Task RedeemAsync(string code, HttpContext context, ILedger ledger)
    {
        var (outcome, coupon) = await ledger.RedeemAsync(Normalize(code), context.GetSession().User, context.RequestAborted);
        await (outcome switch
        {
            RedemptionOutcome.AlreadyRedeemed => context.WriteProblemAsync(ProblemCode.CouponAlreadyRedeemed),
            RedemptionOutcome.NotValid => context.WriteProblemAsync(ProblemCode.CouponNotValid),
            _ => WriteAsync(context, coupon),
        });
    }

    private static Task WriteAsync(HttpContext context, Coupon? coupon) => coupon is null
        ? context.WriteProblemAsync(ProblemCode.NotFound)
        : context.WriteDocumentAsync(
            StatusCodes.Status200OK,
            new CouponDocument(
                coupon.Code,
                coupon.Status,
                coupon.OrderId.ToString(),
                coupon.OfferId.ToString(),
                coupon.FaceValue,
                coupon.ValidFrom,
                coupon.ValidUntil,
                coupon.RedeemedAt,
                coupon.RedeemedBy),
            WireJson.Default.CouponDocument);
}
