using FlashSale.Core.Wire;
using FlashSale.Server.Hosting;
using FlashSale.Server.Http;

using Microsoft.AspNetCore.Mvc;

namespace FlashSale.Server.Console;

/// <summary>What an operator does with a sale (<see cref="SaleControl"/>).</summary>
public static class SaleActionEndpoints
{
    public static void MapSaleActions(this IEndpointRouteBuilder group)
    {
        Describe<SaleDocument>(group.MapPost("/sales/{saleId}/publication", PublishAsync), "Publish a draft", optional: true)
            .RequireRole(Roles.Operator | Roles.Approver)
            .ProducesProblem(StatusCodes.Status403Forbidden);
        Describe<WarmUpDocument>(
            group.MapPost("/sales/{saleId}/warm-up", WarmUpAsync), "Load a published sale into the gate, again if need be", optional: true);
        foreach (var halt in SaleHalt.All)
        {
            MapHalting(group, halt);
        }
    }

    private static RouteHandlerBuilder Describe<T>(RouteHandlerBuilder endpoint, string summary, bool optional = false) => endpoint
        .WithSummary(summary)
        .TakesJson<ReasonRequest>(optional)
        .Produces<T>()
        .ProducesProblem(StatusCodes.Status404NotFound)
        .ProducesProblem(StatusCodes.Status409Conflict)
        .ProducesProblem(StatusCodes.Status412PreconditionFailed)
        .ProducesProblem(StatusCodes.Status422UnprocessableEntity);

    private static void MapHalting(IEndpointRouteBuilder group, SaleHalt halt) =>
        Describe<SaleDocument>(
            group.MapPost("/sales/{saleId}/" + halt.Path, async (string saleId, [FromHeader(Name = IfMatch.Header)] string? ifMatch, HttpContext context, SaleControl control) =>
            {
                if (await context.ReadReasonAsync() is not { } reason)
                {
                    return;
                }

                await context.WriteSaleAsync(await control.HaltAsync(saleId, IfMatch.Of(ifMatch), halt, context.ActorOf(reason)));
            }),
            halt.Summary);

    private static async Task PublishAsync(
        string saleId, [FromHeader(Name = IfMatch.Header)] string? ifMatch, HttpContext context, SaleControl control, FourEyes fourEyes)
    {
        var (ok, reason) = await context.ReadOptionalReasonAsync();
        if (!ok)
        {
            return;
        }

        var session = context.GetSession();
        await context.WriteSaleAsync(await control.PublishAsync(saleId, IfMatch.Of(ifMatch), session, context.ActorOf(reason, fourEyes.RoleOf(session))));
    }

    private static async Task WarmUpAsync(string saleId, [FromHeader(Name = IfMatch.Header)] string? ifMatch, HttpContext context, SaleControl control)
    {
        var (ok, reason) = await context.ReadOptionalReasonAsync();
        if (!ok)
        {
            return;
        }

        var (result, loaded) = await control.WarmUpAsync(saleId, IfMatch.Of(ifMatch), context.ActorOf(reason));
        if (result.Sale is not { } running || loaded is null)
        {
            await context.WriteSaleAsync(result);
            return;
        }

        context.Response.Headers.ETag = IfMatch.TagOf(running.Rev).ToString();
        await context.WriteDocumentAsync(StatusCodes.Status200OK, loaded, WireJson.Default.WarmUpDocument);
    }
}
