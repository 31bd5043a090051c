using FlashSale.Core;
using FlashSale.Core.Reservations;
using FlashSale.Core.Wire;
using FlashSale.Server.Hosting;
using FlashSale.Server.Http;
using FlashSale.Storage;

namespace FlashSale.Server.Console;

/// <summary>What risk control found of reservations, and people who decide instead of it.</summary>
public static class AssessmentEndpoints
{
    /// <summary>Who may change something about risk.</summary>
    public const Roles Deciders = Roles.Operator | Roles.Risk;
    public const Roles Readers = Deciders | Roles.Auditor;

    public static void MapAssessments(this IEndpointRouteBuilder group)
    {
        group.MapGet("/sales/{saleId}/assessments", ListAsync)
            .RequireRole(Readers)
            .WithSummary("The assessments of a sale's reservations, newest first; state is waiting, done or dead")
            .Produces<Page<AssessmentDocument>>()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        var one = group.MapGroup("/assessments/{reservationId}");
        one.MapPost("/retry", RetryAsync)
            .RequireRole(Deciders)
            .WithSummary("Assess again what failed too often; any other assessment is left as it is")
            .TakesJson<ReasonRequest>(optional: true)
            .Produces<AssessmentDocument>()
            .ProducesProblem(StatusCodes.Status404NotFound);
        one.MapPost("/decision", DecideAsync)
            .RequireRole(Deciders)
            .WithSummary("Approve or reject a reservation, whatever the rules say; approving lifts the ban that they put on its user")
            .TakesJson<AssessmentDecisionRequest>()
            .Produces<AssessmentDocument>()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
    }

    /// <summary>Who asks, for the audit log, in the role that let them.</summary>
    public static Actor DeciderOf(this HttpContext context, string? reason) =>
        context.ActorOf(reason, context.GetSession().Roles.HasFlag(Roles.Operator) ? Roles.Operator : Roles.Risk);

    private static async Task ListAsync(string saleId, string? state, string? cursor, HttpContext context, SaleDesk desk, ILedger ledger)
    {
        if (await desk.FindAsync(saleId, context.RequestAborted) is not { } sale)
        {
            await context.WriteProblemAsync(ProblemCode.NotFound);
            return;
        }

        AssessmentState? only = state is null ? null : Enum.GetValues<AssessmentState>().Cast<AssessmentState?>().FirstOrDefault(one => WordOf(one!.Value) == state);
        if (state is not null && only is null)
        {
            await context.WriteInvalidFieldsAsync(new Dictionary<string, string[]> { ["state"] = ["must be waiting, done or dead"] });
            return;
        }

        Guid before = default;
        if (cursor is not null && !Guid.TryParseExact(cursor, "N", out before))
        {
            await context.WriteInvalidFieldsAsync(SaleEndpoints.InvalidCursor);
            return;
        }

        var found = await ledger.ListAssessmentsAsync(sale.Id, only, cursor is null ? null : before, Limits.PageSize + 1, context.RequestAborted);
        var page = new Page<AssessmentDocument>(
            [.. found.Take(Limits.PageSize).Select(Document)],
            found.Count > Limits.PageSize ? found[Limits.PageSize - 1].ReservationId.ToString("N") : null);
        await context.WriteDocumentAsync(StatusCodes.Status200OK, page, WireJson.Default.PageAssessmentDocument);
    }

    private static async Task RetryAsync(string reservationId, HttpContext context, ILedger ledger, AssessmentNews news)
    {
        var (ok, reason) = await context.ReadOptionalReasonAsync();
        if (!ok)
        {
            return;
        }

        var found = Guid.TryParseExact(reservationId, "N", out var id)
            ? await ledger.RetryAssessmentAsync(id, context.DeciderOf(reason), CancellationToken.None)
            : null;
        news.Ring();
        await SendAsync(context, found);
    }

    private static async Task DecideAsync(string reservationId, HttpContext context, ILedger ledger, Settlements settlements)
    {
        var request = await context.ReadFieldsAsync(fields =>
        {
            var status = fields.Word<ReservationStatus>("status");
            if (status == ReservationStatus.Pending && fields.IsGood("status"))
            {
                fields.Fail("status", "must be approved or rejected");
            }

            return new AssessmentDecisionRequest(status, fields.Text("reason", Limits.ReasonLength));
        });
        if (request is null)
        {
            return;
        }

        var approved = request.Status == ReservationStatus.Approved;
        if (!Guid.TryParseExact(reservationId, "N", out var id)
            || await ledger.OverrideAssessmentAsync(id, approved, context.DeciderOf(request.Reason), CancellationToken.None) is not var (assessment, decided, unbarred))
        {
            await context.WriteProblemAsync(ProblemCode.NotFound);
            return;
        }

        if (unbarred)
        {
            await settlements.BarAsync(decided.UserId, until: null, CancellationToken.None);
        }

        await settlements.ReserveAsync(decided.SaleId, decided.UserId, approved, CancellationToken.None);
        await SendAsync(context, assessment);
    }

    private static Task SendAsync(HttpContext context, StoredAssessment? assessment) => assessment is null
        ? context.WriteProblemAsync(ProblemCode.NotFound)
        : context.WriteDocumentAsync(StatusCodes.Status200OK, Document(assessment), WireJson.Default.AssessmentDocument);

    private static AssessmentDocument Document(StoredAssessment one) => new(
        one.ReservationId.ToString("N"),
        one.SaleId.ToString(),
        one.UserId.Value,
        one.Status,
        WordOf(one.State),
        one.Attempts,
        one.Score,
        one.Signals,
        one.Inputs?.Named(),
        one.RulesVersion,
        one.Problem,
        one.CreatedAt,
        one.DecidedAt);

    private static string WordOf(AssessmentState state) => state.ToString().ToLowerInvariant();
}
