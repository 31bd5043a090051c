using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Server.Console.Views;
using FlashSale.Server.Http;

namespace FlashSale.Server.Console.Pages;

/// <summary>Something that can be done with a sale.</summary>
/// <param name="Path">Below the sale's address; also its word in <see cref="ConsoleTexts.ActionButton"/>.</param>
/// <param name="Done">The word for it when it is done (<see cref="ConsoleTexts.Done"/>).</param>
/// <param name="Halt">Null for the warm-up.</param>
public sealed record SaleActionKind(string Path, string Done, SaleHalt? Halt)
{
    public static SaleActionKind Close { get; } = new(SaleHalt.Close.Path, "closed", SaleHalt.Close);

    public static IReadOnlyList<SaleActionKind> All { get; } =
    [
        new(SaleHalt.Pause.Path, "paused", SaleHalt.Pause),
        new(SaleHalt.Resume.Path, "resumed", SaleHalt.Resume),
        new("warm-up", "warmed", null),
        Close,
    ];

    /// <summary>What cannot be undone asks for the slug of the sale.</summary>
    public bool AsksForSlug => this == Close;

    public bool Fits(Sale sale, DateTimeOffset now) => Halt?.Fits(sale, now) ?? SaleControl.MayWarmUp(sale, now);
}

/// <param name="From">The tab that it was begun on, and leads back to; empty for the live board.</param>
public sealed record SaleActionModel(Sale Sale, SaleActionKind Action, string From)
{
    public string? Reason { get; init; }

    public string? ReasonError { get; init; }

    public string? SlugError { get; init; }

    /// <summary>Why it was not done, in the language of the page.</summary>
    public string? Trouble { get; init; }
}

/// <summary>Pause, resume, close, load into the gate: each asks for its reason and says what it will do.</summary>
public static class SaleActionPages
{
    /// <summary>The tabs of a sale that have these buttons, besides the live board.</summary>
    private static readonly string[] Tabs = ["readiness", "stock"];

    public static void MapSaleActionPages(this PageMap pages)
    {
        foreach (var action in SaleActionKind.All)
        {
            pages.GetSale("/" + action.Path, Roles.Operator, (visit, sale, context) =>
                Task.FromResult(Show(visit, new SaleActionModel(sale, action, FromOf(context.Request.Query["from"])), StatusCodes.Status200OK)));
            pages.PostSale("/" + action.Path, Roles.Operator, (visit, sale, form, context) => ActAsync(visit, sale, action, form, context));
        }
    }

    private static async Task<IResult> ActAsync(ConsoleVisit visit, Sale sale, SaleActionKind action, IFormCollection form, HttpContext context)
    {
        var (reason, wrong) = FormFields.Reason(form, visit.Texts, required: action.Halt is not null);
        var model = new SaleActionModel(sale, action, FromOf(form["from"]))
        {
            Reason = form["reason"],
            ReasonError = wrong,
            SlugError = action.AsksForSlug && form["slug"].ToString().Trim() != sale.Slug ? visit.Texts.SlugDiffers(sale.Slug) : null,
        };
        if (model is not { ReasonError: null, SlugError: null })
        {
            return Show(visit, model, StatusCodes.Status422UnprocessableEntity);
        }

        var control = context.RequestServices.GetRequiredService<SaleControl>();
        var actor = visit.Actor(context, reason);
        var (result, loaded) = action.Halt is { } halt
            ? (await control.HaltAsync(sale.Id.ToString(), default, halt, actor), null)
            : await control.WarmUpAsync(sale.Id.ToString(), default, actor);
        if (loaded is { Warm: false })
        {
            return Show(visit, model with { Trouble = visit.Texts.NotLoaded }, StatusCodes.Status409Conflict);
        }

        return result.Sale is not null
            ? visit.See(PathOf(sale, model.From), action.Done)
            : Show(
                visit,
                model with { Trouble = result.Problem == ProblemCode.SaleStateConflict ? visit.Texts.NotInThisState(sale, visit.Now) : visit.Texts.ChangedMeanwhile },
                StatusCodes.Status409Conflict);
    }

    private static IResult Show(ConsoleVisit visit, SaleActionModel model, int status) => visit.Show<SaleActionPage>(model, status);

    private static string FromOf(string? tab) => Tabs.Contains(tab, StringComparer.Ordinal) ? tab! : "";

    public static string PathOf(Sale sale, string from) => $"/sales/{sale.Id}" + (from.Length == 0 ? "" : "/" + from);
}
