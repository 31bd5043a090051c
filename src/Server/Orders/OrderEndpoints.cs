using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Wire;
using FlashSale.Server.Hosting;
using FlashSale.Server.Http;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Orders;

public static class OrderEndpoints
{
    public static void MapOrders(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/api/v1/orders").WithTags("Orders");
        // Resolved once: a request that is refused must not pay for a scope of services. It checks the session itself, to count what it refuses.
        var place = app.ServiceProvider.GetRequiredService<PlaceOrder>();
        group.MapPost("", (Delegate)((HttpContext context) => place.InvokeAsync(context)))
            .WithSummary("Submit an order with its token; the same token is always the same order")
            .TakesJson<PlaceOrderRequest>()
            .Produces<OrderDocument>(StatusCodes.Status201Created)
            .Produces<OrderDocument>()
            .ProducesProblem(StatusCodes.Status401Unauthorized)
            .ProducesProblem(StatusCodes.Status403Forbidden)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status410Gone)
            .ProducesProblem(StatusCodes.Status429TooManyRequests)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        group.MapGet("", ListAsync)
            .RequireUser()
            .WithSummary("The caller's orders, newest first")
            .Produces<Page<OrderDocument>>();
        group.MapGet("/{orderId}", FindAsync)
            .RequireUser()
            .WithSummary("One of the caller's orders")
            .Produces<OrderDocument>()
            .ProducesProblem(StatusCodes.Status404NotFound);
        group.MapPost("/{orderId}/cancellation", CancelAsync)
            .RequireUser()
            .WithSummary("Cancel an order that waits for its payment")
            .Produces<OrderDocument>()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict);
        group.MapPost("/{orderId}/extension", ExtendAsync)
            .RequireUser()
            .WithSummary("More time to pay an order, once")
            .Produces<OrderDocument>()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict);
        group.MapGet("/{orderId}/contact", FindContactAsync)
            .RequireUser()
            .WithSummary("How the dealer reaches the caller about an order")
            .Produces<OrderContact>()
            .ProducesProblem(StatusCodes.Status404NotFound);
        group.MapPut("/{orderId}/contact", KeepContactAsync)
            .RequireUser()
            .WithSummary("Say or change how the dealer reaches the caller about an order")
            .TakesJson<OrderContact>()
            .Produces<OrderContact>()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
    }

    /// <summary>A request to order that the edge let through goes straight to its stage: it is known what it is, and so nobody need ask for its route.</summary>
    public static void UseOrderCalls(this IApplicationBuilder app)
    {
        var place = app.ApplicationServices.GetRequiredService<PlaceOrder>();
        app.Use((context, next) => context.Features.Get<OrderSubmission>() is null ? next(context) : place.InvokeAsync(context));
    }

    private static async Task ListAsync(string? cursor, HttpContext context, ILedger ledger)
    {
        OrderId? before = null;
        if (cursor is not null)
        {
            if (!OrderId.TryParse(cursor, out var parsed))
            {
                await context.WriteInvalidFieldsAsync(new Dictionary<string, string[]> { ["cursor"] = ["must be the nextCursor of an earlier answer"] });
                return;
            }

            before = parsed;
        }

        var orders = await ledger.ListOrdersAsync(context.GetSession().User, before, Limits.PageSize + 1, context.RequestAborted);
        var page = new Page<OrderDocument>(
            [.. orders.Take(Limits.PageSize).Select(OrderDocuments.Of)],
            orders.Count > Limits.PageSize ? orders[Limits.PageSize - 1].Id.ToString() : null);
        await context.WriteDocumentAsync(StatusCodes.Status200OK, page, WireJson.Default.PageOrderDocument);
    }

    private static async Task FindAsync(string orderId, HttpContext context, ILedger ledger)
    {
        var order = OrderId.TryParse(orderId, out var id) ? await ledger.FindOrderAsync(id, context.RequestAborted) : null;
        await (order is null || order.UserId != context.GetSession().User
            ? context.WriteProblemAsync(ProblemCode.NotFound)
            : context.WriteDocumentAsync(StatusCodes.Status200OK, OrderDocuments.Of(order), WireJson.Default.OrderDocument));
    }

    private static async Task CancelAsync(string orderId, HttpContext context, CancelOrder cancel)
    {
        var (outcome, order) = OrderId.TryParse(orderId, out var id)
            ? await cancel.CancelAsync(id, context.GetSession().User)
            : (CancellationOutcome.NotFound, null);
        await (outcome switch
        {
            CancellationOutcome.Cancelled or CancellationOutcome.AlreadyCancelled =>
                context.WriteDocumentAsync(StatusCodes.Status200OK, OrderDocuments.Of(order!), WireJson.Default.OrderDocument),
            CancellationOutcome.NotCancellable => context.WriteProblemAsync(ProblemCode.OrderNotCancellable),
            _ => context.WriteProblemAsync(ProblemCode.NotFound),
        });
    }

    private static async Task ExtendAsync(string orderId, HttpContext context, ExtendOrder extend)
    {
        var (outcome, order) = OrderId.TryParse(orderId, out var id)
            ? await extend.ExtendAsync(id, context.GetSession().User)
            : (ExtensionOutcome.NotFound, null);
        await (outcome switch
        {
            ExtensionOutcome.Extended => context.WriteDocumentAsync(StatusCodes.Status200OK, OrderDocuments.Of(order!), WireJson.Default.OrderDocument),
            ExtensionOutcome.NotExtendable => context.WriteProblemAsync(ProblemCode.OrderNotExtendable),
            _ => context.WriteProblemAsync(ProblemCode.NotFound),
        });
    }

    private static async Task FindContactAsync(string orderId, HttpContext context, ILedger ledger)
    {
        var contact = OrderId.TryParse(orderId, out var id)
            ? await ledger.FindContactAsync(id, context.GetSession().User, context.RequestAborted)
            : null;
        await WriteContactAsync(context, contact);
    }

    private static async Task KeepContactAsync(string orderId, HttpContext context, ILedger ledger)
    {
        if (await context.ReadFieldsAsync(Limits.OrderBodyBytes, OrderContact.Read) is not { } contact)
        {
            return;
        }

        var outcome = OrderId.TryParse(orderId, out var id)
            ? await ledger.KeepContactAsync(id, context.GetSession().User, contact, CancellationToken.None)
            : ContactOutcome.NotFound;
        await (outcome == ContactOutcome.Closed
            ? context.WriteProblemAsync(ProblemCode.ContactClosed)
            : WriteContactAsync(context, outcome == ContactOutcome.Kept ? contact : null));
    }

    private static Task WriteContactAsync(HttpContext context, OrderContact? contact) => contact is null
        ? context.WriteProblemAsync(ProblemCode.NotFound)
        : context.WriteDocumentAsync(StatusCodes.Status200OK, contact, WireJson.Default.OrderContact);
}

/// <summary>Gives an order more time to be paid. Nothing is settled: the gate counts units, and the unit stays where it is.</summary>
public sealed class ExtendOrder(ILedger ledger)
{
    public Task<(ExtensionOutcome Outcome, Order? Order)> ExtendAsync(OrderId id, UserId user) => ledger.ExtendAsync(id, user, CancellationToken.None);

    /// <summary>For a page that shows the order; the ledger is asked only about one that is held.</summary>
    public async Task<bool> MayExtendAsync(Order order, DateTimeOffset now, CancellationToken cancellation) =>
        PaymentExtension.IsOpen(order, now) && !await ledger.WasExtendedAsync(order.Id, cancellation);
}

/// <summary>Cancels an order and gives its unit back.</summary>
public sealed class CancelOrder(ILedger ledger, Settlements settlements, SaleMetrics metrics, ConductLog conduct)
{
    public async Task<(CancellationOutcome Outcome, Order? Order)> CancelAsync(OrderId id, UserId user)
    {
        // Not cancelled with the request: once begun, the gate must learn of it.
        var (outcome, order, move) = await ledger.CancelAsync(id, user, CancellationToken.None);
        if (move is { } moved)
        {
            metrics.CountOrder(OrderStatus.Cancelled);
            conduct.Note(user, ConductKind.Cancelled);
            await settlements.SettleAsync(moved, CancellationToken.None);
        }

        return (outcome, order);
    }
}
