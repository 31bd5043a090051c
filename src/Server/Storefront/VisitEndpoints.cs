using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Server.Http;
using FlashSale.Storage;

namespace FlashSale.Server.Storefront;

/// <summary>For clients that show a sale without our pages: the same stamps that the page of the sale gives.</summary>
public static class VisitEndpoints
{
    public static void MapVisits(this IEndpointRouteBuilder app) =>
        app.MapPost("/api/v1/sales/{saleId}/visits", VisitAsync)
            .RequireUser()
            .WithTags("Sales")
            .WithSummary("The page of the sale was opened: stamps of the device and the visit, for the calls that follow")
            .Produces<VisitDocument>(StatusCodes.Status201Created)
            .ProducesProblem(StatusCodes.Status404NotFound);

    private static Task VisitAsync(string saleId, HttpContext context, SaleCatalog catalog, Callers callers) =>
        SaleId.TryParse(saleId, out var id) && catalog.Find(id) is { Sale.Status: not SaleStatus.Draft }
            ? context.WriteDocumentAsync(
                StatusCodes.Status201Created,
                new VisitDocument(callers.KeepDevice(context), callers.MakeVisit(id, context.GetSession().User)),
                WireJson.Default.VisitDocument)
            : context.WriteProblemAsync(ProblemCode.NotFound);
}
