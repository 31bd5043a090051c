using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Server.Console.Views;
using FlashSale.Storage;

namespace FlashSale.Server.Console.Pages;

/// <summary>A sale in the list.</summary>
public sealed record SaleLine(Sale Sale, SalePhase Phase, long Stock, long Available);

/// <param name="More">There are sales that are over and not among them.</param>
public sealed record SaleListModel(IReadOnlyList<SaleLine> Sales, SaleTimeline Timeline, Crowding? Crowding, bool More);

/// <summary>The plan: the sales of these days side by side, and all of them in a table, those that run or come first.</summary>
public static class SaleListPages
{
    public static void MapSaleList(this PageMap pages) => pages.Get("/", PageMap.Anybody, ShowAsync);

    private static async Task<IResult> ShowAsync(ConsoleVisit visit, HttpContext context)
    {
        var ledger = context.RequestServices.GetRequiredService<ILedger>();
        var catalog = context.RequestServices.GetRequiredService<SaleCatalog>();
        var sales = await ledger.ListSalesAsync(context.RequestAborted);
        SaleLine[] lines =
        [
            .. sales.Select(sale => LineOf(sale, catalog, visit.Now))
                .OrderBy(line => line.Phase == SalePhase.Ended)
                .ThenBy(line => line.Phase == SalePhase.Ended ? -line.Sale.OpensAt.Ticks : line.Sale.OpensAt.Ticks),
        ];
        var shown = context.Request.Query.ContainsKey("all") ? lines.Length : Math.Max(Limits.PageSize, lines.Count(line => line.Phase != SalePhase.Ended));
        return visit.Show<SaleListPage>(new SaleListModel(
            [.. lines.Take(shown)], SaleTimeline.Of(lines, visit.Now), SaleTimeline.Crowded(sales, visit.Now), lines.Length > shown));
    }

    private static SaleLine LineOf(Sale sale, SaleCatalog catalog, DateTimeOffset now)
    {
        var document = catalog.Describe(sale, now);
        var stock = sale.Offers.Sum(offer => (long)offer.Stock);
        var available = catalog.Find(sale.Id)?.Offers.Sum(offer => offer.Stock?.Available ?? offer.Offer.Stock) ?? stock;
        return new SaleLine(sale, document.Phase, stock, available);
    }
}
