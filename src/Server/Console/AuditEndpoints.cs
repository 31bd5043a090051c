using System.Globalization;
using System.Text.Json;

using FlashSale.Core;
using FlashSale.Core.Wire;
using FlashSale.Server.Http;
using FlashSale.Storage;

namespace FlashSale.Server.Console;

/// <summary>The audit log, and the ledger's rows for auditors.</summary>
public static class AuditEndpoints
{
    public const string LinesMediaType = "application/x-ndjson";

    /// <summary>How much of an export is gathered before it is sent.</summary>
    private const int FlushBytes = 64 * 1024;

    public static void MapAudit(this IEndpointRouteBuilder group)
    {
        group.MapGet("/audit", ListAsync)
            .RequireRole(Roles.Operator | Roles.Auditor)
            .WithSummary("What operators did, newest first")
            .Produces<Page<AuditDocument>>()
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        group.MapGet("/sales/{saleId}/export", ExportAsync)
            .RequireRole(Roles.Auditor)
            .WithSummary("All rows of a sale from one consistent snapshot of the ledger, one JSON document a line")
            .Produces<ExportLine>(StatusCodes.Status200OK, LinesMediaType)
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

    /// <summary>A failure midway breaks the connection off, so that a cut export never looks like a whole one.</summary>
    private static async Task ExportAsync(string saleId, HttpContext context, SaleDesk desk, ILedger ledger)
    {
        if (await desk.FindAsync(saleId, context.RequestAborted) is not { } sale)
        {
            await context.WriteProblemAsync(ProblemCode.NotFound);
            return;
        }

        context.Response.ContentType = LinesMediaType;
        context.Response.Headers.CacheControl = "no-store";
        var body = context.Response.BodyWriter;
        using var json = new Utf8JsonWriter(body);
        await foreach (var line in ledger.ExportAsync(sale.Id, context.RequestAborted))
        {
            JsonSerializer.Serialize(json, line, WireJson.Default.ExportLine);
            json.Flush();
            json.Reset();
            body.GetSpan(1)[0] = (byte)'\n';
            body.Advance(1);
            if (body.UnflushedBytes >= FlushBytes)
            {
                await body.FlushAsync(context.RequestAborted);
            }
        }

        await body.FlushAsync(context.RequestAborted);
    }
}
