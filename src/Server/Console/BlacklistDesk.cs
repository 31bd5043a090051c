using System.Text.Json;

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
                : context.WriteInvalidFieldsAsync(new Dictionary<string, string[]> { [subject.Kind.ToString().ToLowerInvariant()] = [subject.MustBe] }));
            return;
        }

        if (await context.ReadFieldsAsync(fields => Read(fields, time.GetUtcNow())) is not { } request)
        {
            return;
        }

        var entry = await ledger.BlacklistAsync(subject.Kind, text, request, ActorOf(context, request.Reason), CancellationToken.None);
        await TellAsync(subject.Kind, text, entry.ExpiresAt ?? DateTimeOffset.MaxValue);
        await WriteAsync(context, entry);
    }

    /// <param name="reason">What the appeal said, for the audit log.</param>
    public async Task LiftAsync(BlacklistSubject subject, string? reason, HttpContext context)
    {
        if (reason is not null && (reason.Length > Limits.ReasonLength || string.IsNullOrWhiteSpace(reason) || reason.Any(char.IsControl)))
        {
            await context.WriteInvalidFieldsAsync(new Dictionary<string, string[]> { ["reason"] = [$"must be a text of 1 to {Limits.ReasonLength} characters"] });
            return;
        }

        if (subject.Text is not { } text || !await ledger.UnblacklistAsync(subject.Kind, text, ActorOf(context, reason), CancellationToken.None))
        {
            await context.WriteProblemAsync(ProblemCode.NotFound);
            return;
        }

        await TellAsync(subject.Kind, text, until: null);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    public async Task ListAsync(string? kind, string? cursor, HttpContext context)
    {
        var kinds = Enum.GetValues<BlacklistKind>().Where(candidate => kind is null || Word(candidate) == kind).ToArray();
        var after = (cursor ?? ":").Split(':', 2);
        var first = cursor is null ? 0 : Array.FindIndex(kinds, candidate => Word(candidate) == after[0]);
        if (kinds.Length == 0 || first < 0 || after.Length < 2 || (cursor is not null && BlacklistSubject.Of(kinds[first], after[1]).Text is null))
        {
            await context.WriteInvalidFieldsAsync(kinds.Length == 0
                ? new Dictionary<string, string[]> { ["kind"] = ["must be one of " + string.Join(", ", Enum.GetValues<BlacklistKind>().Select(Word))] }
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

        var more = entries.Count > Limits.PageSize ? $"{Word(entries[Limits.PageSize - 1].Kind)}:{entries[Limits.PageSize - 1].Subject}" : null;
        await context.WriteDocumentAsync(
            StatusCodes.Status200OK, new Page<BlacklistEntry>([.. entries.Take(Limits.PageSize)], more), WireJson.Default.PageBlacklistEntry);
    }

    /// <summary>Page by page: what is changed meanwhile may be in it or not. A failure midway breaks the connection off, so that a cut list never looks like a whole one.</summary>
    public async Task ExportAsync(HttpContext context)
    {
        context.Response.ContentType = AuditEndpoints.LinesMediaType;
        context.Response.Headers.CacheControl = "no-store";
        var body = context.Response.BodyWriter;
        using var json = new Utf8JsonWriter(body);
        foreach (var kind in Enum.GetValues<BlacklistKind>())
        {
            var after = "";
            while (await ledger.ListBlacklistAsync(kind, after, Limits.BlacklistPage, context.RequestAborted) is { Count: > 0 } page)
            {
                foreach (var entry in page)
                {
                    JsonSerializer.Serialize(json, entry, WireJson.Default.BlacklistEntry);
                    json.Flush();
                    json.Reset();
                    body.GetSpan(1)[0] = (byte)'\n';
                    body.Advance(1);
                }

                await body.FlushAsync(context.RequestAborted);
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

    public static Actor ActorOf(HttpContext context, string? reason) =>
        context.ActorOf(reason, context.GetSession().Roles.HasFlag(Roles.Operator) ? Roles.Operator : Roles.Risk);

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

    private static string Word(BlacklistKind kind) => JsonNamingPolicy.SnakeCaseLower.ConvertName(kind.ToString());
}
