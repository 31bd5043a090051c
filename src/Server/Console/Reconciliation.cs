using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Storage;

namespace FlashSale.Server.Console;

/// <summary>What does not agree, in the language of the API and in Chinese.</summary>
/// <param name="OfferId">Null for what concerns the whole sale.</param>
public readonly record struct Violation(string? OfferId, string En, string Zh);

/// <summary>
/// Holds everything that is written about a sale against everything else: change log, stock rows, orders, coupons and payments from one snapshot of the
/// ledger, and the gate beside it.
/// </summary>
public sealed class Reconciliation(ILedger ledger, GateComparison comparison, TimeProvider time)
{
    public async Task<ReconciliationDocument> RunAsync(Sale sale, CancellationToken cancellation) => (await CheckAsync(sale, null, cancellation)).Document;

    /// <summary>The same, with the violations of the document in words.</summary>
    /// <param name="seen">Is shown each line of the snapshot; null for nobody.</param>
    public async Task<(ReconciliationDocument Document, IReadOnlyList<Violation> Violations)> CheckAsync(Sale sale, Action<ExportLine>? seen, CancellationToken cancellation)
    {
        var at = time.GetUtcNow();
        var tally = new ReconciliationTally();
        await foreach (var line in ledger.ExportAsync(sale.Id, cancellation))
        {
            tally.Add(line);
            seen?.Invoke(line);
        }

        var violations = tally.Violations(published: sale.Status != SaleStatus.Draft, [.. sale.Offers.Select(offer => offer.Id.ToString())]);
        var compared = await comparison.CompareAsync(sale, cancellation);
        foreach (var (stock, _) in compared.Where(offer => !offer.Agrees))
        {
            if (stock.Gate is { } gate)
            {
                violations.Add(new Violation(
                    stock.OfferId.ToString(),
                    $"Offer {stock.OfferId}: the gate has {gate.Stock} units and {gate.Pending} pending, the ledger has {stock.Available} available.",
                    $"优惠券 {stock.OfferId}：库存闸口有 {gate.Stock} 件、{gate.Pending} 件处理中，账本可用 {stock.Available} 件。"));
            }
            else if (SalePhases.Of(sale, anyAvailable: true, at) != SalePhase.Ended)
            {
                // A sale that is over is dropped from the gate in time.
                violations.Add(new Violation(stock.OfferId.ToString(), $"Offer {stock.OfferId} is not in the gate.", $"优惠券 {stock.OfferId} 不在库存闸口中。"));
            }
        }

        var gates = compared.ToDictionary(offer => offer.Stock.OfferId.ToString(), offer => offer.Stock.Gate);
        var document = new ReconciliationDocument(
            sale.Id.ToString(),
            at,
            [.. sale.Offers.Select(offer => offer.Id.ToString()).Select(offer => tally.Document(offer, gates.GetValueOrDefault(offer)))],
            [.. violations.Select(violation => violation.En)]);
        return (document, violations);
    }
}
