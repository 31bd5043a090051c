using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Server.Console.Views;
using FlashSale.Server.Http;

namespace FlashSale.Server.Console.Pages;

public sealed record ReconciliationModel(Sale Sale, ReconciliationDocument Document, IReadOnlyList<Violation> Violations);

/// <summary>Do the books of a sale agree? Made when it is asked for, from one snapshot of the ledger.</summary>
public static class ReconciliationPages
{
    private const Roles Readers = Roles.Operator | Roles.Auditor;

    public static void MapReconciliation(this PageMap pages)
    {
        pages.Get("/sales/{saleId}/reconciliation", Readers, async (visit, context) =>
            await ReadAsync(context) is { } model ? visit.Show<ReconciliationPage>(model) : PageMap.NotFound(visit));
        pages.Get("/sales/{saleId}/reconciliation.csv", Readers, CsvAsync);
    }

    private static async Task<IResult> CsvAsync(ConsoleVisit visit, HttpContext context)
    {
        if (await ReadAsync(context) is not { } model)
        {
            return PageMap.NotFound(visit);
        }

        var t = visit.Texts;
        return await CsvFile.OfAsync(
            visit,
            $"reconciliation-{model.Sale.Id}",
            [
                t.OfferWord, t.TitleWord, t.StockInitialWord, t.StockAdjustmentsWord, t.AvailableWord, t.HeldWord, t.SoldWord, t.ChangesWord, t.OrdersHeldWord, t.PaidOrdersWord, t.CouponsWord,
                t.PaymentsPaidWord, t.GateStockWord, t.GatePendingWord, t.VerdictWord, t.TimeWord,
            ],
            Rows(t, model).ToAsyncEnumerable(),
            context.RequestAborted);
    }

    private static IEnumerable<IReadOnlyList<object?>> Rows(ConsoleTexts t, ReconciliationModel model)
    {
        foreach (var (offer, defined) in model.Document.Offers.Zip(model.Sale.Offers))
        {
            yield return
            [
                offer.OfferId, t.TitleOf(defined.Title), offer.Initial, offer.Adjustments, offer.Available, offer.Held, offer.Sold, offer.Changes, offer.OrdersHeld, offer.OrdersPaid,
                offer.Coupons, offer.PaymentsPaid, offer.GateStock, offer.GatePending,
                Verdict(t, [.. model.Violations.Where(violation => violation.OfferId == offer.OfferId)]), model.Document.At,
            ];
        }

        if (model.Violations.Where(violation => violation.OfferId is null).ToArray() is { Length: > 0 } whole)
        {
            yield return [t.SaleWord, t.TitleOf(model.Sale.Title), null, null, null, null, null, null, null, null, null, null, null, null, Verdict(t, whole), model.Document.At];
        }
    }

    private static string Verdict(ConsoleTexts t, Violation[] violations) => violations.Length == 0 ? t.Agrees : string.Join(" ", violations.Select(t.Words));

    private static async Task<ReconciliationModel?> ReadAsync(HttpContext context)
    {
        var services = context.RequestServices;
        if (await services.GetRequiredService<SaleDesk>().FindAsync((string)context.Request.RouteValues["saleId"]!, context.RequestAborted) is not { } sale)
        {
            return null;
        }

        var (document, violations) = await services.GetRequiredService<Reconciliation>().CheckAsync(sale, null, context.RequestAborted);
        return new ReconciliationModel(sale, document, violations);
    }
}
