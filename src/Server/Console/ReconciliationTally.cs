using System.Globalization;

using FlashSale.Core.Stock;
using FlashSale.Core.Wire;
using FlashSale.Storage;

namespace FlashSale.Server.Console;

/// <summary>
/// Folds the rows of an export as they come by, and keeps sums only: a sale has a million rows. It computes each figure from the rows, not with the code that
/// wrote them.
/// </summary>
internal sealed class ReconciliationTally
{
    private readonly Dictionary<string, OfferTally> offers = new(StringComparer.Ordinal);
    private readonly List<string> broken = [];

    // Which orders are paid, and which have a coupon or a payment: equal sums of the random ids mean the same orders, without a list of them.
    private UInt128 paidOrders;
    private UInt128 moneyOrders;
    private UInt128 couponOrders;
    private UInt128 paymentOrders;

    // Coupons and payments come after the orders of their offer.
    private OfferTally? current;

    public void Add(ExportLine line)
    {
        if (line.OfferId is { } id && current?.Id != id && !offers.TryGetValue(id, out current))
        {
            offers[id] = current = new OfferTally(id);
        }

        if (current is null)
        {
            broken.Add($"A row of type {line.Type} belongs to no offer.");
            return;
        }

        switch (line.Type)
        {
            case "stock":
                current.Bucket(line).Row = line;
                break;
            case "stockChange":
                current.Bucket(line).Replay(line);
                break;
            case "order":
                AddOrder(line, current);
                break;
            case "coupon" when line.Status != "revoked":
                current.Coupons++;
                couponOrders = Sum(couponOrders, line.OrderId);
                break;
            case "payment" when line.Status == "paid":
                current.PaymentsPaid++;
                paymentOrders = Sum(paymentOrders, line.OrderId);
                break;
        }
    }

    /// <param name="published">Every offer must have its stock.</param>
    public List<string> Violations(bool published, IReadOnlyList<string> offerIds)
    {
        List<string> violations = [.. broken];
        if (published)
        {
            violations.AddRange(offerIds.Where(id => offers.GetValueOrDefault(id)?.Buckets.Any() != true).Select(id => $"Offer {id} has no stock."));
        }

        violations.AddRange(offers.Values.SelectMany(offer => offer.Violations()));
        if (paidOrders != couponOrders)
        {
            violations.Add("The paid orders and the orders with a coupon are not the same.");
        }

        if (moneyOrders != paymentOrders)
        {
            violations.Add("The orders that are paid or wait for a refund and the orders with a paid payment are not the same.");
        }

        return violations;
    }

    public OfferReconciliation Document(string offerId, GateStock? gate)
    {
        var offer = offers.GetValueOrDefault(offerId) ?? new OfferTally(offerId);
        return new OfferReconciliation(
            offerId,
            offer.Sum(row => row.Initial),
            offer.Sum(row => row.Adjustments),
            offer.Sum(row => row.Available),
            offer.Sum(row => row.Held),
            offer.Sum(row => row.Sold),
            offer.Buckets.Sum(bucket => bucket.Changes),
            offer.OrdersHeld,
            offer.OrdersPaid,
            offer.Coupons,
            offer.PaymentsPaid,
            gate?.Stock ?? 0,
            gate?.Pending ?? 0);
    }

    private void AddOrder(ExportLine line, OfferTally offer)
    {
        switch (line.Status)
        {
            case "held":
                offer.OrdersHeld++;
                break;
            case "paid":
                offer.OrdersPaid++;
                paidOrders = Sum(paidOrders, line.Id);
                moneyOrders = Sum(moneyOrders, line.Id);
                break;
            case "refund_due" or "refunded":
                offer.OrdersRefunded++;
                moneyOrders = Sum(moneyOrders, line.Id);
                break;
        }
    }

    private static UInt128 Sum(UInt128 sum, string? id) => unchecked(sum + UInt128.Parse(id!, NumberStyles.HexNumber, CultureInfo.InvariantCulture));

    private sealed class OfferTally(string id)
    {
        private readonly SortedDictionary<int, BucketTally> buckets = [];

        public string Id { get; } = id;
        public long OrdersHeld { get; set; }
        public long OrdersPaid { get; set; }
        public long OrdersRefunded { get; set; }
        public long Coupons { get; set; }
        public long PaymentsPaid { get; set; }

        public IEnumerable<BucketTally> Buckets => buckets.Values;

        public BucketTally Bucket(ExportLine line)
        {
            var number = line.Bucket ?? 0;
            if (!buckets.TryGetValue(number, out var bucket))
            {
                buckets[number] = bucket = new BucketTally($"Offer {Id}, bucket {number}");
            }

            return bucket;
        }

        public long Sum(Func<ExportLine, long?> figure) => buckets.Values.Sum(bucket => bucket.Row is { } row ? figure(row) ?? 0 : 0);

        public IEnumerable<string> Violations()
        {
            foreach (var violation in buckets.Values.SelectMany(bucket => bucket.Violations()))
            {
                yield return violation;
            }

            (string What, long Left, long Right)[] pairs =
            [
                ("units held and orders held", Sum(row => row.Held), OrdersHeld),
                ("units sold and orders paid", Sum(row => row.Sold), OrdersPaid),
                ("orders paid and their coupons", OrdersPaid, Coupons),
                ("orders paid or to be refunded and payments paid", OrdersPaid + OrdersRefunded, PaymentsPaid),
            ];
            foreach (var (what, left, right) in pairs.Where(pair => pair.Left != pair.Right))
            {
                yield return $"Offer {Id}: {what} differ: {left} and {right}.";
            }
        }
    }

    private sealed class BucketTally(string name)
    {
        private long balance;
        private long initial;
        private long adjustments;
        private long held;
        private long sold;
        private string? brokenAt;

        /// <summary>The stock row itself.</summary>
        public ExportLine? Row { get; set; }

        public long Changes { get; private set; }

        public void Replay(ExportLine change)
        {
            Changes++;
            var delta = change.Delta ?? 0;
            balance += delta;
            if (change.Seq != Changes || change.BalanceAfter != balance || balance < 0 || !Fits(change.Kind, delta, Changes))
            {
                brokenAt ??= $"seq {change.Seq}: {change.Kind} by {delta} to {change.BalanceAfter}, where change {Changes} to {balance} was due";
            }

            switch (change.Kind)
            {
                case StockChangeKind.Initial:
                    initial += delta;
                    break;
                case StockChangeKind.Adjust:
                    adjustments += delta;
                    break;
                case StockChangeKind.Hold:
                    held++;
                    break;
                case StockChangeKind.Release:
                    held--;
                    break;
                case StockChangeKind.Sell:
                    sold++;
                    held -= delta == 0 ? 1 : 0;
                    break;
            }
        }

        public IEnumerable<string> Violations()
        {
            if (brokenAt is not null)
            {
                yield return $"{name}: the change log does not replay at {brokenAt}.";
            }

            if (Row is not { } row)
            {
                yield return $"{name}: there are changes, but no stock.";
                yield break;
            }

            (string What, long? Stock, long Log)[] pairs =
            [
                ("initial", row.Initial, initial),
                ("adjustments", row.Adjustments, adjustments),
                ("available", row.Available, balance),
                ("held", row.Held, held),
                ("sold", row.Sold, sold),
                ("seq", row.Seq, Changes),
            ];
            foreach (var (what, stock, log) in pairs.Where(pair => pair.Stock != pair.Log))
            {
                yield return $"{name}: {what} is {stock} in the stock, {log} by the change log.";
            }

            if (row.Available < 0 || row.Held < 0 || row.Sold < 0 || row.Initial + row.Adjustments != row.Available + row.Held + row.Sold)
            {
                yield return $"{name}: the stock does not add up: {row.Initial} + {row.Adjustments} = {row.Available} + {row.Held} + {row.Sold}.";
            }
        }

        private static bool Fits(StockChangeKind? kind, long delta, long at) =>
            kind switch
            {
                StockChangeKind.Initial => at == 1 && delta > 0,
                StockChangeKind.Hold => delta == -1,
                StockChangeKind.Sell => delta is 0 or -1,
                StockChangeKind.Release => delta == 1,
                StockChangeKind.Adjust => delta != 0,
                _ => false,
            } && (at > 1 || kind == StockChangeKind.Initial);
    }
}
