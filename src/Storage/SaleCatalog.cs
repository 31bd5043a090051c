using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;

using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Core.Stock;
using FlashSale.Core.Wire;

namespace FlashSale.Storage;

/// <summary>
/// All sales in memory with the last known stock of their offers: what pages, state documents and phases are computed from; and the limits that operators set.
/// Reads take no lock.
/// </summary>
public sealed class SaleCatalog
{
    private readonly Lock writing = new();
    private volatile Snapshot snapshot = Snapshot.Empty;
    private long confirmedTicks;
    private volatile LimitsDocument limits = LimitsDocument.Default;

    /// <summary>By opening, then id.</summary>
    public IReadOnlyList<LiveSale> Sales => snapshot.Sales;

    /// <summary>When the ledger was last asked whether any of them changed; <see cref="DateTimeOffset.MinValue"/> before the first time.</summary>
    public DateTimeOffset ConfirmedAt
    {
        get => new(Interlocked.Read(ref confirmedTicks), TimeSpan.Zero);
        set => Interlocked.Exchange(ref confirmedTicks, value.UtcTicks);
    }

    public LiveSale? Find(SaleId id) => snapshot.ById.GetValueOrDefault(id);

    /// <summary>A sale that may be newer than the catalogue's, with the stock that is known here.</summary>
    public SaleDocument Describe(Sale sale, DateTimeOffset now) => new LiveSale(sale, snapshot.Offers).Describe(now);

    public LiveSale? Find(string slug) => snapshot.BySlug.GetValueOrDefault(slug);

    public bool TryFind(OfferId id, [NotNullWhen(true)] out LiveOffer? offer) => snapshot.Offers.TryGetValue(id, out offer);

    /// <summary>
    /// Takes over what the ledger says; the stock that is known stays. An older revision of a sale never replaces a newer one, and a sale that is not
    /// among them stays: sales are never deleted, so it was made after the list was read.
    /// </summary>
    public void Put(IReadOnlyList<Sale> sales)
    {
        lock (writing)
        {
            var known = snapshot;
            var next = known.ById.ToDictionary();
            foreach (var sale in sales)
            {
                if (!next.TryGetValue(sale.Id, out var old) || old.Sale.Rev < sale.Rev)
                {
                    next[sale.Id] = new LiveSale(sale, known.Offers);
                }
            }

            snapshot = Snapshot.Of(next.Values);
        }
    }

    /// <summary>As last set by an operator. Another object when they are others.</summary>
    public LimitsDocument Limits => limits;

    /// <summary>An older revision never replaces a newer one.</summary>
    public void Put(LimitsDocument set)
    {
        lock (writing)
        {
            if (set.Rev > limits.Rev)
            {
                limits = set;
            }
        }
    }

    /// <summary>Takes over the stock of an offer; an older sequence number changes nothing.</summary>
    public void Put(in OfferStock stock)
    {
        if (snapshot.Offers.TryGetValue(stock.OfferId, out var offer))
        {
            offer.Put(stock.Row);
        }
    }

    /// <summary>The same from a reading that began at <paramref name="asOf"/>: what it says was true then.</summary>
    public void Confirm(in OfferStock stock, DateTimeOffset asOf)
    {
        if (snapshot.Offers.TryGetValue(stock.OfferId, out var offer))
        {
            offer.Put(stock.Row);
            offer.Confirm(asOf);
        }
    }

    /// <summary>Whether the gate has the offer, as a settlement has just learnt.</summary>
    internal void NoteInGate(OfferId id, bool isThere)
    {
        if (snapshot.Offers.TryGetValue(id, out var offer))
        {
            offer.InGate = isThere;
        }
    }

    private sealed record Snapshot(
        IReadOnlyList<LiveSale> Sales,
        FrozenDictionary<SaleId, LiveSale> ById,
        FrozenDictionary<string, LiveSale> BySlug,
        FrozenDictionary<OfferId, LiveOffer> Offers)
    {
        public static Snapshot Empty { get; } = Of([]);

        public static Snapshot Of(IEnumerable<LiveSale> sales)
        {
            LiveSale[] ordered = [.. sales.OrderBy(sale => sale.Sale.OpensAt).ThenBy(sale => sale.Sale.Id.Value)];
            return new Snapshot(
                ordered,
                ordered.ToFrozenDictionary(sale => sale.Sale.Id),
                ordered.ToFrozenDictionary(sale => sale.Sale.Slug, StringComparer.Ordinal),
                ordered.SelectMany(sale => sale.Offers).ToFrozenDictionary(offer => offer.Offer.Id));
        }
    }
}

/// <summary>A sale and the stock of its offers at this moment.</summary>
public sealed class LiveSale
{
    internal LiveSale(Sale sale, FrozenDictionary<OfferId, LiveOffer> known)
    {
        Sale = sale;
        Offers = [.. sale.Offers.Select(offer => new LiveOffer(this, offer, known.GetValueOrDefault(offer.Id)))];
    }

    public Sale Sale { get; }

    public IReadOnlyList<LiveOffer> Offers { get; }

    public SalePhase PhaseAt(DateTimeOffset now) => SalePhases.Of(Sale, AnyAvailable(), now);

    /// <summary>The sale runs, and the stock of an offer may be another by now (<see cref="LiveOffer.IsStale"/>).</summary>
    public bool IsStale(DateTimeOffset now)
    {
        foreach (var offer in Offers)
        {
            if (offer.IsStale(now))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>What everybody may know of it.</summary>
    public SaleDocument Describe(DateTimeOffset now) => new(
        Sale.Id.ToString(),
        Sale.Slug,
        Sale.Title,
        PhaseAt(now),
        Sale.ReservationOpensAt,
        Sale.ReservationClosesAt,
        Sale.OpensAt,
        Sale.ClosesAt,
        Sale.RequiresReservation,
        Sale.Ordering,
        Sale.Deduction,
        (int)Sale.PaymentWindow.TotalSeconds,
        [.. Offers.Select(offer => offer.Describe(now))])
    {
        Stale = IsStale(now) ? true : null,
        Draw = Sale is { Defences.DrawMs: > 0 and var ms, DrawCommitment: { } commitment } ? new DrawTermsDocument(ms, commitment) : null,
    };

    private bool AnyAvailable()
    {
        foreach (var offer in Offers)
        {
            if (!offer.SoldOut)
            {
                return true;
            }
        }

        return false;
    }
}

public sealed class LiveOffer
{
    private readonly Cell cell;

    internal LiveOffer(LiveSale sale, Offer offer, LiveOffer? known)
    {
        Sale = sale;
        Offer = offer;
        cell = known?.cell ?? new Cell();
    }

    public LiveSale Sale { get; }

    public Offer Offer { get; }

    /// <summary>Null until the sale is published.</summary>
    public StockRow? Stock => cell.Row?.Value;

    /// <summary>Whether the gate has it, by the last settlement; null while this instance has not settled it.</summary>
    public bool? InGate
    {
        get => cell.InGate == 0 ? null : cell.InGate == 1;
        internal set => cell.InGate = value switch { null => 0, true => 1, false => 2 };
    }

    /// <summary>True only when the ledger's last committed row said so.</summary>
    public bool SoldOut => cell.Row?.Value.Available == 0;

    /// <summary>Unpaid orders hold units that may come back.</summary>
    public bool Holds => cell.Row?.Value.Held > 0;

    /// <summary>
    /// The sale runs, and the ledger has not confirmed the stock for more than <see cref="Limits.StaleAfter"/>: what is known is shown, and nobody is
    /// refused for it.
    /// </summary>
    public bool IsStale(DateTimeOffset now) =>
        now.UtcTicks - Interlocked.Read(ref cell.ConfirmedTicks) > Limits.StaleAfter.Ticks
        && SalePhases.Of(Sale.Sale, anyAvailable: true, now) == SalePhase.Open;

    /// <summary>0 to 100: units that are not available. 100 only when none is.</summary>
    public int SoldPercent
    {
        get
        {
            if (Stock is not { } row || row.Available == row.Initial + row.Adjustments)
            {
                return 0;
            }

            return 100 - (int)Math.Ceiling(row.Available * 100 / (double)(row.Initial + row.Adjustments));
        }
    }

    internal OfferDocument Describe(DateTimeOffset now) => new(
        Offer.Id.ToString(),
        Offer.Sku,
        Offer.Title,
        Offer.FaceValue,
        Offer.Price,
        Offer.Stock,
        Offer.PerUserLimit,
        SoldPercent,
        Offer.ValidFrom,
        Offer.ValidUntil)
    {
        Holds = IsStale(now) ? null : Holds,
    };

    internal void Put(StockRow row)
    {
        while (true)
        {
            var old = cell.Row;
            if (old is not null && old.Value.Seq >= row.Seq)
            {
                return;
            }

            if (Interlocked.CompareExchange(ref cell.Row, new Boxed(row), old) == old)
            {
                return;
            }
        }
    }

    internal void Confirm(DateTimeOffset asOf)
    {
        long old;
        while ((old = Interlocked.Read(ref cell.ConfirmedTicks)) < asOf.UtcTicks
            && Interlocked.CompareExchange(ref cell.ConfirmedTicks, asOf.UtcTicks, old) != old)
        {
            // Another reading came in between.
        }
    }

    /// <summary>Shared by the successive snapshots of an offer, so that no stock is lost when a sale is replaced.</summary>
    private sealed class Cell
    {
        public volatile Boxed? Row;
        public volatile int InGate; // 0 not known, 1 yes, 2 no
        public long ConfirmedTicks;
    }

    private sealed record Boxed(StockRow Value);
}
