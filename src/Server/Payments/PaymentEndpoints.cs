using System.Text.Json;

using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Wire;
using FlashSale.Server.Http;
using FlashSale.Storage;

namespace FlashSale.Server.Payments;

public static class PaymentEndpoints
{
    public static void MapPayments(this IEndpointRouteBuilder app)
    {
        app.MapPost("/api/v1/orders/{orderId}/payments", StartAsync)
            .RequireUser()
            .WithTags("Payments")
            .WithSummary("Start to pay a held order; asked again, the same payment")
            .Produces<PaymentDocument>(StatusCodes.Status201Created)
            .Produces<PaymentDocument>()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict);
        app.MapPost("/api/v1/payment-callbacks/sandbox", CallbackAsync)
            .WithTags("Payments")
            .WithSummary("The sandbox payment provider reports a payment")
            .Accepts<PaymentCallback>("application/json")
            .Produces(StatusCodes.Status204NoContent)
            .ProducesProblem(StatusCodes.Status401Unauthorized)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task StartAsync(string orderId, HttpContext context, ILedger ledger, TimeProvider time)
    {
        if (context.RequestServices.GetService<SandboxProvider>() is null)
        {
            await context.WriteProblemAsync(ProblemCode.OrderNotPayable, new ProblemDetail { Detail = "No payment provider is configured." });
            return;
        }

        var newId = PaymentId.Create(time.GetUtcNow());
        var started = OrderId.TryParse(orderId, out var id)
            ? await ledger.StartPaymentAsync(id, context.GetSession().User, newId, context.RequestAborted)
            : null;
        await (started switch
        {
            null => context.WriteProblemAsync(ProblemCode.NotFound),
            (_, null) => context.WriteProblemAsync(ProblemCode.OrderNotPayable),
            (_, { } payment) => context.WriteDocumentAsync(
                payment.Id == newId ? StatusCodes.Status201Created : StatusCodes.Status200OK,
                new PaymentDocument(payment.Id.ToString(), payment.Status, SandboxProvider.PayUrl(payment)),
                WireJson.Default.PaymentDocument),
        });
    }

    private static async Task CallbackAsync(HttpContext context, PaymentDesk desk)
    {
        if (context.RequestServices.GetService<SandboxProvider>() is not { } sandbox)
        {
            await context.WriteProblemAsync(ProblemCode.NotFound);
            return;
        }

        if (await context.ReadBytesAsync(Limits.OrderBodyBytes) is not { } body)
        {
            return;
        }

        // The signature comes first: nothing of an unsigned body is looked at.
        if (!sandbox.IsSigned(body, context.Request.Headers[SandboxProvider.SignatureHeader]))
        {
            await context.WriteProblemAsync(ProblemCode.SignatureRejected);
            return;
        }

        if (Read(body) is not { } callback)
        {
            await context.WriteProblemAsync(ProblemCode.MalformedRequest);
            return;
        }

        if (!PaymentId.TryParse(callback.PaymentId, out var payment)
            || !OrderId.TryParse(callback.OrderId, out var order)
            || callback.Status == PaymentStatus.Pending)
        {
            await context.WriteProblemAsync(ProblemCode.InvalidFields, InvalidCallback);
            return;
        }

        var outcome = await desk.CompleteAsync(payment, order, callback.Amount, callback.Status == PaymentStatus.Paid);
        switch (outcome)
        {
            case PaymentOutcome.WrongAmount:
                await context.WriteProblemAsync(ProblemCode.AmountMismatch);
                break;
            case PaymentOutcome.UnknownPayment:
                await context.WriteProblemAsync(ProblemCode.InvalidFields, InvalidCallback);
                break;
            default:
                context.Response.StatusCode = StatusCodes.Status204NoContent;
                break;
        }
    }

    private static readonly ProblemDetail InvalidCallback = new()
    {
        Errors = new Dictionary<string, string[]> { ["paymentId"] = ["no payment with this id and orderId; status must be paid or failed"] },
    };

    private static PaymentCallback? Read(byte[] body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, WireJson.Default.PaymentCallback);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
