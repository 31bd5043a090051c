using FlashSale.Server.Http;
using FlashSale.Storage;

namespace FlashSale.Server.Edge;

public static class EdgeExtensions
{
    public static void AddEdge(this IServiceCollection services, EdgeOptions options)
    {
        services.AddSingleton(options);
        services.AddSingleton<StoredAnswers>();
        services.AddSingleton<InFlightLimit>();
        services.AddSingleton<EdgeCounts>();
        services.AddSingleton<EdgeGates>();
        services.AddSingleton<EdgeState>();
        services.AddSingleton<LoadWatch>();
        services.AddHostedService(provider => provider.GetRequiredService<LoadWatch>());
    }

    /// <summary>The gates of the edge; their order stands in <see cref="EdgeGates.InvokeAsync"/>.</summary>
    public static void UseEdge(this IApplicationBuilder app)
    {
        var gates = app.ApplicationServices.GetRequiredService<EdgeGates>();
        app.Use((context, next) => gates.InvokeAsync(context, next));
    }

    /// <summary>What a gateway asks for (docs/gateway.md).</summary>
    public static void MapEdge(this IEndpointRouteBuilder app) =>
        app.MapGet("/edge/state", StateAsync).ExcludeFromDescription();

    private static async Task<IResult> StateAsync(HttpContext context, EdgeState state, KnownOrders knownOrders)
    {
        try
        {
            await knownOrders.RefreshAsync(context.RequestAborted);
        }
        catch (Exception exception) when (exception is LedgerUnavailableException or LedgerBusyException)
        {
            // What was known grows old and is left out; times and limits go on.
        }

        context.Response.Headers.CacheControl = "no-store";
        return Results.Bytes(state.Make(), "application/json");
    }
}
