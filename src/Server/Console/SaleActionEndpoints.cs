using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Server.Hosting;
using FlashSale.Server.Http;
using FlashSale.Storage;

using Microsoft.AspNetCore.Mvc;

namespace FlashSale.Server.Console;

/// <summary>What an operator does with a sale: each action asks for a state, and is in the audit log.</summary>
public static class SaleActionEndpoints
{
    public static void MapSaleActions(this IEndpointRouteBuilder group)
    {
        Describe<SaleDocument>(group.MapPost("/sales/{saleId}/publication", PublishAsync), "Publish a draft", optional: true)
            .RequireRole(Roles.Operator | Roles.Approver)
            .ProducesProblem(StatusCodes.Status403Forbidden);
        Describe<WarmUpDocument>(
            group.MapPost("/sales/{saleId}/warm-up", WarmUpAsync), "Load a published sale into the gate, again if need be", optional: true);
        MapHalting(group, "pause", "Halt a published sale: nobody orders until it is resumed", SaleActions.Paused, SaleStatus.Paused, SaleStatus.Published);
        MapHalting(group, "resumption", "Let a paused sale go on where it stood", SaleActions.Resumed, SaleStatus.Published, SaleStatus.Paused);
        MapHalting(
            group, "closure", "End a sale for good, also before its time", SaleActions.Closed, SaleStatus.Closed, SaleStatus.Published, SaleStatus.Paused);
    }

    private static RouteHandlerBuilder Describe<T>(RouteHandlerBuilder endpoint, string summary, bool optional = false) => endpoint
        .WithSummary(summary)
        .TakesJson<ReasonRequest>(optional)
        .Produces<T>()
        .ProducesProblem(StatusCodes.Status404NotFound)
        .ProducesProblem(StatusCodes.Status409Conflict)
        .ProducesProblem(StatusCodes.Status412PreconditionFailed)
        .ProducesProblem(StatusCodes.Status422UnprocessableEntity);

    private static void MapHalting(
        IEndpointRouteBuilder group, string path, string summary, string action, SaleStatus next, params SaleStatus[] from) =>
        Describe<SaleDocument>(
            group.MapPost("/sales/{saleId}/" + path, async (string saleId, [FromHeader(Name = IfMatch.Header)] string? ifMatch, HttpContext context, SaleDesk desk, TimeProvider time) =>
            {
                if (await context.ReadReasonAsync() is not { } reason)
                {
                    return;
                }

                var result = await desk.ChangeAsync(
                    saleId, IfMatch.Of(ifMatch), action, context.ActorOf(reason), sale => Task.FromResult(Move(sale, next, from, time.GetUtcNow())));
                await context.WriteSaleAsync(result);
            }),
            summary);

    private static async Task PublishAsync(
        string saleId, [FromHeader(Name = IfMatch.Header)] string? ifMatch, HttpContext context, SaleDesk desk, FourEyes fourEyes, TimeProvider time)
    {
        var (ok, reason) = await context.ReadOptionalReasonAsync();
        if (!ok)
        {
            return;
        }

        var session = context.GetSession();
        var actor = context.ActorOf(reason, fourEyes.RoleOf(session));
        var result = await desk.ChangeAsync(saleId, IfMatch.Of(ifMatch), SaleActions.Published, actor, async sale =>
            await fourEyes.RefuseAsync(sale, session) is { } refusal
                ? SaleResult.Refused(ProblemCode.Forbidden, refusal)
                : Move(sale, SaleStatus.Published, [SaleStatus.Draft], time.GetUtcNow()));
        await context.WriteSaleAsync(result);
    }

    private static async Task WarmUpAsync(
        string saleId, [FromHeader(Name = IfMatch.Header)] string? ifMatch, HttpContext context, SaleDesk desk, WarmUp warmUp, TimeProvider time)
    {
        var (ok, reason) = await context.ReadOptionalReasonAsync();
        if (!ok)
        {
            return;
        }

        // A change of nothing but the revision: that puts the operator's action into the audit log.
        var result = await desk.ChangeAsync(
            saleId, IfMatch.Of(ifMatch), SaleActions.WarmedUp, context.ActorOf(reason), sale => Task.FromResult(RequireRunning(sale, time.GetUtcNow())));
        if (result.Sale is not { } running)
        {
            await context.WriteSaleAsync(result);
            return;
        }

        context.Response.Headers.ETag = IfMatch.TagOf(running.Rev).ToString();
        await context.WriteDocumentAsync(
            StatusCodes.Status200OK, await warmUp.RunAsync(running, anew: false, CancellationToken.None), WireJson.Default.WarmUpDocument);
    }

    private static SaleResult Move(Sale sale, SaleStatus next, SaleStatus[] from, DateTimeOffset now)
    {
        if (!from.Contains(sale.Status))
        {
            var needed = string.Join(" or ", from.Select(status => status.ToString().ToLowerInvariant()));
            return SaleResult.Refused(ProblemCode.SaleStateConflict, $"The sale is {Word(sale)}; it must be {needed} for this.");
        }

        // An old draft, or a sale that ended by itself while it was paused.
        return now >= sale.ClosesAt && next != SaleStatus.Closed
            ? SaleResult.Refused(ProblemCode.SaleStateConflict, "The closesAt of the sale is past; it must be in the future for this.")
            : new SaleResult(sale with { Status = next });
    }

    private static SaleResult RequireRunning(Sale sale, DateTimeOffset now) =>
        sale.Status is SaleStatus.Published or SaleStatus.Paused && now < sale.ClosesAt
            ? new SaleResult(sale)
            : SaleResult.Refused(ProblemCode.SaleStateConflict, $"The sale is {Word(sale)}; it must be published or paused, and not over.");

    private static string Word(Sale sale) => sale.Status == SaleStatus.Draft ? "a draft" : sale.Status.ToString().ToLowerInvariant();
}
