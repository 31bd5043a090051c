using FlashSale.Core;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Server.Http;
using FlashSale.Storage;

namespace FlashSale.Server.Storefront;

/// <summary>What a page that is the same for everybody must ask of its own shopper.</summary>
public static class MeEndpoints
{
    public static void MapMe(this IEndpointRouteBuilder app) =>
        app.MapGet("/api/v1/sales/{saleId}/me", MeAsync)
            .WithTags("Sales")
            .WithSummary("The caller in this sale: reservation, orders, and the stamp of the visit; of a stranger nothing")
            .Produces<MeDocument>()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);

    private static async Task MeAsync(
        string saleId, HttpContext context, SaleCatalog catalog, Sessions sessions, Callers callers, ShopperReader shoppers, TimeProvider time)
    {
        if (!SaleId.TryParse(saleId, out var id) || catalog.Find(id) is not { Sale.Status: not SaleStatus.Draft } live)
        {
            await context.WriteProblemAsync(ProblemCode.NotFound);
            return;
        }

        var now = time.GetUtcNow();
        if (!sessions.TryRead(context, out var session))
        {
            await WriteAsync(context, new MeDocument(now.ToUnixTimeMilliseconds(), null, null, null, null, []));
            return;
        }

        var shopper = await shoppers.ReadAsync(live, session, now, context.RequestAborted);
        callers.KeepDevice(context);
        await WriteAsync(context, new MeDocument(
            // After what was read, so that half a round trip is what it says.
            time.GetUtcNow().ToUnixTimeMilliseconds(),
            session.User.Value,
            callers.MakeVisit(id, session.User),
            shopper.Reservation,
            shopper.Eligibility == Eligibility.NotEligible ? true : null,
            [.. shopper.Orders.Select(order => new MyOrderDocument(order.Id.ToString(), order.OfferId.ToString(), order.Status, order.PayBefore))]));
    }

    private static Task WriteAsync(HttpContext context, MeDocument document) =>
        context.WriteDocumentAsync(StatusCodes.Status200OK, document, WireJson.Default.MeDocument);
}
