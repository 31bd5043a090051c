using FlashSale.Core.Wire;
using FlashSale.Server.Http;
using FlashSale.Server.Telemetry;

namespace FlashSale.Server.Edge;

public static class EdgeExtensions
{
    /// <summary>The gates of the edge, outermost first.</summary>
    public static void UseEdge(this IApplicationBuilder app, EdgeOptions options)
    {
        if (options.LimitsEnabled)
        {
            app.UseAddressLimit(options);
        }
    }

    private static void UseAddressLimit(this IApplicationBuilder app, EdgeOptions options)
    {
        var limit = new AddressLimit(options, app.ApplicationServices.GetRequiredService<TimeProvider>());
        var metrics = app.ApplicationServices.GetRequiredService<SaleMetrics>();
        app.Use((context, next) =>
        {
            if (limit.TryTake(ClientAddress.LimitKey(ClientAddress.Of(context, options.TrustedProxies))))
            {
                return next(context);
            }

            if (HttpMethods.IsPost(context.Request.Method) && context.Request.Path.Equals("/api/v1/orders", StringComparison.OrdinalIgnoreCase))
            {
                metrics.Decide(OrderDecision.RateLimited);
            }

            return context.WriteProblemAsync(ProblemCode.RateLimited);
        });
    }
}
