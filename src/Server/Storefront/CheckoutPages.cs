using FlashSale.Core.Wire;
using FlashSale.Server.Checkout;
using FlashSale.Server.Http;
using FlashSale.Server.Orders;
using FlashSale.Server.Storefront.Views;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Storefront;

/// <param name="Offer">What is ordered.</param>
/// <param name="Token">Made when the page was opened; the same one in every later try from it, so that it makes one order at most.</param>
/// <param name="TooEarly">The button was pressed before the token was old enough.</param>
public sealed record CheckoutModel(LiveOffer Offer, string Token, bool TooEarly);

/// <param name="Offer">Whose checkout is behind the challenge.</param>
public sealed record CheckoutChallengeModel(LiveOffer Offer, ChallengeModel Challenge);

/// <param name="Token">Null when another try with it cannot help.</param>
/// <param name="RetrySeconds">After which the script tries again by itself; null when only the shopper does.</param>
/// <param name="ToOrders">Their orders are the next thing to look at.</param>
/// <param name="ToCheckout">A new checkout is the next thing to try.</param>
public sealed record ResultModel(LiveOffer Offer, string Title, string Text, string? Token, int? RetrySeconds, bool ToOrders = false, bool ToCheckout = false);

/// <summary>
/// The checkout asks for the order token when it is opened, before the click that orders. A click within the token's first second gets the page
/// again with the same token: the rule that tells bots from people (seed row 16) holds here as in the API, since a form that is posted at once orders
/// nothing, and a person only presses again.
/// </summary>
public static class CheckoutPages
{
    private const string Route = "/sales/{slug}/checkout/{offerId}";

    public static void MapCheckoutPages(this IEndpointRouteBuilder app, Language language)
    {
        app.MapGet(Route, (string slug, string offerId, HttpContext context, ShopperReader shoppers, Callers callers, BarredOrigins barred, TokenIssuer issuer) =>
            OpenAsync(FindOffer(shoppers, slug, offerId), Visit.Begin(context, language), callers, barred, issuer, context));
        app.MapPost(Route, (string slug, string offerId, HttpContext context, ShopperReader shoppers, PlaceOrder place, SaleMetrics metrics) =>
            SubmitAsync(FindOffer(shoppers, slug, offerId), Visit.Begin(context, language), place, metrics, context));
    }

    public static string PathOf(LiveOffer offer) => $"/sales/{offer.Sale.Sale.Slug}/checkout/{offer.Offer.Id}";

    private static LiveOffer? FindOffer(ShopperReader shoppers, string slug, string offerId) =>
        shoppers.FindSale(slug)?.Offers.FirstOrDefault(offer => offer.Offer.Id.ToString() == offerId);

    private static async Task<IResult> OpenAsync(LiveOffer? offer, Visit visit, Callers callers, BarredOrigins barred, TokenIssuer issuer, HttpContext context)
    {
        if (offer is null)
        {
            return ProblemPages.Show(visit, ProblemCode.NotFound, context);
        }

        if (visit.Session is not { } session)
        {
            return visit.SignIn(PathOf(offer));
        }

        if (barred.Find(context) is not null)
        {
            return Refuse(visit, offer, ProblemCode.NotEligible, null, context);
        }

        // A challenge comes back in the address: the page may be loaded again, or in the other language, and is the checkout of the same order.
        var query = context.Request.Query;
        var facts = callers.Read(context, offer.Sale.Sale.Id, session.User, visit: null);
        var answer = await issuer.IssueAsync(offer, session.User, facts, ChallengeModel.SolutionOf(key => query[key]), byLink: true, context.RequestAborted);
        return answer switch
        {
            { Token: { } token } => visit.Show<CheckoutPage>(new CheckoutModel(offer, token.Token, TooEarly: false)),
            { Challenge: { } challenge } => visit.Show<ChallengePage>(
                new CheckoutChallengeModel(offer, new ChallengeModel(challenge, answer.Failed)),
                answer.Failed is null ? StatusCodes.Status200OK : StatusCodes.Status403Forbidden),
            _ => Refuse(visit, offer, answer.Problem!.Value, null, context),
        };
    }

    /// <summary>Each of them is counted as one request to order, whatever becomes of it.</summary>
    private static async Task<IResult> SubmitAsync(LiveOffer? offer, Visit visit, PlaceOrder place, SaleMetrics metrics, HttpContext context)
    {
        if (offer is null)
        {
            metrics.Decide(OrderDecision.TokenForUnknownOffer);
            return ProblemPages.Show(visit, ProblemCode.NotFound, context);
        }

        if (visit.Session is not { } session)
        {
            metrics.Decide(OrderDecision.Unauthenticated, offer.Sale.Sale.Id);
            return SessionPages.Refuse(visit, PathOf(offer), context);
        }

        if (await Visit.ReadFormAsync(context) is not { } form)
        {
            metrics.Decide(OrderDecision.Malformed, offer.Sale.Sale.Id);
            return ProblemPages.Show(visit, ProblemCode.MalformedRequest, context);
        }

        var token = form["token"].ToString();
        var (decision, order) = await place.PlaceAsync(context, token, session.User);
        if (order is not null)
        {
            return visit.See("/orders/" + order.Id);
        }

        return decision == OrderDecision.TokenTooYoung
            ? visit.Show<CheckoutPage>(new CheckoutModel(offer, token, TooEarly: true))
            : Refuse(visit, offer, DecisionKind.Of(decision).Problem!.Value, token, context);
    }

    private static IResult Refuse(Visit visit, LiveOffer offer, ProblemCode code, string? token, HttpContext context)
    {
        var texts = visit.Texts;
        var kind = Problems.Of(code);
        var title = visit.Language == Language.Zh ? kind.TitleZh : kind.Title;
        var model = code switch
        {
            ProblemCode.SoldOut when offer.Stock?.Held > 0 => new ResultModel(offer, texts.Label(MainButton.Maybe), texts.MaybeText, token, null),
            ProblemCode.SoldOut => new ResultModel(offer, texts.Label(MainButton.SoldOut), texts.SoldOutText, null, null),
            ProblemCode.PurchaseLimitReached => new ResultModel(offer, title, texts.LimitText, null, null, ToOrders: true),
            ProblemCode.OutcomeUnknown or ProblemCode.InternalError => new ResultModel(offer, texts.Confirming, texts.ConfirmingText, token, RetrySeconds()),
            ProblemCode.SalePaused => new ResultModel(offer, texts.Label(MainButton.Paused), texts.PausedText, token, RetrySeconds()),
            ProblemCode.SaleNotOpen => new ResultModel(offer, title, texts.NothingWritten, token, RetrySeconds()),
            ProblemCode.Overloaded or ProblemCode.LedgerUnavailable => new ResultModel(offer, title, texts.BusyText, token, RetrySeconds(), ToCheckout: token is null),
            ProblemCode.OrderTokenRejected => new ResultModel(offer, texts.CheckoutExpired, texts.CheckoutExpiredText, null, null, ToCheckout: true),
            ProblemCode.NotEligible => new ResultModel(offer, texts.Label(MainButton.NotEligible), texts.NothingWritten, null, null),
            ProblemCode.RateLimited => new ResultModel(offer, title, texts.TooManyText, null, null, ToCheckout: true),
            _ => new ResultModel(offer, title, texts.NothingWritten, null, null),
        };
        if (kind.Status is StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable)
        {
            context.Response.Headers.RetryAfter = (model.RetrySeconds ?? RetrySeconds()).ToString();
        }

        return visit.Show<ResultPage>(model, kind.Status);
    }

    /// <summary>Drawn anew each time, so that those who were turned away together do not come back together.</summary>
    private static int RetrySeconds() => Random.Shared.Next(2, 6);
}
