using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Reservations;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Server.Http;
using FlashSale.Server.Reservations;
using FlashSale.Server.Storefront.Views;
using FlashSale.Storage;

namespace FlashSale.Server.Storefront;

/// <param name="Problem">Why the form that was just sent did nothing; null otherwise.</param>
/// <param name="Visit">The stamp of this visit, for whoever reserves.</param>
/// <param name="Challenge">To be solved with the reservation; null when it need not be, or is not known to.</param>
public sealed record SaleModel(LiveSale Live, Shopper Shopper, ProblemKind? Problem, string? Visit = null, ChallengeModel? Challenge = null);

/// <param name="Status">Of the reservation of whoever asks.</param>
public sealed record ReservationModel(LiveSale Live, ReservationStatus Status);

/// <summary>The list of sales and a sale, published and live, the form that reserves and what became of it.</summary>
public static class SalePages
{
    public static void MapSalePages(this IEndpointRouteBuilder app, Language language)
    {
        app.MapGet("/", (HttpContext context, PublishedPages published, SaleCatalog catalog, TimeProvider time) =>
            published.SendAsync(context, published.ListAsync(SaleDocuments.Listed(catalog, time.GetUtcNow()), language)));
        app.MapGet("/now", (HttpContext context, SaleCatalog catalog) => List(Visit.Begin(context, language), catalog));
        app.MapGet("/sales/{slug}", (string slug, HttpContext context, PublishedPages published, ShopperReader shoppers) =>
            shoppers.FindSale(slug) is { } live
                ? published.SendAsync(context, live, () => published.SaleAsync(live, language))
                : ProblemPages.Show(Visit.Begin(context, language), ProblemCode.NotFound, context).ExecuteAsync(context));
        app.MapGet("/sales/{slug}/now", (string slug, HttpContext context, ShopperReader shoppers, Callers callers, CallerChecks checks) =>
            ShowAsync(slug, Visit.Begin(context, language), shoppers, callers, checks, context));
        app.MapGet("/sales/{slug}/reservation", (string slug, HttpContext context, ShopperReader shoppers) =>
            ShowReservationAsync(slug, Visit.Begin(context, language), shoppers, context));
        app.MapPost("/sales/{slug}/reservation", (string slug, HttpContext context, ReservationForm form) =>
            form.SendAsync(slug, Visit.Begin(context, language), context));
    }

    public static string PathOf(Sale sale) => "/sales/" + sale.Slug;

    private static IResult List(Visit visit, SaleCatalog catalog) =>
        visit.Show<ListPage>((IReadOnlyList<LiveSale>)[.. SaleDocuments.Listed(catalog, visit.Now)]);

    private static async Task<IResult> ShowAsync(
        string slug, Visit visit, ShopperReader shoppers, Callers callers, CallerChecks checks, HttpContext context)
    {
        if (shoppers.FindSale(slug) is not { } live)
        {
            return ProblemPages.Show(visit, ProblemCode.NotFound, context);
        }

        var shopper = await shoppers.ReadAsync(live, visit, context.RequestAborted);
        return visit.Show<SalePage>(visit.Session is { } session && shopper.Reservation is null && SalePhases.ReservationsAreOpen(live.Sale, visit.Now)
            ? new SaleModel(live, shopper, null, callers.MakeVisit(live.Sale.Id, session.User), ChallengeModel.Of(checks.Offer(live.Sale, session.User)))
            : new SaleModel(live, shopper, null));
    }

    /// <summary>Where there is no reservation the sale says what can be done.</summary>
    private static async Task<IResult> ShowReservationAsync(string slug, Visit visit, ShopperReader shoppers, HttpContext context)
    {
        if (shoppers.FindSale(slug) is not { } live)
        {
            return ProblemPages.Show(visit, ProblemCode.NotFound, context);
        }

        if (visit.Session is not { } session)
        {
            return visit.SignIn(PathOf(live.Sale) + "/reservation");
        }

        return await shoppers.FindReservationAsync(live.Sale, session.User, context.RequestAborted) is { } reservation
            ? visit.Show<ReservationPage>(new ReservationModel(live, reservation.Status))
            : visit.See(Visit.LiveOf(PathOf(live.Sale)));
    }
}

/// <summary>The form that reserves.</summary>
public sealed class ReservationForm(ShopperReader shoppers, Callers callers, CallerChecks checks, BarredOrigins barred, ReservationDesk desk)
{
    public async Task<IResult> SendAsync(string slug, Visit visit, HttpContext context)
    {
        if (shoppers.FindSale(slug) is not { } live)
        {
            return ProblemPages.Show(visit, ProblemCode.NotFound, context);
        }

        var page = SalePages.PathOf(live.Sale);
        if (visit.Session is not { } session)
        {
            return SessionPages.Refuse(visit, Visit.LiveOf(page), context);
        }

        // A form without fields has no type: that of a client without stamps.
        var fields = context.Request.HasFormContentType ? await Visit.ReadFormAsync(context) : FormCollection.Empty;
        if (fields is null)
        {
            return ProblemPages.Show(visit, ProblemCode.MalformedRequest, context);
        }

        var check = new CallerCheck(callers.Read(context, live.Sale.Id, session.User, fields["visit"]));
        if (SalePhases.ReservationsAreOpen(live.Sale, visit.Now))
        {
            check = checks.AtReservation(live.Sale, session.User, check.Facts, ChallengeModel.SolutionOf(key => fields[key]));
        }

        if (check.Challenge is not null)
        {
            // The visit is as old as the page that was opened first.
            var stamp = check.Facts.VisitedAt is null ? callers.MakeVisit(live.Sale.Id, session.User) : fields["visit"].ToString();
            var model = new SaleModel(live, Shopper.Stranger, null, stamp, new ChallengeModel(check.Challenge, check.Failed));
            return await ShowAsync(live, visit, ProblemCode.ChallengeRequired, model, context);
        }

        if (check.IsBarred || barred.Find(context) is not null)
        {
            return await ShowAsync(live, visit, ProblemCode.NotEligible, new SaleModel(live, Shopper.Stranger, null), context);
        }

        var (_, reservation) = await desk.ReserveAsync(live.Sale, session.User, check.Facts, context.RequestAborted);
        return reservation is not null
            ? visit.See(page + "/reservation")
            : await ShowAsync(live, visit, ProblemCode.ReservationsNotOpen, new SaleModel(live, Shopper.Stranger, null), context);
    }

    private async Task<IResult> ShowAsync(LiveSale live, Visit visit, ProblemCode code, SaleModel model, HttpContext context)
    {
        var problem = Problems.Of(code);
        var shopper = await shoppers.ReadAsync(live, visit, context.RequestAborted);
        return visit.Show<SalePage>(model with { Shopper = shopper, Problem = problem }, problem.Status);
    }
}

/// <summary>Reads what the pages must know of a shopper.</summary>
public sealed class ShopperReader(SaleCatalog catalog, ILedger ledger, EligibilityCheck check)
{
    /// <summary>Null for a draft too: nobody sees it here.</summary>
    public LiveSale? FindSale(string slug) => catalog.Find(slug) is { Sale.Status: not SaleStatus.Draft } live ? live : null;

    public Task<Shopper> ReadAsync(LiveSale live, Visit visit, CancellationToken cancellation) => ReadAsync(live, visit.Session, visit.Now, cancellation);

    public async Task<Shopper> ReadAsync(LiveSale live, Session? session, DateTimeOffset now, CancellationToken cancellation)
    {
        if (session is null)
        {
            return Shopper.Stranger;
        }

        var sale = live.Sale;
        var reservation = await FindReservationAsync(sale, session.User, cancellation);
        var eligibility = SalePhases.TokensAreIssued(sale, now) ? await check.CheckAsync(sale, session.User, now, cancellation) : Eligibility.Unknown;
        var orders = await ledger.ListOrdersAsync(session.User, null, Limits.PageSize, cancellation);
        return new Shopper(true, reservation?.Status, eligibility, [.. orders.Where(order => order.SaleId == sale.Id)]);
    }

    /// <summary>Null also where the sale asks for none.</summary>
    public async Task<Reservation?> FindReservationAsync(Sale sale, UserId user, CancellationToken cancellation) =>
        sale.RequiresReservation ? await ledger.FindReservationAsync(sale.Id, user, cancellation) : null;

    /// <summary>The order, if it is the shopper's own.</summary>
    public async Task<Order?> FindOrderAsync(string orderId, Visit visit, CancellationToken cancellation) =>
        OrderId.TryParse(orderId, out var id) && await ledger.FindOrderAsync(id, cancellation) is { } order && order.UserId == visit.Session?.User
            ? order
            : null;

    public LiveOffer? FindOffer(string slug, string offerId) => FindSale(slug)?.Offers.FirstOrDefault(offer => offer.Offer.Id.ToString() == offerId);

    public LiveOffer? FindOffer(OfferId id) => catalog.TryFind(id, out var offer) ? offer : null;
}
