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

    private static async Task AdjustAsync(string offerId, HttpContext context, ILedger ledger, Settlements settlements)
    {
        if (!OfferId.TryParse(offerId, out var id)
            || !(await ledger.ListSalesAsync(context.RequestAborted)).Any(sale => sale.Offers.Any(offer => offer.Id == id)))
        {
            await context.WriteProblemAsync(ProblemCode.NotFound);
            return;
        }

        if (await context.ReadFieldsAsync(Read) is not { } request)
        {
            return;
        }

        // Once begun, the gate must learn of it, so neither call ends with the request.
        if (await ledger.AdjustStockAsync(id, request, context.ActorOf(request.Reason), CancellationToken.None) is not { } move)
        {
            await RefuseAsync(context, ledger, id, request);
            return;
        }

        await settlements.SettleAsync(move, CancellationToken.None);
        var row = move.Stock.Row;
        await context.WriteDocumentAsync(
            StatusCodes.Status200OK,
            new StockDocument(offerId, move.Stock.Bucket, row.Initial, row.Adjustments, row.Available, row.Held, row.Sold, row.Seq),
            WireJson.Default.StockDocument);
    }

    private static StockAdjustmentRequest Read(FieldReader fields)
    {
        var request = new StockAdjustmentRequest(
            fields.Number("delta", -Limits.StockMax, Limits.StockMax),
            fields.Text("reason", Limits.ReasonLength),
            fields.Text("reference", Limits.ReferenceLength),
            fields.Number("expectedAvailable", 0, Limits.AdjustedStockMax));
        if (request.Delta == 0)
        {
            fields.Fail("delta", "must not be 0");
        }

        return request;
    }

    private static async Task RefuseAsync(HttpContext context, ILedger ledger, OfferId id, StockAdjustmentRequest request)
    {
        var stock = await ledger.ReadStockAsync([id], CancellationToken.None);
        if (stock.Count == 0)
        {
            await context.WriteProblemAsync(
                ProblemCode.SaleStateConflict,
                new ProblemDetail { Detail = "The sale is a draft, whose stock is part of its definition; it must be published for this." });
            return;
        }

        var available = stock.Sum(bucket => bucket.Row.Available);
        if (available == request.ExpectedAvailable)
        {
            await context.WriteInvalidFieldsAsync(new Dictionary<string, string[]>
            {
                ["delta"] = [$"must leave at least 0 units available, and at most {Limits.AdjustedStockMax} in all; {available} are available now"],
            });
            return;
        }

        await context.WriteProblemAsync(
            ProblemCode.StockConflict, new ProblemDetail { Detail = $"{available} units are available, not {request.ExpectedAvailable}." });
    }
}
