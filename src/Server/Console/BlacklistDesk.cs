using System.Runtime.CompilerServices;

using FlashSale.Core;
using FlashSale.Core.Tokens;
using FlashSale.Core.Wire;
using FlashSale.Server.Http;
using FlashSale.Storage;

namespace FlashSale.Server.Console;

/// <summary>What an entry of the blacklist is about, in its canonical spelling.</summary>
/// <param name="Text">Null when what was written is none.</param>
/// <param name="MustBe">What it must be then.</param>
public readonly record struct BlacklistSubject(BlacklistKind Kind, string? Text, string MustBe)
{
    public static BlacklistSubject User(string text) =>
        new(BlacklistKind.User, UserId.TryParse(text, out var id) ? id.Value : null, $"must be 1 to {Limits.UserIdLength} of A-Z a-z 0-9 . _ -");

    public static BlacklistSubject Device(string text) =>
        new(BlacklistKind.Device, DeviceId.TryParse(text, out var id) ? id.ToString() : null, "must be the 16 lower-case hexadecimal digits of a device");

    public static BlacklistSubject Address(string text) => new(
        BlacklistKind.Address,
        AddressRange.TryParse(text, out var range) ? range.ToString() : null,
        $"must be an address, or a range such as 203.0.113.0/24 or 2001:db8::/32, no wider than /{Limits.BlacklistPrefixMinV4} (IPv4) or /{Limits.BlacklistPrefixMinV6} (IPv6)");

    public static BlacklistSubject Of(BlacklistKind kind, string text) =>
        kind switch
        {
            BlacklistKind.User => User(text),
            BlacklistKind.Device => Device(text),
            _ => Address(text),
        };
}

/// <summary>Bars and lets in again, and shows who is barred.</summary>
public sealed class BlacklistDesk(ILedger ledger, Settlements settlements, OriginBlacklist origins, TimeProvider time)
{
    private const int SourceLength = 64;

    public async Task FindAsync(BlacklistSubject subject, HttpContext context)
    {
        var entry = subject.Text is { } text ? await ledger.FindBlacklistedAsync(subject.Kind, text, context.RequestAborted) : null;
        await (entry is null ? context.WriteProblemAsync(ProblemCode.NotFound) : WriteAsync(context, entry));
    }

    public async Task PutAsync(BlacklistSubject subject, HttpContext context)
    {
        if (subject.Text is not { } text)
        {
            // There is no such user; but a range is written by hand, and its writer must learn what is wrong with it.
            await (subject.Kind == BlacklistKind.User
                ? context.WriteProblemAsync(ProblemCode.NotFound)
                : context.WriteInvalidFieldsAsync(new Dictionary<string, string[]> { [subject.Kind.Word()] = [subject.MustBe] }));
            return;
        }

        if (await context.ReadFieldsAsync(fields => Read(fields, time.GetUtcNow())) is not { } request)
        {
            return;
        }

        await WriteAsync(context, await BarAsync(subject.Kind, text, request, context.DeciderOf(request.Reason)));
    }

    /// <param name="text">In its canonical spelling.</param>
    public async Task<BlacklistEntry> BarAsync(BlacklistKind kind, string text, BlacklistRequest request, Actor actor)
    {
        var entry = await ledger.BlacklistAsync(kind, text, request, actor, CancellationToken.None);
        await TellAsync(kind, text, entry.ExpiresAt ?? DateTimeOffset.MaxValue);
        return entry;
    }

    /// <summary>False when there was no entry.</summary>
    public async Task<bool> UnbarAsync(BlacklistKind kind, string text, Actor actor)
    {
        if (!await ledger.UnblacklistAsync(kind, text, actor, CancellationToken.None))
        {
            return false;
        }

        await TellAsync(kind, text, until: null);
        return true;
    }

    /// <param name="reason">What the appeal said, for the audit log.</param>
    public async Task LiftAsync(BlacklistSubject subject, string? reason, HttpContext context)
    {
        if (reason is not null && (reason.Length > Limits.ReasonLength || string.IsNullOrWhiteSpace(reason) || reason.Any(char.IsControl)))
        {
            await context.WriteInvalidFieldsAsync(new Dictionary<string, string[]> { ["reason"] = [$"must be a text of 1 to {Limits.ReasonLength} characters"] });
            return;
        }

        if (subject.Text is not { } text || !await UnbarAsync(subject.Kind, text, context.DeciderOf(reason)))
        {
            await context.WriteProblemAsync(ProblemCode.NotFound);
            return;
        }

        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    public async Task ListAsync(string? kind, string? cursor, HttpContext context)
    {
        var kinds = Enum.GetValues<BlacklistKind>().Where(candidate => kind is null || candidate.Word() == kind).ToArray();
        var after = (cursor ?? ":").Split(':', 2);
        var first = cursor is null ? 0 : Array.FindIndex(kinds, candidate => candidate.Word() == after[0]);
        if (kinds.Length == 0 || first < 0 || after.Length < 2 || (cursor is not null && BlacklistSubject.Of(kinds[first], after[1]).Text is null))
        {
            await context.WriteInvalidFieldsAsync(kinds.Length == 0
                ? new Dictionary<string, string[]> { ["kind"] = ["must be one of " + string.Join(", ", Enum.GetValues<BlacklistKind>().Select(Words.Word))] }
                : SaleEndpoints.InvalidCursor);
            return;
        }

        List<BlacklistEntry> entries = [];
        var behind = after[1];
        foreach (var next in kinds[first..])
        {
            entries.AddRange(await ledger.ListBlacklistAsync(next, behind, Limits.PageSize + 1 - entries.Count, context.RequestAborted));
            behind = "";
        }

        var more = entries.Count > Limits.PageSize ? $"{entries[Limits.PageSize - 1].Kind.Word()}:{entries[Limits.PageSize - 1].Subject}" : null;
        await context.WriteDocumentAsync(
            StatusCodes.Status200OK, new Page<BlacklistEntry>([.. entries.Take(Limits.PageSize)], more), WireJson.Default.PageBlacklistEntry);
    }

    /// <summary>Page by page: what is changed meanwhile may be in it or not.</summary>
    public Task ExportAsync(HttpContext context) =>
        context.WriteLinesAsync(ReadAllAsync(Enum.GetValues<BlacklistKind>(), context.RequestAborted), WireJson.Default.BlacklistEntry);

    public async IAsyncEnumerable<BlacklistEntry> ReadAllAsync(IEnumerable<BlacklistKind> kinds, [EnumeratorCancellation] CancellationToken cancellation)
    {
        foreach (var kind in kinds)
        {
            var after = "";
            while (await ledger.ListBlacklistAsync(kind, after, Limits.BlacklistPage, cancellation) is { Count: > 0 } page)
            {
                foreach (var entry in page)
                {
                    yield return entry;
                }

                after = page[^1].Subject;
            }
        }
    }

    /// <summary>Reason, source and end of an entry.</summary>
    public static BlacklistRequest Read(FieldReader fields, DateTimeOffset now)
    {
        var request = ReadLine(fields);
        if (request.ExpiresAt <= now)
        {
            fields.Fail("expiresAt", "must be in the future, or absent for a bar without end");
        }

        return request;
    }

    /// <summary>The same of a line, which may have run out since it was exported.</summary>
    public static BlacklistRequest ReadLine(FieldReader fields) =>
        new(fields.Text("reason", Limits.ReasonLength), fields.Text("source", SourceLength), fields.TimeOrNull("expiresAt"));

    /// <summary>This instance, and the gate, at once; the others follow within a second.</summary>
    private async Task TellAsync(BlacklistKind kind, string subject, DateTimeOffset? until)
    {
        if (kind == BlacklistKind.User)
        {
            await settlements.BarAsync(UserId.Parse(subject), until, CancellationToken.None);
        }
        else
        {
            origins.Put(new BlacklistNews(0, IsWhole: false, [new BlacklistChange(kind, subject, until)]));
        }
    }

    private static Task WriteAsync(HttpContext context, BlacklistEntry entry) => entry.Kind == BlacklistKind.User
        ? context.WriteDocumentAsync(
            StatusCodes.Status200OK,
            new BlacklistDocument(entry.Subject, entry.Reason, entry.Source, entry.Actor, entry.CreatedAt, entry.ExpiresAt),
            WireJson.Default.BlacklistDocument)
        : context.WriteDocumentAsync(StatusCodes.Status200OK, entry, WireJson.Default.BlacklistEntry);
}
