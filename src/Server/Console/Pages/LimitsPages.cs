using System.Globalization;
using System.Text.Json.Nodes;

using FlashSale.Core.RateLimits;
using FlashSale.Core.Wire;
using FlashSale.Server.Console.Views;
using FlashSale.Server.Http;
using FlashSale.Storage;

namespace FlashSale.Server.Console.Pages;

/// <summary>A limit, and what is asked of it.</summary>
/// <param name="Name">Of the field, as the API names it.</param>
/// <param name="Typed">What stands in the form.</param>
public sealed record LimitLine(string Name, int Value, string Typed);

/// <param name="Lines">In the order of the page.</param>
/// <param name="Errors">By field; <c>""</c> for what concerns the whole.</param>
/// <param name="Changes">What would be changed, in words; null when nobody asked.</param>
public sealed record LimitsModel(
    long Rev, IReadOnlyList<LimitLine> Lines, string Reason, IReadOnlyDictionary<string, string> Errors, IReadOnlyList<string>? Changes = null);

/// <summary>Rate limits and thresholds of load shedding: seen by auditors, set by operators, against the revision that they saw.</summary>
public static class LimitsPages
{
    private const Roles Readers = Roles.Operator | Roles.Auditor;

    public static void MapLimits(this PageMap pages)
    {
        pages.Get("/limits", Readers, ShowAsync);
        pages.Post("/limits", Roles.Operator, SaveAsync);
    }

    private static async Task<IResult> ShowAsync(ConsoleVisit visit, HttpContext context)
    {
        var limits = await context.RequestServices.GetRequiredService<ILedger>().ReadLimitsAsync(context.RequestAborted);
        return visit.Show<LimitsPage>(ModelOf(limits, form: null, []));
    }

    private static async Task<IResult> SaveAsync(ConsoleVisit visit, IFormCollection form, HttpContext context)
    {
        var ledger = context.RequestServices.GetRequiredService<ILedger>();
        var before = await ledger.ReadLimitsAsync(context.RequestAborted);
        var fields = FormFields.Reader(JsonOf(form, before));
        var asked = LimitsEndpoints.Read(fields, before);
        var errors = FormFields.Errors(fields, visit.Texts);
        var model = ModelOf(before, form, errors);

        // The revision that was seen is the one that may be changed, as If-Match is in the API: a form that comes back has the newest one.
        if (form["rev"] != Text(before.Rev!.Value))
        {
            return ShowStale(visit, model, before, asked);
        }

        if (form["step"] == "check")
        {
            return fields.IsValid
                ? visit.Show<LimitsPage>(model with { Changes = ChangesOf(visit.Texts, before, asked) })
                : visit.Show<LimitsPage>(model, StatusCodes.Status422UnprocessableEntity);
        }

        var (reason, wrong) = FormFields.Reason(form, visit.Texts, required: true);
        if (wrong is not null)
        {
            errors["reason"] = wrong;
        }

        if (errors.Count > 0)
        {
            return visit.Show<LimitsPage>(model, StatusCodes.Status422UnprocessableEntity);
        }

        var catalog = context.RequestServices.GetRequiredService<SaleCatalog>();
        return await LimitsEndpoints.SetAsync(ledger, catalog, asked, before.Rev.Value, visit.Actor(context, reason)) is null
            ? ShowStale(visit, model, before, asked)
            : visit.See("/limits", "saved");
    }

    /// <summary>Somebody else was faster. What was left alone here is theirs now, and what would be changed of it is shown before it can be saved.</summary>
    private static IResult ShowStale(ConsoleVisit visit, LimitsModel model, LimitsDocument before, LimitsDocument asked) => visit.Show<LimitsPage>(
        model with
        {
            Errors = new Dictionary<string, string>(model.Errors) { [""] = visit.Texts.LimitsChangedMeanwhile },
            Changes = ChangesOf(visit.Texts, before, asked),
        },
        StatusCodes.Status409Conflict);

    /// <summary>Only what differs from what the form was opened with; a form that does not say that means all that it has.</summary>
    private static bool IsTyped(IFormCollection form, string name) => form.ContainsKey(name) && form[name] != form["was." + name];

    /// <summary>What was typed, as the body of the API: a number where it is one, else the text, for its reader to refuse.</summary>
    private static JsonObject JsonOf(IFormCollection form, LimitsDocument before)
    {
        var json = new JsonObject();
        foreach (var (name, _) in ValuesOf(before).Where(value => IsTyped(form, value.Name)))
        {
            var parts = name.Split('.');
            var typed = form[name].ToString().Trim();
            if (json[parts[0]] is not JsonObject group)
            {
                json[parts[0]] = group = [];
            }

            group[parts[1]] = FormFields.Number(typed) ?? (JsonNode)"";
        }

        return json;
    }

    private static LimitsModel ModelOf(LimitsDocument limits, IFormCollection? form, Dictionary<string, string> errors) => new(
        limits.Rev!.Value,
        [.. ValuesOf(limits).Select(value => new LimitLine(value.Name, value.Value, form is not null && IsTyped(form, value.Name) ? form[value.Name].ToString() : Text(value.Value)))],
        form?["reason"].ToString() ?? "",
        errors);

    private static IReadOnlyList<string> ChangesOf(ConsoleTexts texts, LimitsDocument before, LimitsDocument after) =>
    [
        .. ValuesOf(before).Zip(ValuesOf(after))
            .Where(pair => pair.First.Value != pair.Second.Value)
            .Select(pair => texts.LimitChange(pair.First.Name, pair.First.Value, pair.Second.Value)),
    ];

    private static IEnumerable<(string Name, int Value)> ValuesOf(LimitsDocument limits)
    {
        foreach (var (name, rate) in new (string, RateLimit)[] { ("total", limits.Total), ("address", limits.Address), ("user", limits.User), ("sale", limits.Sale) })
        {
            yield return (name + ".perSecond", rate.PerSecond);
            yield return (name + ".burst", rate.Burst);
        }

        var shedding = limits.Shedding;
        yield return ("shedding.targetLatencyMs", shedding.TargetLatencyMs);
        yield return ("shedding.inFlightMin", shedding.InFlightMin);
        yield return ("shedding.inFlightMax", shedding.InFlightMax);
        yield return ("shedding.writerWaitMs", shedding.WriterWaitMs);
        yield return ("shedding.busyClientsPercent", shedding.BusyClientsPercent);
        yield return ("shedding.pagesPercent", shedding.PagesPercent);
        yield return ("shedding.documentsPercent", shedding.DocumentsPercent);
        yield return ("shedding.tokensPercent", shedding.TokensPercent);
        yield return ("shedding.ordersPercent", shedding.OrdersPercent);
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
