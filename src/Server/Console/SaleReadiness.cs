using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Server.Hosting;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Console;

/// <summary>Whether a sale can open on this instance, and what is missing.</summary>
public sealed class SaleReadiness(
    ILedger ledger,
    WarmUp warmUp,
    SaleCatalog catalog,
    Breakers breakers,
    GateComparison comparison,
    Readiness instance,
    LedgerClock clock,
    Books books,
    TimeProvider time)
{
    /// <summary>Every instance goes by the ledger's clock (<see cref="LedgerClock"/>); a machine that is this far off is worth a word all the same.</summary>
    private static readonly TimeSpan SkewMax = TimeSpan.FromMilliseconds(500);

    /// <summary>What happens instead while a breaker is not closed.</summary>
    private static readonly Dictionary<string, string> Instead = new(StringComparer.Ordinal)
    {
        ["orders"] = "new orders are refused with ledger-unavailable",
        ["stock"] = "the stock shown is the last known",
        ["sales"] = "the sales are the last known",
        ["risk"] = "nobody is let in whom the gate does not know",
        ["payments"] = "payments are refused, to be tried again",
        ["profile"] = "reservations wait for their assessment",
        ["credit"] = "reservations wait for their assessment",
        ["limit"] = "each instance counts the requests of a user by itself",
        ["gate"] = "orders go to the ledger without it, at a bounded rate",
    };

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

        foreach (var breaker in breakers.Read().Where(breaker => breaker.Rejects && Instead.ContainsKey(breaker.Name)))
        {
            reasons.Add($"The breaker of the {breaker.Name} is open: {Instead[breaker.Name]}.");
        }

        reasons.AddRange(await NotAssessedAsync(sale, cancellation));
        reasons.AddRange(Stale(sale));
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
            breakers.Words());
    }

    /// <summary>Whoever is not assessed at the opening is not let in: when tokens are given out, it is time to look.</summary>
    private async Task<IReadOnlyList<string>> NotAssessedAsync(Sale sale, CancellationToken cancellation)
    {
        List<string> reasons = [];
        var backlog = (await ledger.CountAssessmentsAsync(cancellation)).FirstOrDefault(one => one.SaleId == sale.Id);
        if (backlog is { Dead: > 0 })
        {
            reasons.Add($"{backlog.Dead} reservations could not be assessed: see assessments?state=dead, and retry or decide them.");
        }

        if (backlog is { Waiting: > 0, Since: { } since } && time.GetUtcNow() >= sale.OpensAt - Limits.TokensBeforeOpening)
        {
            reasons.Add($"{backlog.Waiting} reservations wait for their assessment, the oldest since {since:u}.");
        }

        return reasons;
    }

    private IEnumerable<string> Stale(Sale sale)
    {
        var now = time.GetUtcNow();
        if (now - catalog.ConfirmedAt > Limits.StaleAfter)
        {
            yield return $"The sales are stale: they were last compared with the ledger at {catalog.ConfirmedAt:u}.";
        }

        if (catalog.Find(sale.Id)?.IsStale(now) == true)
        {
            yield return $"The stock is stale: it was not confirmed by the ledger for more than {Limits.StaleAfter.TotalSeconds:0} s.";
        }
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
