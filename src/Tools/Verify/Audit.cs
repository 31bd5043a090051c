using FlashSale.Core.Wire;
using FlashSale.Tools.History;

namespace FlashSale.Tools.Verify;

/// <summary>
/// The auditor's arithmetic: what the answers in a history claim against what the ledger exported, with no rule of the server. Pure: the same
/// input gives the same findings.
/// </summary>
public sealed partial class Audit
{
    /// <summary>"Sold out" may be this old (invariant I9).</summary>
    private const long SoldOutMayBeOld = 2_000_000;

    /// <summary>Clocks are read in milliseconds, and two threads of one machine may read them in either order.</summary>
    private const long ClockGrain = 5_000;

    /// <summary>How late an order that nobody paid may give its unit back: it ends up to 8 s after its time.</summary>
    private const long ExpiryMayTake = 13_000_000;

    private readonly HistoryHeader header;
    private readonly AuditFacts facts;
    private readonly Story story;
    private readonly long tolerance;
    private readonly Dictionary<string, HistoryOffer> offers = [];
    private readonly Dictionary<string, HistorySale> saleOfOffer = [];
    private readonly Dictionary<string, ExportLine> orders = [];
    private readonly Dictionary<string, OfferLedger> ledgers = [];
    private readonly Dictionary<string, string> users;
    private readonly Dictionary<string, OrderRows> rows = [];
    private readonly List<ExportLine> repeatedOrders = [];

    private readonly Check oversold = new("I1", "Never oversold");
    private readonly Check limits = new("I5", "A user's live orders never exceed the limit");
    private readonly Check log = new("I6", "The change log replays");

    private Audit(HistoryHeader header, IEnumerable<HistoryRecord> records, AuditFacts facts)
    {
        this.header = header;
        this.facts = facts;
        story = Story.Read(records);
        tolerance = header.ClockError + ClockGrain;
        foreach (var sale in header.Sales)
        {
            foreach (var offer in sale.Offers)
            {
                offers[offer.Id] = offer;
                saleOfOffer[offer.Id] = sale;
                ledgers[offer.Id] = new OfferLedger();
            }
        }

        foreach (var line in facts.Sales.Values.SelectMany(sale => sale.Export))
        {
            Sort(line);
        }

        users = orders.ToDictionary(order => order.Key, order => order.Value.UserId ?? "");
    }

    /// <param name="header">Says which sales the run was about; rows of other offers are checked too, except against their limits.</param>
    /// <param name="records">Read once.</param>
    public static AuditReport Check(HistoryHeader header, IEnumerable<HistoryRecord> records, AuditFacts facts)
    {
        var audit = new Audit(header, records, facts);
        var replayed = audit.ReplayStock();
        Finding[] findings =
        [
            audit.NeverOversold(replayed),
            audit.AcknowledgedSurvives(),
            audit.OneTokenOneOrder(),
            audit.EffectNoneLeftNothing(),
            audit.LimitsHold(),
            audit.log.Conclude($"{audit.ledgers.Values.Sum(offer => (long)offer.Changes.Count):N0} changes in {replayed:N0} buckets"),
            audit.NothingLeaks(),
            audit.HeldStockEndsOnce(),
            audit.SoldOutIsTrue(),
            audit.EverythingSells(),
            audit.ChecksNeverFailOpen(),
            audit.OperatorsAreAudited(),
            audit.CouponsFollowOrders(),
            audit.PaymentsFollowOrders(),
            audit.NothingBeforeTheOpening(),
        ];
        return new AuditReport(findings, audit.story.Orders.Values.LongCount(order => order.Confirmed), audit.orders.Count);
    }

    private void Sort(ExportLine line)
    {
        switch (line.Type)
        {
            case "order":
                if (!orders.TryAdd(line.Id ?? "", line))
                {
                    repeatedOrders.Add(line);
                }

                RowsOf(line.Id).Offer = line.OfferId ?? "";
                OfferOf(line.OfferId).Orders.Add(line);
                break;
            case "stockChange":
                OfferOf(line.OfferId).Changes.Add(line);
                if (line.OrderId is not null)
                {
                    RowsOf(line.OrderId).Changes.Add(line);
                }

                break;
            case "stock":
                OfferOf(line.OfferId).Stock.Add(line);
                break;
            case "coupon":
                RowsOf(line.OrderId).Coupons.Add(line);
                break;
            case "payment":
                RowsOf(line.OrderId).Payments.Add(line);
                break;
            default:
                // A later version of the export may say more.
                break;
        }
    }

    private OrderRows RowsOf(string? order)
    {
        if (!rows.TryGetValue(order ?? "", out var all))
        {
            rows.Add(order ?? "", all = new OrderRows());
        }

        return all;
    }

    private OfferLedger OfferOf(string? offer)
    {
        if (!ledgers.TryGetValue(offer ?? "", out var ledger))
        {
            ledgers.Add(offer ?? "", ledger = new OfferLedger());
        }

        return ledger;
    }

    /// <returns>The number of buckets.</returns>
    private int ReplayStock()
    {
        var buckets = 0;
        foreach (var (offer, ledger) in ledgers)
        {
            var limit = offers.GetValueOrDefault(offer)?.PerUserLimit ?? 0;
            var changes = ledger.Changes.GroupBy(change => change.Bucket ?? 0).ToDictionary(bucket => bucket.Key);
            foreach (var bucket in changes.Keys.Concat(ledger.Stock.Select(row => row.Bucket ?? 0)).Distinct())
            {
                var name = $"offer {offer} bucket {bucket}";
                var replay = new StockReplay(name, oversold, log, limits);
                if (changes.TryGetValue(bucket, out var ofBucket))
                {
                    replay.Run(ofBucket.OrderBy(change => change.Seq), users, limit);
                }

                CompareWithRow(name, replay, [.. ledger.Stock.Where(row => (row.Bucket ?? 0) == bucket)]);
                ledger.Replays.Add(replay);
                buckets++;
            }
        }

        return buckets;
    }

    private void CompareWithRow(string name, StockReplay replay, ExportLine[] stock)
    {
        log.Expect(stock.Length == 1, () => $"{name}: {stock.Length} stock rows");
        foreach (var row in stock)
        {
            oversold.Expect(
                row.Initial + row.Adjustments == row.Available + row.Held + row.Sold && row is { Available: >= 0, Held: >= 0, Sold: >= 0 },
                () => $"{name}: initial {row.Initial} + adjustments {row.Adjustments} is not available {row.Available} + held {row.Held} + sold {row.Sold}");
            log.Expect(
                row.Available == replay.Available && row.Seq == replay.Seq,
                () => $"{name}: the log ends with {replay.Available} at seq {replay.Seq}, the stock row says {row.Available} at {row.Seq}");
            oversold.Expect(
                row.Initial == replay.Initial && row.Adjustments == replay.Adjustments && row.Held == replay.Held && row.Sold == replay.Sold,
                () => $"{name}: the log gives held {replay.Held}, sold {replay.Sold}, of {replay.Initial} + {replay.Adjustments}; "
                    + $"the stock row held {row.Held}, sold {row.Sold}, of {row.Initial} + {row.Adjustments}");
        }
    }

    private Finding NeverOversold(int buckets)
    {
        long units = 0;
        foreach (var (id, ledger) in ledgers)
        {
            var held = ledger.Orders.LongCount(order => order.Status == "held");
            var sold = ledger.Orders.LongCount(order => order.Status == "paid");
            var total = ledger.Replays.Sum(replay => replay.Initial + replay.Adjustments);
            units += total;
            oversold.Expect(held + sold <= total, () => $"offer {id}: {held} held and {sold} paid orders for {total} units");
            oversold.Expect(
                held == ledger.Stock.Sum(row => row.Held) && sold == ledger.Stock.Sum(row => row.Sold),
                () => $"offer {id}: {held} held and {sold} paid orders, the stock rows say {ledger.Stock.Sum(row => row.Held)} and {ledger.Stock.Sum(row => row.Sold)}");
            if (offers.TryGetValue(id, out var known) && ledger.Replays.Count > 0)
            {
                var initial = ledger.Replays.Sum(replay => replay.Initial);
                oversold.Expect(initial == known.Stock, () => $"offer {id}: published with {known.Stock} units, the ledger began with {initial}");
            }
        }

        return oversold.Conclude($"{units:N0} units in {buckets:N0} buckets, {orders.Count:N0} orders");
    }

    private Finding LimitsHold()
    {
        var pairs = orders.Values.Where(IsLive).GroupBy(order => (order.OfferId, order.UserId));
        long people = 0;
        foreach (var pair in pairs)
        {
            people++;
            var limit = offers.GetValueOrDefault(pair.Key.OfferId ?? "")?.PerUserLimit ?? int.MaxValue;
            var live = pair.Count();
            limits.Expect(live <= limit, () => $"offer {pair.Key.OfferId}: user {pair.Key.UserId} has {live} live orders, {limit} are allowed");
        }

        return limits.Conclude($"{people:N0} users with a live order");
    }

    private static bool IsLive(ExportLine order) => order.Status is "held" or "paid";

    private sealed class OfferLedger
    {
        public List<ExportLine> Orders { get; } = [];
        public List<ExportLine> Changes { get; } = [];
        public List<ExportLine> Stock { get; } = [];
        public List<StockReplay> Replays { get; } = [];
    }

    /// <summary>Everything that the ledger exported about one order.</summary>
    private sealed class OrderRows
    {
        public string Offer { get; set; } = "";
        public List<ExportLine> Changes { get; } = [];
        public List<ExportLine> Coupons { get; } = [];
        public List<ExportLine> Payments { get; } = [];
    }
}
