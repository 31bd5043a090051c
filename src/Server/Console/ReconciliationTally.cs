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
    private readonly List<Violation> broken = [];

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
            broken.Add(new Violation(null, $"A row of type {line.Type} belongs to no offer.", $"有一行 {line.Type} 不属于任何优惠券。"));
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
            case "coupon" when line.Status == "revoked":
                current.TakenBack++;
                break;
            case "coupon":
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
    public List<Violation> Violations(bool published, IReadOnlyList<string> offerIds)
    {
        List<Violation> violations = [.. broken];
        if (published)
        {
            violations.AddRange(offerIds.Where(id => offers.GetValueOrDefault(id)?.Buckets.Any() != true)
                .Select(id => new Violation(id, $"Offer {id} has no stock.", $"优惠券 {id} 没有库存记录。")));
        }

        violations.AddRange(offers.Values.SelectMany(offer => offer.Violations()));
        if (paidOrders != couponOrders)
        {
            violations.Add(new Violation(null, "The paid orders and the orders with a coupon are not the same.", "已支付的订单与有优惠券的订单不一致。"));
        }

        if (moneyOrders != paymentOrders)
        {
            violations.Add(new Violation(
                null, "The orders that are paid or wait for a refund and the orders with a paid payment are not the same.", "已支付或待退款的订单与有成功付款的订单不一致。"));
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

        /// <summary>Paid orders that were refunded: so many releases gave back what was sold, and not what was held.</summary>
        public long TakenBack { get; set; }
        public long PaymentsPaid { get; set; }

        public IEnumerable<BucketTally> Buckets => buckets.Values;

        public BucketTally Bucket(ExportLine line)
        {
            var number = line.Bucket ?? 0;
            if (!buckets.TryGetValue(number, out var bucket))
            {
                buckets[number] = bucket = new BucketTally(Id, number);
            }

            return bucket;
        }

        public long Sum(Func<ExportLine, long?> figure) => buckets.Values.Sum(bucket => bucket.Row is { } row ? figure(row) ?? 0 : 0);

        public IEnumerable<Violation> Violations()
        {
            foreach (var violation in buckets.Values.SelectMany(bucket => bucket.Violations(TakenBack)))
            {
                yield return violation;
            }

            (string What, string Zh, long Left, long Right)[] pairs =
            [
                ("units held and orders held", "占用库存与待支付订单", Sum(row => row.Held), OrdersHeld),
                ("units sold and orders paid", "已售库存与已支付订单", Sum(row => row.Sold), OrdersPaid),
                ("orders paid and their coupons", "已支付订单与优惠券", OrdersPaid, Coupons),
                ("orders paid or to be refunded and payments paid", "已支付或待退款订单与成功付款", OrdersPaid + OrdersRefunded, PaymentsPaid),
            ];
            foreach (var (what, zh, left, right) in pairs.Where(pair => pair.Left != pair.Right))
            {
                yield return new Violation(Id, $"Offer {Id}: {what} differ: {left} and {right}.", $"优惠券 {Id}：{zh}不符：{left} 与 {right}。");
            }
        }
    }

    private sealed class BucketTally(string offerId, int number)
    {
        private readonly string name = $"Offer {offerId}, bucket {number}";
        private readonly string nameZh = $"优惠券 {offerId}，库存桶 {number}";
        private long balance;
        private long initial;
        private long adjustments;
        private long held;
        private long sold;
        private (string En, string Zh)? brokenAt;

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
                brokenAt ??= (
                    $"seq {change.Seq}: {change.Kind} by {delta} to {change.BalanceAfter}, where change {Changes} to {balance} was due",
                    $"序号 {change.Seq}：{change.Kind} {delta} 后为 {change.BalanceAfter}，应为第 {Changes} 条变更、余额 {balance}");
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

        /// <param name="takenBack">Of the offer, which has one bucket (docs/decisions/0010).</param>
        public IEnumerable<Violation> Violations(long takenBack)
        {
            if (brokenAt is { } at)
            {
                yield return Of($"the change log does not replay at {at.En}.", $"库存流水无法重放，{at.Zh}。");
            }

            if (Row is not { } row)
            {
                yield return Of("there are changes, but no stock.", "有库存流水，但没有库存记录。");
                yield break;
            }

            (string What, string Zh, long? Stock, long Log)[] pairs =
            [
                ("initial", "初始库存", row.Initial, initial),
                ("adjustments", "库存调整", row.Adjustments, adjustments),
                ("available", "可用库存", row.Available, balance),
                ("held", "占用库存", row.Held, held + takenBack),
                ("sold", "已售库存", row.Sold, sold - takenBack),
                ("seq", "流水序号", row.Seq, Changes),
            ];
            foreach (var (what, zh, stock, log) in pairs.Where(pair => pair.Stock != pair.Log))
            {
                yield return Of($"{what} is {stock} in the stock, {log} by the change log.", $"{zh}在库存记录中为 {stock}，按流水为 {log}。");
            }

            if (row.Available < 0 || row.Held < 0 || row.Sold < 0 || row.Initial + row.Adjustments != row.Available + row.Held + row.Sold)
            {
                var sum = $"{row.Initial} + {row.Adjustments} = {row.Available} + {row.Held} + {row.Sold}";
                yield return Of($"the stock does not add up: {sum}.", $"库存不平：{sum}。");
            }
        }

        private Violation Of(string en, string zh) => new(offerId, $"{name}: {en}", $"{nameZh}：{zh}");

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
