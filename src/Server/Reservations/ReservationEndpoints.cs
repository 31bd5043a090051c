using FlashSale.Core;
using FlashSale.Core.Reservations;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Server.Http;
using FlashSale.Storage;

namespace FlashSale.Server.Reservations;

public static class ReservationEndpoints
{
    public static void MapReservations(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/api/v1/sales/{saleId}/reservations").RequireUser().WithTags("Reservations");
        group.MapPost("", ReserveAsync)
            .WithSummary("Reserve a place in the sale; asked again, the same reservation")
            .Accepts<AskRequest>(isOptional: true, "application/json")
            .Produces<ReservationDocument>(StatusCodes.Status201Created)
            .Produces<ReservationDocument>()
            .ProducesProblem(StatusCodes.Status403Forbidden)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        group.MapGet("/me", FindAsync)
            .WithSummary("The caller's reservation")
            .Produces<ReservationDocument>()
            .ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task ReserveAsync(
        string saleId, HttpContext context, SaleCatalog catalog, Callers callers, CallerChecks checks, ReservationDesk desk, TimeProvider time)
    {
        if (await context.ReadAskAsync() is not { } ask)
        {
            return;
        }

        if (!SaleId.TryParse(saleId, out var id) || catalog.Find(id) is not { Sale.Status: not SaleStatus.Draft } sale)
        {
            await context.WriteProblemAsync(ProblemCode.NotFound);
            return;
        }

        var user = context.GetSession().User;
        var check = new CallerCheck(callers.Read(context, id, user, ask.Visit));
        if (SalePhases.ReservationsAreOpen(sale.Sale, time.GetUtcNow()))
        {
            check = checks.AtReservation(sale.Sale, user, check.Facts, ask.Solution);
        }

        if (check.Challenge is { } challenge)
        {
            await context.WriteChallengeAsync(challenge, check.Wait);
            return;
        }

        if (check.IsBarred)
        {
            await context.WriteProblemAsync(ProblemCode.NotEligible);
            return;
        }

        var (created, reservation) = await desk.ReserveAsync(sale.Sale, user, check.Facts, context.RequestAborted);
        if (reservation is null)
        {
            await context.WriteProblemAsync(
                ProblemCode.ReservationsNotOpen,
                new ProblemDetail { OpensAt = sale.Sale.ReservationOpensAt, ServerTime = time.GetUtcNow() });
            return;
        }

        await context.WriteDocumentAsync(created ? StatusCodes.Status201Created : StatusCodes.Status200OK, Document(reservation), WireJson.Default.ReservationDocument);
    }

    private static async Task FindAsync(string saleId, HttpContext context, ILedger ledger)
    {
        var reservation = SaleId.TryParse(saleId, out var id)
            ? await ledger.FindReservationAsync(id, context.GetSession().User, context.RequestAborted)
            : null;
        await (reservation is null
            ? context.WriteProblemAsync(ProblemCode.NotFound)
            : context.WriteDocumentAsync(StatusCodes.Status200OK, Document(reservation), WireJson.Default.ReservationDocument));
    }

    private static ReservationDocument Document(Reservation reservation) =>
        new(reservation.Id.ToString("N"), reservation.SaleId.ToString(), reservation.Status);
}
