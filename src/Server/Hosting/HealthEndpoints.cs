using System.Diagnostics.Metrics;

using FlashSale.Core.Wire;
using FlashSale.Server.Http;
using FlashSale.Server.Telemetry;

namespace FlashSale.Server.Hosting;

public static class HealthEndpoints
{
    public static void MapHealth(this IEndpointRouteBuilder app)
    {
        var readiness = app.ServiceProvider.GetRequiredService<Readiness>();
        app.ServiceProvider.GetRequiredService<SaleMetrics>().Observe(
            "flashsale.ready", "1 while this instance says that it is ready", () => [new Measurement<long>(readiness.Reasons().Count == 0 ? 1 : 0)]);
        var health = app.MapGroup("/healthz").ExcludeFromDescription();
        health.MapGet("/live", (HttpContext context) => WriteAsync(context, []));
        health.MapGet("/startup", (HttpContext context) => WriteAsync(context, readiness.HasStarted ? [] : readiness.Reasons()));
        health.MapGet("/ready", (HttpContext context) => WriteAsync(context, readiness.Reasons()));
    }

    private static Task WriteAsync(HttpContext context, IReadOnlyList<string> reasons) => context.WriteDocumentAsync(
        reasons.Count == 0 ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable,
        new HealthDocument(reasons.Count == 0 ? "ok" : "unavailable", reasons),
        WireJson.Default.HealthDocument);
}
