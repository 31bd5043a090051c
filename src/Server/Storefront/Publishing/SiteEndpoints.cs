using FlashSale.Core.Wire;
using FlashSale.Server.Console;
using FlashSale.Server.Hosting;
using FlashSale.Server.Http;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Storefront.Publishing;

/// <summary>The published pages for operators: what is shown, back to the version before, and forward again. What they do holds in every instance within a second.</summary>
public static class SiteEndpoints
{
    /// <summary>On every instance: what each shows, and what hindered it.</summary>
    public static void MapSiteStatus(this IEndpointRouteBuilder app) =>
        app.MapGet("/api/v1/admin/site", (HttpContext context, ILedger ledger, SiteStatus status) => SendAsync(context, ledger, status))
            .WithTags("Operators")
            .WithSummary("Which version of the pages is shown, and which there are")
            .Produces<SiteDocument>()
            .RequireRole(Roles.Operator | Roles.Auditor);

    public static void MapSite(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/api/v1/admin/site").RequireRole(Roles.Operator).WithTags("Operators");
        group.MapPost("/rollback", RollBackAsync)
            .WithSummary("Show the version before; nothing is published until an operator publishes again")
            .TakesJson<ReasonRequest>()
            .Produces<SiteDocument>()
            .ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        group.MapPost("/publication", PublishAsync)
            .WithSummary("Make the pages of the sales as they are and show them, also after a rollback; nothing when they are shown already")
            .TakesJson<ReasonRequest>()
            .Produces<SiteDocument>()
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task RollBackAsync(HttpContext context, ILedger ledger, PublishedSite site, SiteStatus status)
    {
        if (await context.ReadReasonAsync() is not { } reason)
        {
            return;
        }

        if (await ledger.RollBackSiteAsync(context.ActorOf(reason), CancellationToken.None) is null)
        {
            await context.WriteProblemAsync(ProblemCode.NoEarlierVersion);
            return;
        }

        await site.FollowAsync(context.RequestAborted);
        await SendAsync(context, ledger, status);
    }

    private static async Task PublishAsync(HttpContext context, ILedger ledger, SitePublication publication, PublishedSite site, SiteStatus status)
    {
        if (await context.ReadReasonAsync() is not { } reason)
        {
            return;
        }

        var sales = publication.Listed();
        var files = await publication.RenderAsync(sales);
        await ledger.PublishSiteAsync(publication.FingerprintOf(sales), files, release: true, context.ActorOf(reason), CancellationToken.None);
        await site.FollowAsync(context.RequestAborted);
        await SendAsync(context, ledger, status);
    }

    private static async Task SendAsync(HttpContext context, ILedger ledger, SiteStatus status)
    {
        var history = await ledger.ReadSiteAsync(context.RequestAborted);
        var document = new SiteDocument(
            history.Current,
            history.Held,
            [.. history.Versions.Select(version => new SiteVersionDocument(
                version.Number, version.MadeAt, version.MadeBy, version.Fingerprint, version.Files.Count(file => SitePaths.IsPage(file.Path))))],
            new SiteInstanceDocument(status.Shown, status.OnDisk, [.. new[] { status.Problem, status.DiskProblem }.OfType<string>()]));
        await context.WriteDocumentAsync(StatusCodes.Status200OK, document, WireJson.Default.SiteDocument);
    }
}
