using FlashSale.Core;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Server.Hosting;
using FlashSale.Server.Http;
using FlashSale.Storage;

namespace FlashSale.Server.Console;

/// <summary>The rules in force, other rules tried on what was assessed, and the right of a user to be forgotten.</summary>
public static class RiskEndpoints
{
    public static void MapRisk(this IEndpointRouteBuilder group)
    {
        group.MapGet("/risk/rules", RulesAsync)
            .RequireRole(ConsoleRequests.RiskReaders)
            .WithSummary("The rules that this instance assesses by, and all that rules may ask about")
            .Produces<RiskRulesDocument>();
        group.MapPost("/sales/{saleId}/risk-dry-run", DryRunAsync)
            .RequireRole(ConsoleRequests.RiskDeciders)
            .WithSummary("Whom other rules or another threshold would bar; nothing is changed")
            .TakesJson<RiskDryRunRequest>(optional: true)
            .Produces<RiskDryRunDocument>()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        group.MapDelete("/risk/users/{userId}", EraseAsync)
            .RequireRole(ConsoleRequests.RiskDeciders)
            .WithSummary("Erase what is kept of a user for risk control; what was decided stays")
            .Produces<ErasureDocument>()
            .ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static Task RulesAsync(HttpContext context, RiskRules rules) =>
        context.WriteDocumentAsync(StatusCodes.Status200OK, RiskRulesDocument.Of(rules), WireJson.Default.RiskRulesDocument);

    private static async Task DryRunAsync(string saleId, HttpContext context, SaleDesk desk, ILedger ledger, RiskRules inForce)
    {
        if (await desk.FindAsync(saleId, context.RequestAborted) is not { } sale)
        {
            await context.WriteProblemAsync(ProblemCode.NotFound);
            return;
        }

        var run = context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false }
            ? new RiskDryRun(inForce, sale.RiskThreshold)
            : await context.ReadFieldsAsync(fields => new RiskDryRun(
                fields.Has("rules") ? ReadRules(fields.Object("rules")) : inForce,
                (int)fields.Number("threshold", 0, Limits.RiskScoreMax, sale.RiskThreshold)));
        if (run is not null)
        {
            var complete = await AddAllAsync(sale, run, ledger, context.RequestAborted);
            await context.WriteDocumentAsync(StatusCodes.Status200OK, run.Report(complete), WireJson.Default.RiskDryRunDocument);
        }
    }

    /// <summary>Rules that are not valid are not run: names that stand twice are an error, and have no count.</summary>
    private static RiskRules ReadRules(FieldReader fields)
    {
        var rules = RiskRules.Read(fields);
        return rules with { Rules = [.. rules.Rules.DistinctBy(rule => rule.Name)] };
    }

    /// <summary>Adds the sale's assessed reservations, the newest first, to a dry run.</summary>
    /// <returns>Whether it was all of them.</returns>
    public static async Task<bool> AddAllAsync(Sale sale, RiskDryRun run, ILedger ledger, CancellationToken cancellation)
    {
        Guid? before = null;
        for (var read = 0; read < Limits.DryRunReservations; read += Limits.DryRunPage)
        {
            var page = await ledger.ListAssessmentsAsync(sale.Id, AssessmentState.Done, before, Limits.DryRunPage, cancellation);
            foreach (var one in page)
            {
                if (one.Inputs is { } inputs)
                {
                    run.Add(one.UserId, inputs, one.Status);
                }
            }

            if (page.Count < Limits.DryRunPage)
            {
                return true;
            }

            before = page[^1].ReservationId;
        }

        return false;
    }

    private static async Task EraseAsync(string userId, HttpContext context, ILedger ledger)
    {
        if (!UserId.TryParse(userId, out var id))
        {
            await context.WriteProblemAsync(ProblemCode.NotFound);
            return;
        }

        var erased = await ledger.EraseUserAsync(id, context.DeciderOf(reason: null), CancellationToken.None);
        await context.WriteDocumentAsync(StatusCodes.Status200OK, new ErasureDocument(erased.Assessments, erased.Conduct, erased.Contacts), WireJson.Default.ErasureDocument);
    }
}
