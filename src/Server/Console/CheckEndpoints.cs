using FlashSale.Core.Wire;
using FlashSale.Server.Http;

namespace FlashSale.Server.Console;

/// <summary>Is the sale ready, and do its books agree?</summary>
public static class CheckEndpoints
{
    /// <summary>On every instance: whether a sale can open there.</summary>
    public static void MapReadiness(this IEndpointRouteBuilder app) =>
        app.MapGet("/api/v1/admin/sales/{saleId}/readiness", ReadinessAsync)
            .WithTags("Operators")
            .WithSummary("What is warm and what is not, drift between gate and ledger, clock skew, breakers")
            .Produces<ReadinessDocument>()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .RequireRole(Roles.Operator | Roles.Auditor);

    public static void MapChecks(this IEndpointRouteBuilder group) =>
        group.MapGet("/sales/{saleId}/reconciliation", ReconcileAsync)
            .RequireRole(Roles.Operator | Roles.Auditor)
            .WithSummary("The ledger against gate, change log, orders, coupons and payments")
            .Produces<ReconciliationDocument>()
            .ProducesProblem(StatusCodes.Status404NotFound);

    private static async Task ReadinessAsync(string saleId, HttpContext context, SaleDesk desk, SaleReadiness readiness) =>
        await (await desk.FindAsync(saleId, context.RequestAborted) is { } sale
            ? context.WriteDocumentAsync(
                StatusCodes.Status200OK, await readiness.ReadAsync(sale, context.RequestAborted), WireJson.Default.ReadinessDocument)
            : context.WriteProblemAsync(ProblemCode.NotFound));

    private static async Task ReconcileAsync(string saleId, HttpContext context, SaleDesk desk, Reconciliation reconciliation) =>
        await (await desk.FindAsync(saleId, context.RequestAborted) is { } sale
            ? context.WriteDocumentAsync(
                StatusCodes.Status200OK, await reconciliation.RunAsync(sale, context.RequestAborted), WireJson.Default.ReconciliationDocument)
            : context.WriteProblemAsync(ProblemCode.NotFound));
}
