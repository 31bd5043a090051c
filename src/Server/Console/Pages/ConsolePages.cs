using FlashSale.Server.Http;

namespace FlashSale.Server.Console.Pages;

/// <summary>The pages of the console, in every language.</summary>
public static class ConsolePages
{
    public static void MapConsolePages(this IEndpointRouteBuilder app)
    {
        app.MapGet(ConsoleFiles.Route + "{name}", (string name, HttpContext context, ConsoleFiles files) =>
        {
            if (files.Find(ConsoleFiles.Route + name) is not { } file)
            {
                return Results.NotFound();
            }

            context.Response.Headers.CacheControl = WebFile.Caching;
            context.Response.Headers.XContentTypeOptions = "nosniff";
            return Results.Bytes(file.Content, file.ContentType);
        }).ExcludeFromDescription();
        foreach (var language in ConsoleLanguage.All)
        {
            var pages = new PageMap(app, language);
            pages.MapSignIn();
            pages.MapSaleList();
            pages.MapDefinition();
            pages.MapPreview();
            pages.MapPublication();
            pages.MapReadiness();
            pages.MapSaleActionPages();
            pages.MapStockPages();
            pages.MapLive();
            pages.MapReport();
            pages.MapLimits();
            pages.MapRisk();
            pages.MapBlacklist();
            pages.MapOrders();
            pages.MapReconciliation();
            pages.MapAudit();
        }
    }
}
