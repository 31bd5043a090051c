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
    public static void MapAssessments(this IEndpointRouteBuilder group)
    {
        group.MapGet("/sales/{saleId}/assessments", ListAsync)
            .RequireRole(ConsoleRequests.RiskReaders)
            .WithSummary("The assessments of a sale's reservations, newest first; state is waiting, done or dead")
            .Produces<Page<AssessmentDocument>>()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        var one = group.MapGroup("/assessments/{reservationId}");
        one.MapPost("/retry", RetryAsync)
            .RequireRole(ConsoleRequests.RiskDeciders)
            .WithSummary("Assess again what failed too often; any other assessment is left as it is")
            .TakesJson<ReasonRequest>(optional: true)
            .Produces<AssessmentDocument>()
            .ProducesProblem(StatusCodes.Status404NotFound);
        one.MapPost("/decision", DecideAsync)
            .RequireRole(ConsoleRequests.RiskDeciders)
            .WithSummary("Approve or reject a reservation, whatever the rules say; approving lifts the ban that they put on its user")
            .TakesJson<AssessmentDecisionRequest>()
            .Produces<AssessmentDocument>()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task ListAsync(string saleId, string? state, string? cursor, HttpContext context, SaleDesk desk, ILedger ledger)
    {
        if (await desk.FindAsync(saleId, context.RequestAborted) is not { } sale)
        {
            await context.WriteProblemAsync(ProblemCode.NotFound);
            return;
        }

        AssessmentState wanted = default;
        if (state is not null && !Words<AssessmentState>.ByWord.TryGetValue(state, out wanted))
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

        var found = await ledger.ListAssessmentsAsync(sale.Id, state is null ? null : wanted, cursor is null ? null : before, Limits.PageSize + 1, context.RequestAborted);
        var page = new Page<AssessmentDocument>(
            [.. found.Take(Limits.PageSize).Select(Document)],
            found.Count > Limits.PageSize ? found[Limits.PageSize - 1].ReservationId.ToString("N") : null);
        await context.WriteDocumentAsync(StatusCodes.Status200OK, page, WireJson.Default.PageAssessmentDocument);
    }

    private static async Task RetryAsync(string reservationId, HttpContext context, AssessmentDesk assessments)
    {
        var (ok, reason) = await context.ReadOptionalReasonAsync();
        if (ok)
        {
            await SendAsync(context, await assessments.RetryAsync(reservationId, context.DeciderOf(reason)));
        }
    }

    private static async Task DecideAsync(string reservationId, HttpContext context, AssessmentDesk assessments)
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
        if (request is not null)
        {
            var approved = request.Status == ReservationStatus.Approved;
            await SendAsync(context, await assessments.DecideAsync(reservationId, approved, context.DeciderOf(request.Reason)));
        }
    }

    private static Task SendAsync(HttpContext context, StoredAssessment? assessment) => assessment is null
        ? context.WriteProblemAsync(ProblemCode.NotFound)
        : context.WriteDocumentAsync(StatusCodes.Status200OK, Document(assessment), WireJson.Default.AssessmentDocument);

    private static AssessmentDocument Document(StoredAssessment one) => new(
        one.ReservationId.ToString("N"),
        one.SaleId.ToString(),
        one.UserId.Value,
        one.Status,
        one.State.Word(),
        one.Attempts,
        one.Score,
        one.Signals,
        one.Inputs?.Named(),
        one.RulesVersion,
        one.Problem,
        one.CreatedAt,
        one.DecidedAt);
}
