using System.Collections.ObjectModel;

using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Console;

/// <summary>Whether a sale can open on this instance, and what is missing.</summary>
public sealed class SaleReadiness(ILedger ledger, WarmUp warmUp, GateComparison comparison, Readiness instance, TimeProvider time)
{
    /// <summary>Order tokens are judged by this instance's clock and orders expire by the ledger's; half of a token's minimum age is near enough.</summary>
    private static readonly TimeSpan SkewMax = TimeSpan.FromMilliseconds(500);

    public async Task<ReadinessDocument> ReadAsync(Sale sale, CancellationToken cancellation)
    {
        var warm = warmUp.ResultOf(sale);
        var compared = await comparison.CompareAsync(sale, cancellation);
        var skew = await ReadSkewAsync(cancellation);
        List<string> reasons = [.. instance.Reasons()];
        if (sale.Status == SaleStatus.Draft)
        {
            reasons.Add("The sale is a draft.");
        }
        else if (SalePhases.Of(sale, anyAvailable: true, time.GetUtcNow()) == SalePhase.Ended)
        {
            reasons.Add("The sale is over.");
        }
        else if (!warm.Warm)
        {
            reasons.Add(warm.Problem ?? "The sale is not warm.");
        }

        foreach (var (stock, _) in compared.Where(offer => !offer.Agrees))
        {
            reasons.Add(stock.Gate is { } gate
                ? $"Offer {stock.OfferId}: the gate has {gate.Stock} units and {gate.Pending} pending, the ledger {stock.Available}."
                : $"Offer {stock.OfferId} is not in the gate.");
        }

        if (skew.Duration() > SkewMax)
        {
            reasons.Add($"The ledger's clock and this instance's differ by {skew.TotalMilliseconds:0} ms; {SkewMax.TotalMilliseconds:0} ms are allowed.");
        }

        return new ReadinessDocument(
            sale.Id.ToString(),
            reasons.Count == 0,
            reasons,
            warm,
            [.. compared.Select(offer => Document(offer.Stock))],
            (long)skew.TotalMilliseconds,
            ReadOnlyDictionary<string, string>.Empty);
    }

    /// <summary>The ledger's clock less this one's, which is read in the middle of the question and its answer.</summary>
    private async Task<TimeSpan> ReadSkewAsync(CancellationToken cancellation)
    {
        var asked = time.GetUtcNow();
        var clock = await ledger.ReadClockAsync(cancellation);
        return clock - (asked + ((time.GetUtcNow() - asked) / 2));
    }

    private static OfferReadiness Document(in ComparedStock stock) => new(
        stock.OfferId.ToString(), stock.Gate is not null, stock.Available, stock.Gate?.Stock ?? 0, stock.Gate?.Pending ?? 0, stock.Drift);
}
