using FlashSale.Core.Orders;
using FlashSale.Core.Sales;
using FlashSale.Server.Console.Views;
using FlashSale.Server.Telemetry;

namespace FlashSale.Server.Console.Pages;

/// <summary>What became of a sale, as a page that prints, and as CSV.</summary>
public static class ReportPages
{
    public static void MapReport(this PageMap pages)
    {
        pages.Get("/sales/{saleId}/report", PageMap.Anybody, async (visit, context) =>
            await MakeAsync(context) is { } report ? visit.Show<ReportPage>(report) : PageMap.NotFound(visit));
        pages.Get("/sales/{saleId}/report.csv", PageMap.Anybody, async (visit, context) =>
            await MakeAsync(context) is { } report
                ? await CsvFile.OfAsync(
                    visit,
                    $"sale-{report.Sale.Id}-report",
                    [visit.Texts.PartWord, visit.Texts.WhatWord, visit.Texts.Count],
                    Rows(report, visit.Texts).ToAsyncEnumerable(),
                    context.RequestAborted)
                : PageMap.NotFound(visit));
    }

    /// <summary>The steps from the page of the sale to a coupon that is redeemed.</summary>
    internal static IEnumerable<(string Step, long Count)> Funnel(SaleReportModel report, ConsoleTexts t) =>
    [
        (t.UnitsWord, report.Units),
        (t.Visits, report.Sums.Of(SaleStep.Visit)),
        .. report.Reservations.OrderBy(one => one.Key).Select(one => (t.ReservationsOf(one.Key), one.Value)),
        (t.TokensGiven, report.Sums.Of(SaleStep.Token)),
        (t.RequestsToOrder, report.Sums.Total),
        (t.OrdersPlacedWord, report.OrdersPlaced),
        (t.PaidInTheEnd, report.OrdersPaid),
        (t.CouponsRedeemed, report.Coupons.GetValueOrDefault("redeemed")),
    ];

    /// <summary>Null for a draft, of which there is nothing to report.</summary>
    private static async Task<SaleReportModel?> MakeAsync(HttpContext context)
    {
        var services = context.RequestServices;
        return await services.GetRequiredService<SaleDesk>().FindAsync((string)context.Request.RouteValues["saleId"]!, context.RequestAborted) is { Status: not SaleStatus.Draft } sale
            ? await services.GetRequiredService<SaleReport>().MakeAsync(sale, context.RequestAborted)
            : null;
    }

    private static IEnumerable<IReadOnlyList<object?>> Rows(SaleReportModel report, ConsoleTexts t)
    {
        IEnumerable<(string Part, string What, object? Value)> rows =
        [
            .. Funnel(report, t).Select(step => (t.FunnelTitle, step.Step, (object?)step.Count)),
            .. Enum.GetValues<OrderStatus>().Select(status => (t.OrdersByState, t.Order(status), (object?)report.OrdersIn(status))),
            .. new[] { 0.5, 0.9, 0.99, 0.999, 1 }.Select(part => (
                t.LatencyReport, t.Percent(part), (object?)(LatencyCounts.Quantile(report.Sums.Latency, part) is { } took ? t.Milliseconds(took.TotalMilliseconds) : null))),
            .. Enum.GetValues<ClientKind>().SelectMany(kind => new (string, string, object?)[]
            {
                (t.ClientsTitle, $"{t.Client(kind)}: {t.AskedWord}", report.Sums.Asked(kind)),
                (t.ClientsTitle, $"{t.Client(kind)}: {t.WonWord}", report.Sums.Placed(kind)),
            }),
            .. report.Bots.Select(one => (t.BotsTitle, t.DecisionReason(one.Kind.Reason), (object?)one.Count)),
            .. report.Refusals.Select(one => (t.RefusalsTitle, $"{t.LayerName(one.Kind.Layer)}: {t.DecisionReason(one.Kind.Reason)}", (object?)one.Count)),
            .. report.Unnamed.Select(one => (t.UnnamedTitle, $"{t.LayerName(one.Kind.Layer)}: {t.DecisionReason(one.Kind.Reason)}", (object?)one.Count)),
            .. report.SellThrough.SelectMany(point => new (string, string, object?)[]
            {
                (t.SellThroughTitle, $"{t.Seconds(point.After)}: {t.OrdersPlacedWord}", point.Placed),
                (t.SellThroughTitle, $"{t.Seconds(point.After)}: {t.PaidInTheEnd}", point.Paid),
            }),
            (t.VerdictTitle, report.Violations.Count == 0 ? t.VerdictGood : t.VerdictBad(report.Violations.Count), report.Violations.Count),
        ];
        return rows.Select(IReadOnlyList<object?> (row) => [row.Part, row.What, row.Value]);
    }
}
