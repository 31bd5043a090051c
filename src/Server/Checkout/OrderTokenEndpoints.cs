using FlashSale.Core;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;
using FlashSale.Core.Tokens;
using FlashSale.Core.Wire;
using FlashSale.Server.Http;
using FlashSale.Storage;

namespace FlashSale.Server.Checkout;

public static class OrderTokenEndpoints
{
    public static void MapOrderTokens(this IEndpointRouteBuilder app) =>
        app.MapPost("/api/v1/offers/{offerId}/order-tokens", IssueAsync)
            .RequireUser()
            .WithTags("Checkout")
            .WithSummary("Permission to submit one order, from 10 minutes before the opening")
            .Produces<OrderTokenDocument>(StatusCodes.Status201Created)
            .ProducesProblem(StatusCodes.Status403Forbidden)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status410Gone);

    private static async Task IssueAsync(string offerId, HttpContext context, TokenIssuer issuer, SaleCatalog catalog, TimeProvider time)
    {
        if (!OfferId.TryParse(offerId, out var id) || !catalog.TryFind(id, out var offer) || offer.Sale.Sale.Status == SaleStatus.Draft)
        {
            await context.WriteProblemAsync(ProblemCode.NotFound);
            return;
        }

        var (problem, token) = await issuer.IssueAsync(offer, context.GetSession().User, context.RequestAborted);
        if (problem == ProblemCode.NotEligible)
        {
            // The same bytes as from the edge and for an order, whoever it is that may not.
            await context.WriteProblemAsync(ProblemCode.NotEligible);
            return;
        }

        if (problem is { } code)
        {
            await context.WriteProblemAsync(code, new ProblemDetail { OpensAt = offer.Sale.Sale.OpensAt, ServerTime = time.GetUtcNow() });
            return;
        }

        await context.WriteDocumentAsync(StatusCodes.Status201Created, token!, WireJson.Default.OrderTokenDocument);
    }
}

/// <summary>Makes order tokens for those who may have one.</summary>
public sealed class TokenIssuer(OrderTokens tokens, TokenAges ages, EligibilityCheck eligibility, TimeProvider time)
{
    /// <summary>A token, or why there is none.</summary>
    public async Task<(ProblemCode? Problem, OrderTokenDocument? Token)> IssueAsync(LiveOffer offer, UserId user, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        var sale = offer.Sale.Sale;
        if (SalePhases.Of(sale, anyAvailable: true, now) == SalePhase.Ended)
        {
            return (ProblemCode.SaleEnded, null);
        }

        if (!SalePhases.TokensAreIssued(sale, now))
        {
            return (ProblemCode.SaleNotOpen, null);
        }

        return await eligibility.CheckAsync(sale, user, now, cancellation) switch
        {
            Eligibility.Eligible => (null, Make(offer, user, now)),
            Eligibility.NotReserved => (ProblemCode.NotReserved, null),
            Eligibility.NotEligible => (ProblemCode.NotEligible, null),
            _ => (ProblemCode.Overloaded, null),
        };
    }

    private OrderTokenDocument Make(LiveOffer offer, UserId user, DateTimeOffset now)
    {
        var token = tokens.Create(new OrderToken(now, OrderId.Create(now), offer.Sale.Sale.Id, offer.Offer.Id, user));
        return new OrderTokenDocument(token, now + ages.Minimum, now + ages.Maximum);
    }
}
