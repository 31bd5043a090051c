using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Server.Hosting;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Console;

/// <summary>Whether a sale can open on this instance, and what is missing.</summary>
public sealed class SaleReadiness(
    ILedger ledger, WarmUp warmUp, GateBreaker breaker, GateComparison comparison, Readiness instance, LedgerClock clock, Books books, TimeProvider time)
{
    /// <summary>Every instance goes by the ledger's clock (<see cref="LedgerClock"/>); a machine that is this far off is worth a word all the same.</summary>
    private static readonly TimeSpan SkewMax = TimeSpan.FromMilliseconds(500);

    public async Task<ReadinessDocument> ReadAsync(Sale sale, CancellationToken cancellation)
    {
        List<string> reasons = [.. instance.Reasons()];
        var (warm, compared) = await AskGateAsync(sale, cancellation);
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

        if (breaker.State != "closed")
        {
            reasons.Add("The breaker of the gate is open: orders go to the ledger without it, at a bounded rate.");
        }

        reasons.AddRange(books.Violations(sale.Id));
        await clock.AdjustAsync(ledger, cancellation);
        var skew = clock.Correction;
        if (skew.Duration() > SkewMax)
        {
            reasons.Add($"This machine's clock is off by {-skew.TotalMilliseconds:0} ms, which is corrected here; set it right, for the logs.");
        }

        return new ReadinessDocument(
            sale.Id.ToString(),
            reasons.Count == 0,
            reasons,
            warm,
            [.. compared.Select(offer => Document(offer.Stock))],
            (long)skew.TotalMilliseconds,
            new Dictionary<string, string> { ["gate"] = breaker.State });
    }

    private async Task<(WarmUpDocument WarmUp, IReadOnlyList<(ComparedStock Stock, bool Agrees)> Compared)> AskGateAsync(Sale sale, CancellationToken cancellation)
    {
        try
        {
            return (await warmUp.DescribeAsync(sale, cancellation), await comparison.CompareAsync(sale, cancellation));
        }
        catch (GateUnavailableException exception)
        {
            return (new WarmUpDocument(sale.Id.ToString(), false, 0, sale.Offers.Count, 0, 0, null, "The gate cannot be asked: " + exception.Message), []);
        }
    }

    private static OfferReadiness Document(in ComparedStock stock) => new(
        stock.OfferId.ToString(), stock.Gate is not null, stock.Available, stock.Gate?.Stock ?? 0, stock.Gate?.Pending ?? 0, stock.Drift);
}
