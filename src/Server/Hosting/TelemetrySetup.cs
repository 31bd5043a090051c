using System.Diagnostics.Metrics;
using System.Globalization;

using FlashSale.Server.Http;
using FlashSale.Server.Telemetry;

namespace FlashSale.Server.Hosting;

/// <summary>Metrics, traces and logs (docs/metrics.md).</summary>
public static class TelemetrySetup
{
    public static void AddTelemetry(this IServiceCollection services, TelemetryOptions options)
    {
        services.AddSingleton(options);
        services.AddSingleton<MetricsScrape>();
        services.AddSingleton<TelemetryExport>();
        services.AddSingleton<TraceChoice>();
        services.AddSingleton<SaleWatch>();
        if (options.JsonLogs)
        {
            services.AddLogging(logging => logging.AddJsonConsole(json =>
            {
                json.IncludeScopes = true;
                json.UseUtcTimestamp = true;
                json.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
            }));
        }
    }

    /// <summary>In front of everything, so that whatever happens to a request that is traced is in its trace. The order path pays for nothing else.</summary>
    public static void UseTraces(this WebApplication app)
    {
        var metrics = app.Services.GetRequiredService<SaleMetrics>();
        var clock = app.Services.GetRequiredService<LedgerClock>();
        metrics.Observe("flashsale.clock.offset", "s", "This machine's clock less the ledger's", () => [new Measurement<double>((-clock.Correction).TotalSeconds)]);
        var choice = app.Services.GetRequiredService<TraceChoice>();
        app.Use((context, next) => Traces.AreWanted && context.Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase) && TraceIds.Parent(context) is var parent && choice.Takes(parent)
            ? TraceAsync(context, parent, next)
            : next(context));
    }

    private static async Task TraceAsync(HttpContext context, System.Diagnostics.ActivityContext parent, RequestDelegate next)
    {
        var isOrder = Edge.RequestKinds.IsOrderCall(context.Request);
        using var span = Traces.StartRequest(isOrder ? "POST /api/v1/orders" : context.Request.Method, parent);
        if (span is null)
        {
            await next(context);
            return;
        }

        context.TraceIdentifier = span.TraceId.ToHexString();
        span.SetTag("http.request.method", context.Request.Method);
        await next(context);

        // Not the path: there are codes of coupons in some.
        var route = isOrder ? "/api/v1/orders" : (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText;
        if (route is not null)
        {
            span.DisplayName = $"{context.Request.Method} {route}";
            span.SetTag("http.route", route);
        }

        span.SetTag("http.response.status_code", context.Response.StatusCode);
        if (context.Response.StatusCode >= StatusCodes.Status500InternalServerError)
        {
            span.Fail(context.Response.StatusCode.ToString(CultureInfo.InvariantCulture));
        }
    }
}
