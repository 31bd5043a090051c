using System.Text.Json;

using FlashSale.Core;
using FlashSale.Core.Wire;
using FlashSale.Server.Http;
using FlashSale.Storage;

using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace FlashSale.Server.Console;

/// <summary><c>If-Match</c> (RFC 9110, section 13.1.1): which revisions of a sale the caller has decided about.</summary>
public readonly record struct IfMatch(IReadOnlyList<EntityTagHeaderValue>? Tags)
{
    public const string Header = "If-Match";

    /// <summary>A header that cannot be read matches nothing: the caller did mean to ask.</summary>
    public static IfMatch Of(string? header)
    {
        if (header is null)
        {
            return default;
        }

        return EntityTagHeaderValue.TryParseList([header], out var tags) ? new IfMatch([.. tags]) : new IfMatch([]);
    }

    public static EntityTagHeaderValue TagOf(long rev) => new($"\"{rev}\"");

    public bool IsGiven => Tags is not null;

    /// <summary>The caller named a revision, so a change that somebody else made meanwhile must stop this one.</summary>
    public bool NamesRevision => Tags is not null && !Tags.Contains(EntityTagHeaderValue.Any);

    public bool Accepts(long rev) => !NamesRevision || Tags!.Any(tag => tag.Compare(TagOf(rev), useStrongComparison: true));
}

public static class ConsoleRequests
{
    /// <summary>What <paramref name="read"/> makes of the body, or null after the problem was written: all invalid fields at once.</summary>
    public static async Task<T?> ReadFieldsAsync<T>(this HttpContext context, Func<FieldReader, T> read)
        where T : class
    {
        using var body = await context.ReadJsonAsync(Limits.AdminBodyBytes);
        if (body is null)
        {
            return null;
        }

        var fields = new FieldReader(body.RootElement);
        var result = read(fields);
        if (fields.IsValid)
        {
            return result;
        }

        await context.WriteInvalidFieldsAsync(fields.Errors);
        return null;
    }

    public static Task<string?> ReadReasonAsync(this HttpContext context) =>
        context.ReadFieldsAsync(fields => fields.Text("reason", Limits.ReasonLength));

    /// <summary>False after a problem was written; true with the reason, if one was sent.</summary>
    public static async Task<(bool Ok, string? Reason)> ReadOptionalReasonAsync(this HttpContext context)
    {
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false })
        {
            return (true, null);
        }

        var reason = await context.ReadFieldsAsync(fields => fields.Has("reason") ? fields.Text("reason", Limits.ReasonLength) : "");
        return (reason is not null, reason is { Length: > 0 } ? reason : null);
    }

    public static Task WriteInvalidFieldsAsync(this HttpContext context, IReadOnlyDictionary<string, string[]> errors) =>
        context.WriteProblemAsync(ProblemCode.InvalidFields, new ProblemDetail { Errors = errors });

    /// <summary>Who asks, for the audit log.</summary>
    public static Actor ActorOf(this HttpContext context, string? reason, Roles role = Roles.Operator) =>
        new(context.GetSession().User.Value, JsonNamingPolicy.SnakeCaseLower.ConvertName(role.ToString()), reason, context.TraceIdentifier);
}
