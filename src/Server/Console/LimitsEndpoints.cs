using FlashSale.Core;
using FlashSale.Core.RateLimits;
using FlashSale.Core.Wire;
using FlashSale.Server.Hosting;
using FlashSale.Server.Http;
using FlashSale.Storage;

namespace FlashSale.Server.Console;

/// <summary>The limits and thresholds of the edge; a change holds in every instance, and in the gateways, within a second.</summary>
public static class LimitsEndpoints
{
    private const int PercentMax = 100;

    public static void MapLimits(this IEndpointRouteBuilder group)
    {
        group.MapGet("/limits", ReadAsync)
            .RequireRole(Roles.Operator | Roles.Auditor)
            .WithSummary("Rate limits and thresholds of load shedding")
            .Produces<LimitsDocument>();
        group.MapPut("/limits", SaveAsync)
            .WithSummary("Set rate limits and thresholds; what is left out keeps its value")
            .TakesJson<LimitsDocument>()
            .Produces<LimitsDocument>()
            .ProducesProblem(StatusCodes.Status412PreconditionFailed)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task ReadAsync(HttpContext context, ILedger ledger) => await SendAsync(context, await ledger.ReadLimitsAsync(context.RequestAborted));

    private static async Task SaveAsync(HttpContext context, ILedger ledger, SaleCatalog catalog)
    {
        var before = await ledger.ReadLimitsAsync(context.RequestAborted);
        string? reason = null;
        var asked = await context.ReadFieldsAsync(fields =>
        {
            reason = fields.Has("reason") ? fields.Text("reason", Limits.ReasonLength) : null;
            return Read(fields, before);
        });
        if (asked is null)
        {
            return;
        }

        // What was left out was read above, so that another change meanwhile must not be lost, whether the caller named a revision or not.
        var matches = IfMatch.Of(context.Request.Headers.IfMatch).Accepts(before.Rev!.Value);
        if (!matches || await SetAsync(ledger, catalog, asked, before.Rev.Value, context.ActorOf(reason)) is not { } saved)
        {
            await context.WriteProblemAsync(ProblemCode.PreconditionFailed);
            return;
        }

        await SendAsync(context, saved);
    }

    /// <summary>In the ledger, then at once in this instance. Null when the revision is another by now.</summary>
    public static async Task<LimitsDocument?> SetAsync(ILedger ledger, SaleCatalog catalog, LimitsDocument asked, long expectedRev, Actor actor)
    {
        if (await ledger.SaveLimitsAsync(asked, expectedRev, actor, CancellationToken.None) is not { } saved)
        {
            return null;
        }

        catalog.Put(saved);
        return saved;
    }

    private static Task SendAsync(HttpContext context, LimitsDocument limits)
    {
        context.Response.Headers.ETag = IfMatch.TagOf(limits.Rev!.Value).ToString();
        return context.WriteDocumentAsync(StatusCodes.Status200OK, limits, WireJson.Default.LimitsDocument);
    }

    /// <param name="before">What a field that is left out keeps.</param>
    public static LimitsDocument Read(FieldReader fields, LimitsDocument before) => new(
        Rate(fields, "total", before.Total),
        Rate(fields, "address", before.Address),
        Rate(fields, "user", before.User),
        Rate(fields, "sale", before.Sale),
        Shedding(fields, before.Shedding));

    private static RateLimit Rate(FieldReader fields, string name, RateLimit before)
    {
        if (!fields.Has(name))
        {
            return before;
        }

        var rate = fields.Object(name);
        return new RateLimit((int)rate.Number("perSecond", 1, Limits.RateMax, before.PerSecond), (int)rate.Number("burst", 1, Limits.RateMax, before.Burst));
    }

    private static SheddingDocument Shedding(FieldReader fields, SheddingDocument before)
    {
        const string Name = "shedding";
        if (!fields.Has(Name))
        {
            return before;
        }

        var asked = fields.Object(Name);
        var shedding = new SheddingDocument(
            (int)asked.Number("targetLatencyMs", Limits.TargetLatencyMinMs, Limits.TargetLatencyMaxMs, before.TargetLatencyMs),
            (int)asked.Number("inFlightMin", 1, Limits.InFlightMaxMost, before.InFlightMin),
            (int)asked.Number("inFlightMax", 1, Limits.InFlightMaxMost, before.InFlightMax),
            (int)asked.Number("writerWaitMs", 1, Limits.WriterWaitMaxMs, before.WriterWaitMs),
            Percent(asked, "busyClientsPercent", before.BusyClientsPercent),
            Percent(asked, "pagesPercent", before.PagesPercent),
            Percent(asked, "documentsPercent", before.DocumentsPercent),
            Percent(asked, "tokensPercent", before.TokensPercent),
            Percent(asked, "ordersPercent", before.OrdersPercent));
        if (shedding.InFlightMin > shedding.InFlightMax)
        {
            asked.Fail("inFlightMin", $"must be at most inFlightMax, which is {shedding.InFlightMax}");
        }

        if (shedding.PagesPercent > shedding.DocumentsPercent || shedding.DocumentsPercent > shedding.TokensPercent || shedding.TokensPercent > shedding.OrdersPercent)
        {
            asked.Fail("ordersPercent", "must be at least tokensPercent, and that documentsPercent, and that pagesPercent: orders are shed last");
        }

        return shedding;
    }

    private static int Percent(FieldReader fields, string name, int before) => (int)fields.Number(name, 0, PercentMax, before);
}
