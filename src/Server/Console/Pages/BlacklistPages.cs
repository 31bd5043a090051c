using System.Runtime.CompilerServices;
using System.Text;

using FlashSale.Core;
using FlashSale.Core.Wire;
using FlashSale.Server.Console.Views;
using FlashSale.Storage;

using Microsoft.AspNetCore.Http.Features;

namespace FlashSale.Server.Console.Pages;

/// <summary>What stands in the form of a new entry, and what is wrong with it.</summary>
public sealed record BlacklistForm(string Subject, string Reason, string Source, string ExpiresAt, IReadOnlyDictionary<string, string> Errors)
{
    public static BlacklistForm Empty { get; } = new("", "", "manual", "", new Dictionary<string, string>());
}

/// <summary>An import that was done, or refused, with what was typed.</summary>
public sealed record BlacklistImported(BlacklistImportDocument? Done, IReadOnlyList<string> Errors, string Typed);

/// <param name="More">The subject after which there is more.</param>
/// <param name="Sought">What was looked for; null when nothing was.</param>
/// <param name="SoughtError">What is wrong with that.</param>
/// <param name="Removal">The subject whose removal was refused, and why.</param>
public sealed record BlacklistModel(
    BlacklistKind Kind,
    IReadOnlyList<BlacklistEntry> Entries,
    string? More,
    string? Sought,
    string? SoughtError,
    BlacklistForm Form,
    BlacklistImported? Import = null,
    (string Subject, string Error)? Removal = null);

/// <summary>Who may take part in no sale: look, bar, let in again, import.</summary>
public static class BlacklistPages
{
    /// <summary>A whole import, as text or as a file, in memory.</summary>
    private static readonly FormOptions ImportLimits = new()
    {
        BufferBodyLengthLimit = Limits.BodyBytesRead,
        MemoryBufferThreshold = Limits.BodyBytesRead,
        MultipartBodyLengthLimit = Limits.BlacklistImportBytes,
        ValueLengthLimit = Limits.BlacklistImportBytes,
        ValueCountLimit = 16,
        KeyLengthLimit = 64,
    };

    public static void MapBlacklist(this PageMap pages)
    {
        pages.Get("/blacklist", ConsoleRequests.RiskReaders, ShowAsync);
        pages.Get("/blacklist.csv", ConsoleRequests.RiskReaders, CsvAsync);
        pages.Post("/blacklist", ConsoleRequests.RiskDeciders, BarAsync);
        pages.Post("/blacklist/removal", ConsoleRequests.RiskDeciders, UnbarAsync);
        pages.Post("/blacklist/import", ConsoleRequests.RiskDeciders, ImportAsync, ImportLimits);
    }

    private static async Task<IResult> ShowAsync(ConsoleVisit visit, HttpContext context)
    {
        var query = context.Request.Query;
        if (!TryKind(query["kind"].ToString(), out var kind))
        {
            return PageMap.NotFound(visit);
        }

        if (query["subject"].ToString().Trim() is not { Length: > 0 } typed)
        {
            // A cursor that is no subject of the kind stands behind none of them, or in front of all.
            var after = BlacklistSubject.Of(kind, query["after"].ToString()).Text ?? "";
            return visit.Show<BlacklistPage>(await ListAsync(context, kind, after));
        }

        var subject = BlacklistSubject.Of(kind, typed);
        var entry = subject.Text is { } text ? await Ledger(context).FindBlacklistedAsync(kind, text, context.RequestAborted) : null;
        return visit.Show<BlacklistPage>(new BlacklistModel(
            kind, entry is null ? [] : [entry], null, typed, subject.Text is null ? visit.Texts.FieldError(subject.MustBe) : null, BlacklistForm.Empty with { Subject = entry is null ? typed : "" }));
    }

    private static async Task<IResult> BarAsync(ConsoleVisit visit, IFormCollection form, HttpContext context)
    {
        if (!TryKind(form["kind"].ToString(), out var kind))
        {
            return PageMap.NotFound(visit);
        }

        var typed = new BlacklistForm(form["subject"].ToString().Trim(), form["reason"].ToString(), form["source"].ToString(), form["expiresAt"].ToString(), new Dictionary<string, string>());
        var fields = FormFields.Reader(new()
        {
            ["reason"] = typed.Reason.Trim(),
            ["source"] = typed.Source.Trim(),
            ["expiresAt"] = FormFields.Time(typed.ExpiresAt),
        });
        var request = BlacklistDesk.Read(fields, visit.Now);
        var errors = FormFields.Errors(fields, visit.Texts);
        var subject = BlacklistSubject.Of(kind, typed.Subject);
        if (subject.Text is null)
        {
            errors["subject"] = visit.Texts.FieldError(subject.MustBe);
        }

        if (errors.Count > 0)
        {
            return visit.Show<BlacklistPage>(await ListAsync(context, kind, "") with { Form = typed with { Errors = errors } }, StatusCodes.Status422UnprocessableEntity);
        }

        await Desk(context).BarAsync(kind, subject.Text!, request, visit.Actor(context, request.Reason, RiskPages.RoleOf(visit)));
        return visit.See($"/blacklist?kind={kind.Word()}", "barred");
    }

    private static async Task<IResult> UnbarAsync(ConsoleVisit visit, IFormCollection form, HttpContext context)
    {
        if (!TryKind(form["kind"].ToString(), out var kind) || BlacklistSubject.Of(kind, form["subject"].ToString()).Text is not { } subject)
        {
            return PageMap.NotFound(visit);
        }

        var (reason, wrong) = FormFields.Reason(form, visit.Texts, required: true);
        if (wrong is not null)
        {
            var refused = await FindAsync(context, kind, subject);
            return visit.Show<BlacklistPage>(refused with { Removal = (subject, wrong) }, StatusCodes.Status422UnprocessableEntity);
        }

        return await Desk(context).UnbarAsync(kind, subject, visit.Actor(context, reason, RiskPages.RoleOf(visit)))
            ? visit.See($"/blacklist?kind={kind.Word()}", "unbarred")
            : visit.Show<BlacklistPage>(await ListAsync(context, kind, "") with { Removal = (subject, visit.Texts.NotListedAnyMore) }, StatusCodes.Status409Conflict);
    }

    private static async Task<IResult> ImportAsync(ConsoleVisit visit, IFormCollection form, HttpContext context)
    {
        if (!TryKind(form["kind"].ToString(), out var kind))
        {
            return PageMap.NotFound(visit);
        }

        var typed = form["lines"].ToString();
        if (typed.Trim().Length == 0 && form.Files.GetFile("file") is { Length: > 0 } file)
        {
            using var reader = new StreamReader(file.OpenReadStream(), Encoding.UTF8);
            typed = await reader.ReadToEndAsync(context.RequestAborted);
        }

        var import = context.RequestServices.GetRequiredService<BlacklistImport>();
        var (done, errors) = await import.RunAsync(BlacklistLines.Read(typed), visit.Actor(context, reason: null, RiskPages.RoleOf(visit)));
        string[] words = [.. errors.SelectMany(line => line.Value.Select(why => visit.Texts.ImportError(line.Key, why))).Take(Limits.PageSize)];
        return visit.Show<BlacklistPage>(
            await ListAsync(context, kind, "") with { Import = new BlacklistImported(done, words, done is null ? typed : "") },
            done is null ? StatusCodes.Status422UnprocessableEntity : StatusCodes.Status200OK);
    }

    private static async Task<IResult> CsvAsync(ConsoleVisit visit, HttpContext context)
    {
        var wanted = context.Request.Query["kind"].ToString();
        if (!TryKind(wanted, out var kind))
        {
            return PageMap.NotFound(visit);
        }

        var t = visit.Texts;
        return await CsvFile.OfAsync(
            visit,
            wanted.Length > 0 ? $"blacklist-{kind.Word()}" : "blacklist",
            [t.KindColumn, t.SubjectWord, t.Reason, t.SourceWord, t.ExpiresWord, t.AddedByWord, t.TimeWord],
            RowsAsync(Desk(context).ReadAllAsync(wanted.Length > 0 ? [kind] : Enum.GetValues<BlacklistKind>(), context.RequestAborted), context.RequestAborted),
            context.RequestAborted);
    }

    private static async IAsyncEnumerable<IReadOnlyList<object?>> RowsAsync(IAsyncEnumerable<BlacklistEntry> entries, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (var entry in entries.WithCancellation(cancellation))
        {
            yield return [entry.Kind.Word(), entry.Subject, entry.Reason, entry.Source, entry.ExpiresAt, entry.Actor, entry.CreatedAt];
        }
    }

    private static async Task<BlacklistModel> ListAsync(HttpContext context, BlacklistKind kind, string after)
    {
        var entries = await Ledger(context).ListBlacklistAsync(kind, after, Limits.PageSize + 1, context.RequestAborted);
        return new BlacklistModel(kind, [.. entries.Take(Limits.PageSize)], entries.Count > Limits.PageSize ? entries[Limits.PageSize - 1].Subject : null, null, null, BlacklistForm.Empty);
    }

    private static async Task<BlacklistModel> FindAsync(HttpContext context, BlacklistKind kind, string subject)
    {
        var entry = await Ledger(context).FindBlacklistedAsync(kind, subject, context.RequestAborted);
        return new BlacklistModel(kind, entry is null ? [] : [entry], null, subject, null, BlacklistForm.Empty);
    }

    /// <summary>Users when nothing is asked for.</summary>
    private static bool TryKind(string word, out BlacklistKind kind)
    {
        kind = BlacklistKind.User;
        return word.Length == 0 || Words<BlacklistKind>.ByWord.TryGetValue(word, out kind);
    }

    private static ILedger Ledger(HttpContext context) => context.RequestServices.GetRequiredService<ILedger>();

    private static BlacklistDesk Desk(HttpContext context) => context.RequestServices.GetRequiredService<BlacklistDesk>();
}
