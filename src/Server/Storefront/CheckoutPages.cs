using System.Text;

using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Sales;
using FlashSale.Core.Tokens;
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
public sealed record CheckoutModel(LiveOffer Offer, string Token, bool TooEarly)
{
    public ContactForm Contact { get; init; } = ContactForm.Empty;

    /// <summary>How long the token is good.</summary>
    public DateTimeOffset Until { get; init; }

    /// <summary>The token is that of the page before, and so old enough.</summary>
    public bool Kept { get; init; }
}

/// <param name="Offer">Whose checkout is behind the challenge.</param>
public sealed record CheckoutChallengeModel(LiveOffer Offer, ChallengeModel Challenge);

/// <param name="Token">Null when another try with it cannot help.</param>
/// <param name="RetrySeconds">After which the script tries again by itself; null when only the shopper does.</param>
/// <param name="ToOrders">Their orders are the next thing to look at.</param>
/// <param name="ToCheckout">A new checkout is the next thing to try.</param>
public sealed record ResultModel(LiveOffer Offer, string Title, string Text, string? Token, int? RetrySeconds, bool ToOrders = false, bool ToCheckout = false)
{
    /// <summary>Where to ask whether the order was made, by itself after <see cref="RetrySeconds"/>; null when it is known that it was not.</summary>
    public string? ConfirmAt { get; init; }

    /// <summary>What the button says until it is pressed by itself, with <c>{n}</c> for the seconds; null: that there are too many people.</summary>
    public string? Waiting { get; init; }

    /// <summary>Goes along with the next try.</summary>
    public ContactForm Contact { get; init; } = ContactForm.Empty;
}

/// <summary>
/// The checkout asks for the order token when it is opened, before the click that orders. A click within the token's first second gets the page
/// again with the same token: the rule that tells bots from people (seed row 16) holds here as in the API, since a form that is posted at once orders
/// nothing, and a person only presses again.
/// </summary>
public static class CheckoutPages
{
    // Of the address of a live checkout: the token that its page had before the opening.
    public const string KeptField = "kept";

    /// <summary>So long a token is to be good after the opening, so that whoever waited for it can still order.</summary>
    public static readonly TimeSpan Spare = TimeSpan.FromMinutes(1);

    private const string Route = "/sales/{slug}/checkout/{offerId}";

    public static void MapCheckoutPages(this IEndpointRouteBuilder app, Language language)
    {
        app.MapGet(Route, (string slug, string offerId, HttpContext context, PublishedPages published, ShopperReader shoppers) =>
            shoppers.FindOffer(slug, offerId) is { } offer
                ? published.SendAsync(context, offer.Sale, () => published.CheckoutAsync(offer, language))
                : ProblemPages.Show(Visit.Begin(context, language), ProblemCode.NotFound, context).ExecuteAsync(context));
        app.MapGet(Route + "/now", (string slug, string offerId, HttpContext context, LiveCheckout checkout) =>
            checkout.OpenAsync(slug, offerId, Visit.Begin(context, language), context));
        app.MapPost(Route, (string slug, string offerId, HttpContext context, LiveCheckout checkout) =>
            checkout.SubmitAsync(slug, offerId, Visit.Begin(context, language), context));
    }

    /// <summary>Whether a token of before the opening is worth keeping.</summary>
    public static bool Lasts(LiveOffer offer, DateTimeOffset until, DateTimeOffset now) =>
        offer.Sale.Sale.OpensAt is var opensAt && now < opensAt ? until >= opensAt + Spare : until >= now + Spare / 2;

    public static string PathOf(LiveOffer offer) => $"{SalePages.PathOf(offer.Sale.Sale)}/checkout/{offer.Offer.Id}";
}

/// <summary>The checkout without script: its page, the form, and what became of it.</summary>
public sealed class LiveCheckout(
    ShopperReader shoppers, Callers callers, BarredOrigins barred, TokenIssuer issuer, OrderTokens tokens, TokenAges ages, PlaceOrder place, ILedger ledger, SaleMetrics metrics)
{
    // Of the page: the token whose order is not known to be made.
    private const string TokenField = "token";

    public async Task<IResult> OpenAsync(string slug, string offerId, Visit visit, HttpContext context)
    {
        if (shoppers.FindOffer(slug, offerId) is not { } offer)
        {
            return ProblemPages.Show(visit, ProblemCode.NotFound, context);
        }

        var page = Visit.LiveOf(CheckoutPages.PathOf(offer));
        if (visit.Session is not { } session)
        {
            return visit.SignIn(page);
        }

        var query = context.Request.Query;
        if (query.ContainsKey(TokenField) && await ConfirmAsync(offer, query[TokenField].ToString(), visit, context) is { } known)
        {
            return known;
        }

        if (barred.Find(context) is not null)
        {
            return Refuse(visit, offer, ProblemCode.NotEligible, null, context);
        }

        var facts = callers.Read(context, offer.Sale.Sale.Id, session.User, visit: null);
        if (query.ContainsKey(CheckoutPages.KeptField) && Keep(offer, query[CheckoutPages.KeptField].ToString(), facts.Device, visit) is { } kept)
        {
            return visit.Show<CheckoutPage>(kept);
        }

        // A challenge comes back in the address: the page may be loaded again, or in the other language, and is the checkout of the same order.
        var answer = await issuer.IssueAsync(offer, session.User, facts, ChallengeModel.SolutionOf(key => query[key]), byLink: true, context.RequestAborted);
        return answer switch
        {
            { Token: { } token } => visit.Show<CheckoutPage>(new CheckoutModel(offer, token.Token, TooEarly: false) { Until = token.ExpiresAt }),
            { Challenge: { } challenge } => visit.Show<ChallengePage>(
                new CheckoutChallengeModel(offer, new ChallengeModel(challenge, answer.Failed)),
                answer.Failed is null ? StatusCodes.Status200OK : StatusCodes.Status403Forbidden),
            _ => Refuse(visit, offer, answer.Problem!.Value, null, context),
        };
    }

    /// <summary>Each of them is counted as one request to order, whatever becomes of it.</summary>
    public async Task<IResult> SubmitAsync(string slug, string offerId, Visit visit, HttpContext context)
    {
        if (shoppers.FindOffer(slug, offerId) is not { } offer)
        {
            metrics.Decide(OrderDecision.TokenForUnknownOffer);
            return ProblemPages.Show(visit, ProblemCode.NotFound, context);
        }

        if (visit.Session is not { } session)
        {
            metrics.Decide(OrderDecision.Unauthenticated, offer.Sale.Sale.Id);
            return SessionPages.Refuse(visit, Visit.LiveOf(CheckoutPages.PathOf(offer)), context);
        }

        if (await Visit.ReadFormAsync(context) is not { } form)
        {
            metrics.Decide(OrderDecision.Malformed, offer.Sale.Sale.Id);
            return ProblemPages.Show(visit, ProblemCode.MalformedRequest, context);
        }

        var (token, contact) = (form[TokenField].ToString(), ContactForm.Of(form));
        var (decision, order) = await place.PlaceAsync(context, token, session.User);
        if (order is not null)
        {
            return visit.See("/orders/" + order.Id + await KeepAsync(contact, order, session.User));
        }

        return decision == OrderDecision.TokenTooYoung
            ? visit.Show<CheckoutPage>(new CheckoutModel(offer, token, TooEarly: true) { Contact = contact, Until = UntilOf(token, visit) })
            : Refuse(visit, offer, DecisionKind.Of(decision).Problem!.Value, token, context, contact);
    }

    /// <summary>The contact that came with the order. Whatever becomes of it, the order is made: its page asks again.</summary>
    /// <returns>What the page of the order is to say.</returns>
    private async Task<string> KeepAsync(ContactForm contact, Order order, UserId user)
    {
        if (contact.IsEmpty)
        {
            return "";
        }

        try
        {
            return contact.ToContact() is { } good && await ledger.KeepContactAsync(order.Id, user, good, CancellationToken.None) == ContactOutcome.Kept ? "" : "?done=contact-wrong";
        }
        catch (Exception exception) when (exception is LedgerUnavailableException or LedgerBusyException or LedgerOutcomeUnknownException)
        {
            return "?done=contact-wrong";
        }
    }

    /// <summary>
    /// What became of an order whose outcome was not known. Null for a token that says nothing here: then it is a checkout like any other. Nothing is held against whoever sends one that is no
    /// good, since a link on any site may.
    /// </summary>
    private async Task<IResult?> ConfirmAsync(LiveOffer offer, string text, Visit visit, HttpContext context)
    {
        if (tokens.Verify(Encoding.UTF8.GetBytes(text), visit.Session!.User, visit.Now, out var token) != TokenVerdict.Valid || token.OfferId != offer.Offer.Id)
        {
            return null;
        }

        return await shoppers.FindOrderAsync(token.OrderId.ToString(), visit, context.RequestAborted) is { } order
            ? visit.See("/orders/" + order.Id)
            : visit.Show<ResultPage>(Unknown(visit, offer, text));
    }

    /// <summary>
    /// The checkout again, with the token that it had before the opening. Null for a token that is no good here, or not for long: then there is another. Nothing more is asked than when it was given out, since every order is
    /// looked at anyway.
    /// </summary>
    private CheckoutModel? Keep(LiveOffer offer, string text, DeviceId device, Visit visit) =>
        tokens.Verify(Encoding.UTF8.GetBytes(text), visit.Session!.User, visit.Now, out var token) is TokenVerdict.Valid or TokenVerdict.TooYoung
        && token.OfferId == offer.Offer.Id
        && (token.Device == DeviceId.None || token.Device == device)
        && SalePhases.Of(offer.Sale.Sale, anyAvailable: true, visit.Now) != SalePhase.Ended
        && CheckoutPages.Lasts(offer, token.IssuedAt + ages.Maximum, visit.Now)
            ? new CheckoutModel(offer, text, TooEarly: false) { Until = token.IssuedAt + ages.Maximum, Kept = true }
            : null;

    private DateTimeOffset UntilOf(string text, Visit visit)
    {
        tokens.Verify(Encoding.UTF8.GetBytes(text), visit.Session!.User, visit.Now, out var token);
        return token.IssuedAt + ages.Maximum;
    }

    private static ResultModel Unknown(Visit visit, LiveOffer offer, string token) => new(offer, visit.Texts.Confirming, visit.Texts.ConfirmingText, token, RetrySeconds())
    {
        ConfirmAt = $"{Visit.LiveOf(CheckoutPages.PathOf(offer))}?{TokenField}={Uri.EscapeDataString(token)}",
    };

    private static IResult Refuse(Visit visit, LiveOffer offer, ProblemCode code, string? token, HttpContext context, ContactForm? contact = null)
    {
        var texts = visit.Texts;
        var kind = Problems.Of(code);
        var title = visit.Language == Language.Zh ? kind.TitleZh : kind.Title;
        var model = code switch
        {
            ProblemCode.SoldOut when offer.Holds => new ResultModel(offer, texts.Label(MainButton.Maybe), texts.MaybeText, token, null),
            ProblemCode.SoldOut => new ResultModel(offer, texts.Label(MainButton.SoldOut), texts.SoldOutText, null, null),
            ProblemCode.PurchaseLimitReached => new ResultModel(offer, title, texts.LimitText, null, null, ToOrders: true),
            ProblemCode.OutcomeUnknown or ProblemCode.InternalError when token is not null => Unknown(visit, offer, token),
            ProblemCode.SalePaused => new ResultModel(offer, texts.Label(MainButton.Paused), texts.PausedText, token, RetrySeconds()) { Waiting = texts.PausedRetry },
            ProblemCode.SaleNotOpen => new ResultModel(offer, title, texts.NothingWritten, token, RetrySeconds() + SecondsToOpening(visit, offer)) { Waiting = texts.NotOpenRetry },
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

        return visit.Show<ResultPage>(model with { Contact = contact ?? ContactForm.Empty }, kind.Status);
    }

    private static int SecondsToOpening(Visit visit, LiveOffer offer) => Math.Max(0, (int)Math.Ceiling((offer.Sale.Sale.OpensAt - visit.Now).TotalSeconds));

    /// <summary>Drawn anew each time, so that those who were turned away together do not come back together.</summary>
    private static int RetrySeconds() => Random.Shared.Next(2, 6);
}
