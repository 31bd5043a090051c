using System.Globalization;
using System.Runtime.CompilerServices;

using FlashSale.Core;
using FlashSale.Core.Wire;
using FlashSale.Server.Console.Views;
using FlashSale.Server.Http;
using FlashSale.Storage;

namespace FlashSale.Server.Console.Pages;

/// <summary>Which entries somebody looks for; empty where it does not matter.</summary>
/// <param name="Subject">Whole, or up to a slash: <c>sale/</c> is every sale.</param>
/// <param name="Action">The same, up to a dot: <c>sale.</c> is all that was done to sales.</param>
public sealed record AuditQuery(string Subject, string Actor, string Action)
{
    public string Path => $"subject={Uri.EscapeDataString(Subject)}&actor={Uri.EscapeDataString(Actor)}&action={Uri.EscapeDataString(Action)}";

    public bool Wants(AuditDocument entry) =>
        (Subject.Length == 0 || entry.Subject == Subject || (Subject.EndsWith('/') && entry.Subject.StartsWith(Subject, StringComparison.Ordinal)))
        && (Actor.Length == 0 || entry.Actor == Actor)
        && (Action.Length == 0 || entry.Action == Action || (Action.EndsWith('.') && entry.Action.StartsWith(Action, StringComparison.Ordinal)));

    public static AuditQuery Of(IQueryCollection query) => new(Text(query["subject"]), Text(query["actor"]), Text(query["action"]));

    private static string Text(string? typed) => typed?.Trim() is { } text ? text[..Math.Min(text.Length, Limits.TitleLength)] : "";
}

/// <param name="Head">The end of the chain, which somebody keeps elsewhere; null on later pages.</param>
public sealed record AuditModel(AuditQuery Query, IReadOnlyList<AuditDocument> Entries, string? More, AuditHeadDocument? Head);

/// <summary>What was done, newest first: by whom, why, and what it changed.</summary>
public static class AuditPages
{
    private const Roles Readers = Roles.Operator | Roles.Auditor;

    public static void MapAudit(this PageMap pages)
    {
        pages.Get("/audit", Readers, ShowAsync);
        pages.Get("/audit.csv", Readers, CsvAsync);
    }

    private static async Task<IResult> ShowAsync(ConsoleVisit visit, HttpContext context)
    {
        var cursor = context.Request.Query["cursor"].ToString();
        long before = 0;
        if (cursor.Length > 0 && !long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out before))
        {
            return PageMap.NotFound(visit);
        }

        var ledger = context.RequestServices.GetRequiredService<ILedger>();
        var query = AuditQuery.Of(context.Request.Query);
        var (entries, last) = await FilteredList.ReadAsync<AuditDocument>(
            behind => ReadAsync(ledger, query, behind is null ? cursor.Length > 0 ? before : null : Number(behind), context.RequestAborted),
            Limits.FilterPiece,
            query.Wants,
            Limits.PageSize,
            Limits.FilterRows);
        return visit.Show<AuditPage>(new AuditModel(query, entries, last?.Id, cursor.Length > 0 ? null : await ledger.ReadAuditHeadAsync(context.RequestAborted)));
    }

    private static async Task<IResult> CsvAsync(ConsoleVisit visit, HttpContext context)
    {
        var t = visit.Texts;
        return await CsvFile.OfAsync(
            visit,
            "audit",
            [t.NumberWord, t.TimeWord, t.ActorWord, t.RoleWord, t.ActionWord, t.SubjectWord, t.Reason, t.BeforeWord, t.AfterWord, t.TraceWord, t.HashWord],
            RowsAsync(context.RequestServices.GetRequiredService<ILedger>(), AuditQuery.Of(context.Request.Query), context.RequestAborted),
            context.RequestAborted);
    }

    private static async IAsyncEnumerable<IReadOnlyList<object?>> RowsAsync(ILedger ledger, AuditQuery query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        long? before = null;
        while (await ReadAsync(ledger, query, before, cancellation) is { Count: > 0 } piece)
        {
            foreach (var entry in piece.Where(query.Wants))
            {
                yield return [Number(entry), entry.At, entry.Actor, entry.Role, entry.Action, entry.Subject, entry.Reason, entry.Before, entry.After, entry.TraceId, entry.Hash];
            }

            before = Number(piece[^1]);
        }
    }

    /// <summary>One subject has an index; whatever else somebody looks for, the whole log is looked through.</summary>
    private static Task<IReadOnlyList<AuditDocument>> ReadAsync(ILedger ledger, AuditQuery query, long? before, CancellationToken cancellation) =>
        query.Subject is "" or [.., '/']
            ? ledger.ListAuditAsync(before, Limits.FilterPiece, cancellation)
            : ledger.ListAuditOfAsync(query.Subject, before, Limits.FilterPiece, cancellation);

    private static long Number(AuditDocument entry) => long.Parse(entry.Id, CultureInfo.InvariantCulture);
}
