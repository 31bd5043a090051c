using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Jobs;

/// <summary>Ends the orders whose time to pay has run out by the ledger's clock, in batches.</summary>
public sealed class ExpiryJob(
    ILedger ledger, Settlements settlements, SaleMetrics metrics, SaleWatch watch, Readiness readiness, Instance instance, TimeProvider time, ILogger<ExpiryJob> log)
    : LeasedJob("expiry", Limits.ExpiryInterval, ledger, instance, time, log)
{
    private readonly ILedger ledger = ledger;

    protected override async Task WorkAsync(CancellationToken stopping)
    {
        // The gate is loaded first: what expires before that would be missing from it.
        while (readiness.Warm)
        {
            var moves = await ledger.ExpireAsync(Limits.ExpiryBatch, stopping);
            foreach (var move in moves)
            {
                metrics.CountOrder(OrderStatus.Expired);
                await settlements.SettleAsync(move, stopping);
                if (move is { UserId: { } user, BarredUntil: { } until })
                {
                    await settlements.BarAsync(user, until, stopping);
                }
            }

            watch.NoteFirstPayBefore(await ledger.ReadFirstPayBeforeAsync(stopping));
            if (moves.Count < Limits.ExpiryBatch)
            {
                return;
            }
        }
    }

    protected override void Yield() => watch.NoteFirstPayBefore(null);
}
