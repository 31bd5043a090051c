using FlashSale.Core.Wire;
using FlashSale.Server.Edge;
using FlashSale.Server.Http;
using FlashSale.Server.Orders;
using FlashSale.Storage;

namespace FlashSale.Server.Hosting;

public static class LoadEndpoint
{
    /// <summary>What an operator sees of the load of the instance that answers.</summary>
    public static void MapLoad(this IEndpointRouteBuilder app) =>
        app.MapGet("/api/v1/admin/load", (Delegate)ReadAsync)
            .WithTags("Operators")
            .WithSummary("What this instance has under way, and what it turns away")
            .Produces<LoadDocument>()
            .RequireRole(Roles.Operator | Roles.Auditor);

    private static Task ReadAsync(HttpContext context)
    {
        var services = context.RequestServices;
        var inFlight = services.GetRequiredService<InFlightLimit>();
        return context.WriteDocumentAsync(
            StatusCodes.Status200OK,
            new LoadDocument(
                inFlight.InFlight,
                inFlight.Limit,
                Math.Round(inFlight.Latency.TotalMilliseconds, 3),
                Math.Round(inFlight.SchedulingDelay.TotalMilliseconds, 3),
                Math.Round(services.GetRequiredService<LedgerWriter>().ExpectedWait.TotalMilliseconds, 3),
                services.GetRequiredService<LoadWatch>().Shedding(),
                services.GetRequiredService<Breakers>().Words()),
            WireJson.Default.LoadDocument);
    }
}
