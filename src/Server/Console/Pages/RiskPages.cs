using System.Globalization;
using System.Text.Json.Nodes;

using FlashSale.Core;
using FlashSale.Core.Reservations;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Server.Console.Views;
using FlashSale.Server.Http;
using FlashSale.Storage;

namespace FlashSale.Server.Console.Pages;

/// <summary>Which assessments a page shows.</summary>
public enum RiskFilter
{
    Waiting,
    Dead,
    Rejected,
    Done,
    All,
}

/// <summary>A sale with reservations, and what waits in it.</summary>
public sealed record RiskSale(Sale Sale, SalePhase Phase, long Waiting, long Dead);

/// <summary>A form that was refused: what stood in it, and what is wrong.</summary>
public sealed record RiskRefusal(string ReservationId, string Reason, string Until, IReadOnlyDictionary<string, string> Errors);

/// <param name="Sale">Null: the reader has to choose one.</param>
/// <param name="More">The cursor behind the last one that was looked at.</param>
/// <param name="Threshold">Tried; null when nobody asked.</param>
/// <param name="ByScore">Reservations of each score, 0 to 100; null when nobody asked.</param>
public sealed record RiskModel(
    IReadOnlyList<RiskSale> Sales,
    Sale? Sale,
    RiskFilter Filter,
    IReadOnlyDictionary<ReservationStatus, long> Reservations,
    IReadOnlyList<StoredAssessment> Assessments,
    string? More,
    RiskDryRunDocument? DryRun,
    IReadOnlyList<int>? ByScore,
    string Threshold,
    bool ThresholdFailed,
    RiskRefusal? Refusal = null)
{
    /// <summary>The address of this list.</summary>
    public string Path => $"/risk?sale={Sale?.Id}&show={Filter.Word()}";
}

/// <summary>What risk control found, and people who decide instead of it.</summary>
public static class RiskPages
{
    private const string Source = "console";

    public static void MapRisk(this PageMap pages)
    {
        pages.Get("/risk", ConsoleRequests.RiskReaders, async (visit, context) => await ModelAsync(visit, context, null) is { } model ? visit.Show<RiskPage>(model) : PageMap.NotFound(visit));
        pages.Post("/risk/{reservationId}", ConsoleRequests.RiskDeciders, ActAsync);
    }

    /// <summary>The role that lets a decider act.</summary>
    public static Roles RoleOf(ConsoleVisit visit) => visit.May(Roles.Operator) ? Roles.Operator : Roles.Risk;

    private static async Task<IResult> ActAsync(ConsoleVisit visit, IFormCollection form, HttpContext context)
    {
        var id = (string)context.Request.RouteValues["reservationId"]!;
        var action = form["do"].ToString();
        var bars = action == "bar";
        var fields = FormFields.Reader(new()
        {
            ["source"] = Source,
            ["reason"] = form["reason"].ToString().Trim(),

            // Nobody is barred for good because a field was left blank.
            ["expiresAt"] = bars ? FormFields.Time(form["until"].ToString()) ?? (JsonNode)"" : null,
        });
        var request = BlacklistDesk.Read(fields, visit.Now);
        var errors = FormFields.Errors(fields, visit.Texts);
        var user = default(UserId);
        if (errors.Count > 0 || (bars && !UserId.TryParse(form["user"], out user)))
        {
            return await ModelAsync(visit, context, new RiskRefusal(id, form["reason"].ToString(), form["until"].ToString(), errors), form) is { } model
                ? visit.Show<RiskPage>(model, StatusCodes.Status422UnprocessableEntity)
                : PageMap.NotFound(visit);
        }

        var actor = visit.Actor(context, request.Reason, RoleOf(visit));
        var services = context.RequestServices;
        var assessments = services.GetRequiredService<AssessmentDesk>();
        var done = action switch
        {
            "approve" or "reject" => await assessments.DecideAsync(id, action == "approve", actor) is null ? null : "decided",
            "retry" => await assessments.RetryAsync(id, actor) is null ? null : "retried",
            "bar" => await BarAsync(services, user, request, actor),
            _ => null,
        };
        return done is null ? PageMap.NotFound(visit) : visit.See($"/risk?sale={Uri.EscapeDataString(form["sale"].ToString())}&show={Uri.EscapeDataString(form["show"].ToString())}", done);
    }

    private static async Task<string> BarAsync(IServiceProvider services, UserId user, BlacklistRequest request, Actor actor)
    {
        await services.GetRequiredService<BlacklistDesk>().BarAsync(BlacklistKind.User, user.Value, request, actor);
        return "barred";
    }

    /// <summary>Null when the sale that was asked for does not exist, or the list was asked for wrongly.</summary>
    private static async Task<RiskModel?> ModelAsync(ConsoleVisit visit, HttpContext context, RiskRefusal? refusal, IFormCollection? form = null)
    {
        var ledger = context.RequestServices.GetRequiredService<ILedger>();
        string Asked(string name) => form is null ? context.Request.Query[name].ToString() : form[name].ToString();
        var backlog = (await ledger.CountAssessmentsAsync(context.RequestAborted)).ToDictionary(one => one.SaleId);
        var all = await ledger.ListSalesAsync(context.RequestAborted);
        var sales = all.Where(sale => sale.Status != SaleStatus.Draft && (sale.RequiresReservation || backlog.ContainsKey(sale.Id)))
            .OrderByDescending(sale => sale.OpensAt)
            .Select(sale => new RiskSale(sale, SalePhases.Of(sale, anyAvailable: true, visit.Now), backlog.GetValueOrDefault(sale.Id)?.Waiting ?? 0, backlog.GetValueOrDefault(sale.Id)?.Dead ?? 0))
            .ToArray();
        var filter = RiskFilter.Waiting;
        Guid before = default;
        var cursor = Asked("cursor");
        if ((Asked("show") is { Length: > 0 } show && !Words<RiskFilter>.ByWord.TryGetValue(show, out filter)) || (cursor.Length > 0 && !Guid.TryParseExact(cursor, "N", out before)))
        {
            return null;
        }

        var model = new RiskModel(sales, null, filter, new Dictionary<ReservationStatus, long>(), [], null, null, null, "", ThresholdFailed: false, refusal);
        if (Asked("sale") is not { Length: > 0 } wanted)
        {
            return model;
        }

        if (!SaleId.TryParse(wanted, out var saleId) || all.FirstOrDefault(sale => sale.Id == saleId) is not { } chosen)
        {
            return null;
        }

        var (assessments, last) = await ListAsync(ledger, chosen.Id, filter, cursor.Length > 0 ? before : null, context.RequestAborted);
        return await TryThresholdAsync(visit, context, Asked("threshold").Trim(), model with
        {
            Sale = chosen,
            Reservations = await ledger.CountReservationsAsync(chosen.Id, context.RequestAborted),
            Assessments = assessments,
            More = last?.ReservationId.ToString("N"),
        });
    }

    private static Task<(IReadOnlyList<StoredAssessment> Items, StoredAssessment? Last)> ListAsync(
        ILedger ledger, SaleId sale, RiskFilter filter, Guid? before, CancellationToken cancellation)
    {
        AssessmentState? state = filter switch
        {
            RiskFilter.Waiting => AssessmentState.Waiting,
            RiskFilter.Dead => AssessmentState.Dead,
            RiskFilter.All => null,
            // People may have decided what was never assessed.
            RiskFilter.Rejected => null,
            _ => AssessmentState.Done,
        };
        return FilteredList.ReadAsync<StoredAssessment>(
            last => ledger.ListAssessmentsAsync(sale, state, last?.ReservationId ?? before, Limits.FilterPiece, cancellation),
            Limits.FilterPiece,
            one => filter != RiskFilter.Rejected || one.Status == ReservationStatus.Rejected,
            Limits.PageSize,
            Limits.FilterRows);
    }

    /// <summary>Asked for by who may decide, as in the API: it reads all of a sale.</summary>
    private static async Task<RiskModel> TryThresholdAsync(ConsoleVisit visit, HttpContext context, string typed, RiskModel model)
    {
        if (typed.Length == 0 || !visit.May(ConsoleRequests.RiskDeciders))
        {
            return model;
        }

        if (!int.TryParse(typed, NumberStyles.None, CultureInfo.InvariantCulture, out var threshold) || threshold > Limits.RiskScoreMax)
        {
            return model with { Threshold = typed, ThresholdFailed = true };
        }

        var run = new RiskDryRun(context.RequestServices.GetRequiredService<RiskRules>(), threshold);
        var complete = await RiskEndpoints.AddAllAsync(model.Sale!, run, context.RequestServices.GetRequiredService<ILedger>(), context.RequestAborted);
        return model with { Threshold = typed, DryRun = run.Report(complete), ByScore = run.ByScore };
    }
}
