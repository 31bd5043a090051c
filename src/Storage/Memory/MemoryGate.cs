using System.Collections.Concurrent;
using System.Runtime.InteropServices;

using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;

namespace FlashSale.Storage.Memory;

/// <summary>
/// The gate of one process: a lock for each offer around a few dictionary look-ups. An offer is one shard, since no other machine shares it.
/// </summary>
public sealed class MemoryGate : IGate
{
    private readonly ConcurrentDictionary<OfferId, GateOffer> offers = new();
    private readonly ConcurrentDictionary<SaleId, GateSale> sales = new();
    private readonly Lock blacklisting = new();
    private volatile ConcurrentDictionary<UserId, DateTimeOffset> barred = new();
    private long blacklistRev;

    public bool IsShared => false;

    public IReadOnlyList<Breaker> Breakers => [];

    public IReadOnlyList<ConnectionPool> Pools => [];

    public ValueTask<AdmissionOutcome> AdmitAsync(in AdmissionRequest request, CancellationToken cancellation) =>
        new(offers.TryGetValue(request.OfferId, out var offer) && offer.Sale.Id == request.SaleId
            ? offer.Admit(request, request.IsBarred ? Eligibility.NotEligible : EligibilityOf(offer.Sale, request.UserId, request.Now))
            : AdmissionOutcome.NotWarm);

    public ValueTask<bool> SettleAsync(Settlement settlement, CancellationToken cancellation)
    {
        if (!offers.TryGetValue(settlement.OfferId, out var offer))
        {
            return new(false);
        }

        offer.Settle(settlement);
        return new(true);
    }

    public ValueTask WarmUpAsync(GateLoad load, bool anew, CancellationToken cancellation)
    {
        if (anew)
        {
            Remove(load.Sale.Id);
        }

        var sale = sales.GetOrAdd(load.Sale.Id, id => new GateSale(id));
        sale.Definition = load.Sale;
        sale.ReplaceReservations(load.Reserved, load.Rejected);
        var orders = load.Orders.ToLookup(order => order.OfferId);
        foreach (var stock in load.Stocks)
        {
            var limit = load.Sale.Offers.First(offer => offer.Id == stock.OfferId).PerUserLimit;
            offers.GetOrAdd(stock.OfferId, _ => new GateOffer(sale, limit)).Load(stock, orders[stock.OfferId]);
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask<GateCounts?> CountAsync(SaleId sale, CancellationToken cancellation)
    {
        if (!sales.TryGetValue(sale, out var loaded))
        {
            return new((GateCounts?)null);
        }

        var approved = loaded.Reservations.Count(reservation => reservation.Value);
        return new(new GateCounts(
            true, approved, loaded.Reservations.Count - approved, offers.Values.Where(offer => offer.Sale.Id == sale).Sum(offer => offer.Orders)));
    }

    public ValueTask UpdateSaleAsync(Sale sale, CancellationToken cancellation)
    {
        if (sales.TryGetValue(sale.Id, out var loaded))
        {
            loaded.Definition = sale;
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask RemoveSaleAsync(SaleId sale, CancellationToken cancellation)
    {
        Remove(sale);
        return ValueTask.CompletedTask;
    }

    public ValueTask ReserveAsync(SaleId sale, UserId user, bool approved, CancellationToken cancellation)
    {
        if (sales.TryGetValue(sale, out var loaded))
        {
            loaded.Reservations[user] = approved;
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask BarAsync(UserId user, DateTimeOffset? until, CancellationToken cancellation)
    {
        if (until is { } end)
        {
            barred[user] = end;
        }
        else
        {
            barred.TryRemove(user, out _);
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask LoadBlacklistAsync(long rev, IReadOnlyList<(UserId User, DateTimeOffset Until)> entries, CancellationToken cancellation)
    {
        lock (blacklisting)
        {
            if (rev >= blacklistRev)
            {
                barred = new ConcurrentDictionary<UserId, DateTimeOffset>(entries.Select(entry => KeyValuePair.Create(entry.User, entry.Until)));
                blacklistRev = rev;
            }
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask<Eligibility> CheckAsync(SaleId sale, UserId user, DateTimeOffset now, CancellationToken cancellation) =>
        new(sales.TryGetValue(sale, out var loaded) ? EligibilityOf(loaded, user, now) : Eligibility.Unknown);

    public ValueTask<GateStock?> ReadAsync(OfferId offer, CancellationToken cancellation) =>
        new(offers.TryGetValue(offer, out var loaded) ? loaded.Read() : null);

    public ValueTask<IReadOnlyList<OfferId>> ListPendingAsync(CancellationToken cancellation) =>
        new([.. offers.Where(offer => offer.Value.Read().Pending > 0).Select(offer => offer.Key)]);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private void Remove(SaleId sale)
    {
        if (sales.TryRemove(sale, out var removed))
        {
            foreach (var offer in removed.Definition!.Offers)
            {
                offers.TryRemove(offer.Id, out _);
            }
        }
    }

    private Eligibility EligibilityOf(GateSale sale, UserId user, DateTimeOffset now)
    {
        if (!barred.IsEmpty && barred.TryGetValue(user, out var until) && now < until)
        {
            return Eligibility.NotEligible;
        }

        if (!sale.Definition!.RequiresReservation)
        {
            return Eligibility.Eligible;
        }

        return sale.Reservations.TryGetValue(user, out var approved)
            ? approved ? Eligibility.Eligible : Eligibility.NotEligible
            : Eligibility.NotReserved;
    }

    private sealed class GateSale(SaleId id)
    {
        private Sale? definition;

        public SaleId Id { get; } = id;

        /// <summary>An older revision never replaces a newer one.</summary>
        public Sale? Definition
        {
            get => Volatile.Read(ref definition);
            set
            {
                var old = Volatile.Read(ref definition);
                while (value is not null && (old is null || old.Rev <= value.Rev))
                {
                    var seen = Interlocked.CompareExchange(ref definition, value, old);
                    if (seen == old)
                    {
                        return;
                    }

                    old = seen;
                }
            }
        }

        /// <summary>User to approved (true) or rejected (false).</summary>
        public ConcurrentDictionary<UserId, bool> Reservations { get; } = new();

        /// <summary>Adds what the ledger has; a reservation made since that snapshot stays.</summary>
        public void ReplaceReservations(IReadOnlyList<UserId> reserved, IReadOnlyList<UserId> rejected)
        {
            foreach (var user in reserved)
            {
                Reservations[user] = true;
            }

            foreach (var user in rejected)
            {
                Reservations[user] = false;
            }
        }
    }

    private sealed class GateOffer(GateSale sale, int perUserLimit)
    {
        private readonly Lock step = new();
        private readonly Dictionary<OrderId, Entry> orders = [];
        private readonly Dictionary<UserId, int> livePerUser = [];

        // In order of time, so that what has grown old stands in front; entries that moved on since are skipped.
        private readonly Queue<(OrderId Id, DateTimeOffset Since)> arrivals = new();
        private readonly Queue<OrderId> endings = new();
        private int pending;
        private long ledgerAvailable;
        private long seq;

        public GateSale Sale { get; } = sale;

        public int Orders
        {
            get
            {
                lock (step)
                {
                    return orders.Count;
                }
            }
        }

        public AdmissionOutcome Admit(in AdmissionRequest request, Eligibility eligibility)
        {
            lock (step)
            {
                if (orders.ContainsKey(request.OrderId))
                {
                    return AdmissionOutcome.Repeated;
                }

                if (RefuseByPhase(request.Now) is { } closed)
                {
                    return closed;
                }

                if (eligibility != Eligibility.Eligible)
                {
                    return eligibility == Eligibility.NotReserved ? AdmissionOutcome.NotReserved : AdmissionOutcome.NotEligible;
                }

                if (livePerUser.GetValueOrDefault(request.UserId) >= perUserLimit)
                {
                    return AdmissionOutcome.LimitReached;
                }

                if (ledgerAvailable <= pending)
                {
                    // Pending orders may still fail, so only the ledger's own zero is "sold out" (invariant I9).
                    return ledgerAvailable == 0 ? AdmissionOutcome.SoldOut : AdmissionOutcome.Standby;
                }

                orders.Add(request.OrderId, new Entry(request.UserId, OrderState.Pending, 0));
                arrivals.Enqueue((request.OrderId, request.Now));
                Count(request.UserId, 1);
                pending++;
                return AdmissionOutcome.Admitted;
            }
        }

        public void Settle(Settlement settlement)
        {
            lock (step)
            {
                var told = settlement.Stock?.Row.Seq ?? seq;
                foreach (var order in settlement.Committed)
                {
                    Set(order, OrderState.Live, told);
                }

                foreach (var order in settlement.Ended)
                {
                    Set(order, OrderState.Ended, told);
                }

                foreach (var order in settlement.Refused)
                {
                    // An order that another batch has committed in the meantime stays.
                    if (orders.TryGetValue(order.OrderId, out var entry) && entry.State == OrderState.Pending)
                    {
                        Remove(order.OrderId, entry);
                    }
                }

                if (settlement.Now is { } now)
                {
                    DropOld(now);
                }

                if (settlement.Stock is { } stock && stock.Row.Seq >= seq)
                {
                    seq = stock.Row.Seq;
                    ledgerAvailable = stock.Row.Available;
                }
            }
        }

        public void Load(in OfferStock stock, IEnumerable<GateLoadOrder> loaded)
        {
            lock (step)
            {
                foreach (var order in loaded)
                {
                    Set(new SettledOrder(order.OrderId, order.UserId), order.Live ? OrderState.Live : OrderState.Ended, stock.Row.Seq);
                }

                if (stock.Row.Seq >= seq)
                {
                    seq = stock.Row.Seq;
                    ledgerAvailable = stock.Row.Available;
                }
            }
        }

        public GateStock Read()
        {
            lock (step)
            {
                return new GateStock(Math.Max(0, ledgerAvailable - pending), pending, ledgerAvailable, seq);
            }
        }

        private AdmissionOutcome? RefuseByPhase(DateTimeOffset now) =>
            SalePhases.Of(Sale.Definition!, anyAvailable: true, now) switch
            {
                SalePhase.Open => null,
                SalePhase.Paused => AdmissionOutcome.SalePaused,
                SalePhase.Ended => AdmissionOutcome.SaleEnded,
                _ => AdmissionOutcome.SaleNotOpen,
            };

        /// <summary>What was told at a later sequence number is newer, whenever it arrives.</summary>
        private void Set(in SettledOrder order, OrderState state, long told)
        {
            if (orders.TryGetValue(order.OrderId, out var entry))
            {
                if (entry.State != OrderState.Pending && entry.Seq > told)
                {
                    return;
                }

                Remove(order.OrderId, entry);
            }

            orders.Add(order.OrderId, new Entry(order.UserId, state, told));
            if (state == OrderState.Live)
            {
                Count(order.UserId, 1);
            }
            else
            {
                endings.Enqueue(order.OrderId);
            }
        }

        private void Remove(OrderId id, in Entry entry)
        {
            orders.Remove(id);
            if (entry.State == OrderState.Pending)
            {
                pending--;
            }

            if (entry.State != OrderState.Ended)
            {
                Count(entry.User, -1);
            }
        }

        private void DropOld(DateTimeOffset now)
        {
            while (arrivals.TryPeek(out var arrival))
            {
                var waits = orders.TryGetValue(arrival.Id, out var entry) && entry.State == OrderState.Pending;
                if (waits && now - arrival.Since <= Limits.GatePendingMax)
                {
                    break;
                }

                arrivals.Dequeue();
                if (waits)
                {
                    Remove(arrival.Id, entry);
                }
            }

            // An ended order is remembered while its token lives: a retry must still find it.
            while (endings.TryPeek(out var id) && now - id.CreatedAt > Limits.GateKeepsEnded)
            {
                endings.Dequeue();
                if (orders.TryGetValue(id, out var entry) && entry.State == OrderState.Ended)
                {
                    orders.Remove(id);
                }
            }
        }

        private void Count(UserId user, int change)
        {
            ref var live = ref CollectionsMarshal.GetValueRefOrAddDefault(livePerUser, user, out _);
            live += change;
            if (live == 0)
            {
                livePerUser.Remove(user);
            }
        }

        private enum OrderState : byte
        {
            Pending,
            Live,
            Ended,
        }

        private readonly record struct Entry(UserId User, OrderState State, long Seq);
    }
}
