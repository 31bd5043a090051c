using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Core.Stock;
using FlashSale.Core.Wire;
using FlashSale.Storage;

using Xunit;

namespace FlashSale.Tests.Storage;

/// <summary>The rows of a sale from one export, and what must hold among them (invariants I1, I5, I6, I8).</summary>
public sealed class LedgerRows
{
    private readonly List<ExportLine> lines = [];

    public IEnumerable<ExportLine> Of(string type) => lines.Where(line => line.Type == type);

    public static async Task<LedgerRows> ReadAsync(ILedger ledger, SaleId sale)
    {
        var rows = new LedgerRows();
        await foreach (var line in ledger.ExportAsync(sale, CancellationToken.None))
        {
            rows.lines.Add(line);
        }

        return rows;
    }

    public void AssertConsistent(Sale sale)
    {
        foreach (var offer in sale.Offers)
        {
            AssertOffer(offer);
        }

        var paid = Of("order").Where(order => order.Status == "paid").Select(order => order.Id).Order().ToList();
        Assert.Equal(paid, Of("coupon").Where(coupon => coupon.Status != "revoked").Select(coupon => coupon.OrderId).Order());
        var settled = Of("order").Where(order => order.Status is "paid" or "refund_due" or "refunded").Select(order => order.Id).Order().ToList();
        Assert.Equal(settled, Of("payment").Where(payment => payment.Status == "paid").Select(payment => payment.OrderId).Order());
    }

    private void AssertOffer(Offer offer)
    {
        var id = offer.Id.ToString();
        var stock = Assert.Single(Of("stock"), line => line.OfferId == id);
        var changes = Of("stockChange").Where(line => line.OfferId == id).ToList();
        var orders = Of("order").Where(line => line.OfferId == id).ToList();

        long balance = 0;
        for (var i = 0; i < changes.Count; i++)
        {
            Assert.Equal(i + 1, changes[i].Seq);
            balance += changes[i].Delta!.Value;
            Assert.Equal(balance, changes[i].BalanceAfter);
            Assert.True(balance >= 0, "more was sold than there is");
        }

        Assert.Equal(stock.Available, balance);
        Assert.Equal(stock.Seq, changes.Count);
        Assert.Equal(stock.Initial + stock.Adjustments, stock.Available + stock.Held + stock.Sold);
        Assert.Equal(stock.Held, orders.Count(order => order.Status == "held"));
        Assert.Equal(stock.Sold, orders.Count(order => order.Status == "paid"));

        var live = orders.Where(order => order.Status is "held" or "paid").ToList();
        Assert.All(live.CountBy(order => order.UserId!), user => Assert.InRange(user.Value, 1, offer.PerUserLimit));

        // Each order was held once; the one that left was released or sold once, unless a late payment sold it after its release.
        var moves = changes.Where(change => change.OrderId is not null).ToLookup(change => change.OrderId, change => change.Kind!.Value);
        Assert.Equal(orders.Count, moves.Count);
        foreach (var order in orders)
        {
            StockChangeKind[] expected = order.Status switch
            {
                "held" => [StockChangeKind.Hold],
                "paid" when moves[order.Id].Contains(StockChangeKind.Release) => [StockChangeKind.Hold, StockChangeKind.Release, StockChangeKind.Sell],
                "paid" => [StockChangeKind.Hold, StockChangeKind.Sell],
                "refunded" when moves[order.Id].Contains(StockChangeKind.Sell) => [StockChangeKind.Hold, StockChangeKind.Sell, StockChangeKind.Release],
                _ => [StockChangeKind.Hold, StockChangeKind.Release],
            };
            Assert.Equal(expected, moves[order.Id]);
        }
    }
}
