using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
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
    /// <summary>Before the opening, and behind the last payment, that a sale is watched.</summary>
    private static readonly TimeSpan Around = TimeSpan.FromMinutes(30);

    /// <summary>Reports this old are still added up when the job begins: those of instances that were replaced.</summary>
    private static readonly TimeSpan Earlier = TimeSpan.FromDays(1);
    private const int EventsRead = 100;
    private const int EventsShown = 20;

    private readonly TimeProvider time = time;
    private DateTimeOffset? readUpTo;

    protected override async Task StepAsync(CancellationToken stopping)
    {
        var now = time.GetUtcNow();
        Sale[] sales = [.. catalog.Sales.Select(live => live.Sale).Where(sale => IsWatched(sale, now)).Take(Limits.SalesTracked)];
        var reports = await ledger.ReadReportsAsync(readUpTo ?? now - Earlier, stopping);
        var stocks = (await ledger.ReadStockAsync([.. sales.SelectMany(sale => sale.Offers).Select(offer => offer.Id)], stopping)).ToLookup(stock => stock.OfferId);
        var audit = sales.Length == 0 ? [] : await ledger.ListAuditAsync(null, EventsRead, stopping);
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

            readings.Add(new SaleReading(sale, SalePhases.Of(sale, offers.Any(offer => offer.Available > 0) || offers.Count == 0, time.GetUtcNow()), offers, EventsOf(sale, audit)));
        }

        board.Take(time.GetUtcNow(), reports, readings);
        readUpTo = reports.Count > 0 ? reports[0].At : readUpTo;
    }

    private static bool IsWatched(Sale sale, DateTimeOffset now) =>
        sale.Status != SaleStatus.Draft
        && now >= (sale.ReservationOpensAt ?? sale.OpensAt) - Around
        && now < sale.ClosesAt + sale.PaymentWindow + Around;

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

    private static LiveEventDocument[] EventsOf(Sale sale, IReadOnlyList<AuditDocument> audit)
    {
        HashSet<string> subjects = [$"sale/{sale.Id}", .. sale.Offers.Select(offer => $"offer/{offer.Id}")];
        return [.. audit.Where(entry => subjects.Contains(entry.Subject)).Take(EventsShown)
            .Select(entry => new LiveEventDocument(entry.At, entry.Actor, entry.Role, entry.Action, entry.Reason))];
    }
}
