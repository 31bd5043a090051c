using System.Collections.Concurrent;

using FlashSale.Core;
using FlashSale.Core.Coupons;
using FlashSale.Core.Orders;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Payments;

/// <summary>Starts payments, books what a provider reports, and tells the gate when a unit moved. A ledger that is away is not asked (<see cref="Breakers.Payments"/>).</summary>
/// <exception cref="LedgerUnavailableException">From any method: nothing was written.</exception>
/// <exception cref="LedgerOutcomeUnknownException">From any method: the same call again settles it.</exception>
public sealed class PaymentDesk(ILedger ledger, Settlements settlements, Breakers breakers, SaleMetrics metrics)
{
    private const int CouponCodeTries = 3;

    private readonly ConcurrentDictionary<PaymentReport, Lazy<Task<PaymentOutcome>>> booking = new();

    /// <summary>As <see cref="ILedger.StartPaymentAsync"/>.</summary>
    public Task<(bool Payable, Payment? Payment)?> StartAsync(OrderId order, UserId user, PaymentId newId) => breakers.Payments.WriteAsync(
        static all => all.ledger.StartPaymentAsync(all.order, all.user, all.newId, CancellationToken.None), (ledger, order, user, newId));

    /// <summary>
    /// Books what a provider reports. One that reports again because it was not answered in time waits for the report that is still being booked: a second transaction would
    /// hold a connection to wait for the rows of the first, and with many of them nothing would be booked any more.
    /// </summary>
    public Task<PaymentOutcome> CompleteAsync(PaymentId id, OrderId order, Money amount, bool paid)
    {
        var report = new PaymentReport(id, order, amount, paid);
        return booking.TryGetValue(report, out var underWay)
            ? breakers.Payments.JoinAsync(underWay.Value)
            : breakers.Payments.WriteAsync(
                static all => all.desk.booking.GetOrAdd(all.report, static (report, desk) => new(() => desk.BookAsync(report)), all.desk).Value, (desk: this, report));
    }

    /// <summary>When its caller has given up waiting, the gate learns of it all the same.</summary>
    private async Task<PaymentOutcome> BookAsync(PaymentReport report)
    {
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    var (outcome, move) = await ledger.CompletePaymentAsync(report.Id, report.Order, report.Amount, report.Paid, CouponCode.Create(), CancellationToken.None);
                    await TellAsync(outcome, move);
                    return outcome;
                }
                catch (BatchRejectedException) when (attempt < CouponCodeTries)
                {
                    // The code is taken, once in 2^55 / coupons: draw another.
                }
            }
        }
        finally
        {
            booking.TryRemove(report, out _);
        }
    }

    private async Task TellAsync(PaymentOutcome outcome, StockMove? move)
    {
        if (outcome is PaymentOutcome.Paid or PaymentOutcome.RefundDue)
        {
            metrics.CountOrder(outcome == PaymentOutcome.Paid ? OrderStatus.Paid : OrderStatus.RefundDue);
        }

        if (move is { } moved)
        {
            await settlements.SettleAsync(moved, CancellationToken.None);
        }
    }

    private readonly record struct PaymentReport(PaymentId Id, OrderId Order, Money Amount, bool Paid);
}
