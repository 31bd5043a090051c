using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Jobs;

/// <summary>
/// Reads what the live board shows: the reports of all instances, the units in ledger and gate, and the audit log. Every instance with the role <c>console</c> does so for
/// itself, whether anybody looks or not: whoever opens the board sees what was before.
/// </summary>
public sealed class LiveBoardJob(ILedger ledger, IGate gate, SaleCatalog catalog, LiveBoard board, TimeProvider time, ILogger<LiveBoardJob> log)
    : RepeatingJob(Limits.InstanceReportInterval, time, log)
{
    /// <summary>Reports this old are still added up when the job begins: those of instances that were replaced.</summary>
    private static readonly TimeSpan Earlier = TimeSpan.FromDays(1);
    private readonly TimeProvider time = time;
    private readonly LiveEvents events = new(ledger);
    private DateTimeOffset? readUpTo;

    protected override async Task StepAsync(CancellationToken stopping)
    {
        var now = time.GetUtcNow();
        Sale[] sales = [.. catalog.Sales.Select(live => live.Sale).Where(sale => LiveBoard.IsWatched(sale, now)).Take(Limits.SalesTracked)];
        var reports = await ledger.ReadReportsAsync(readUpTo ?? now - Earlier, stopping);
        var stocks = (await ledger.ReadStockAsync([.. sales.SelectMany(sale => sale.Offers).Select(offer => offer.Id)], stopping)).ToLookup(stock => stock.OfferId);
        await events.FollowAsync(sales, stopping);
        List<SaleReading> readings = [];
        foreach (var sale in sales)
        {
            List<OfferReading> offers = [];
            foreach (var offer in sale.Offers)
            {
                OfferStock[] buckets = [.. stocks[offer.Id]];
                if (buckets.Length > 0)
                {
                    offers.Add(new OfferReading(
                        offer,
                        buckets.Sum(bucket => bucket.Row.Initial + bucket.Row.Adjustments),
                        buckets.Sum(bucket => bucket.Row.Available),
                        buckets.Sum(bucket => bucket.Row.Held),
                        buckets.Sum(bucket => bucket.Row.Sold),
                        await ReadGateAsync(offer.Id, stopping)));
                }
            }

            readings.Add(new SaleReading(sale, SalePhases.Of(sale, offers.Any(offer => offer.Available > 0) || offers.Count == 0, time.GetUtcNow()), offers, events.Of(sale.Id)));
        }

        board.Take(time.GetUtcNow(), reports, readings);
        readUpTo = reports.Count > 0 ? reports[0].At : readUpTo;
    }

    private async Task<GateStock?> ReadGateAsync(OfferId offer, CancellationToken stopping)
    {
        try
        {
            return await gate.ReadAsync(offer, stopping);
        }
        catch (GateUnavailableException)
        {
            return null;
        }
    }
}
