using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Storage;

namespace FlashSale.Server.Telemetry;

/// <summary>
/// Stock, drift and phase of the sales that are not over, as this instance last knew them: nothing is asked when somebody looks. Of the gate only the instance that
/// reconciles knows, and of overdue orders the one that ends them. Bounded by <see cref="Limits.SalesObserved"/> and <see cref="Limits.OffersObserved"/>,
/// but for what is oversold.
/// </summary>
public sealed class SaleWatch
{
    /// <summary>So long after the end of its time to pay a sale is looked at, as it is by reconciliation.</summary>
    private static readonly TimeSpan AfterTheEnd = TimeSpan.FromMinutes(10);
    private static readonly SalePhase[] Phases = [.. Enum.GetValues<SalePhase>().Where(phase => phase != SalePhase.Draft)];

    private readonly SaleCatalog catalog;
    private readonly WarmUp warmUp;
    private readonly TimeProvider time;
    private readonly ConcurrentDictionary<OfferId, Seen> inGate = new();
    private readonly ConcurrentDictionary<OfferId, long> oversold = new();
    private long firstPayBefore;

    public SaleWatch(SaleMetrics metrics, SaleCatalog catalog, WarmUp warmUp, TimeProvider time)
    {
        (this.catalog, this.warmUp, this.time) = (catalog, warmUp, time);
        metrics.SalesAtZero = () => Sales().Where(live => SalePhases.TokensAreIssued(live.Sale, time.GetUtcNow())).Select(live => live.Sale.Id).ToHashSet();
        metrics.Observe("flashsale.offer.units", "Units of an offer by where they are, in the ledger and in the gate, as this instance last knew them", ReadUnits);
        metrics.Observe("flashsale.offer.drift.units", "Units that gate and ledger differ by at the same sequence number", () => Of(Offers(), DriftOf));
        metrics.Observe("flashsale.offer.oversold.units", "Units held and sold beyond what there ever was; anything but 0 breaks the first promise", () =>
            Of(Sales().SelectMany(live => live.Offers).Where((offer, at) => at < Limits.OffersObserved || OversoldOf(offer) > 0), OversoldOf));
        metrics.Observe("flashsale.sale.phase", "1 for the phase that a sale is in, 0 for the others", ReadPhases);
        metrics.Observe("flashsale.sale.warm", "1 when the gate has the sale, as far as this instance knows", () => Sales().Select(live => Of(IsWarm(live) ? 1L : 0L, live)));
        metrics.Observe("flashsale.sale.opens_in", "s", "Until the opening of a sale; negative after it", () =>
            Sales().Select(live => Of((live.Sale.OpensAt - time.GetUtcNow()).TotalSeconds, live)));
        metrics.Observe("flashsale.expiry.overdue", "s", "How long the oldest held order is past its time to pay, as the instance that ends them saw it; 0 for none", () =>
            [new Measurement<double>(Overdue.TotalSeconds)]);
    }

    /// <summary>What reconciliation has just found. Later than <see cref="Limits.GateSeenFor"/> it is no longer said.</summary>
    /// <param name="drift">0 where gate and ledger were not seen at the same sequence number.</param>
    public void NoteGate(OfferId offer, in GateStock stock, long drift) => inGate[offer] = new Seen(stock, drift, time.GetTimestamp());

    /// <summary>The change log of an offer comes to less than nothing; 0 when it does not any more.</summary>
    public void NoteOversold(OfferId offer, long units)
    {
        if (units > 0)
        {
            oversold[offer] = units;
        }
        else
        {
            oversold.TryRemove(offer, out _);
        }
    }

    /// <summary>As it was noted.</summary>
    public long OversoldOf(OfferId offer) => oversold.GetValueOrDefault(offer);

    /// <summary>Until when the first of the held orders can be paid; null for none, and when another instance ends them.</summary>
    public void NoteFirstPayBefore(DateTimeOffset? payBefore) => Interlocked.Exchange(ref firstPayBefore, payBefore?.UtcTicks ?? 0);

    /// <summary>It grows by itself: whoever is stuck need not say so.</summary>
    public TimeSpan Overdue
    {
        get
        {
            var first = Interlocked.Read(ref firstPayBefore);
            var late = time.GetUtcNow().UtcTicks - first;
            return first != 0 && late > 0 ? TimeSpan.FromTicks(late) : TimeSpan.Zero;
        }
    }

    private IEnumerable<LiveSale> Sales()
    {
        var now = time.GetUtcNow();
        return catalog.Sales
            .Where(live => live.Sale.Status != SaleStatus.Draft && now < live.Sale.ClosesAt + live.Sale.PaymentWindow + AfterTheEnd)
            .Take(Limits.SalesObserved);
    }

    private IEnumerable<LiveOffer> Offers() => Sales().SelectMany(live => live.Offers).Take(Limits.OffersObserved);

    private IEnumerable<Measurement<long>> ReadUnits()
    {
        foreach (var offer in Offers())
        {
            if (offer.Stock is { } row)
            {
                yield return Of(row.Available, offer, "ledger_available");
                yield return Of(row.Held, offer, "ledger_held");
                yield return Of(row.Sold, offer, "ledger_sold");
            }

            if (SeenOf(offer) is { } seen)
            {
                yield return Of(seen.Stock.Stock, offer, "gate_stock");
                yield return Of(seen.Stock.Pending, offer, "gate_pending");
            }
        }
    }

    private IEnumerable<Measurement<long>> ReadPhases()
    {
        var now = time.GetUtcNow();
        foreach (var live in Sales())
        {
            var current = live.PhaseAt(now);
            foreach (var phase in Phases)
            {
                yield return new Measurement<long>(phase == current ? 1 : 0, new("sale", live.Sale.Id.ToString()), new("phase", phase.Word()));
            }
        }
    }

    private static IEnumerable<Measurement<long>> Of(IEnumerable<LiveOffer> offers, Func<LiveOffer, long> read) =>
        offers.Select(offer => new Measurement<long>(read(offer), new("sale", offer.Sale.Sale.Id.ToString()), new("offer", offer.Offer.Id.ToString())));

    private long DriftOf(LiveOffer offer) => SeenOf(offer)?.Drift ?? 0;

    private long OversoldOf(LiveOffer offer)
    {
        var byRow = offer.Stock is { } row ? row.Held + row.Sold - (row.Initial + row.Adjustments) : 0;
        return Math.Max(byRow, OversoldOf(offer.Offer.Id));
    }

    private bool IsWarm(LiveSale live) => live.Offers.All(offer => offer.InGate ?? warmUp.HasLoaded(live.Sale.Id));

    private Seen? SeenOf(LiveOffer offer)
    {
        if (!inGate.TryGetValue(offer.Offer.Id, out var seen))
        {
            return null;
        }

        if (time.GetElapsedTime(seen.At) <= Limits.GateSeenFor)
        {
            return seen;
        }

        inGate.TryRemove(KeyValuePair.Create(offer.Offer.Id, seen));
        return null;
    }

    private static Measurement<long> Of(long value, LiveSale live) => new(value, new KeyValuePair<string, object?>("sale", live.Sale.Id.ToString()));

    private static Measurement<double> Of(double value, LiveSale live) => new(value, new KeyValuePair<string, object?>("sale", live.Sale.Id.ToString()));

    private static Measurement<long> Of(long value, LiveOffer offer, string state) =>
        new(value, new("sale", offer.Sale.Sale.Id.ToString()), new("offer", offer.Offer.Id.ToString()), new("state", state));

    private sealed record Seen(GateStock Stock, long Drift, long At);
}
