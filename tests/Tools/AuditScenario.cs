using FlashSale.Core;
using FlashSale.Core.Stock;
using FlashSale.Core.Wire;
using FlashSale.Tools.History;
using FlashSale.Tools.Verify;

namespace FlashSale.Tests.Tools;

/// <summary>
/// A small run in which everything is right: three units in one bucket; ann paid, bob cancelled, cid's order expired, dan and eve bought the units
/// that came back, fay was told "sold out" at the end. A test then plants what it wants to have found.
/// </summary>
internal sealed class AuditScenario
{
    public const string Sale = "7";
    public const string Offer = "70";
    public const string Operator = "chief";
    public const long Opens = 1_800_000_000_000_000;
    private const long Price = 9_900;
    private const long Second = 1_000_000;

    private int seq;
    private long available;

    public AuditScenario()
    {
        Change(StockChangeKind.Initial, 3, null);
        Buys("ann", 1);
        Buys("bob", 2);
        Buys("cid", 3);
        Refused("fay", 4);
        Pays("ann", 5);
        Cancels("bob", 6);
        Buys("dan", 7);
        Pays("dan", 8);
        Expires("cid", 9);
        Buys("eve", 10);
        Pays("eve", 11);
        Refused("fay", 20);
        Records.Add(Record("admin.publish", 0) with { User = Operator, Subject = Sale, Status = 200 });
        Records.Add(Record(HistoryOps.Order, 2) with { User = "bot", Token = "bad", Status = 403, Code = "order-token-rejected", Effect = "none", MustRefuse = "forged" });
        AuditLog.Add(new AuditDocument("1", At(0), Operator, "operator", "publish", "sale/" + Sale, null, null, null, null));
        Stock = new ExportLine
        {
            Type = "stock",
            OfferId = Offer,
            Bucket = 0,
            Initial = 3,
            Adjustments = 0,
            Available = available,
            Held = 0,
            Sold = 3,
            Seq = seq,
        };
    }

    public HistoryHeader Header { get; set; } = new()
    {
        Target = "http://localhost",
        StartedAt = Opens - 60 * Second,
        Sales =
        [
            new HistorySale
            {
                Id = Sale,
                Slug = "sale",
                OpensAt = Opens,
                RequiresReservation = true,
                PaymentWindowSeconds = 5,
                Offers = [new HistoryOffer(Offer, 3, PerUserLimit: 1, Price)],
            },
        ],
    };

    public List<HistoryRecord> Records { get; } = [];
    public List<ExportLine> Changes { get; } = [];
    public Dictionary<string, ExportLine> Orders { get; } = [];
    public List<ExportLine> Coupons { get; } = [];
    public List<ExportLine> Payments { get; } = [];
    public List<AuditDocument> AuditLog { get; } = [];
    public List<string> Reconciled { get; } = [];
    public ExportLine Stock { get; set; }
    public long GateStock { get; set; }
    public int GatePending { get; set; }

    public static DateTimeOffset At(double second) => DateTimeOffset.UnixEpoch.AddTicks((Opens + (long)(second * Second)) * 10);

    public static string OrderId(string user) => "order-" + user;

    public static HistoryRecord Record(string op, double second) => new()
    {
        Op = op,
        At = Opens + (long)(second * Second),
        Sent = Opens + (long)(second * Second),
        End = Opens + (long)(second * Second) + 10_000,
        Sale = Sale,
        Offer = Offer,
    };

    public AuditReport Check()
    {
        var export = Changes.Concat(Orders.Values).Concat(Coupons).Concat(Payments).Append(Stock).ToList();
        var readiness = new ReadinessDocument(
            Sale,
            Ready: true,
            Reasons: [],
            new WarmUpDocument(Sale, true, 1, 1, 0, 0, null, null),
            [new OfferReadiness(Offer, true, available, GateStock, GatePending, GateStock + GatePending - available)],
            ClockSkewMs: 0,
            new Dictionary<string, string>());
        var reconciliation = new ReconciliationDocument(Sale, At(30), [], Reconciled);
        var facts = new SaleFacts(export, readiness, reconciliation, Ended: false, TimeSpan.Zero);
        return Audit.Check(Header, Records, new AuditFacts(new Dictionary<string, SaleFacts> { [Sale] = facts }, AuditLog));
    }

    public Finding Find(string invariant) => Check().Findings.Single(finding => finding.Id == invariant);

    public void Reserves(string user) =>
        Records.Add(Record(HistoryOps.Reserve, -10) with { User = user, Status = 201, State = "approved" });

    public void Buys(string user, double second)
    {
        Reserves(user);
        Orders[OrderId(user)] = new ExportLine { Type = "order", Id = OrderId(user), OfferId = Offer, UserId = user, Status = "held", CreatedAt = At(second) };
        Change(StockChangeKind.Hold, -1, user);
        Records.Add(Record(HistoryOps.Order, second) with { User = user, Token = "token-" + user, Status = 201, Order = OrderId(user), State = "held" });
    }

    public void Refused(string user, double second, string code = "sold-out", int status = 409)
    {
        Reserves(user);
        Records.Add(Record(HistoryOps.Order, second) with { User = user, Token = "token-" + user, Status = status, Code = code, Effect = "none" });
    }

    public void Change(StockChangeKind kind, long delta, string? user)
    {
        available += delta;
        Changes.Add(new ExportLine
        {
            Type = "stockChange",
            OfferId = Offer,
            Bucket = 0,
            Seq = ++seq,
            Kind = kind,
            Delta = delta,
            BalanceAfter = available,
            OrderId = user is null ? null : OrderId(user),
        });
    }

    /// <summary>An operator gives the money of a paid order back.</summary>
    public void Refunds(string user)
    {
        var order = OrderId(user);
        Change(StockChangeKind.Release, 1, user);
        Orders[order] = Orders[order] with { Status = "refunded" };
        AuditLog.Add(new AuditDocument("2", At(25), Operator, "operator", "order.refund", "order/" + order, "asked for", null, null, null));
        Coupons[Coupons.FindIndex(coupon => coupon.OrderId == order)] = new ExportLine { Type = "coupon", Code = "code-" + user, OrderId = order, Status = "revoked" };
        Stock = Stock with { Available = available, Sold = Stock.Sold - 1, Seq = seq };
    }

    private void Pays(string user, double second)
    {
        var order = OrderId(user);
        Change(StockChangeKind.Sell, 0, user);
        Orders[order] = Orders[order] with { Status = "paid" };
        Coupons.Add(new ExportLine { Type = "coupon", Code = "code-" + user, OrderId = order, Status = "issued" });
        Payments.Add(new ExportLine { Type = "payment", Id = "payment-" + user, OrderId = order, Status = "paid", Amount = Money.Cny(Price) });
        Records.Add(Record(HistoryOps.Read, second) with { User = user, Status = 200, Order = order, State = "paid", Coupon = "code-" + user });
    }

    private void Cancels(string user, double second)
    {
        Change(StockChangeKind.Release, 1, user);
        Orders[OrderId(user)] = Orders[OrderId(user)] with { Status = "cancelled" };
        Records.Add(Record(HistoryOps.Cancel, second) with { User = user, Status = 200, Order = OrderId(user), State = "cancelled" });
    }

    private void Expires(string user, double second)
    {
        Change(StockChangeKind.Release, 1, user);
        Orders[OrderId(user)] = Orders[OrderId(user)] with { Status = "expired" };
        Records.Add(Record(HistoryOps.Read, second) with { User = user, Status = 200, Order = OrderId(user), State = "expired" });
    }
}
