using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Server.Console.Views;
using FlashSale.Server.Http;
using FlashSale.Storage.Sql;

namespace FlashSale.Server.Console.Pages;

/// <summary>What happened to a sale between the opening of a form and its sending.</summary>
/// <param name="Changes">Null when it cannot be told.</param>
public sealed record Meanwhile(IReadOnlyList<AuditDocument> Entries, IReadOnlyList<SaleChange>? Changes);

/// <param name="Sale">Null for one that is not there yet.</param>
/// <param name="Rev">Of the sale, when what is shown was read.</param>
public sealed record DefinitionModel(Sale? Sale, SalePhase Phase, SaleForm Form, long Rev, bool MayEdit)
{
    /// <summary>Blank offers at the end of the form.</summary>
    public int Spare { get; init; } = 1;

    /// <summary>By the paths of the API, in its words.</summary>
    public IReadOnlyDictionary<string, string> Errors { get; init; } = new Dictionary<string, string>();

    /// <summary>What is wrong with the whole, in the language of the page.</summary>
    public string? Trouble { get; init; }

    public Meanwhile? Meanwhile { get; init; }

    /// <summary>The sale that this one is made after.</summary>
    public Sale? Pattern { get; init; }
}

/// <summary>Defines a sale, and changes of a published one what may still change; by the rules of the API (<see cref="SaleDefinition"/>).</summary>
public static class DefinitionPages
{
    private const Roles Readers = SaleEndpoints.Readers | Roles.Viewer;

    /// <summary>Of a published sale, what may change until it opens.</summary>
    private static readonly string[] UntilOpen = ["opensAt", "reservationOpensAt", "reservationClosesAt", "riskThreshold", "defences.drawMs"];

    /// <summary>Of a published sale, what may change until it is over.</summary>
    private static readonly string[] UntilOver = ["title.zh", "title.en", "closesAt", "warmUpLeadSeconds"];

    public static void MapDefinition(this PageMap pages)
    {
        pages.Get("/sales/new", Roles.Operator, ShowNewAsync);
        pages.Post("/sales/new", Roles.Operator, CreateAsync);
        pages.GetSale("/definition", Readers, (visit, sale, _) => Task.FromResult(visit.Show<DefinitionPage>(ModelOf(visit, sale))));
        pages.PostSale("/definition", Roles.Operator, ChangeAsync);
    }

    /// <summary>Whether a field stays as it is, as <see cref="SaleDefinition.Change"/> has it.</summary>
    public static bool IsFixed(Sale? sale, string field, DateTimeOffset now) =>
        sale is not (null or { Status: SaleStatus.Draft })
        && !UntilOver.Contains(field, StringComparer.Ordinal)
        && (UntilOpen.Contains(field, StringComparer.Ordinal) ? now >= sale.OpensAt : !field.StartsWith("defences.", StringComparison.Ordinal));

    private static DefinitionModel ModelOf(ConsoleVisit visit, Sale sale)
    {
        var phase = SalePhases.Of(sale, anyAvailable: true, visit.Now);
        return new DefinitionModel(sale, phase, SaleForm.Of(sale), sale.Rev, visit.May(Roles.Operator) && phase != SalePhase.Ended);
    }

    private static DefinitionModel NewModel(SaleForm form) => new(null, SalePhase.Draft, form, 0, MayEdit: true);

    private static async Task<IResult> ShowNewAsync(ConsoleVisit visit, HttpContext context)
    {
        var from = context.Request.Query["from"].ToString();
        if (from.Length == 0)
        {
            return visit.Show<DefinitionPage>(NewModel(SaleForm.Blank));
        }

        return await context.RequestServices.GetRequiredService<SaleDesk>().FindAsync(from, context.RequestAborted) is { } pattern
            ? visit.Show<DefinitionPage>(NewModel(SaleForm.After(pattern, visit.Now)) with { Pattern = pattern, Spare = 0 })
            : PageMap.NotFound(visit);
    }

    private static async Task<IResult> CreateAsync(ConsoleVisit visit, IFormCollection form, HttpContext context)
    {
        var typed = SaleForm.Read(form);
        var model = NewModel(typed) with { Spare = SpareOf(form, typed) };
        if (AsksForMore(form))
        {
            return visit.Show<DefinitionPage>(model with { Spare = model.Spare + 1 });
        }

        var (sale, errors) = SaleDefinition.Read(typed.ToJson(), visit.Now);
        if (sale is null)
        {
            return Refuse(visit, model, SaleResult.Invalid(errors));
        }

        var result = await context.RequestServices.GetRequiredService<SaleDesk>().CreateAsync(sale, visit.Actor(context, reason: null));
        return result.Sale is { } created ? visit.See($"/sales/{created.Id}/definition", "saved") : Refuse(visit, model, result);
    }

    private static async Task<IResult> ChangeAsync(ConsoleVisit visit, Sale sale, IFormCollection form, HttpContext context)
    {
        var typed = SaleForm.Read(form);
        var rev = long.TryParse(form["rev"], out var sent) ? sent : 0;
        var model = ModelOf(visit, sale) with { Form = typed, Rev = rev, Spare = SpareOf(form, typed) };
        if (AsksForMore(form))
        {
            return visit.Show<DefinitionPage>(model with { Spare = model.Spare + 1 });
        }

        var (wanted, errors) = SaleDefinition.Read(typed.ToJson(), visit.Now);
        var result = await context.RequestServices.GetRequiredService<SaleDesk>().ChangeAsync(
            sale.Id.ToString(),
            IfMatch.Of(IfMatch.TagOf(rev).ToString()),
            SaleActions.Updated,
            visit.Actor(context, reason: null),
            current => Task.FromResult(SaleEndpoints.Replace(current, wanted, errors, visit.Now)));
        if (result.Sale is not null)
        {
            return visit.See($"/sales/{sale.Id}/definition", "saved");
        }

        return result.Problem == ProblemCode.PreconditionFailed
            ? await ShowStaleAsync(visit, sale.Id, model, context)
            : Refuse(visit, model, result);
    }

    /// <summary>Somebody else was faster: what they changed is shown and taken over where it was left alone here, and all that was typed stays.</summary>
    private static async Task<IResult> ShowStaleAsync(ConsoleVisit visit, SaleId id, DefinitionModel model, HttpContext context)
    {
        var services = context.RequestServices;
        if (await services.GetRequiredService<SaleDesk>().FindAsync(id.ToString(), context.RequestAborted) is not { } now)
        {
            return PageMap.NotFound(visit);
        }

        var entries = await services.GetRequiredService<SaleHistory>().ReadUntilAsync(
            id, entry => AuditedSale.Read(entry.After)?.Rev <= model.Rev, context.RequestAborted);
        var was = AuditedSale.Read(entries is [.., var oldest] ? oldest.After : null);
        var known = was?.Rev == model.Rev;
        var fresh = ModelOf(visit, now) with
        {
            Form = known ? model.Form.FollowUp(SaleForm.Of(was!), SaleForm.Of(now)) : model.Form,
            Spare = model.Spare,
            Meanwhile = new Meanwhile(
                [.. entries.Take(known ? entries.Count - 1 : entries.Count).Take(Limits.PageSize)],
                known ? SaleFacts.Changes(was!, now, visit.Texts) : null),
        };
        return visit.Show<DefinitionPage>(fresh, StatusCodes.Status409Conflict);
    }

    private static IResult Refuse(ConsoleVisit visit, DefinitionModel model, in SaleResult result)
    {
        var texts = visit.Texts;
        return result.Problem switch
        {
            ProblemCode.InvalidFields => visit.Show<DefinitionPage>(
                model with
                {
                    Errors = result.Detail?.Errors?.ToDictionary(error => error.Key, error => error.Value[0], StringComparer.Ordinal) ?? [],
                    Trouble = texts.InvalidFields,
                },
                StatusCodes.Status422UnprocessableEntity),
            ProblemCode.SlugTaken => visit.Show<DefinitionPage>(
                model with { Errors = new Dictionary<string, string> { ["slug"] = ConsoleTexts.SlugTakenError }, Trouble = texts.InvalidFields },
                StatusCodes.Status409Conflict),
            ProblemCode.NotFound => PageMap.NotFound(visit),
            _ => visit.Show<DefinitionPage>(model with { Trouble = texts.OverCannotChange }, StatusCodes.Status409Conflict),
        };
    }

    private static bool AsksForMore(IFormCollection form) => form["do"] == "add-offer";

    /// <summary>As many blank offers as there were, and one when there is no offer at all.</summary>
    private static int SpareOf(IFormCollection form, SaleForm typed) =>
        Math.Clamp(int.TryParse(form["spare"], out var spare) ? spare : 0, typed.Offers == 0 ? 1 : 0, Limits.OffersPerSale);
}
