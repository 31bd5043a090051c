using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Server.Console.Views;
using FlashSale.Server.Http;
using FlashSale.Storage.Sql;

namespace FlashSale.Server.Console.Pages;

/// <param name="Base">What the sale is compared with: its last publication, else its creation. Null when the audit log has neither.</param>
/// <param name="Changes">Every fact, changed or not.</param>
/// <param name="Edit">The last edit.</param>
/// <param name="Bar">Why whoever asks may not publish, as far as a second person is needed.</param>
/// <param name="Rev">Of what is shown: nothing else is published.</param>
public sealed record PublicationModel(
    Sale Sale, AuditDocument? Base, IReadOnlyList<SaleChange> Changes, AuditDocument? Edit, bool FourEyes, PublicationBar Bar, IReadOnlyList<ReadinessReason> NotReady, long Rev)
{
    public string? Reason { get; init; }

    public string? ReasonError { get; init; }

    public string? Trouble { get; init; }
}

/// <summary>What is about to be published, or was changed since: seen by the one who publishes, who is another than the one who edited where that is asked.</summary>
public static class PublicationPages
{
    private const Roles Publishers = Roles.Operator | Roles.Approver;

    public static void MapPublication(this PageMap pages)
    {
        pages.GetSale("/publication", Publishers | Roles.Auditor, async (visit, sale, context) =>
            visit.Show<PublicationPage>(await ModelOfAsync(visit, sale, context)));
        pages.PostSale("/publication", Publishers, PublishAsync);
    }

    private static async Task<IResult> PublishAsync(ConsoleVisit visit, Sale sale, IFormCollection form, HttpContext context)
    {
        var services = context.RequestServices;
        var (reason, wrong) = FormFields.Reason(form, visit.Texts, required: false);
        if (wrong is not null)
        {
            var model = await ModelOfAsync(visit, sale, context) with { Reason = form["reason"], ReasonError = wrong };
            return visit.Show<PublicationPage>(model, StatusCodes.Status422UnprocessableEntity);
        }

        // What was seen is what is published: a change that came after the page was shown stops it.
        var seen = long.TryParse(form["rev"], out var rev) ? rev : 0;
        var actor = visit.Actor(context, reason, services.GetRequiredService<FourEyes>().RoleOf(visit.Signed));
        var result = await services.GetRequiredService<SaleControl>().PublishAsync(
            sale.Id.ToString(), IfMatch.Of(IfMatch.TagOf(seen).ToString()), visit.Signed, actor);
        if (result.Sale is not null)
        {
            return visit.See($"/sales/{sale.Id}/readiness", "published");
        }

        var now = await services.GetRequiredService<SaleDesk>().FindAsync(sale.Id.ToString(), context.RequestAborted) ?? sale;
        var refused = await ModelOfAsync(visit, now, context);
        return visit.Show<PublicationPage>(
            refused with
            {
                Reason = reason,
                Trouble = result.Problem switch
                {
                    ProblemCode.PreconditionFailed => visit.Texts.PublicationStale,
                    ProblemCode.Forbidden => visit.Texts.PublicationBarText(refused.Bar),
                    _ => visit.Texts.NotInThisState(now, visit.Now),
                },
            },
            result.Problem == ProblemCode.Forbidden ? StatusCodes.Status403Forbidden : StatusCodes.Status409Conflict);
    }

    private static async Task<PublicationModel> ModelOfAsync(ConsoleVisit visit, Sale sale, HttpContext context)
    {
        var services = context.RequestServices;
        var cancellation = context.RequestAborted;
        var entries = await services.GetRequiredService<SaleHistory>().ReadUntilAsync(sale.Id, entry => entry.Action == SaleActions.Published, cancellation);
        var start = entries is [.., var oldest] ? oldest : null;
        var before = AuditedSale.Read(start?.After);
        var edit = entries.FirstOrDefault(SaleHistory.IsEdit)
            ?? await services.GetRequiredService<SaleHistory>().FindAsync(sale.Id, SaleHistory.IsEdit, cancellation);
        var fourEyes = services.GetRequiredService<FourEyes>();
        var reading = (await services.GetRequiredService<SaleReadiness>().LookAsync(sale, cancellation)).Reasons;
        return new PublicationModel(
            sale,
            before is null ? null : start,
            before is null ? [] : SaleFacts.Compare(before, sale, visit.Texts),
            edit,
            fourEyes.IsOn,
            await fourEyes.CheckAsync(sale, visit.Signed),
            [.. reading.Where(reason => reason.Matter != ReadinessMatter.Draft)],
            sale.Rev);
    }
}
