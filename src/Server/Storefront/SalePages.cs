using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Server.Http;
using FlashSale.Server.Reservations;
using FlashSale.Server.Storefront.Views;
using FlashSale.Storage;

namespace FlashSale.Server.Storefront;

/// <param name="Problem">Why the form that was just sent did nothing; null otherwise.</param>
public sealed record SaleModel(LiveSale Live, Shopper Shopper, ProblemKind? Problem);

/// <summary>The list of sales, a sale, and the form that reserves.</summary>
public static class SalePages
{
    public static void MapSalePages(this IEndpointRouteBuilder app, Language language)
    {
        app.MapGet("/", (HttpContext context, SaleCatalog catalog) => List(Visit.Begin(context, language), catalog));
        app.MapGet("/sales/{slug}", (string slug, HttpContext context, ShopperReader shoppers) => ShowAsync(slug, Visit.Begin(context, language), shoppers, context));
        app.MapPost("/sales/{slug}/reservation", (string slug, HttpContext context, ShopperReader shoppers, ReservationDesk desk, BarredOrigins barred) =>
            ReserveAsync(slug, Visit.Begin(context, language), shoppers, desk, barred, context));
    }

    private static IResult List(Visit visit, SaleCatalog catalog) =>
        visit.Show<ListPage>((IReadOnlyList<LiveSale>)[.. SaleDocuments.Listed(catalog, visit.Now)]);

    private static async Task<IResult> ShowAsync(string slug, Visit visit, ShopperReader shoppers, HttpContext context) =>
        shoppers.FindSale(slug) is { } live
            ? visit.Show<SalePage>(new SaleModel(live, await shoppers.ReadAsync(live, visit, context.RequestAborted), null))
            : ProblemPages.Show(visit, ProblemCode.NotFound, context);

    private static async Task<IResult> ReserveAsync(string slug, Visit visit, ShopperReader shoppers, ReservationDesk desk, BarredOrigins barred, HttpContext context)
    {
        if (shoppers.FindSale(slug) is not { } live)
        {
            return ProblemPages.Show(visit, ProblemCode.NotFound, context);
        }

        var page = "/sales/" + live.Sale.Slug;
        if (visit.Session is not { } session)
        {
            return SessionPages.Refuse(visit, page, context);
        }

        var isBarred = barred.Find(context) is not null;
        if (!isBarred && (await desk.ReserveAsync(live.Sale, session.User, CallerFacts.Unknown, context.RequestAborted)).Reservation is not null)
        {
            return visit.See(page);
        }

        var problem = Problems.Of(isBarred ? ProblemCode.NotEligible : ProblemCode.ReservationsNotOpen);
        return visit.Show<SalePage>(new SaleModel(live, await shoppers.ReadAsync(live, visit, context.RequestAborted), problem), problem.Status);
    }
}

/// <summary>Reads what the pages must know of a shopper.</summary>
public sealed class ShopperReader(SaleCatalog catalog, ILedger ledger, EligibilityCheck check)
{
    /// <summary>Null for a draft too: nobody sees it here.</summary>
    public LiveSale? FindSale(string slug) => catalog.Find(slug) is { Sale.Status: not SaleStatus.Draft } live ? live : null;

    public async Task<Shopper> ReadAsync(LiveSale live, Visit visit, CancellationToken cancellation)
    {
        if (visit.Session is not { } session)
        {
            return Shopper.Stranger;
        }

        var sale = live.Sale;
        var reservation = sale.RequiresReservation ? await ledger.FindReservationAsync(sale.Id, session.User, cancellation) : null;
        var eligibility = SalePhases.TokensAreIssued(sale, visit.Now) ? await check.CheckAsync(sale, session.User, visit.Now, cancellation) : Eligibility.Unknown;
        var orders = await ledger.ListOrdersAsync(session.User, null, Limits.PageSize, cancellation);
        return new Shopper(true, reservation?.Status, eligibility, [.. orders.Where(order => order.SaleId == sale.Id)]);
    }

    /// <summary>The order, if it is the shopper's own.</summary>
    public async Task<Order?> FindOrderAsync(string orderId, Visit visit, CancellationToken cancellation) =>
        OrderId.TryParse(orderId, out var id) && await ledger.FindOrderAsync(id, cancellation) is { } order && order.UserId == visit.Session?.User
            ? order
            : null;

    public LiveOffer? FindOffer(OfferId id) => catalog.TryFind(id, out var offer) ? offer : null;
}
