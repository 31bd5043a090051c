using FlashSale.Core;
using FlashSale.Core.Wire;
using FlashSale.Server.Hosting;
using FlashSale.Server.Http;
using FlashSale.Storage;

namespace FlashSale.Server.Console;

public static class StockEndpoints
{
    public static void MapStock(this IEndpointRouteBuilder group) =>
        group.MapPost("/offers/{offerId}/stock-adjustments", AdjustAsync)
            .WithSummary("Add units to an offer or take some away, when its stock is what the operator expects")
            .TakesJson<StockAdjustmentRequest>()
            .Produces<StockDocument>()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);

    private static async Task AdjustAsync(string offerId, HttpContext context, ILedger ledger, StockDesk desk)
    {
        if (!OfferId.TryParse(offerId, out var id)
            || !(await ledger.ListSalesAsync(context.RequestAborted)).Any(sale => sale.Offers.Any(offer => offer.Id == id)))
        {
            await context.WriteProblemAsync(ProblemCode.NotFound);
            return;
        }

        if (await context.ReadFieldsAsync(StockDesk.Read) is not { } request)
        {
            return;
        }

        var result = await desk.AdjustAsync(id, request, context.ActorOf(request.Reason));
        if (result.Stock is not { } stock)
        {
            await RefuseAsync(context, request, result);
            return;
        }

        var row = stock.Row;
        await context.WriteDocumentAsync(
            StatusCodes.Status200OK,
            new StockDocument(offerId, stock.Bucket, row.Initial, row.Adjustments, row.Available, row.Held, row.Sold, row.Seq),
            WireJson.Default.StockDocument);
    }

    private static Task RefuseAsync(HttpContext context, StockAdjustmentRequest request, in AdjustmentResult result) => result.Outcome switch
    {
        AdjustmentOutcome.Draft => context.WriteProblemAsync(
            ProblemCode.SaleStateConflict,
            new ProblemDetail { Detail = "The sale is a draft, whose stock is part of its definition; it must be published for this." }),
        AdjustmentOutcome.OutOfRange => context.WriteInvalidFieldsAsync(new Dictionary<string, string[]>
        {
            ["delta"] = [$"must leave at least 0 units available, and at most {Limits.AdjustedStockMax} in all; {result.Available} are available now"],
        }),
        _ => context.WriteProblemAsync(
            ProblemCode.StockConflict, new ProblemDetail { Detail = $"{result.Available} units are available, not {request.ExpectedAvailable}." }),
    };
}
