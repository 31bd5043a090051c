using FlashSale.Core;
using FlashSale.Core.Coupons;
using FlashSale.Core.Orders;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Payments;

/// <summary>Books what a payment provider reports, and tells the gate when a unit moved.</summary>
public sealed class PaymentDesk(ILedger ledger, Settlements settlements, SaleMetrics metrics)
{
    private const int CouponCodeTries = 3;

    public async Task<PaymentOutcome> CompleteAsync(PaymentId id, OrderId order, Money amount, bool paid)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                // Not cancelled with the request: once begun, the gate must learn of it.
                var (outcome, move) = await ledger.CompletePaymentAsync(id, order, amount, paid, CouponCode.Create(), CancellationToken.None);
                await TellAsync(outcome, move);
                return outcome;
            }
            catch (BatchRejectedException) when (attempt < CouponCodeTries)
            {
                // The code is taken, once in 2^55 / coupons: draw another.
            }
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
}
