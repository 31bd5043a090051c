using FlashSale.Core.Stock;
using FlashSale.Core.Wire;

namespace FlashSale.Tools.Verify;

/// <summary>Orders, their units, coupons and payments: I2, I3, I4, I8, X1, X2.</summary>
public sealed partial class Audit
{
    private Finding AcknowledgedSurvives()
    {
        var check = new Check("I2", "An acknowledged order survives");
        long paid = 0;
        long coupons = 0;
        // Of what was paid, only an operator makes something else, and the log must say so.
        var refunds = facts.AuditLog.Where(entry => entry.Action == "order.refund").Select(entry => entry.Subject).ToHashSet(StringComparer.Ordinal);
        foreach (var (id, said) in story.Orders)
        {
            check.Compared();
            if (!orders.TryGetValue(id, out var order))
            {
                check.Violate($"order {id} of user {said.User} was acknowledged and is not in the ledger");
                continue;
            }

            if (order.UserId != said.User || said.SecondUser is not null || (said.Offer is not null && order.OfferId != said.Offer))
            {
                check.Violate($"order {id} was acknowledged to user {said.User} {said.SecondUser} for offer {said.Offer}, the ledger says user {order.UserId}, offer {order.OfferId}");
            }

            if (said.ShownPaid)
            {
                paid++;
                check.Expect(
                    order.Status == "paid" || (order.Status == "refunded" && refunds.Contains("order/" + id)),
                    () => $"order {id} was shown as paid, the ledger says {order.Status}");
            }

            if (said.SeenReleased < long.MaxValue)
            {
                check.Expect(order.Status != "held", () => $"order {id} was shown as cancelled or expired, the ledger says {order.Status}");
            }

            if (said.Coupon is not null)
            {
                coupons++;
                check.Expect(
                    said.SecondCoupon is null && RowsOf(id).Coupons.Exists(coupon => coupon.Code == said.Coupon),
                    () => $"order {id}: coupon {said.Coupon} {said.SecondCoupon} was shown, the ledger has another");
            }
        }

        return check.Conclude($"{story.Orders.Count:N0} orders acknowledged, {paid:N0} shown as paid, {coupons:N0} coupons shown; {story.FailedAnswers:N0} calls failed");
    }

    private Finding OneTokenOneOrder()
    {
        var check = new Check("I3", "One order token, at most one order");
        foreach (var repeated in repeatedOrders)
        {
            check.Violate($"order {repeated.Id} stands in the ledger twice");
        }

        var owners = new Dictionary<string, string>();
        foreach (var (token, said) in story.Tokens)
        {
            check.Expect(said.SecondOrder is null, () => $"token {token} yielded the orders {said.Order} and {said.SecondOrder}");
            if (said.Order is not null && !owners.TryAdd(said.Order, token))
            {
                check.Violate($"the tokens {owners[said.Order]} and {token} yielded the same order {said.Order}");
            }
        }

        return check.Conclude($"{story.Tokens.Count:N0} tokens submitted {story.OrderAnswers:N0} times, {owners.Count:N0} orders");
    }

    /// <summary>
    /// An order in the ledger that no answer confirmed needs a token whose answers left that open. Tokens that were only ever told
    /// <c>effect: none</c> explain nothing.
    /// </summary>
    private Finding EffectNoneLeftNothing()
    {
        var check = new Check("I4", "A request answered with effect none left no order");
        var open = new Dictionary<(string User, string Offer), int>();
        long none = 0;
        foreach (var (token, said) in story.Tokens)
        {
            if (said.Order is not null)
            {
                // Whoever made it must have said 201, or nothing at all; else an answer with effect none made it.
                check.Expect(
                    said.Created || said.Unknown > 0,
                    () => $"token {token} of user {said.User}: order {said.Order} was there already at its first answer, and no other was left open");
            }
            else if (said.Unknown > 0)
            {
                open[(said.User, said.Offer)] = open.GetValueOrDefault((said.User, said.Offer)) + 1;
            }
            else
            {
                none++;
            }
        }

        var unconfirmed = 0L;
        foreach (var group in orders.Values.Where(order => !story.Orders.ContainsKey(order.Id ?? "")).GroupBy(order => (order.UserId ?? "", order.OfferId ?? "")))
        {
            var found = group.Count();
            unconfirmed += found;
            var explained = open.GetValueOrDefault(group.Key);
            if (found > explained)
            {
                check.Violate($"user {group.Key.Item1} has {found} orders of offer {group.Key.Item2} that no answer spoke of, {explained} answers were left open (order {group.First().Id})");
            }
        }

        check.Compared(none + unconfirmed);
        return check.Conclude($"{none:N0} tokens were only refused, {open.Values.Sum():N0} were left open, {unconfirmed:N0} orders were never confirmed");
    }

    private Finding HeldStockEndsOnce()
    {
        var check = new Check("I8", "Held stock is ended exactly once");
        foreach (var (id, all) in rows)
        {
            if (!orders.TryGetValue(id, out var order))
            {
                if (all.Changes.Count > 0)
                {
                    check.Violate($"the change log names order {id}, which is not in the ledger");
                }

                continue;
            }

            var holds = all.Changes.Count(change => change is { Kind: StockChangeKind.Hold, Delta: -1 });
            var sells = all.Changes.Count(change => change is { Kind: StockChangeKind.Sell, Delta: 0 });
            var sellsAgain = all.Changes.Count(change => change is { Kind: StockChangeKind.Sell, Delta: -1 });
            var releases = all.Changes.Count(change => change is { Kind: StockChangeKind.Release, Delta: 1 });
            var fits = holds == 1
                && holds + sells + sellsAgain + releases == all.Changes.Count
                && all.Changes.TrueForAll(change => change.OfferId == order.OfferId)
                && (order.Status, sells, sellsAgain, releases) is
                    ("held", 0, 0, 0)
                    or ("paid", 1, 0, 0)
                    or ("paid", 0, 1, 1)
                    or ("cancelled" or "expired" or "refund_due" or "refunded", 0, 0, 1)
                    or ("refunded", 1, 0, 1);
            check.Expect(fits, () => $"order {id} is {order.Status} with {Describe(all.Changes)}");
        }

        var states = orders.Values.GroupBy(order => order.Status).OrderBy(group => group.Key, StringComparer.Ordinal);
        return check.Conclude(string.Join(", ", states.Select(state => $"{state.Count():N0} {state.Key}")));
    }

    private static string Describe(List<ExportLine> changes) =>
        changes.Count == 0 ? "no stock change" : string.Join(", ", changes.OrderBy(change => change.Seq).Select(change => $"{change.Kind} {change.Delta}"));

    private Finding CouponsFollowOrders()
    {
        var check = new Check("X1", "Every paid order has one coupon, and nothing else has one");
        var codes = new HashSet<string>();
        long issued = 0;
        foreach (var (id, all) in rows)
        {
            var status = orders.GetValueOrDefault(id)?.Status;
            var good = all.Coupons.Count(coupon => coupon.Status is "issued" or "redeemed");
            issued += all.Coupons.Count;
            foreach (var coupon in all.Coupons.Where(coupon => !codes.Add(coupon.Code ?? "")))
            {
                check.Violate($"coupon {coupon.Code} was issued twice");
            }

            var wanted = status == "paid" ? 1 : 0;
            check.Expect(good == wanted, () => $"order {id} is {status ?? "not in the ledger"} and has {good} coupons");
        }

        return check.Conclude($"{issued:N0} coupons");
    }

    private Finding PaymentsFollowOrders()
    {
        var check = new Check("X2", "Payments and paid orders agree");
        long paid = 0;
        foreach (var (id, all) in rows)
        {
            var status = orders.GetValueOrDefault(id)?.Status;
            var booked = all.Payments.Where(payment => payment.Status == "paid").ToList();
            paid += booked.Count;
            var wanted = status is "paid" or "refund_due" or "refunded" ? 1 : 0;
            check.Expect(booked.Count == wanted, () => $"order {id} is {status ?? "not in the ledger"} and has {booked.Count} booked payments");
            if (offers.TryGetValue(all.Offer, out var offer) && offer.Price > 0)
            {
                foreach (var wrong in booked.Where(payment => payment.Amount?.Amount != offer.Price))
                {
                    check.Violate($"payment {wrong.Id} of order {id} is {wrong.Amount}, the price is {offer.Price}");
                }
            }
        }

        return check.Conclude($"{paid:N0} payments booked");
    }
}
