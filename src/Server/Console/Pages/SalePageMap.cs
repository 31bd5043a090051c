using FlashSale.Core.Sales;
using FlashSale.Server.Http;

namespace FlashSale.Server.Console.Pages;

/// <summary>Pages about one sale, which is found before they are asked; where there is none, there is no page.</summary>
public static class SalePageMap
{
    /// <param name="below">What stands behind the address of the sale, with a slash in front.</param>
    public static void GetSale(this PageMap pages, string below, Roles anyOf, Func<ConsoleVisit, Sale, HttpContext, Task<IResult>> show) =>
        pages.Get("/sales/{saleId}" + below, anyOf, async (visit, context) =>
            await FindAsync(context) is { } sale ? await show(visit, sale, context) : PageMap.NotFound(visit));

    public static void PostSale(this PageMap pages, string below, Roles anyOf, Func<ConsoleVisit, Sale, IFormCollection, HttpContext, Task<IResult>> act) =>
        pages.Post("/sales/{saleId}" + below, anyOf, async (visit, form, context) =>
            await FindAsync(context) is { } sale ? await act(visit, sale, form, context) : PageMap.NotFound(visit));

    /// <summary>As the ledger has it.</summary>
    private static Task<Sale?> FindAsync(HttpContext context) =>
        context.RequestServices.GetRequiredService<SaleDesk>().FindAsync(context.Request.RouteValues["saleId"] as string ?? "", context.RequestAborted);
}
