using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Sales;
using FlashSale.Core.Stock;
using FlashSale.Core.Wire;
using FlashSale.Storage;

using Xunit;

namespace FlashSale.Tests.Storage;

/// <summary>What a ledger does, in memory and on the rules of Core alone: the oracle for random histories.</summary>
public sealed class LedgerModel
{
    public LedgerModel(Sale sale)
    {
        foreach (var offer in sale.Offers)
        {
            var (row, change) = StockRow.Create(offer.Stock);
            Stocks[offer.Id] = row;
            Changes[offer.Id] = [change];
        }
    }

    public Dictionary<OfferId, StockRow> Stocks { get; } = [];

    public Dictionary<OfferId, List<StockChange>> Changes { get; } = [];

    public Dictionary<OrderId, ModelOrder> Orders { get; } = [];

    public PlacementOutcome Place(OrderDraft draft, DateTimeOffset now)
    {
        if (Orders.ContainsKey(draft.Id))
        {
            return PlacementOutcome.AlreadyPlaced;
        }

        if (Stocks[draft.OfferId].Available == 0)
        {
            return PlacementOutcome.SoldOut;
        }

        if (!HasRoom(draft))
        {
            return PlacementOutcome.LimitReached;
        }

        Orders[draft.Id] = new ModelOrder(draft, now + draft.PaymentWindow, Orders.Count);
        Take(draft.OfferId, Stocks[draft.OfferId].Hold(draft.Id));
        return PlacementOutcome.Placed;
    }

    public CancellationOutcome Cancel(ModelOrder order) => Apply(order, OrderEvent.CancelAsked) switch
    {
        OrderTransitionOutcome.Moves => CancellationOutcome.Cancelled,
        OrderTransitionOutcome.Repeated => CancellationOutcome.AlreadyCancelled,
        _ => CancellationOutcome.NotCancellable,
    };

    /// <summary>Orders that the ledger ended: only those whose time had run out, all of those for whom the spread is over too, and in their order.</summary>
    public void Expire(DateTimeOffset now, IReadOnlyList<OrderId> ended)
    {
        // In the order in which the time ran out; those of one moment in the order of their arrival.
        var overdue = Orders.Values.Where(order => order.Status == OrderStatus.Held && order.PayBefore <= now)
            .OrderBy(order => order.PayBefore).ThenBy(order => order.Arrival).ToList();
        Assert.Equal(overdue.Select(order => order.Draft.Id).Where(ended.Contains), ended);
        Assert.Empty(overdue.Where(order => order.PayBefore + Limits.ExpirySpreadMax <= now).Select(order => order.Draft.Id).Except(ended));
        foreach (var order in ended)
        {
            Apply(Orders[order], OrderEvent.PaymentTimeRanOut);
        }
    }

    /// <returns>Whether it was extended by this.</returns>
    public static bool Extend(ModelOrder order, DateTimeOffset now)
    {
        if (order.Status != OrderStatus.Held || order.IsExtended || now >= order.PayBefore)
        {
            return false;
        }

        order.PayBefore += Limits.ExtensionMax;
        return order.IsExtended = true;
    }

    public bool StartPayment(ModelOrder order)
    {
        if (order.Payment is null && order.Status == OrderStatus.Held)
        {
            order.Payment = PaymentStatus.Pending;
        }

        return order.Payment is not null;
    }

    public PaymentOutcome Pay(ModelOrder order, bool paid)
    {
        if (order.Payment == PaymentStatus.Paid || (!paid && order.Payment == PaymentStatus.Failed))
        {
            return PaymentOutcome.Repeated;
        }

        order.Payment = paid ? PaymentStatus.Paid : PaymentStatus.Failed;
        if (!paid)
        {
            return PaymentOutcome.Failed;
        }

        Apply(order, OrderEvent.PaymentArrived);
        return order.Status == OrderStatus.Paid ? PaymentOutcome.Paid : PaymentOutcome.RefundDue;
    }

    public bool Adjust(OfferId offer, long delta, long expected)
    {
        if (Stocks[offer].Available != expected || !Stocks[offer].CanAdjust(delta))
        {
            return false;
        }

        Take(offer, Stocks[offer].Adjust(delta));
        return true;
    }

    private OrderTransitionOutcome Apply(ModelOrder order, OrderEvent what)
    {
        var row = Stocks[order.Draft.OfferId];
        var transition = OrderLifeCycle.Apply(order.Status, what, row.Available > 0 && HasRoom(order.Draft));
        if (transition.Stock == StockChangeKind.Release)
        {
            Take(order.Draft.OfferId, row.Release(order.Draft.Id));
        }
        else if (transition.Stock == StockChangeKind.Sell)
        {
            Take(order.Draft.OfferId, order.Status == OrderStatus.Held ? row.Sell(order.Draft.Id) : row.SellAgain(order.Draft.Id));
        }

        order.Status = transition.Next;
        return transition.Outcome;
    }

    private bool HasRoom(OrderDraft draft) =>
        Orders.Values.Count(order => OrderLifeCycle.IsLive(order.Status) && order.Draft.UserId == draft.UserId && order.Draft.OfferId == draft.OfferId)
            < draft.PerUserLimit;

    private void Take(OfferId offer, (StockRow Row, StockChange Change) step)
    {
        Stocks[offer] = step.Row;
        Changes[offer].Add(step.Change);
    }
}

public sealed class ModelOrder(OrderDraft draft, DateTimeOffset payBefore, int arrival)
{
    public OrderDraft Draft { get; } = draft;

    public int Arrival { get; } = arrival;

    public DateTimeOffset PayBefore { get; set; } = payBefore;

    public bool IsExtended { get; set; }

    public OrderStatus Status { get; set; } = OrderStatus.Held;

    public PaymentStatus? Payment { get; set; }
}
