using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Server.Console.Views;
using FlashSale.Storage;

namespace FlashSale.Server.Console.Pages;

/// <summary>A sale in the list.</summary>
/// <param name="Stock">With what operators added or took away.</param>
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
        var defined = sale.Offers.Sum(offer => (long)offer.Stock);
        var offers = catalog.Find(sale.Id)?.Offers;
        return new SaleLine(
            sale,
            document.Phase,
            offers?.Sum(offer => offer.Stock is { } row ? row.Initial + row.Adjustments : offer.Offer.Stock) ?? defined,
            offers?.Sum(offer => offer.Stock?.Available ?? offer.Offer.Stock) ?? defined);
    }
}
