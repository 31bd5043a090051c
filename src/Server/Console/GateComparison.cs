using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Storage;

namespace FlashSale.Server.Console;

/// <summary>The gate's stock of an offer beside the ledger's.</summary>
/// <param name="Gate">Null when the offer is not loaded.</param>
public readonly record struct ComparedStock(OfferId OfferId, long Available, long Seq, GateStock? Gate)
{
    /// <summary>Gate stock + pending − ledger available.</summary>
    public long Drift => Gate is { } gate ? gate.Stock + gate.Pending - Available : 0;

    /// <summary>Equal, and nothing on its way.</summary>
    public bool IsSettled => Gate is { Pending: 0 } && Drift == 0;

    /// <summary>
    /// The gate is right about the stock that it knows of, and busy: orders come and go between the two readings, which differ by that alone.
    /// </summary>
    public bool MovedSince(in ComparedStock earlier) =>
        Gate is { } gate && earlier.Gate is { } before
        && gate.Seq > before.Seq
        && (gate.Seq != Seq || gate.LedgerAvailable == Available)
        && gate.Stock == Math.Max(0, gate.LedgerAvailable - gate.Pending);
}

/// <summary>
/// Compares gate and ledger. The two cannot be read at one instant, so what differs is read again before it is believed; what moves on meanwhile is at work.
/// </summary>
public sealed class GateComparison(ILedger ledger, IGate gate, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>Longer than the gate may hold a pending entry of a crashed instance, and a settlement on top (<see cref="Limits.GatePendingMax"/>).</summary>
    private static readonly int Attempts = (int)((Limits.GatePendingMax + (4 * Limits.SettleInterval)) / Pause);

    /// <summary>Every offer of the sale that has stock, with what is believed about it, and whether that is as it should be.</summary>
    /// <remarks>What is not in the gate does not come there by itself: for that alone nothing is read again.</remarks>
    public async Task<IReadOnlyList<(ComparedStock Stock, bool Agrees)>> CompareAsync(Sale sale, CancellationToken cancellation)
    {
        var first = await ReadAsync(sale, cancellation);
        var last = first;
        for (var attempt = 1; attempt < Attempts && last.Index().Any(stock => stock.Item.Gate is not null && !Agrees(stock)); attempt++)
        {
            await Task.Delay(Pause, time, cancellation);
            last = await ReadAsync(sale, cancellation);
        }

        return [.. last.Index().Select(stock => (stock.Item, Agrees(stock)))];

        bool Agrees((int At, ComparedStock Stock) one) => one.Stock.IsSettled || one.Stock.MovedSince(first[one.At]);
    }

    private async Task<IReadOnlyList<ComparedStock>> ReadAsync(Sale sale, CancellationToken cancellation)
    {
        List<ComparedStock> compared = [];
        var stocks = await ledger.ReadStockAsync([.. sale.Offers.Select(offer => offer.Id)], cancellation);
        foreach (var buckets in stocks.GroupBy(stock => stock.OfferId))
        {
            compared.Add(new ComparedStock(
                buckets.Key,
                buckets.Sum(bucket => bucket.Row.Available),
                buckets.Sum(bucket => bucket.Row.Seq),
                await gate.ReadAsync(buckets.Key, cancellation)));
        }

        return compared;
    }
}
