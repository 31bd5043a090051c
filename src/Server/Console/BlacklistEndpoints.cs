using FlashSale.Core;
using FlashSale.Core.Wire;
using FlashSale.Server.Hosting;
using FlashSale.Server.Http;
using FlashSale.Storage;

namespace FlashSale.Server.Console;

/// <summary>Users who may not take part in any sale.</summary>
public static class BlacklistEndpoints
{
    private const int SourceLength = 64;

    public static void MapBlacklist(this IEndpointRouteBuilder group)
    {
        var entry = group.MapGroup("/blacklist/{userId}");
        entry.MapGet("", FindAsync)
            .RequireRole(Roles.Operator | Roles.Auditor)
            .WithSummary("A user's entry in the blacklist")
            .Produces<BlacklistDocument>()
            .ProducesProblem(StatusCodes.Status404NotFound);
        entry.MapPut("", PutAsync)
            .WithSummary("Bar a user from every sale")
            .TakesJson<BlacklistRequest>()
            .Produces<BlacklistDocument>()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        entry.MapDelete("", DeleteAsync)
            .WithSummary("Let a user take part again")
            .Produces(StatusCodes.Status204NoContent)
            .ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task FindAsync(string userId, HttpContext context, ILedger ledger)
    {
        var entry = UserId.TryParse(userId, out var id) ? await ledger.FindBlacklistedAsync(id, context.RequestAborted) : null;
        await (entry is null
            ? context.WriteProblemAsync(ProblemCode.NotFound)
            : context.WriteDocumentAsync(StatusCodes.Status200OK, entry, WireJson.Default.BlacklistDocument));
    }

    private static async Task PutAsync(string userId, HttpContext context, ILedger ledger, Settlements settlements, TimeProvider time)
    {
        if (!UserId.TryParse(userId, out var id))
        {
            await context.WriteProblemAsync(ProblemCode.NotFound);
            return;
        }

        if (await context.ReadFieldsAsync(fields => Read(fields, time.GetUtcNow())) is not { } request)
        {
            return;
        }

        var entry = await ledger.BlacklistAsync(id, request, context.ActorOf(request.Reason), CancellationToken.None);
        await settlements.BarAsync(id, entry.ExpiresAt ?? DateTimeOffset.MaxValue, CancellationToken.None);
        await context.WriteDocumentAsync(StatusCodes.Status200OK, entry, WireJson.Default.BlacklistDocument);
    }

    private static BlacklistRequest Read(FieldReader fields, DateTimeOffset now)
    {
        var request = new BlacklistRequest(
            fields.Text("reason", Limits.ReasonLength), fields.Text("source", SourceLength), fields.TimeOrNull("expiresAt"));
        if (request.ExpiresAt <= now)
        {
            fields.Fail("expiresAt", "must be in the future, or absent for a bar without end");
        }

        return request;
    }

    private static async Task DeleteAsync(string userId, HttpContext context, ILedger ledger, Settlements settlements)
    {
        if (!UserId.TryParse(userId, out var id) || !await ledger.UnblacklistAsync(id, context.ActorOf(reason: null), CancellationToken.None))
        {
            await context.WriteProblemAsync(ProblemCode.NotFound);
            return;
        }

        await settlements.BarAsync(id, until: null, CancellationToken.None);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }
}
