using System.Text.Encodings.Web;
using System.Text.Unicode;

using FlashSale.Server.Hosting;
using FlashSale.Server.Http;
using FlashSale.Server.Storefront.Publishing;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

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
        services.AddSingleton<LiveCheckout>();
        services.AddSingleton<SiteFiles>();
        services.AddSingleton<PublishedPages>();
        services.AddSingleton<SitePublication>();
        services.AddSingleton<SiteStatus>();
        services.AddSingleton<PublishedSite>();
        services.AddSingleton<SiteFolder>();
    }

    /// <summary>What pages refer to is answered from memory at the edge; what is not there may have been published a moment ago.</summary>
    public static void UseSiteFiles(this WebApplication app)
    {
        var site = app.Services.GetRequiredService<PublishedSite>();
        var answers = app.Services.GetRequiredService<StoredAnswers>();
        app.Use((context, next) => SitePaths.IsAsset(context.Request.Path.Value ?? "") ? SendLateAsync(context, next, site, answers) : next(context));
    }

    /// <summary>What shoppers see: the public documents of the API, and the pages in every language.</summary>
    public static void MapStorefront(this WebApplication app)
    {
        var settings = app.Services.GetRequiredService<Settings>();
        app.MapSales();
        app.MapVisits();
        app.MapMe();
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
            pages.MapDealerPages(language);
            pages.MapSessionPages(language);
            pages.MapProblemPages(language);
            if (settings.SandboxSecret is not null)
            {
                pages.MapSandboxPages(language);
            }
        }
    }

    private static async Task SendLateAsync(HttpContext context, RequestDelegate next, PublishedSite site, StoredAnswers answers)
    {
        try
        {
            await site.CatchUpAsync(context.RequestAborted);
        }
        catch (Exception exception) when (exception is LedgerUnavailableException or LedgerBusyException)
        {
            // Nobody can say whether there is such a file.
        }

        await (answers.Find(context.Request) is { } answer ? answer.SendAsync(context) : next(context));
    }
}
