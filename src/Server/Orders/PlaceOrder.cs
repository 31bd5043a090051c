using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;

using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Tokens;
using FlashSale.Core.Wire;
using FlashSale.Server.Http;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Orders;

/// <summary>
/// The way of one request to order: session → body → order token → admission → ledger writer. Each step is cheaper than the next, and the first that refuses
/// answers.
/// </summary>
public sealed class PlaceOrder(
    Sessions sessions,
    OrderTokens tokens,
    SaleCatalog catalog,
    Admission admission,
    ILedger ledger,
    LedgerWriter writer,
    SaleMetrics metrics,
    TimeProvider time)
{
    /// <summary>The API's endpoint: <c>POST /api/v1/orders</c>.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        if (!sessions.TryRead(context, out var session))
        {
            metrics.Decide(OrderDecision.Unauthenticated);
            await RefuseAsync(context, OrderDecision.Unauthenticated, null);
            return;
        }

        var (read, token) = await ReadTokenAsync(context, session.User);
        if (read is BodyReading.TooLarge or BodyReading.NotJson or BodyReading.Malformed)
        {
            metrics.Decide(OrderDecision.Malformed);
            await context.WriteProblemAsync(read switch
            {
                BodyReading.TooLarge => ProblemCode.BodyTooLarge,
                BodyReading.NotJson => ProblemCode.UnsupportedMediaType,
                _ => ProblemCode.MalformedRequest,
            });
            return;
        }

        var (decision, order, offer) = await DecideAsync(token);
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
    }

    /// <summary>The same for the pages, where the token comes from a form.</summary>
    public async Task<(OrderDecision Decision, Order? Order)> PlaceAsync(string? token, UserId user)
    {
        var (decision, order, _) = await DecideAsync(Verify(System.Text.Encoding.UTF8.GetBytes(token ?? ""), user));
        return (decision, order);
    }

    /// <summary>Decides, and counts the decision.</summary>
    private async ValueTask<(OrderDecision Decision, Order? Order, LiveOffer? Offer)> DecideAsync(TokenReading token)
    {
        var decided = token.Decision is { } rejected ? (rejected, null, null) : await DecideAsync(token.Token);
        metrics.Decide(decided.Decision);
        return decided;
    }

    private async ValueTask<(OrderDecision Decision, Order? Order, LiveOffer? Offer)> DecideAsync(OrderToken token)
    {
        if (!catalog.TryFind(token.OfferId, out var offer) || offer.Sale.Sale.Id != token.SaleId)
        {
            return (OrderDecision.TokenForUnknownOffer, null, null);
        }

        var request = new AdmissionRequest(token.SaleId, token.OfferId, token.OrderId, token.UserId, time.GetUtcNow());
        var admitted = await admission.AdmitAsync(request, offer);
        switch (admitted)
        {
            case AdmissionOutcome.Repeated:
                return await RepeatAsync(token, offer);
            case AdmissionOutcome.Admitted or AdmissionOutcome.Standby:
                var answer = await writer.SubmitAsync(Draft(token, offer), admitted == AdmissionOutcome.Admitted);
                return (answer.Decision, answer.Order, offer);
            default:
                return (DecisionOf(admitted), null, offer);
        }
    }

    /// <summary>An earlier request with this token is in the ledger, or on its way there: nobody is told that nothing was done before it is known.</summary>
    private async Task<(OrderDecision Decision, Order? Order, LiveOffer? Offer)> RepeatAsync(OrderToken token, LiveOffer offer)
    {
        try
        {
            if (await ledger.FindOrderAsync(token.OrderId, CancellationToken.None) is { } known)
            {
                return (OrderDecision.Repeated, known, offer);
            }
        }
        catch (Exception exception) when (exception is LedgerUnavailableException or LedgerBusyException)
        {
            return (OrderDecision.OutcomeUnknown, null, offer);
        }

        var answer = await writer.SubmitAsync(Draft(token, offer), admitted: false);
        return (answer.Decision, answer.Order, offer);
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
            ? context.WriteProblemAsync(problem, new ProblemDetail { OpensAt = offer.Sale.Sale.OpensAt, ServerTime = time.GetUtcNow() })
            : context.WriteProblemAsync(problem);
    }

    private enum BodyReading
    {
        Read,
        TooLarge,
        NotJson,
        Malformed,
    }

    private readonly record struct TokenReading(OrderDecision? Decision, OrderToken Token);

    private async ValueTask<(BodyReading Reading, TokenReading Token)> ReadTokenAsync(HttpContext context, UserId user)
    {
        var reader = context.Request.BodyReader;
        while (true)
        {
            var read = await context.ReadBodyAsync();
            if (read.Buffer.Length > Limits.OrderBodyBytes)
            {
                reader.AdvanceTo(read.Buffer.End);
                return (BodyReading.TooLarge, default);
            }

            if (read.IsCompleted)
            {
                var result = ReadToken(context, read.Buffer, user);
                reader.AdvanceTo(read.Buffer.End);
                return result;
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private (BodyReading Reading, TokenReading Token) ReadToken(HttpContext context, ReadOnlySequence<byte> body, UserId user)
    {
        if (body.IsEmpty)
        {
            return (BodyReading.Read, new TokenReading(OrderDecision.TokenMissing, default));
        }

        if (!RequestBody.IsJson(context.Request))
        {
            return (BodyReading.NotJson, default);
        }

        try
        {
            return ReadJson(body.IsSingleSegment ? body.FirstSpan : body.ToArray(), user) is { } token ? (BodyReading.Read, token) : (BodyReading.Malformed, default);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // Not JSON, or a name with half a surrogate pair in it.
            return (BodyReading.Malformed, default);
        }
    }

    /// <summary>Null when the body is JSON, but no object. Of several tokens the last one counts, as in any JSON object.</summary>
    private TokenReading? ReadJson(ReadOnlySpan<byte> body, UserId user)
    {
        // The reader takes what is in quotes as it comes.
        if (!Utf8.IsValid(body))
        {
            return null;
        }

        var json = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = Limits.JsonDepth });
        if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
        {
            return null;
        }

        var token = new TokenReading(OrderDecision.TokenMissing, default);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var isToken = json.ValueTextEquals("token"u8);
            json.Read();
            if (isToken)
            {
                token = json.TokenType == JsonTokenType.String && !json.ValueIsEscaped
                    ? Verify(json.ValueSpan, user)
                    : new TokenReading(OrderDecision.TokenMalformed, default);
            }

            json.Skip();
        }

        // Reads to the end, so that what follows the object is malformed.
        while (json.Read())
        {
        }

        return token;
    }

    private TokenReading Verify(ReadOnlySpan<byte> text, UserId user)
    {
        if (text.IsEmpty)
        {
            return new TokenReading(OrderDecision.TokenMissing, default);
        }

        var verdict = tokens.Verify(text, user, time.GetUtcNow(), out var token);
        return verdict == TokenVerdict.Valid ? new TokenReading(null, token) : new TokenReading(DecisionKind.Of(verdict), default);
    }
}
