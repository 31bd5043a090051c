using System.Globalization;

using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Wire;
using FlashSale.Server.Hosting;
using FlashSale.Server.Http;
using FlashSale.Storage;

namespace FlashSale.Server.Console;

/// <summary>Orders of anybody, for operators (docs/order-desk.md).</summary>
public static class OrderDeskEndpoints
{
    public static void MapOrderDesk(this IEndpointRouteBuilder group)
    {
        group.MapGet("/orders", ListAsync)
            .RequireRole(Roles.Operator | Roles.Auditor)
            .WithSummary("Orders by user, sale, offer, status or id, newest first; a page may be short though more follow")
            .Produces<Page<OrderDocument>>()
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        group.MapGet("/orders/{orderId}", FindAsync)
            .RequireRole(Roles.Operator | Roles.Auditor)
            .WithSummary("An order, what happened to it and when, and what can be done to it")
            .Produces<OrderHistoryDocument>()
            .ProducesProblem(StatusCodes.Status404NotFound);
        group.MapPost("/orders/{orderId}/cancellation", CancelAsync)
            .WithSummary("Cancel an order that waits for its payment; its unit is available again")
            .TakesJson<ReasonRequest>()
            .Produces<OrderDocument>()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        group.MapPost("/orders/{orderId}/refund", RefundAsync)
            .WithSummary("Note that the money of an order went back; the coupon of a paid one is revoked, and its unit available again")
            .TakesJson<ReasonRequest>()
            .Produces<OrderDocument>()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task ListAsync(HttpContext context, OrderDesk desk, string? userId, string? saleId, string? offerId, string? status, string? orderId, string? cursor)
    {
        var errors = new Dictionary<string, string[]>();
        var user = Read<UserId>(errors, "userId", userId, UserId.TryParse);
        var sale = Read<SaleId>(errors, "saleId", saleId, (text, out id) => SaleId.TryParse(text, out id));
        var offer = Read<OfferId>(errors, "offerId", offerId, (text, out id) => OfferId.TryParse(text, out id));
        var order = Read<OrderId>(errors, "orderId", orderId, (text, out id) => OrderId.TryParse(text, out id));
        var state = Read<OrderStatus>(errors, "status", status, Words<OrderStatus>.ByWord.TryGetValue);
        var before = Read<long>(
            errors, "cursor", cursor, (text, out number) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number));
        if (errors.Count > 0)
        {
            await context.WriteInvalidFieldsAsync(errors);
            return;
        }

        var found = await desk.FindAsync(order, new OrderQuery(user, sale, offer, state, before), Limits.PageSize, context.RequestAborted);
        var page = new Page<OrderDocument>([.. found.Orders.Select(OrderDesk.Document)], found.Next?.ToString(CultureInfo.InvariantCulture));
        await context.WriteDocumentAsync(StatusCodes.Status200OK, page, WireJson.Default.PageOrderDocument);
    }

    private static async Task FindAsync(string orderId, HttpContext context, ILedger ledger) =>
        await (OrderId.TryParse(orderId, out var id) && await ledger.ReadOrderHistoryAsync(id, context.RequestAborted) is { } history
            ? context.WriteDocumentAsync(StatusCodes.Status200OK, OrderDesk.Document(history), WireJson.Default.OrderHistoryDocument)
            : context.WriteProblemAsync(ProblemCode.NotFound));

    private static async Task CancelAsync(string orderId, HttpContext context, OrderDesk desk)
    {
        if (await context.ReadReasonAsync() is not { } reason)
        {
            return;
        }

        var (outcome, order) = OrderId.TryParse(orderId, out var id)
            ? await desk.CancelAsync(id, context.ActorOf(reason))
            : (CancellationOutcome.NotFound, null);
        await (outcome switch
        {
            CancellationOutcome.Cancelled or CancellationOutcome.AlreadyCancelled => WriteAsync(context, order!),
            CancellationOutcome.NotCancellable => context.WriteProblemAsync(ProblemCode.OrderNotCancellable),
            _ => context.WriteProblemAsync(ProblemCode.NotFound),
        });
    }

    private static async Task RefundAsync(string orderId, HttpContext context, OrderDesk desk)
    {
        if (await context.ReadReasonAsync() is not { } reason)
        {
            return;
        }

        var (outcome, order) = OrderId.TryParse(orderId, out var id)
            ? await desk.RefundAsync(id, context.ActorOf(reason))
            : (RefundOutcome.NotFound, null);
        await (outcome switch
        {
            RefundOutcome.Refunded or RefundOutcome.AlreadyRefunded => WriteAsync(context, order!),
            RefundOutcome.NotPaid => RefuseAsync(context, "Nobody has paid for it."),
            RefundOutcome.Redeemed => RefuseAsync(context, "Its coupon was redeemed."),
            RefundOutcome.PaidLate => RefuseAsync(context, "It was paid after its unit had gone back once, and an order gives a unit back once only."),
            _ => context.WriteProblemAsync(ProblemCode.NotFound),
        });
    }

    private static Task RefuseAsync(HttpContext context, string why) =>
        context.WriteProblemAsync(ProblemCode.OrderNotRefundable, new ProblemDetail { Detail = why });

    private static Task WriteAsync(HttpContext context, Order order) =>
        context.WriteDocumentAsync(StatusCodes.Status200OK, OrderDesk.Document(order), WireJson.Default.OrderDocument);

    private delegate bool Reader<T>(string text, out T value);

    private static T? Read<T>(Dictionary<string, string[]> errors, string name, string? text, Reader<T> read)
        where T : struct
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        if (read(text, out var value))
        {
            return value;
        }

        errors[name] = [name == "cursor" ? "must be the nextCursor of an earlier answer" : "is not such a value"];
        return null;
    }
}
