using System.Diagnostics;

using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Sales;
using FlashSale.Core.Tokens;
using FlashSale.Core.Wire;
using FlashSale.Server.Http;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Orders;

/// <summary>
/// What becomes of a request to order whose session and token are good: the draw, where the sale has one and it
/// is its time → admission → ledger writer. The first that refuses answers; what is past its deadline costs nothing more.
/// </summary>
public sealed class PlaceOrder(
    OrderSubmissions submissions,
    BarredOrigins barredOrigins,
    SaleCatalog catalog,
    Admission admission,
    ILedger ledger,
    LedgerWriter writer,
    DrawRoom draws,
    SaleMetrics metrics,
    TimeProvider time)
{
    /// <summary>The API's endpoint: <c>POST /api/v1/orders</c>. The edge has read the body.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        var submission = context.Features.Get<OrderSubmission>()
            ?? throw new InvalidOperationException("The edge, which reads the body, is not in front.");
        Traces.NoteSoFar(submission.Trace, "checks");
        var answer = await DecideAsync(Mark(context, submission));
        var (decision, order, offer) = answer;
        Decided(submission, decision, context.Request.Headers.Authorization.Count == 0 ? ClientKind.Page : ClientKind.Api);
        if (order is null)
        {
            await RefuseAsync(context, decision, offer);
            return;
        }

        context.Response.Headers.Location = "/api/v1/orders/" + order.Id;
        await context.WriteDocumentAsync(
            decision == OrderDecision.Placed ? StatusCodes.Status201Created : StatusCodes.Status200OK,
            OrderDocuments.Of(order),
            WireJson.Default.OrderDocument);
        RecordStages(submission, answer.Times, isReplied: true);
    }

    /// <summary>The same for the pages, where the token comes from a form.</summary>
    public async Task<(OrderDecision Decision, Order? Order)> PlaceAsync(HttpContext context, string? token, UserId user)
    {
        var reading = submissions.Verify(context, System.Text.Encoding.UTF8.GetBytes(token ?? ""), user);
        if (reading.Refusal is { } refusal)
        {
            metrics.Decide(refusal, catalog.Find(reading.Token.SaleId)?.Sale.Id);
            return (refusal, null);
        }

        var submission = OrderSubmission.Within(Limits.OrderDeadline, reading.Token, time);
        var answer = await DecideAsync(Mark(context, submission));
        Decided(submission, answer.Decision, ClientKind.Form);
        RecordStages(submission, answer.Times, isReplied: false);
        return (answer.Decision, answer.Order);
    }

    private void Decided(OrderSubmission submission, OrderDecision decision, ClientKind client)
    {
        metrics.Decide(decision, submission.Token.SaleId);
        metrics.Of(submission.Token.SaleId).Count(client, decision);
        if (submission.Trace is { } trace)
        {
            var (layer, outcome, reason, _) = DecisionKind.Of(decision);
            trace.SetTag("flashsale.sale", submission.Token.SaleId.ToString()).SetTag("flashsale.order", submission.Token.OrderId.ToString());
            trace.SetTag("flashsale.layer", layer).SetTag("flashsale.outcome", outcome).SetTag("flashsale.reason", reason);
        }
    }

    private void RecordStages(OrderSubmission submission, in OrderTimes times, bool isReplied)
    {
        if (times.CommittedAt == 0 || !metrics.IsCollected)
        {
            return;
        }

        ReadOnlySpan<TimeSpan> took =
        [
            time.GetElapsedTime(submission.ArrivedAt, times.AskedAt),
            time.GetElapsedTime(times.AskedAt, times.AdmittedAt),
            time.GetElapsedTime(times.AdmittedAt, times.TakenAt),
            time.GetElapsedTime(times.TakenAt, times.CommittedAt),
            time.GetElapsedTime(times.CommittedAt),
        ];
        metrics.RecordStages(isReplied ? took : took[..^1]);
    }

    private OrderSubmission Mark(HttpContext context, OrderSubmission submission) =>
        barredOrigins.Find(context) is { } why ? submission with { Barred = why } : submission;

    private ValueTask<OrderAnswer> DecideAsync(OrderSubmission submission)
    {
        var token = submission.Token;
        if (!catalog.TryFind(token.OfferId, out var offer) || offer.Sale.Sale.Id != token.SaleId)
        {
            return new(new OrderAnswer(OrderDecision.TokenForUnknownOffer));
        }

        if (time.GetTimestamp() > submission.Deadline)
        {
            return new(new OrderAnswer(OrderDecision.DeadlinePassed, Offer: offer));
        }

        return SalePhases.DrawIsOpen(offer.Sale.Sale, time.GetUtcNow()) ? draws.PlaceAsync(submission, offer, DecideNowAsync) : DecideNowAsync(submission, offer);
    }

    /// <summary>After a draw, with the sale as it is by then.</summary>
    private ValueTask<OrderAnswer> DecideNowAsync(OrderSubmission submission) =>
        catalog.TryFind(submission.Token.OfferId, out var offer) ? DecideNowAsync(submission, offer) : new(new OrderAnswer(OrderDecision.TokenForUnknownOffer));

    private async ValueTask<OrderAnswer> DecideNowAsync(OrderSubmission submission, LiveOffer offer)
    {
        var token = submission.Token;
        var request = new AdmissionRequest(token.SaleId, token.OfferId, token.OrderId, token.UserId, time.GetUtcNow()) { IsBarred = submission.Barred is not null };
        var askedAt = time.GetTimestamp();
        var admitted = await AdmitAsync(request, offer, submission.Trace);
        switch (admitted)
        {
            case AdmissionOutcome.Repeated:
                return await RepeatAsync(submission, offer);
            case AdmissionOutcome.Admitted or AdmissionOutcome.Standby:
                return await WriteAsync(submission, offer, admitted == AdmissionOutcome.Admitted, askedAt);
            case AdmissionOutcome.NotEligible when submission.Barred is { } why:
                return new OrderAnswer(why, Offer: offer);
            default:
                return new OrderAnswer(DecisionOf(admitted), Offer: offer);
        }
    }

    private async ValueTask<AdmissionOutcome> AdmitAsync(AdmissionRequest request, LiveOffer offer, Activity? trace)
    {
        using var span = Traces.StartWithin(trace, "gate");
        var outcome = await admission.AdmitAsync(request, offer);
        span?.SetTag("flashsale.admission", outcome.ToString());
        return outcome;
    }

    private async ValueTask<OrderAnswer> WriteAsync(OrderSubmission submission, LiveOffer offer, bool isAdmitted, long askedAt)
    {
        using var span = Traces.StartWithin(submission.Trace, "ledger");
        var admittedAt = time.GetTimestamp();
        var answer = await writer.SubmitAsync(Draft(submission.Token, offer), isAdmitted, submission.Deadline, span);
        return new OrderAnswer(answer.Decision, answer.Order, offer) { Times = new OrderTimes(askedAt, admittedAt, answer.TakenAt, answer.CommittedAt) };
    }

    /// <summary>An earlier request with this token is in the ledger, or on its way there: nobody is told that nothing was done before it is known.</summary>
    private async Task<OrderAnswer> RepeatAsync(OrderSubmission submission, LiveOffer offer)
    {
        try
        {
            if (await ledger.FindOrderAsync(submission.Token.OrderId, CancellationToken.None) is { } known)
            {
                return new OrderAnswer(OrderDecision.Repeated, known, offer);
            }
        }
        catch (Exception exception) when (exception is LedgerUnavailableException or LedgerBusyException)
        {
            return new OrderAnswer(OrderDecision.OutcomeUnknown, Offer: offer);
        }

        return await WriteAsync(submission, offer, isAdmitted: false, time.GetTimestamp());
    }

    private static OrderDraft Draft(in OrderToken token, LiveOffer offer)
    {
        var sale = offer.Sale.Sale;
        return new OrderDraft(token.OrderId, sale.Id, token.OfferId, token.UserId, offer.Offer.Price, offer.Offer.PerUserLimit, sale.PaymentWindow);
    }

    private static OrderDecision DecisionOf(AdmissionOutcome outcome) =>
        outcome switch
        {
            AdmissionOutcome.SaleNotOpen => OrderDecision.SaleNotOpen,
            AdmissionOutcome.SalePaused => OrderDecision.SalePaused,
            AdmissionOutcome.SaleEnded => OrderDecision.SaleEnded,
            AdmissionOutcome.NotReserved => OrderDecision.NotReserved,
            AdmissionOutcome.NotEligible => OrderDecision.NotEligible,
            AdmissionOutcome.LimitReached => OrderDecision.GateLimitReached,
            AdmissionOutcome.SoldOut => OrderDecision.GateSoldOut,
            AdmissionOutcome.Unavailable => OrderDecision.GateUnavailable,
            _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "Not a refusal."),
        };

    private Task RefuseAsync(HttpContext context, OrderDecision decision, LiveOffer? offer)
    {
        var problem = DecisionKind.Of(decision).Problem!.Value;
        return problem == ProblemCode.SaleNotOpen && offer is not null
            ? context.WriteNotOpenAsync(offer.Sale.Sale.OpensAt, time.GetUtcNow())
            : context.WriteProblemAsync(problem);
    }
}
