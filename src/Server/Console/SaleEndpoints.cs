using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Server.Hosting;
using FlashSale.Server.Http;
using FlashSale.Storage;

using Microsoft.AspNetCore.Mvc;

namespace FlashSale.Server.Console;

/// <summary>Sales as operators define and see them, in any phase.</summary>
public static class SaleEndpoints
{
    internal const Roles Readers = Roles.Operator | Roles.Approver | Roles.Auditor;

    public static void MapSales(this IEndpointRouteBuilder group)
    {
        group.MapPost("/sales", CreateAsync)
            .WithSummary("Define a sale; it starts as a draft")
            .TakesJson<SaleRequest>()
            .Produces<SaleDocument>(StatusCodes.Status201Created)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        group.MapGet("/sales", ListAsync)
            .RequireRole(Readers)
            .WithSummary("All sales in any phase, newest first")
            .Produces<Page<SaleDocument>>()
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        group.MapGet("/sales/{saleId}", FindAsync)
            .RequireRole(Readers)
            .WithSummary("A sale in any phase; its ETag is its revision")
            .Produces<SaleDocument>()
            .ProducesProblem(StatusCodes.Status404NotFound);
        group.MapPut("/sales/{saleId}", ReplaceAsync)
            .WithSummary("Replace a draft, or change titles and times of a published sale; needs If-Match")
            .TakesJson<SaleRequest>()
            .Produces<SaleDocument>()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status412PreconditionFailed)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity)
            .ProducesProblem(StatusCodes.Status428PreconditionRequired);
    }

    /// <summary>The sale with its ETag, or the problem.</summary>
    public static Task WriteSaleAsync(this HttpContext context, in SaleResult result, int status = StatusCodes.Status200OK)
    {
        if (result.Sale is not { } sale)
        {
            return result.Detail is { } detail ? context.WriteProblemAsync(result.Problem, detail) : context.WriteProblemAsync(result.Problem);
        }

        context.Response.Headers.ETag = IfMatch.TagOf(sale.Rev).ToString();
        return context.WriteDocumentAsync(status, Document(context, sale), WireJson.Default.SaleDocument);
    }

    private static async Task CreateAsync(HttpContext context, SaleDesk desk, TimeProvider time)
    {
        using var body = await context.ReadJsonAsync(Limits.AdminBodyBytes);
        if (body is null)
        {
            return;
        }

        var (sale, errors) = SaleDefinition.Read(body.RootElement, time.GetUtcNow());
        if (sale is null)
        {
            await context.WriteInvalidFieldsAsync(errors);
            return;
        }

        var result = await desk.CreateAsync(sale, context.ActorOf(reason: null));
        if (result.Sale is { } created)
        {
            context.Response.Headers.Location = $"/api/v1/admin/sales/{created.Id}";
        }

        await context.WriteSaleAsync(result, StatusCodes.Status201Created);
    }

    private static async Task ListAsync(string? cursor, HttpContext context, ILedger ledger)
    {
        var before = new SaleId(long.MaxValue);
        if (cursor is not null && !SaleId.TryParse(cursor, out before))
        {
            await context.WriteInvalidFieldsAsync(InvalidCursor);
            return;
        }

        // Raised by every change of any sale.
        var rev = await ledger.ReadCatalogRevAsync(context.RequestAborted);
        var sales = await ledger.ListSalesAsync(context.RequestAborted);
        Sale[] page = [.. sales.Where(sale => sale.Id.Value < before.Value).OrderByDescending(sale => sale.Id.Value).Take(Limits.PageSize + 1)];
        context.Response.Headers.ETag = IfMatch.TagOf(rev).ToString();
        await context.WriteDocumentAsync(
            StatusCodes.Status200OK,
            new Page<SaleDocument>(
                [.. page.Take(Limits.PageSize).Select(sale => Document(context, sale))],
                page.Length > Limits.PageSize ? page[Limits.PageSize - 1].Id.ToString() : null),
            WireJson.Default.PageSaleDocument);
    }

    private static async Task FindAsync(string saleId, HttpContext context, SaleDesk desk) =>
        await context.WriteSaleAsync(new SaleResult(await desk.FindAsync(saleId, context.RequestAborted)));

    private static async Task ReplaceAsync(
        string saleId, [FromHeader(Name = IfMatch.Header)] string? ifMatch, HttpContext context, SaleDesk desk, TimeProvider time)
    {
        var condition = IfMatch.Of(ifMatch);
        if (await desk.FindAsync(saleId, context.RequestAborted) is not { } found)
        {
            await context.WriteProblemAsync(ProblemCode.NotFound);
            return;
        }

        if (!condition.IsGiven || !condition.Accepts(found.Rev))
        {
            await context.WriteProblemAsync(condition.IsGiven ? ProblemCode.PreconditionFailed : ProblemCode.PreconditionRequired);
            return;
        }

        using var body = await context.ReadJsonAsync(Limits.AdminBodyBytes);
        if (body is null)
        {
            return;
        }

        var now = time.GetUtcNow();
        var (wanted, errors) = SaleDefinition.Read(body.RootElement, now);
        var result = await desk.ChangeAsync(
            saleId, condition, SaleActions.Updated, context.ActorOf(reason: null), sale => Task.FromResult(Replace(sale, wanted, errors, now)));
        await context.WriteSaleAsync(result);
    }

    /// <summary>What a sale becomes when it is defined anew: a draft all of it, a published one what may still change.</summary>
    internal static SaleResult Replace(Sale sale, Sale? wanted, IReadOnlyDictionary<string, string[]> errors, DateTimeOffset now)
    {
        if (sale.Status != SaleStatus.Draft && SalePhases.Of(sale, anyAvailable: true, now) == SalePhase.Ended)
        {
            return SaleResult.Refused(ProblemCode.SaleStateConflict, "The sale is over. A sale can be changed while it is a draft, published or paused.");
        }

        if (wanted is null)
        {
            return SaleResult.Invalid(errors);
        }

        if (sale.Status == SaleStatus.Draft)
        {
            return new SaleResult(wanted with { Id = sale.Id, Status = SaleStatus.Draft });
        }

        var (changed, conflicts) = SaleDefinition.Change(sale, wanted, now);
        return changed is null ? SaleResult.Invalid(conflicts) : new SaleResult(changed);
    }

    internal static readonly Dictionary<string, string[]> InvalidCursor = new() { ["cursor"] = ["must be the nextCursor of an earlier answer"] };

    private static SaleDocument Document(HttpContext context, Sale sale)
    {
        var now = context.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow();
        return context.RequestServices.GetRequiredService<SaleCatalog>().Describe(sale, now) with
        {
            RiskThreshold = sale.RiskThreshold,
            WarmUpLeadSeconds = (int)sale.WarmUpLead.TotalSeconds,
            Defences = sale.Defences,
            Rev = sale.Rev,
        };
    }
}
