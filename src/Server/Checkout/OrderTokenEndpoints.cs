using FlashSale.Core;
using FlashSale.Core.Sales;
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
            .Accepts<AskRequest>(isOptional: true, "application/json")
            .Produces<OrderTokenDocument>(StatusCodes.Status201Created)
            .ProducesProblem(StatusCodes.Status403Forbidden)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status410Gone)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity)
            .ProducesProblem(StatusCodes.Status429TooManyRequests);

    private static async Task IssueAsync(string offerId, HttpContext context, TokenIssuer issuer, Callers callers, SaleCatalog catalog, TimeProvider time)
    {
        if (await context.ReadAskAsync() is not { } ask)
        {
            return;
        }

        if (!OfferId.TryParse(offerId, out var id) || !catalog.TryFind(id, out var offer) || offer.Sale.Sale.Status == SaleStatus.Draft)
        {
            await context.WriteProblemAsync(ProblemCode.NotFound);
            return;
        }

        var user = context.GetSession().User;
        var sale = offer.Sale.Sale;
        var answer = await issuer.IssueAsync(offer, user, callers.Read(context, sale.Id, user, ask.Visit), ask.Solution, byLink: false, context.RequestAborted);
        await (answer switch
        {
            { Token: { } token } => context.WriteDocumentAsync(StatusCodes.Status201Created, token, WireJson.Default.OrderTokenDocument),
            { Challenge: { } challenge } => context.WriteChallengeAsync(challenge, answer.Wait),
            { Problem: ProblemCode.SaleNotOpen } => context.WriteNotOpenAsync(sale.OpensAt, time.GetUtcNow()),
            { Wait.Ticks: > 0 } => context.WriteProblemAsync(answer.Problem!.Value, answer.Wait),
            // All the same bytes but for the trace id: they tell nothing of why somebody is not eligible.
            _ => context.WriteProblemAsync(answer.Problem!.Value),
        });
    }
}
