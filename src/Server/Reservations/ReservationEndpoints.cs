using FlashSale.Core;
using FlashSale.Core.Reservations;
using FlashSale.Core.Risk;
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
            .Produces<ReservationDocument>(StatusCodes.Status201Created)
            .Produces<ReservationDocument>()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict);
        group.MapGet("/me", FindAsync)
            .WithSummary("The caller's reservation")
            .Produces<ReservationDocument>()
            .ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task ReserveAsync(string saleId, HttpContext context, SaleCatalog catalog, ReservationDesk desk, TimeProvider time)
    {
        if (!SaleId.TryParse(saleId, out var id) || catalog.Find(id) is not { Sale.Status: not SaleStatus.Draft } sale)
        {
            await context.WriteProblemAsync(ProblemCode.NotFound);
            return;
        }

        var (created, reservation) = await desk.ReserveAsync(sale.Sale, context.GetSession().User, CallerFacts.Unknown, context.RequestAborted);
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

/// <summary>Takes reservations; each is pending until it is assessed.</summary>
public sealed class ReservationDesk(ILedger ledger, AssessmentNews news, TimeProvider time)
{
    /// <summary>
    /// The user's reservation, new or as it was; null outside the reservation window, unless there is one already. A new one waits a moment for its assessment
    /// (<see cref="Limits.AssessmentPatience"/>) where that asks nobody who may be slow.
    /// </summary>
    public async Task<(bool Created, Reservation? Reservation)> ReserveAsync(Sale sale, UserId user, CallerFacts facts, CancellationToken cancellation)
    {
        if (await ledger.FindReservationAsync(sale.Id, user, cancellation) is { } known)
        {
            return (false, await AwaitAsync(known, cancellation));
        }

        var now = time.GetUtcNow();
        if (!SalePhases.ReservationsAreOpen(sale, now))
        {
            return (false, null);
        }

        var asked = new Reservation(Guid.CreateVersion7(now), sale.Id, user, ReservationStatus.Pending);
        using var expected = news.Expect(asked.Id);
        var (created, reservation) = await ledger.ReserveAsync(asked, EvidenceOf(facts), cancellation);
        return created
            ? (true, reservation with { Status = await expected.OutcomeAsync(cancellation) })
            : (false, await AwaitAsync(reservation, cancellation));
    }

    /// <summary>One that was made before, perhaps a moment ago.</summary>
    private async Task<Reservation> AwaitAsync(Reservation known, CancellationToken cancellation)
    {
        if (known.Status != ReservationStatus.Pending)
        {
            return known;
        }

        using var expected = news.Expect(known.Id);
        // It may have been decided before anybody listened.
        var now = await ledger.FindReservationAsync(known.SaleId, known.UserId, cancellation) ?? known;
        return now.Status == ReservationStatus.Pending ? now with { Status = await expected.OutcomeAsync(cancellation) } : now;
    }

    private static Evidence EvidenceOf(CallerFacts facts) => new(
        facts.Device.IsKnown ? facts.Device.ToString() : null, facts.DeviceSince, facts.Network, facts.VisitedAt, facts.AskedForChallenge, facts.SolvedChallenge);
}
