using System.Globalization;

using FlashSale.Core;
using FlashSale.Core.Wire;
using FlashSale.Server.Http;
using FlashSale.Storage;

namespace FlashSale.Server.Console;

/// <summary>The audit log, and the ledger's rows for auditors.</summary>
public static class AuditEndpoints
{
    public static void MapAudit(this IEndpointRouteBuilder group)
    {
        group.MapGet("/audit", ListAsync)
            .RequireRole(Roles.Operator | Roles.Auditor)
            .WithSummary("What operators did, newest first")
            .Produces<Page<AuditDocument>>()
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        group.MapGet("/audit/head", HeadAsync)
            .RequireRole(Roles.Operator | Roles.Auditor)
            .WithSummary("The number and the hash of the last entry of the audit log, to be kept elsewhere")
            .Produces<AuditHeadDocument>();
        group.MapGet("/audit/export", ExportLogAsync)
            .RequireRole(Roles.Auditor)
            .WithSummary("The audit log from one consistent snapshot: its head, then all entries, oldest first, one JSON document a line")
            .Produces<AuditLine>(StatusCodes.Status200OK, JsonLines.MediaType);
        group.MapGet("/sales/{saleId}/export", ExportAsync)
            .RequireRole(Roles.Auditor)
            .WithSummary("All rows of a sale from one consistent snapshot of the ledger, one JSON document a line")
            .Produces<ExportLine>(StatusCodes.Status200OK, JsonLines.MediaType)
            .ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task ListAsync(string? cursor, HttpContext context, ILedger ledger)
    {
        long? before = null;
        if (cursor is not null)
        {
            if (!long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed))
            {
                await context.WriteInvalidFieldsAsync(SaleEndpoints.InvalidCursor);
                return;
            }

            before = parsed;
        }

        var entries = await ledger.ListAuditAsync(before, Limits.PageSize + 1, context.RequestAborted);
        var page = new Page<AuditDocument>(
            [.. entries.Take(Limits.PageSize)], entries.Count > Limits.PageSize ? entries[Limits.PageSize - 1].Id : null);
        await context.WriteDocumentAsync(StatusCodes.Status200OK, page, WireJson.Default.PageAuditDocument);
    }

    private static async Task HeadAsync(HttpContext context, ILedger ledger) =>
        await context.WriteDocumentAsync(
            StatusCodes.Status200OK, await ledger.ReadAuditHeadAsync(context.RequestAborted), WireJson.Default.AuditHeadDocument);

    private static Task ExportLogAsync(HttpContext context, ILedger ledger) =>
        context.WriteLinesAsync(ledger.ExportAuditAsync(context.RequestAborted), WireJson.Default.AuditLine);

    private static async Task ExportAsync(string saleId, HttpContext context, SaleDesk desk, ILedger ledger)
    {
        if (await desk.FindAsync(saleId, context.RequestAborted) is not { } sale)
        {
            await context.WriteProblemAsync(ProblemCode.NotFound);
            return;
        }

        await context.WriteLinesAsync(ledger.ExportAsync(sale.Id, context.RequestAborted), WireJson.Default.ExportLine);
    }
}
