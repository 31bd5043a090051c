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
    /// <summary>Who may change something about risk: assessments, the blacklist.</summary>
    public const Roles RiskDeciders = Roles.Operator | Roles.Risk;
    public const Roles RiskReaders = RiskDeciders | Roles.Auditor;

    /// <summary>What <paramref name="read"/> makes of the body, or null after the problem was written: all invalid fields at once.</summary>
    public static Task<T?> ReadFieldsAsync<T>(this HttpContext context, Func<FieldReader, T> read)
        where T : class => context.ReadFieldsAsync(Limits.AdminBodyBytes, read);

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

    /// <summary>Who asks, for the audit log.</summary>
    public static Actor ActorOf(this HttpContext context, string? reason, Roles role = Roles.Operator) =>
        new(context.GetSession().User.Value, role.Word(), reason, context.TraceId());

    /// <summary>The same where <see cref="RiskDeciders"/> are let in, in the role that let them.</summary>
    public static Actor DeciderOf(this HttpContext context, string? reason) =>
        context.ActorOf(reason, context.GetSession().Roles.HasFlag(Roles.Operator) ? Roles.Operator : Roles.Risk);
}
