using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;

using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Stock;
using FlashSale.Storage.Sql;

namespace FlashSale.Storage.MySql;

/// <summary>
/// Places batches of orders on one connection; used by its thread only. It remembers the stock rows as its last commits left them and writes the next batch on
/// that belief, in one round trip and a COMMIT; every row count is checked before. Where the belief is wrong, or an order or a slot is there already, nothing
/// is committed, and the batch is written again with the stock locked first.
/// </summary>
internal sealed class MySqlLane(WritePattern pattern)
{
    private const string SelectStock = "SELECT initial,adjustments,available,held,sold,seq FROM stock WHERE offer_id=";

    /// <summary>Offers on sale at once are hundreds at most; what is forgotten is read again.</summary>
    private const int BeliefsMax = 4_096;

    private readonly StringBuilder text = new();
    private readonly List<(OrderDraft Draft, int Slot)> placing = [];
    private readonly List<(OrderId Id, PlacementResult Result)> refused = [];
    private readonly Dictionary<OrderId, Order> known = [];

    // Which slots are taken, as bits: as this lane last saw them while orders are hoped for, as they are once that was looked up.
    private readonly Dictionary<(UserId User, OfferId Offer), int> slots = [];

    // Of offers that let a user have several: without it, each second order of a user would be hoped for in a slot that is taken, and its batch written twice.
    private readonly Dictionary<(UserId User, OfferId Offer), int> remembered = [];
    private readonly Dictionary<OfferId, Belief> beliefs = [];

    // What the last write ran into: an order or a slot that is there, which the next one has to look up first.
    private bool ordersWereThere;

    /// <exception cref="MySqlFault">Nothing was written.</exception>
    /// <exception cref="LedgerOutcomeUnknownException">The commit may have happened.</exception>
    /// <exception cref="BatchRejectedException">One of the orders cannot be written, and nothing was.</exception>
    public PlacementBatch Place(MySqlSession session, IReadOnlyList<OrderDraft> drafts)
    {
        ordersWereThere = false;
        OfferId[] offers = [.. drafts.Select(draft => draft.OfferId).Distinct().OrderBy(offer => offer.Value)];
        try
        {
            return PlaceOnBelief(session, drafts, offers) ?? PlaceLocked(session, drafts, offers);
        }
        catch
        {
            // What the rows are now is not known: the next batch looks.
            Array.ForEach(offers, offer => beliefs.Remove(offer));
            throw;
        }
    }

    private PlacementBatch? PlaceOnBelief(MySqlSession session, IReadOnlyList<OrderDraft> drafts, OfferId[] offers)
    {
        var stocks = new StockRow[offers.Length];
        for (var i = 0; i < offers.Length; i++)
        {
            if (!beliefs.TryGetValue(offers[i], out var belief) || belief.Shared)
            {
                return null;
            }

            stocks[i] = belief.Stock;
        }

        if (!Choose(drafts, offers, stocks))
        {
            return null;
        }

        text.Clear().Append("START TRANSACTION;");
        var after = AppendWrites(session.NowSql, offers, stocks);
        return Write(session, after, out var now) ? Commit(session, drafts, offers, after, now, locked: null) : null;
    }

    /// <summary>Takes the slots that this lane does not know to be taken: true when everybody gets one by that.</summary>
    private bool Choose(IReadOnlyList<OrderDraft> drafts, OfferId[] offers, StockRow[] stocks)
    {
        placing.Clear();
        refused.Clear();
        slots.Clear();
        foreach (var draft in drafts)
        {
            if (draft.PerUserLimit > 1 && remembered.TryGetValue((draft.UserId, draft.OfferId), out var bits))
            {
                slots.TryAdd((draft.UserId, draft.OfferId), bits);
            }

            if (TakeSlot(draft) is not { } slot)
            {
                return false;
            }

            placing.Add((draft, slot));
        }

        for (var i = 0; i < offers.Length; i++)
        {
            if (stocks[i].Available < (offers.Length == 1 ? drafts.Count : drafts.Count(draft => draft.OfferId == offers[i])))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The stock rows are this transaction's from the first statement on, in the order in which everybody takes them.</summary>
    private PlacementBatch PlaceLocked(MySqlSession session, IReadOnlyList<OrderDraft> drafts, OfferId[] offers)
    {
        var (now, stocks) = Lock(session, offers);
        if (!ordersWereThere && Choose(drafts, offers, stocks))
        {
            text.Clear();
            var hopeful = AppendWrites(Sql(now), offers, stocks);
            if (Write(session, hopeful, out _))
            {
                return Commit(session, drafts, offers, hopeful, now, stocks);
            }

            (now, stocks) = Lock(session, offers);
        }

        LookUp(session, drafts, offers);
        Decide(drafts, offers, stocks);
        if (placing.Count == 0)
        {
            return CommitNothing(session, drafts, offers, now, stocks);
        }

        text.Clear();
        var after = AppendWrites(Sql(now), offers, stocks);
        return Write(session, after, out _)
            ? Commit(session, drafts, offers, after, now, stocks)
            : throw new LedgerUnavailableException("The ledger is not available: its rows do not fit together, or changed though they were locked");
    }

    /// <summary>Starts the transaction and locks the stock rows. What a later statement reads is as it was committed last.</summary>
    private (DateTimeOffset Now, StockRow[] Stocks) Lock(MySqlSession session, OfferId[] offers)
    {
        text.Clear().Append("START TRANSACTION;SELECT ").Append(session.NowSql).Append(';');
        foreach (var offer in offers)
        {
            text.Append(SelectStock).Append(offer.Value).Append(" AND bucket=").Append(StockLine.Bucket).Append(" FOR UPDATE;");
        }

        using var answer = session.Read(text.ToString());
        var now = answer.Next() ? answer.Row.Time(0) : throw new InvalidOperationException("The database does not know the time");
        var stocks = new StockRow[offers.Length];
        for (var i = 0; i < offers.Length; i++)
        {
            stocks[i] = answer.NextSet() && answer.Next()
                ? Mapping.Stock(answer.Row, 0)
                : throw new BatchRejectedException($"Offer {offers[i]} has no stock: it was never published");
        }

        return (now, stocks);
    }

    /// <summary>Reads which of the orders are there, and which slots their users have taken.</summary>
    private void LookUp(MySqlSession session, IReadOnlyList<OrderDraft> drafts, OfferId[] offers)
    {
        text.Clear();
        AppendLookUps(drafts, offers);
        using var answer = session.Read(text.ToString());
        known.Clear();
        foreach (var order in answer.Rows(Mapping.Order))
        {
            known.Add(order.Id, order);
        }

        slots.Clear();
        while (answer.NextSet())
        {
            while (answer.Next())
            {
                CollectionsMarshal.GetValueRefOrAddDefault(slots, (answer.Row.User(0), new OfferId(answer.Row.Long(1))), out _) |= 1 << answer.Row.Int(2);
            }
        }
    }

    private void AppendLookUps(IReadOnlyList<OrderDraft> drafts, OfferId[] offers)
    {
        text.Append(Mapping.SelectOrders).Append(" WHERE o.id IN (");
        foreach (var draft in drafts)
        {
            text.AppendId(draft.Id.Value).Append(',');
        }

        text.Length--;
        text.Append(");");
        foreach (var offer in offers)
        {
            text.Append("SELECT user_id,offer_id,live_slot FROM orders WHERE user_id IN (");
            foreach (var draft in drafts.Where(draft => draft.OfferId == offer))
            {
                text.AppendUser(draft.UserId).Append(',');
            }

            text.Length--;
            text.Append(") AND offer_id=").Append(offer.Value).Append(" AND live_slot>=1;");
        }
    }

    /// <summary>First come, first served: what is there is told as it stands, then the stock decides, then the user's limit.</summary>
    private void Decide(IReadOnlyList<OrderDraft> drafts, OfferId[] offers, StockRow[] stocks)
    {
        placing.Clear();
        refused.Clear();
        var left = offers.Zip(stocks).ToDictionary(pair => pair.First, pair => pair.Second.Available);
        foreach (var draft in drafts)
        {
            ref var available = ref CollectionsMarshal.GetValueRefOrNullRef(left, draft.OfferId);
            if (known.TryGetValue(draft.Id, out var order))
            {
                refused.Add((draft.Id, new PlacementResult(PlacementOutcome.AlreadyPlaced, order)));
            }
            else if (available == 0)
            {
                refused.Add((draft.Id, new PlacementResult(PlacementOutcome.SoldOut, null)));
            }
            else if (TakeSlot(draft) is { } slot)
            {
                available--;
                placing.Add((draft, slot));
            }
            else
            {
                refused.Add((draft.Id, new PlacementResult(PlacementOutcome.LimitReached, null)));
            }
        }
    }

    private int? TakeSlot(OrderDraft draft)
    {
        // Bit n is slot n. A limit that no offer may have is for the walls of the database to refuse.
        ref var taken = ref CollectionsMarshal.GetValueRefOrAddDefault(slots, (draft.UserId, draft.OfferId), out _);
        var slot = BitOperations.TrailingZeroCount(~(taken | 1));
        if (slot > draft.PerUserLimit)
        {
            return null;
        }

        taken |= 1 << slot;
        return slot;
    }

    /// <returns>The stock of each offer after it.</returns>
    private StockRow[] AppendWrites(string now, OfferId[] offers, StockRow[] stocks)
    {
        var orders = CollectionsMarshal.AsSpan(placing);
        text.Append("SET @t=").Append(now).Append(';');
        var after = stocks;
        if (pattern == WritePattern.LogFirst)
        {
            text.AppendOrders(orders).Append("SET @n=ROW_COUNT();");
            after = AppendChanges(offers, stocks, orders);
            AppendTakes(offers, stocks, after);
        }
        else
        {
            after = Held(offers, stocks);
            AppendTakes(offers, stocks, after);
            text.AppendOrders(orders).Append("SET @n=ROW_COUNT();");
            AppendChanges(offers, stocks, orders);
        }

        text.Append("SELECT @t,@n");
        for (var i = 0; i < offers.Length; i++)
        {
            text.Append(",@s").Append(i);
        }

        return after;
    }

    private StockRow[] AppendChanges(OfferId[] offers, StockRow[] stocks, ReadOnlySpan<(OrderDraft Draft, int Slot)> orders)
    {
        text.Append(MySqlText.InsertChanges);
        var after = new StockRow[stocks.Length];
        for (var i = 0; i < offers.Length; i++)
        {
            after[i] = text.AppendHolds(offers[i], stocks[i], orders);
        }

        text.Append(';');
        return after;
    }

    private void AppendTakes(OfferId[] offers, StockRow[] stocks, StockRow[] after)
    {
        for (var i = 0; i < offers.Length; i++)
        {
            if (after[i] != stocks[i])
            {
                text.AppendTake(offers[i], stocks[i], after[i]);
                text.Append(CultureInfo.InvariantCulture, $"SET @s{i}=ROW_COUNT();");
            }
            else
            {
                text.Append(CultureInfo.InvariantCulture, $"SET @s{i}=1;");
            }
        }
    }

    private StockRow[] Held(OfferId[] offers, StockRow[] stocks)
    {
        var after = (StockRow[])stocks.Clone();
        foreach (var (draft, _) in placing)
        {
            ref var stock = ref after[Array.IndexOf(offers, draft.OfferId)];
            stock = stock.Hold(draft.Id).Row;
        }

        return after;
    }

    /// <returns>False when a row count is not the one that was asked for, and all is rolled back.</returns>
    private bool Write(MySqlSession session, StockRow[] after, out DateTimeOffset now)
    {
        try
        {
            using var answer = session.Read(text.ToString());
            var asWanted = answer.Next() && answer.Row.Long(1) == placing.Count;
            ordersWereThere = !asWanted;
            for (var i = 0; asWanted && i < after.Length; i++)
            {
                asWanted = answer.Row.Long(2 + i) == 1;
            }

            now = asWanted ? answer.Row.Time(0) : default;
            if (asWanted)
            {
                return true;
            }
        }
        catch (MySqlFault fault) when (fault.Kind == MySqlFaultKind.Duplicate)
        {
            // A number of the change log was given out by another instance.
            now = default;
        }

        session.Rollback();
        return false;
    }

    private PlacementBatch CommitNothing(MySqlSession session, IReadOnlyList<OrderDraft> drafts, OfferId[] offers, DateTimeOffset now, StockRow[] stocks)
    {
        if (known.Count == 0)
        {
            session.Rollback();
            return Result(drafts, offers, stocks, now, stocks);
        }

        // What was found is visible, and yet may not be on the disk: InnoDB gives the locks back before it waits for that. A commit of our own is on the disk
        // after it, and only then is it told.
        session.Execute("UPDATE ledger_state SET heartbeat = heartbeat + 1");
        return Commit(session, drafts, offers, stocks, now, stocks);
    }

    /// <param name="locked">The stock as it was found under its lock; null when it was not read.</param>
    private PlacementBatch Commit(
        MySqlSession session, IReadOnlyList<OrderDraft> drafts, OfferId[] offers, StockRow[] after, DateTimeOffset now, StockRow[]? locked)
    {
        session.Commit();
        return Result(drafts, offers, after, now, locked);
    }

    private PlacementBatch Result(IReadOnlyList<OrderDraft> drafts, OfferId[] offers, StockRow[] after, DateTimeOffset now, StockRow[]? locked)
    {
        if (beliefs.Count > BeliefsMax)
        {
            beliefs.Clear();
        }

        if (remembered.Count > Limits.LedgerSlotsRemembered)
        {
            remembered.Clear();
        }

        var stocks = new OfferStock[offers.Length];
        for (var i = 0; i < offers.Length; i++)
        {
            // While others write the row too, belief would be wrong more often than not, and each time a batch be written in vain.
            beliefs.TryGetValue(offers[i], out var last);
            beliefs[offers[i]] = new Belief(after[i], locked is not null && last is not null && last.Stock.Seq != locked[i].Seq);
            stocks[i] = new OfferStock(offers[i], StockLine.Bucket, after[i]);
        }

        var results = new Dictionary<OrderId, PlacementResult>(drafts.Count);
        foreach (var (draft, _) in placing)
        {
            if (draft.PerUserLimit > 1)
            {
                remembered[(draft.UserId, draft.OfferId)] = slots[(draft.UserId, draft.OfferId)];
            }

            results.Add(draft.Id, new PlacementResult(PlacementOutcome.Placed, new Order(
                draft.Id, draft.SaleId, draft.OfferId, draft.UserId, OrderStatus.Held, draft.Price, now, now + draft.PaymentWindow)));
        }

        foreach (var (id, result) in refused)
        {
            results.Add(id, result);
        }

        return new PlacementBatch(results, stocks);
    }

    private static string Sql(DateTimeOffset now) => now.Ms().ToString(CultureInfo.InvariantCulture);

    /// <param name="Shared">Somebody else wrote the row since this lane had.</param>
    private sealed record Belief(StockRow Stock, bool Shared);
}
