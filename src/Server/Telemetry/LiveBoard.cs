using System.Collections.Concurrent;
using System.Text.Json;

using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Storage;

namespace FlashSale.Server.Telemetry;

/// <summary>The units of an offer as ledger and gate had them a moment ago.</summary>
/// <param name="Gate">Null when the offer is not in the gate, or the gate did not answer.</param>
public sealed record OfferReading(Offer Offer, long Total, long Available, long Held, long Sold, GateStock? Gate);

/// <summary>A sale as ledger and gate had it a moment ago, and what was done with it.</summary>
public sealed record SaleReading(Sale Sale, SalePhase Phase, IReadOnlyList<OfferReading> Offers, IReadOnlyList<LiveEventDocument> Events);

/// <summary>
/// What the console shows while a sale runs: the reports of all instances added up, beside what ledger and gate say. One job puts readings in, one after the other; anybody
/// reads.
/// </summary>
public sealed class LiveBoard
{
    /// <summary>Before the reservations or the opening, and behind the last payment, that a sale is watched.</summary>
    private static readonly TimeSpan Around = TimeSpan.FromMinutes(30);

    /// <summary>Between two readings that a rate is taken from.</summary>
    private static readonly TimeSpan RateWindow = TimeSpan.FromSeconds(1);

    /// <summary>Of the orders whose latency is shown.</summary>
    private static readonly TimeSpan LatencyWindow = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<SaleId, Board> boards = new();
    private readonly Dictionary<string, Track> instances = new(StringComparer.Ordinal);
    private volatile Seen seen = new(default, [], []);

    /// <summary>The instance that this process is, of which it knows more than its report says.</summary>
    public string Self { get; init; } = "";

    public static bool IsWatched(Sale sale, DateTimeOffset now) =>
        sale.Status != SaleStatus.Draft && now >= WatchedFrom(sale) && now < sale.ClosesAt + sale.PaymentWindow + Around;

    public static DateTimeOffset WatchedFrom(Sale sale) => (sale.ReservationOpensAt ?? sale.OpensAt) - Around;

    /// <summary>Those that reported within the last hour, newest first.</summary>
    public IReadOnlyList<LiveInstanceDocument> Instances => seen.Instances;

    /// <summary>What those said that are neither gone nor ended.</summary>
    public IReadOnlyList<(string Instance, InstanceFigures Figures)> Living => seen.Living;

    /// <summary>When they were read.</summary>
    public DateTimeOffset At => seen.At;

    /// <summary>The newest figures; null for a sale that is not watched, as it is over or far off.</summary>
    public LiveDocument? Latest(SaleId sale) => boards.TryGetValue(sale, out var board) ? board.Latest : null;

    /// <summary>One a second, oldest first, at most <see cref="Limits.LiveMomentsKept"/>.</summary>
    public IReadOnlyList<LiveMomentDocument> Moments(SaleId sale) => boards.TryGetValue(sale, out var board) ? board.Moments() : [];

    /// <param name="reports">Those that are new since the last time, and may be known.</param>
    /// <param name="sales">All that are watched; others are forgotten.</param>
    public void Take(DateTimeOffset now, IReadOnlyList<InstanceReport> reports, IReadOnlyList<SaleReading> sales)
    {
        foreach (var report in reports)
        {
            if (JsonSerializer.Deserialize(report.Document, FiguresJson.Default.InstanceFigures) is { } figures)
            {
                (instances.TryGetValue(report.Instance, out var track) ? track : instances[report.Instance] = new Track()).Take(report.At, figures);
            }
        }

        Forget();
        LiveInstanceDocument[] shown = [.. instances
            .Where(instance => now - instance.Value.At < TimeSpan.FromHours(1))
            .OrderByDescending(instance => instance.Value.At)
            .Select(instance => instance.Value.Describe(instance.Key, now))];
        seen = new Seen(now, shown, [.. instances.Where(one => !one.Value.IsGone(now)).Select(one => (one.Key, one.Value.Figures))]);
        Track[] alive = [.. instances.Values.Where(track => !track.IsGone(now))];
        var queue = alive.Sum(track => track.Figures.WriterQueue);
        var breakers = WorstOf(alive.SelectMany(track => track.Figures.Breakers));
        var unnamed = SumOfUnnamed();
        foreach (var sale in sales)
        {
            boards.GetOrAdd(sale.Sale.Id, static _ => new Board()).Take(now, sale, new Sums(SumOf(sale.Sale.Id), unnamed), shown, queue, breakers);
        }

        foreach (var gone in boards.Keys.Except(sales.Select(sale => sale.Sale.Id)))
        {
            boards.TryRemove(gone, out _);
        }
    }

    /// <summary>Beyond as many as are read when a board begins, those that reported longest ago are no longer added up: each restart brings an instance that was not there.</summary>
    private void Forget()
    {
        foreach (var (instance, _) in instances.OrderByDescending(instance => instance.Value.At).Skip(Limits.InstanceReportsRead).ToArray())
        {
            instances.Remove(instance);
        }
    }

    private SaleSums SumOfUnnamed()
    {
        var sums = new SaleSums();
        foreach (var track in instances.Values)
        {
            sums.Add(track.Unnamed);
        }

        return sums;
    }

    private SaleSums SumOf(SaleId sale)
    {
        var sums = new SaleSums();
        foreach (var track in instances.Values)
        {
            if (track.Figures.Sales.TryGetValue(sale.ToString(), out var figures))
            {
                sums.Add(figures);
            }
        }

        return sums;
    }

    /// <summary>Of several instances, the worst state of each breaker.</summary>
    public static Dictionary<string, string> WorstOf(IEnumerable<KeyValuePair<string, string>> states)
    {
        string[] order = ["closed", "half_open", "open"];
        return states.GroupBy(state => state.Key, state => state.Value).ToDictionary(states => states.Key, states => states.MaxBy(state => Array.IndexOf(order, state))!);
    }

    private static double Rate(double difference, TimeSpan took) => Math.Round(Math.Max(0, difference) / took.TotalSeconds, 1);

    private sealed record Seen(DateTimeOffset At, IReadOnlyList<LiveInstanceDocument> Instances, IReadOnlyList<(string Instance, InstanceFigures Figures)> Living);

    /// <summary>What was counted up to a moment.</summary>
    /// <param name="Unnamed">Requests that were turned away before a sale was known: of all sales.</param>
    private sealed record Sums(SaleSums Sale, SaleSums Unnamed)
    {
        public long Total => Sale.Total + Unnamed.Total;
    }

    /// <summary>The reports of one instance: the last, and one that is about a second older.</summary>
    private sealed class Track
    {
        private readonly Queue<(DateTimeOffset At, double Cpu, double GcPause)> before = new();

        public DateTimeOffset At { get; private set; }

        public InstanceFigures Figures { get; private set; } = null!;

        public IReadOnlyDictionary<string, long> Unnamed { get; private set; } = new Dictionary<string, long>();

        public bool IsGone(DateTimeOffset now) => Figures.Stopped || now - At >= Limits.InstanceGone;

        public void Take(DateTimeOffset at, InstanceFigures figures)
        {
            if (at <= At)
            {
                return;
            }

            (At, Figures, Unnamed) = (at, figures, figures.Unnamed());
            before.Enqueue((at, figures.CpuSeconds, figures.GcPauseSeconds));
            while (before.Count > 2 && at - before.ElementAt(1).At >= RateWindow)
            {
                before.Dequeue();
            }
        }

        public LiveInstanceDocument Describe(string instance, DateTimeOffset now)
        {
            var (since, cpu, pause) = before.Peek();
            var took = At - since;
            return new LiveInstanceDocument(
                instance,
                Figures.Machine,
                Figures.ProcessId,
                Figures.Version,
                Figures.Roles,
                Figures.StartedAt,
                Math.Max(0, (long)(now - At).TotalMilliseconds),
                IsGone(now),
                Figures.NotReady,
                took > TimeSpan.Zero ? Rate((Figures.CpuSeconds - cpu) * 100, took) : null,
                Figures.MemoryBytes,
                took > TimeSpan.Zero ? Rate((Figures.GcPauseSeconds - pause) * 100, took) : null,
                Figures.Collections,
                Figures.InFlight,
                Figures.InFlightLimit,
                Figures.WriterQueue)
            {
                Stopped = Figures.Stopped,
                ClockSkewMs = Figures.ClockSkewMs,
            };
        }
    }

    /// <summary>One sale.</summary>
    private sealed class Board
    {
        private readonly Lock reading = new();
        private readonly Queue<LiveMomentDocument> moments = new();
        private readonly Queue<(DateTimeOffset At, Sums Sums, long Sold)> before = new();
        private DateTimeOffset momentAt;
        private LiveDocument? latest;

        public LiveDocument? Latest
        {
            get
            {
                lock (reading)
                {
                    return latest;
                }
            }
        }

        public IReadOnlyList<LiveMomentDocument> Moments()
        {
            lock (reading)
            {
                return [.. moments];
            }
        }

        public void Take(
            DateTimeOffset now,
            SaleReading sale,
            Sums sums,
            IReadOnlyList<LiveInstanceDocument> instances,
            int queue,
            IReadOnlyDictionary<string, string> breakers)
        {
            var sold = sale.Offers.Sum(offer => offer.Sold);
            before.Enqueue((now, sums, sold));
            while (before.Count > 2 && now - before.ElementAt(1).At >= LatencyWindow)
            {
                before.Dequeue();
            }

            var document = Describe(now, sale, sums, sold, instances, queue, breakers);
            lock (reading)
            {
                latest = document;
                if (now - momentAt >= RateWindow)
                {
                    momentAt = now;
                    moments.Enqueue(MomentOf(document));
                    if (moments.Count > Limits.LiveMomentsKept)
                    {
                        moments.Dequeue();
                    }
                }
            }
        }

        private LiveDocument Describe(
            DateTimeOffset now, SaleReading sale, Sums sums, long sold, IReadOnlyList<LiveInstanceDocument> instances, int queue, IReadOnlyDictionary<string, string> breakers)
        {
            var (since, earlier, soldThen) = before.Where(reading => now - reading.At >= RateWindow).LastOrDefault((before.Peek().At, before.Peek().Sums, before.Peek().Sold));
            var took = now - since;
            double? Per(long difference) => took > TimeSpan.Zero ? Rate(difference, took) : null;
            LiveDecisionDocument[] Decisions(SaleSums counts, SaleSums then) =>
                [.. Enum.GetValues<OrderDecision>().Where(decision => counts.Of(decision) > 0)
                    .Select(decision => (Kind: DecisionKind.Of(decision), Count: counts.Of(decision), Rate: Per(counts.Of(decision) - then.Of(decision))))
                    .Select(one => new LiveDecisionDocument(one.Kind.Layer, one.Kind.Outcome, one.Kind.Reason, one.Count, one.Rate))];
            var latency = sums.Sale.LatencySince(before.Peek().Sums.Sale);
            var decisions = Decisions(sums.Sale, earlier.Sale);
            var placed = sums.Sale.Of(OrderDecision.Placed);
            return new LiveDocument(
                sale.Sale.Id.ToString(),
                now,
                sale.Phase.Word(),
                [.. sale.Offers.Select(DocumentOf)],
                placed,
                Per(placed - earlier.Sale.Of(OrderDecision.Placed)),
                Per(sold - soldThen),
                Milliseconds(LatencyCounts.Quantile(latency, 0.5)),
                Milliseconds(LatencyCounts.Quantile(latency, 0.99)),
                Per(sums.Total - earlier.Total),
                took > TimeSpan.Zero ? decisions.Where(decision => decision.Outcome == "admitted").Sum(decision => decision.PerSecond) : null,
                decisions,
                queue,
                breakers,
                instances,
                sale.Events)
            {
                BeforeSale = Decisions(sums.Unnamed, earlier.Unnamed),
            };
        }

        private static LiveOfferDocument DocumentOf(OfferReading offer) => new(
            offer.Offer.Id.ToString(),
            offer.Offer.Title,
            offer.Total,
            offer.Available,
            offer.Held,
            offer.Sold,
            offer.Gate?.Stock,
            offer.Gate?.Pending,
            offer.Gate is { } gate ? gate.Stock + gate.Pending - offer.Available : null);

        private static LiveMomentDocument MomentOf(LiveDocument live) => new(
            live.At,
            live.Offers.Sum(offer => offer.Available),
            live.Offers.Sum(offer => offer.Held),
            live.Offers.Sum(offer => offer.Sold),
            live.Offers.Any(offer => offer.GateStock is not null) ? live.Offers.Sum(offer => offer.GateStock ?? 0) : null,
            live.OrdersPerSecond,
            live.PaidPerSecond,
            live.P50Ms,
            live.P99Ms,
            live.ArrivalsPerSecond,
            live.AdmittedPerSecond,
            live.BeforeSale.Select(decision => (Layer: LiveMomentDocument.BeforeSale, decision.PerSecond))
                .Concat(live.Decisions.Where(decision => decision.Outcome != "admitted").Select(decision => (decision.Layer, decision.PerSecond)))
                .GroupBy(decision => decision.Layer, StringComparer.Ordinal)
                .ToDictionary(layer => layer.Key, layer => Math.Round(layer.Sum(decision => decision.PerSecond ?? 0), 1)));

        private static double? Milliseconds(TimeSpan? took) => took is { } time ? Math.Round(time.TotalMilliseconds, 2) : null;
    }
}
