using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Storage;

namespace FlashSale.Server.Console;

/// <summary>
/// Holds everything that is written about a sale against everything else: change log, stock rows, orders, coupons and payments from one snapshot of the
/// ledger, and the gate beside it.
/// </summary>
public sealed class Reconciliation(ILedger ledger, GateComparison comparison, TimeProvider time)
{
    public async Task<ReconciliationDocument> RunAsync(Sale sale, CancellationToken cancellation)
    {
        var at = time.GetUtcNow();
        var tally = new ReconciliationTally();
        await foreach (var line in ledger.ExportAsync(sale.Id, cancellation))
        {
            tally.Add(line);
        }

        var violations = tally.Violations(published: sale.Status != SaleStatus.Draft, [.. sale.Offers.Select(offer => offer.Id.ToString())]);
        var compared = await comparison.CompareAsync(sale, cancellation);
        foreach (var (stock, _) in compared.Where(offer => !offer.Agrees))
        {
            if (stock.Gate is { } gate)
            {
                violations.Add($"Offer {stock.OfferId}: the gate has {gate.Stock} units and {gate.Pending} pending, the ledger has {stock.Available} available.");
            }
            else if (SalePhases.Of(sale, anyAvailable: true, at) != SalePhase.Ended)
            {
                // A sale that is over is dropped from the gate in time.
                violations.Add($"Offer {stock.OfferId} is not in the gate.");
            }
        }

        var gates = compared.ToDictionary(offer => offer.Stock.OfferId.ToString(), offer => offer.Stock.Gate);
        return new ReconciliationDocument(
            sale.Id.ToString(),
            at,
            [.. sale.Offers.Select(offer => offer.Id.ToString()).Select(offer => tally.Document(offer, gates.GetValueOrDefault(offer)))],
            violations);
    }
}
