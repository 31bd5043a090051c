using FlashSale.Server.Hosting;

namespace FlashSale.Server.Storefront;

public static class StorefrontExtensions
{
    public static void AddStorefront(this IServiceCollection services) => services.AddSingleton<SaleDocuments>();

    /// <summary>What shoppers see: the public documents of the API, and the pages.</summary>
    public static void MapStorefront(this WebApplication app)
    {
        app.MapSales();
        if (app.Services.GetRequiredService<Settings>().Demo)
        {
            app.MapDemoSessions();
        }
    }
}
