using FlashSale.Core.Wire;
using FlashSale.Server.Console.Pages;
using FlashSale.Server.Http;
using FlashSale.Server.Telemetry;

namespace FlashSale.Server.Console;

/// <summary>The figures of the live board, for programs.</summary>
public static class LiveEndpoints
{
    public static void MapLive(this IEndpointRouteBuilder group)
    {
        group.MapGet("/sales/{saleId}/live", ReadAsync)
            .RequireRole(PageMap.Anybody)
            .WithSummary("A sale at this moment, over all instances: at most a second old; 404 from half an hour after its last time to pay")
            .Produces<LiveDocument>()
            .ProducesProblem(StatusCodes.Status404NotFound);
        group.MapGet("/sales/{saleId}/live/moments", ReadMomentsAsync)
            .RequireRole(PageMap.Anybody)
            .WithSummary("The same for each second of the last half hour, as this instance saw them")
            .Produces<Page<LiveMomentDocument>>()
            .ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static Task ReadAsync(string saleId, HttpContext context, LiveBoard board)
    {
        if (!Core.SaleId.TryParse(saleId, out var id) || board.Latest(id) is not { } latest)
        {
            return context.WriteProblemAsync(ProblemCode.NotFound);
        }

        return context.WriteDocumentAsync(StatusCodes.Status200OK, latest, WireJson.Default.LiveDocument);
    }

    private static Task ReadMomentsAsync(string saleId, HttpContext context, LiveBoard board) =>
        Core.SaleId.TryParse(saleId, out var id) && board.Latest(id) is not null
            ? context.WriteDocumentAsync(StatusCodes.Status200OK, new Page<LiveMomentDocument>(board.Moments(id), null), WireJson.Default.PageLiveMomentDocument)
            : context.WriteProblemAsync(ProblemCode.NotFound);
}
