using System.Text.Encodings.Web;
using System.Text.Unicode;

using FlashSale.Server.Hosting;

namespace FlashSale.Server.Storefront;

public static class StorefrontExtensions
{
    public static void AddStorefront(this IServiceCollection services)
    {
        // Chinese as it is written, not as numbers: a third of the bytes. What has a meaning in HTML is encoded all the same.
        services.AddSingleton(HtmlEncoder.Create(UnicodeRanges.All));
        services.AddSingleton<SaleDocuments>();
        services.AddSingleton<DrawDocuments>();
        services.AddSingleton<ShopperReader>();
        services.AddSingleton<ReservationForm>();
        services.AddSingleton<SiteFiles>();
    }

    /// <summary>What shoppers see: the public documents of the API, and the pages in every language.</summary>
    public static void MapStorefront(this WebApplication app)
    {
        var settings = app.Services.GetRequiredService<Settings>();
        app.MapSales();
        app.MapVisits();
        if (settings.Demo)
        {
            app.MapDemoSessions();
        }

        foreach (var language in Language.All)
        {
            var pages = app.MapGroup(language.Prefix).ExcludeFromDescription();
            pages.MapSalePages(language);
            pages.MapCheckoutPages(language);
            pages.MapOrderPages(language);
            pages.MapSessionPages(language);
            pages.MapProblemPages(language);
            if (settings.SandboxSecret is not null)
            {
                pages.MapSandboxPages(language);
            }
        }
    }
}
