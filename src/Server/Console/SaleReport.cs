using System.Text.Json;

using FlashSale.Core.Orders;
using FlashSale.Core.Reservations;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Console;

/// <summary>How many orders had been placed this long after the opening, and how many of them are paid by now.</summary>
public sealed record SellThroughPoint(TimeSpan After, long Placed, long Paid);

/// <summary>What became of a sale.</summary>
/// <param name="Units">Initial stock and adjustments of all offers.</param>
/// <param name="Orders">By their state now.</param>
/// <param name="Violations">The auditor's verdict: ledger against gate, change log, orders, coupons and payments; empty when all agree.</param>
/// <param name="SellThrough">At a hundred moments at most, up to the last order.</param>
/// <param name="Unnamed">Requests to order of the same instances, of all sales, that were turned away before a sale was known.</param>
/// <param name="Since">From when on instances are added up; the counts of those whose last report is older are missing.</param>
public sealed record SaleReportModel(
    Sale Sale,
    SalePhase Phase,
    DateTimeOffset At,
    long Units,
    SaleSums Sums,
    IReadOnlyDictionary<ReservationStatus, long> Reservations,
    IReadOnlyDictionary<string, long> Orders,
    IReadOnlyDictionary<string, long> Coupons,
    IReadOnlyList<SellThroughPoint> SellThrough,
    IReadOnlyList<Violation> Violations,
    IReadOnlyList<(DecisionKind Kind, long Count)> Unnamed,
    DateTimeOffset Since)
{
    private static readonly OrderDecision[] BotDecisions = [OrderDecision.NotReserved, OrderDecision.NotEligible, OrderDecision.BarredAddress, OrderDecision.BarredDevice];
    private static readonly OrderStatus[] PaidStates = [OrderStatus.Paid, OrderStatus.RefundDue, OrderStatus.Refunded];

    public long OrdersPlaced => Orders.Values.Sum();

    public long OrdersPaid => PaidStates.Sum(OrdersIn);

    /// <summary>It was paid, whatever became of it then.</summary>
    public static bool WasPaid(string status) => PaidStates.Any(state => state.Word() == status);

    public long OrdersIn(OrderStatus status) => Orders.GetValueOrDefault(status.Word());

    /// <summary>Requests that no page of ours sends, of those that count for a sale: a token that is too young, too old or of another device; somebody who may not take part.</summary>
    public IEnumerable<(DecisionKind Kind, long Count)> Bots => Decisions(decision => DecisionKind.Of(decision).Layer == "checkout" || BotDecisions.Contains(decision));

    public IEnumerable<(DecisionKind Kind, long Count)> Refusals => Decisions(decision => DecisionKind.Of(decision).Problem is not null);

    private IEnumerable<(DecisionKind Kind, long Count)> Decisions(Func<OrderDecision, bool> which) =>
        Enum.GetValues<OrderDecision>().Where(decision => which(decision) && Sums.Of(decision) > 0).Select(decision => (DecisionKind.Of(decision), Sums.Of(decision)));
}

/// <summary>
/// Makes the report of a sale: what stands in the ledger, and what the instances have counted. It can be asked for at any time, also while the sale runs, and reads all
/// rows of the sale.
/// </summary>
public sealed class SaleReport(ILedger ledger, Reconciliation reconciliation, TimeProvider time)
{
    private const int Points = 100;
    private static readonly TimeSpan Before = TimeSpan.FromDays(1);

    public async Task<SaleReportModel> MakeAsync(Sale sale, CancellationToken cancellation)
    {
        var at = time.GetUtcNow();
        var since = (sale.ReservationOpensAt ?? sale.OpensAt) - Before;
        var sums = new SaleSums();
        InstanceFigures[] instances = [.. (await ledger.ReadReportsAsync(since, cancellation))
            .Select(report => JsonSerializer.Deserialize(report.Document, FiguresJson.Default.InstanceFigures))
            .OfType<InstanceFigures>()];
        foreach (var figures in instances.Select(instance => instance.Sales.GetValueOrDefault(sale.Id.ToString())).OfType<SaleFigures>())
        {
            sums.Add(figures);
        }

        Dictionary<string, long> orders = new(StringComparer.Ordinal);
        Dictionary<string, long> coupons = new(StringComparer.Ordinal);
        SortedDictionary<long, (long Placed, long Paid)> seconds = [];
        long units = 0;
        var (books, violations) = await reconciliation.CheckAsync(sale, Count, cancellation);
        return new SaleReportModel(
            sale,
            SalePhases.Of(sale, books.Offers.Any(offer => offer.Available > 0), at),
            at,
            units,
            sums,
            await ledger.CountReservationsAsync(sale.Id, cancellation),
            orders,
            coupons,
            SellThrough(seconds),
            violations,
            Unnamed(instances),
            since);

        void Count(ExportLine line)
        {
            switch (line.Type)
            {
                case "order":
                    orders[line.Status!] = orders.GetValueOrDefault(line.Status!) + 1;
                    var second = (long)Math.Ceiling((line.CreatedAt!.Value - sale.OpensAt).TotalSeconds);
                    var (placed, paid) = seconds.GetValueOrDefault(second);
                    seconds[second] = (placed + 1, paid + (SaleReportModel.WasPaid(line.Status!) ? 1 : 0));
                    break;
                case "coupon":
                    coupons[line.Status!] = coupons.GetValueOrDefault(line.Status!) + 1;
                    break;
                case "stock":
                    units += line.Initial!.Value + line.Adjustments!.Value;
                    break;
            }
        }
    }

    private static IReadOnlyList<(DecisionKind Kind, long Count)> Unnamed(InstanceFigures[] instances) =>
        [.. instances.SelectMany(instance => instance.Unnamed())
            .GroupBy(one => Words<OrderDecision>.ByWord[one.Key])
            .OrderBy(decision => decision.Key)
            .Select(decision => (DecisionKind.Of(decision.Key), decision.Sum(one => one.Value)))
            .OrderBy(one => one.Item1.Layer, StringComparer.Ordinal)];

    /// <summary>Sums up to each second; of many, a hundred that are evenly spread and the last.</summary>
    internal static IReadOnlyList<SellThroughPoint> SellThrough(SortedDictionary<long, (long Placed, long Paid)> seconds)
    {
        List<SellThroughPoint> all = [];
        long placed = 0;
        long paid = 0;
        foreach (var (second, count) in seconds)
        {
            placed += count.Placed;
            paid += count.Paid;
            all.Add(new SellThroughPoint(TimeSpan.FromSeconds(second), placed, paid));
        }

        var step = Math.Max(1, (all.Count + Points - 1) / Points);
        return [.. all.Where((_, i) => i % step == step - 1 || i == all.Count - 1)];
    }
}
