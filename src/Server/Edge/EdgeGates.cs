using FlashSale.Core;
using FlashSale.Core.RateLimits;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Server.Http;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

using Microsoft.AspNetCore.Http.Features;

namespace FlashSale.Server.Edge;

/// <summary>
/// Where nearly every request of a sale ends (design section 9): the gates, outermost first, each cheaper than what it protects. A refusal is bytes made
/// once; it costs no log line and, but for a request to order whose token must be known, reads no body.
/// </summary>
internal sealed class EdgeGates(
    EdgeOptions options,
    SaleCatalog catalog,
    KnownOrders knownOrders,
    IGate gate,
    IUserLimit userLimit,
    Sessions sessions,
    OrderSubmissions submissions,
    BarredOrigins barredOrigins,
    InFlightLimit inFlight,
    StoredAnswers stored,
    EdgeCounts counts,
    ConductLog conduct,
    Readiness readiness,
    TimeProvider time) : IDisposable
{
    /// <summary>What a request costs of the total: a page is rendered for its reader, and takes about as long as four of the others.</summary>
    private static readonly int[] Permits = [4, 1, 1, 1, 1];

    private readonly BorrowingRateLimiter total = new(LimitsDocument.Default.Total, TimeSpan.Zero, time);
    private readonly KeyedBuckets addresses = new(Limits.AddressesTracked);
    private readonly KeyedBuckets sales = new(Limits.SalesTracked);
    private volatile EdgeLimits limits = new(LimitsDocument.Default, time.TimestampFrequency);

    /// <summary>The gates, in their order. The first that refuses answers; what all let through goes on to its stage.</summary>
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var request = Arrive(context);
        try
        {
            var refusal = CheckFraming(request)
                ?? CheckReady(request)
                ?? CheckTotal(request)
                ?? CheckAddress(request);
            if (refusal is null && request.Stored is { } answer)
            {
                // The same for everybody, and sent in less time than it takes to ask who they are, or to say that there is no time: neither is asked.
                counts.AnsweredFromMemory();
                await answer.SendAsync(context);
                return;
            }

            refusal ??= await CheckUserAsync(request)
                ?? await ReadOrderAsync(request)
                ?? CheckSale(request)
                ?? CheckBarred(request)
                ?? CheckAnswersInMemory(request)
                ?? await AwaitBodyAsync(request)
                ?? Enter(request);
            await (refusal is null ? next(context) : RefuseAsync(request, refusal));
        }
        finally
        {
            if (request.HasEntered)
            {
                // What takes long by nature tells nothing: a report for an operator, a page that nobody waits for.
                inFlight.Leave(request.Kind == RequestKind.Essential ? null : time.GetElapsedTime(request.ArrivedAt));
            }
        }
    }

    public void Dispose() => total.Dispose();

    private EdgeRequest Arrive(HttpContext context)
    {
        if (!ReferenceEquals(limits.Document, catalog.Limits))
        {
            limits = new EdgeLimits(catalog.Limits, time.TimestampFrequency);
            total.Limit = catalog.Limits.Total;
        }

        var kind = RequestKinds.Of(context.Request);
        counts.Arrived(kind);
        return new EdgeRequest(context, kind, kind == RequestKind.Order && RequestKinds.IsOrderCall(context.Request), time.GetTimestamp())
        {
            Stored = kind == RequestKind.Page ? stored.Find(context.Request) : null,
        };
    }

    /// <summary>
    /// A body in another coding than chunked, or in that twice, is one that two readers might end at different places (RFC 9112, section 6.1): of what follows on the
    /// connection nobody could say whose it is.
    /// </summary>
    private static EdgeRefusal? CheckFraming(EdgeRequest request)
    {
        var coding = request.Context.Request.Headers.TransferEncoding;
        if (coding.Count == 0 || (coding.Count == 1 && string.Equals(coding[0], "chunked", StringComparison.OrdinalIgnoreCase)))
        {
            return null;
        }

        request.Context.Response.Headers.Connection = "close";
        return EdgeRefusal.Framing;
    }

    /// <summary>Before the sales are loaded none is known: to say that there is no such sale, or that a token is for none, would be untrue, and final.</summary>
    private EdgeRefusal? CheckReady(EdgeRequest request) => readiness.Warm || request.Kind == RequestKind.Essential ? null : EdgeRefusal.NotReady;

    /// <summary>All requests to this instance. Essential ones count, and are not refused.</summary>
    private EdgeRefusal? CheckTotal(EdgeRequest request)
    {
        if (!options.LimitsEnabled)
        {
            return null;
        }

        var wait = total.TryTake(request.Stored is null ? Permits[(int)request.Kind] : 1);
        return wait == TimeSpan.Zero || request.Kind == RequestKind.Essential ? null : EdgeRefusal.TotalLimit.For(wait);
    }

    private EdgeRefusal? CheckAddress(EdgeRequest request)
    {
        if (!options.LimitsEnabled)
        {
            return null;
        }

        var key = ClientAddress.LimitKey(ClientAddress.Of(request.Context, options.TrustedProxies));
        var (wait, halfEmpty) = addresses.Take(key, request.ArrivedAt, 1, limits.Address);
        request.IsBusyClient = halfEmpty;
        return wait == 0 ? null : EdgeRefusal.AddressLimit;
    }

    /// <summary>
    /// Signed-in users, by a session that was checked: nobody spends the permits of another. Whether there must be a session is the stage's question, but for a
    /// request to order.
    /// </summary>
    private ValueTask<EdgeRefusal?> CheckUserAsync(EdgeRequest request)
    {
        if (!sessions.TryRead(request.Context, out var session))
        {
            return new(request.IsOrderCall ? EdgeRefusal.Unauthenticated : null);
        }

        request.Session = session;
        request.Context.Features.Set(session);
        return options.LimitsEnabled && session.Roles == Roles.None ? TakeAsync(session.User, request.Context.RequestAborted) : default;
    }

    private ValueTask<EdgeRefusal?> TakeAsync(UserId user, CancellationToken aborted)
    {
        var taking = userLimit.TryTakeAsync(user, 1, limits.Document.User, aborted);
        return taking.IsCompletedSuccessfully ? new(OfWait(taking.Result)) : AwaitAsync(taking);

        static async ValueTask<EdgeRefusal?> AwaitAsync(ValueTask<TimeSpan> taking) => OfWait(await taking);

        static EdgeRefusal? OfWait(TimeSpan wait) => wait == TimeSpan.Zero ? null : EdgeRefusal.UserLimit.For(wait);
    }

    /// <summary>The body and the token of an order call.</summary>
    private async ValueTask<EdgeRefusal?> ReadOrderAsync(EdgeRequest request)
    {
        if (!request.IsOrderCall)
        {
            return null;
        }

        try
        {
            return Note(request, await submissions.ReadAsync(request.Context, request.Session!.User));
        }
        catch (Exception exception) when (exception is BadHttpRequestException or OperationCanceledException)
        {
            // A body that is none, or breaks off: counted here, or what arrived would be more than what was decided.
            counts.Broken();
            throw;
        }
    }

    private EdgeRefusal? Note(EdgeRequest request, OrderReading reading)
    {
        if (reading.Refusal is { } decision)
        {
            request.Sale = catalog.Find(reading.Token.SaleId);
            return new EdgeRefusal(EdgeReason.OrderRejected, reading.Problem, decision);
        }

        if (!catalog.TryFind(reading.Token.OfferId, out var offer) || offer.Sale.Sale.Id != reading.Token.SaleId)
        {
            return new EdgeRefusal(EdgeReason.OrderRejected, ProblemCode.OrderTokenRejected, OrderDecision.TokenForUnknownOffer);
        }

        request.Offer = offer;
        request.Sale = offer.Sale;
        request.Order = OrderSubmission.Within(Deadline.LeftOf(request.Context, options), reading.Token, time, request.ArrivedAt);
        request.Context.Features.Set(request.Order);
        return null;
    }

    /// <summary>Requests that want something of one sale, so that the crowd of one leaves the others alone.</summary>
    private EdgeRefusal? CheckSale(EdgeRequest request)
    {
        if (!options.LimitsEnabled || request.Kind is not (RequestKind.Token or RequestKind.Order))
        {
            return null;
        }

        request.Sale ??= SaleOfPath.Find(request.Context.Request.Path, catalog);
        return request.Sale is { } live && sales.Take((ulong)live.Sale.Id.Value, request.ArrivedAt, 1, limits.Sale).Wait != 0 ? EdgeRefusal.SaleLimit : null;
    }

    /// <summary>
    /// Whoever wants a reservation or an order token from a barred address, or with a barred device. Their session is good and the sale is there, so that others hear
    /// what they always hear; orders are the gate's to refuse, since one that is there already is told.
    /// </summary>
    private EdgeRefusal? CheckBarred(EdgeRequest request)
    {
        if (request.Session is null || !RequestKinds.AsksToTakePart(request.Context.Request))
        {
            return null;
        }

        var barred = barredOrigins.Find(request.Context);
        request.Sale ??= barred is null ? null : SaleOfPath.Find(request.Context.Request.Path, catalog);
        return request.Sale is null or { Sale.Status: SaleStatus.Draft } ? null
            : barred switch
            {
                OrderDecision.BarredAddress => EdgeRefusal.BarredAddress,
                OrderDecision.BarredDevice => EdgeRefusal.BarredDevice,
                _ => null,
            };
    }

    /// <summary>
    /// What is certain without asking anybody. Before the opening there are no orders. What is sold out, paused or over is refused here only for a gate on another
    /// machine, and only to a token that certainly has no order (invariant I3); a gate of this process knows as much, and comes next.
    /// </summary>
    private EdgeRefusal? CheckAnswersInMemory(EdgeRequest request)
    {
        if (request.Offer is not { } offer)
        {
            return null;
        }

        var phase = SalePhases.Of(offer.Sale.Sale, anyAvailable: true, time.GetUtcNow());
        if (phase is SalePhase.Scheduled or SalePhase.Reserving or SalePhase.Armed)
        {
            return EdgeRefusal.SaleNotOpen;
        }

        if (!gate.IsShared
            || !knownOrders.TryFind(offer.Offer.Id, out var known)
            || known.Orders.MayHave(request.Order!.Token.OrderId))
        {
            return null;
        }

        return phase switch
        {
            SalePhase.Paused => EdgeRefusal.SalePaused,
            // Not at once: an order that came in time may be on its way to the ledger.
            SalePhase.Ended when time.GetUtcNow() >= offer.Sale.Sale.ClosesAt + Limits.SaleEndedSettles => EdgeRefusal.SaleEnded,
            SalePhase.Open when known.Stock.Available == 0 => EdgeRefusal.SoldOut,
            _ => null,
        };
    }

    /// <summary>
    /// A body that comes slowly holds no place among the requests under way; only whoever has sent it all, or more than a form of ours has, asks for one.
    /// </summary>
    private static ValueTask<EdgeRefusal?> AwaitBodyAsync(EdgeRequest request)
    {
        var context = request.Context;
        return request.IsOrderCall || context.Features.Get<IHttpRequestBodyDetectionFeature>() is not { CanHaveBody: true } ? default : ReadAsync(context);

        static async ValueTask<EdgeRefusal?> ReadAsync(HttpContext context)
        {
            while (true)
            {
                var read = await context.ReadBodyAsync();
                if (read.IsCompleted || read.Buffer.Length > Limits.BodyBytesAwaited)
                {
                    // All of it is left to whoever it is for.
                    context.Request.BodyReader.AdvanceTo(read.Buffer.Start);
                    return null;
                }

                context.Request.BodyReader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            }
        }
    }

    private EdgeRefusal? Enter(EdgeRequest request)
    {
        if (MayWaitForDraw(request))
        {
            return null;
        }

        request.HasEntered = inFlight.TryEnter(limits.ShareOf(request.Kind, request.IsBusyClient));
        return request.HasEntered ? null : EdgeRefusal.Shed;
    }

    /// <summary>Who waits for a draw takes up no room among the requests under way, and its latency tells nothing: the draw room bounds them by itself.</summary>
    private bool MayWaitForDraw(EdgeRequest request) =>
        request.Kind == RequestKind.Order
        && (request.Sale ??= SaleOfPath.Find(request.Context.Request.Path, catalog)) is { } live
        && SalePhases.DrawIsOpen(live.Sale, time.GetUtcNow());

    private Task RefuseAsync(EdgeRequest request, EdgeRefusal refusal)
    {
        var context = request.Context;
        counts.Refused(request.Kind, refusal, request.Sale?.Sale.Id, context);
        if (refusal.Reason == EdgeReason.UserLimit)
        {
            conduct.Note(request.Session!.User, ConductKind.RateLimited);
        }

        if (limits.TryGetHeaders(refusal.Reason, out var headers))
        {
            context.Response.Headers["RateLimit-Policy"] = headers.Policy;
            context.Response.Headers["RateLimit"] = headers.Limit;
        }

        return refusal switch
        {
            { Problem: ProblemCode.SaleNotOpen } => context.WriteNotOpenAsync(request.Sale!.Sale.OpensAt, time.GetUtcNow()),
            { RetryAfter: { } wait } => context.WriteProblemAsync(refusal.Problem, wait),
            _ => context.WriteProblemAsync(refusal.Problem),
        };
    }
}
