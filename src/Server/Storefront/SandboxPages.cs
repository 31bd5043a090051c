using FlashSale.Core;
using FlashSale.Core.Wire;
using FlashSale.Server.Payments;
using FlashSale.Server.Storefront.Views;
using FlashSale.Storage;

namespace FlashSale.Server.Storefront;

/// <summary>
/// The page of the sandbox payment provider. It stands for another company's site: it knows payments, not shoppers, so it asks for no session, and what it
/// reports goes the way of every callback, signature check included.
/// </summary>
public static class SandboxPages
{
    private const string Route = "/sandbox/payments/{paymentId}";

    public static void MapSandboxPages(this IEndpointRouteBuilder app, Language language)
    {
        app.MapGet(Route, async (string paymentId, HttpContext context, ILedger ledger) =>
        {
            var visit = Visit.Begin(context, language);
            return await FindAsync(paymentId, ledger, context) is { } payment ? visit.Show<SandboxPage>(payment) : ProblemPages.Show(visit, ProblemCode.NotFound, context);
        });
        app.MapPost(Route, (string paymentId, HttpContext context, ILedger ledger, SandboxProvider sandbox, SandboxCallbacks callbacks) =>
            PayAsync(paymentId, Visit.Begin(context, language), ledger, sandbox, callbacks, context));
    }

    private static async Task<Payment?> FindAsync(string paymentId, ILedger ledger, HttpContext context) =>
        PaymentId.TryParse(paymentId, out var id) ? await ledger.FindPaymentAsync(id, context.RequestAborted) : null;

    private static async Task<IResult> PayAsync(
        string paymentId, Visit visit, ILedger ledger, SandboxProvider sandbox, SandboxCallbacks callbacks, HttpContext context)
    {
        if (await FindAsync(paymentId, ledger, context) is not { } payment)
        {
            return ProblemPages.Show(visit, ProblemCode.NotFound, context);
        }

        if (await Visit.ReadFormAsync(context) is not { } form || form["status"].ToString() is not ("paid" or "failed"))
        {
            return ProblemPages.Show(visit, ProblemCode.MalformedRequest, context);
        }

        var (body, signature) = sandbox.MakeCallback(payment, form["status"] == "paid");
        return await callbacks.BookAsync(body, signature) is { } problem
            ? ProblemPages.Show(visit, problem, context)
            : visit.See("/orders/" + payment.OrderId);
    }
}
