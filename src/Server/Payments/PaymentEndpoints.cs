using FlashSale.Core;
using FlashSale.Core.Wire;
using FlashSale.Server.Hosting;
using FlashSale.Server.Http;

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
            .TakesJson<PaymentCallback>()
            .Produces(StatusCodes.Status204NoContent)
            .ProducesProblem(StatusCodes.Status401Unauthorized)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task StartAsync(string orderId, HttpContext context, PaymentDesk desk, TimeProvider time)
    {
        if (context.RequestServices.GetService<SandboxProvider>() is null)
        {
            await context.WriteProblemAsync(ProblemCode.OrderNotPayable, new ProblemDetail { Detail = "No payment provider is configured." });
            return;
        }

        var newId = PaymentId.Create(time.GetUtcNow());
        var started = OrderId.TryParse(orderId, out var id)
            ? await desk.StartAsync(id, context.GetSession().User, newId)
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

    private static async Task CallbackAsync(HttpContext context, IServiceProvider services)
    {
        if (services.GetService<SandboxCallbacks>() is not { } callbacks)
        {
            await context.WriteProblemAsync(ProblemCode.NotFound);
            return;
        }

        if (await context.ReadBytesAsync(Limits.OrderBodyBytes) is not { } body)
        {
            return;
        }

        switch (await callbacks.BookAsync(body, context.Request.Headers[SandboxProvider.SignatureHeader]))
        {
            case null:
                context.Response.StatusCode = StatusCodes.Status204NoContent;
                break;
            case ProblemCode.InvalidFields:
                await context.WriteProblemAsync(ProblemCode.InvalidFields, InvalidCallback);
                break;
            case { } problem:
                await context.WriteProblemAsync(problem);
                break;
        }
    }

    private static readonly ProblemDetail InvalidCallback = new()
    {
        Errors = new Dictionary<string, string[]> { ["paymentId"] = ["no payment with this id and orderId; status must be paid or failed"] },
    };
}
