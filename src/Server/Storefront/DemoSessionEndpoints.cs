using System.Text.Json;

using FlashSale.Core;
using FlashSale.Core.Wire;
using FlashSale.Server.Hosting;
using FlashSale.Server.Http;

namespace FlashSale.Server.Storefront;

/// <summary>Sign-in of the demo: anybody may be anybody. Outside the demo it is not mapped.</summary>
public static class DemoSessionEndpoints
{
    /// <summary>A day of trying things out.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(12);

    private static readonly string[] KnownRoles = [.. Enum.GetValues<Roles>().Where(role => role != Roles.None).Select(role => role.ToString().ToLowerInvariant())];

    public static void MapDemoSessions(this IEndpointRouteBuilder app) =>
        app.MapPost("/api/v1/demo/sessions", CreateAsync)
            .WithTags("Demo")
            .WithSummary("A session token for any user name and roles; only in the demo")
            .TakesJson<DemoSessionRequest>()
            .Produces<DemoSessionDocument>()
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);

    private static async Task CreateAsync(HttpContext context, Sessions sessions)
    {
        using var body = await context.ReadJsonAsync(Limits.OrderBodyBytes);
        if (body is null)
        {
            return;
        }

        Dictionary<string, string[]> errors = [];
        if (ReadUser(body.RootElement) is not { } user)
        {
            errors["userId"] = [$"must be 1 to {Limits.UserIdLength} of A-Z a-z 0-9 . _ -"];
            user = default;
        }

        if (ReadRoles(body.RootElement) is not { } roles)
        {
            errors["roles"] = ["may be a list of " + string.Join(", ", KnownRoles)];
            roles = [];
        }

        await (errors.Count > 0
            ? context.WriteProblemAsync(ProblemCode.InvalidFields, new ProblemDetail { Errors = errors })
            : context.WriteDocumentAsync(
                StatusCodes.Status200OK,
                new DemoSessionDocument(sessions.Create(user, roles, Lifetime)),
                WireJson.Default.DemoSessionDocument));
    }

    private static UserId? ReadUser(JsonElement body) =>
        body.TryGetProperty("userId", out var value) && value.ValueKind == JsonValueKind.String && UserId.TryParse(value.GetString(), out var user) ? user : null;

    /// <summary>None when they are not named; null when one is not known.</summary>
    private static IReadOnlyList<string>? ReadRoles(JsonElement body)
    {
        if (!body.TryGetProperty("roles", out var list) || list.ValueKind == JsonValueKind.Null)
        {
            return [];
        }

        if (list.ValueKind != JsonValueKind.Array || list.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.String))
        {
            return null;
        }

        string[] roles = [.. list.EnumerateArray().Select(item => item.GetString()!).Distinct(StringComparer.Ordinal)];
        return roles.All(role => KnownRoles.Contains(role, StringComparer.Ordinal)) ? roles : null;
    }
}
