using FlashSale.Core.Wire;
using FlashSale.Server.Http;
using FlashSale.Server.Telemetry;

namespace FlashSale.Server.Hosting;

public static class HealthEndpoints
{
    public static void MapHealth(this IEndpointRouteBuilder app)
    {
        var health = app.MapGroup("/healthz").ExcludeFromDescription();
        health.MapGet("/live", (HttpContext context) => WriteAsync(context, []));
        health.MapGet("/ready", (HttpContext context, Readiness readiness) => WriteAsync(context, readiness.Reasons()));
    }

    private static Task WriteAsync(HttpContext context, IReadOnlyList<string> reasons) => context.WriteDocumentAsync(
        reasons.Count == 0 ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable,
        new HealthDocument(reasons.Count == 0 ? "ok" : "unavailable", reasons),
        WireJson.Default.HealthDocument);
}
