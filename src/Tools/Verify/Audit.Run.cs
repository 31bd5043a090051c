using FlashSale.Core.Stock;
using FlashSale.Core.Wire;

namespace FlashSale.Tools.Verify;

/// <summary>How the run went: I7, I9, I10, I11, I12, X3.</summary>
public sealed partial class Audit
{
    private Finding NothingLeaks()
    {
        var check = new Check("I7", "Nothing leaks: the gate has what the ledger has");
        var slowest = TimeSpan.Zero;
        foreach (var sale in header.Sales)
        {
            if (!facts.Sales.TryGetValue(sale.Id, out var said) || said.Reconciliation is null)
            {
                check.Violate($"sale {sale.Id} has no reconciliation");
                continue;
            }

            slowest = said.QuietAfter > slowest ? said.QuietAfter : slowest;
            check.Compared();
            foreach (var violation in said.Reconciliation.Violations)
            {
                check.Violate($"sale {sale.Id}: the server's own reconciliation says: {violation}");
            }

            foreach (var offer in said.Readiness?.Offers ?? [])
            {
                // A gate that let go of a sale after its end holds nothing that could leak.
                check.Expect(
                    (said.Ended && !offer.Warm) || (offer.Warm && offer.GatePending == 0 && offer.Drift == 0 && offer.GateStock == offer.LedgerAvailable),
                    () => $"offer {offer.OfferId}: gate {offer.GateStock} + {offer.GatePending} pending, ledger {offer.LedgerAvailable}, warm: {offer.Warm}, after {said.QuietAfter.TotalSeconds:0.0} s");
            }
        }

        return check.Conclude($"{header.Sales.Count:N0} sales agree after at most {slowest.TotalSeconds:0.0} s");
    }

    private Finding SoldOutIsTrue()
    {
        var check = new Check("I9", "\"Sold out\" is said only when it is true");
        foreach (var wrong in story.SoldOutMisused)
        {
            check.Violate($"a {wrong.Status} answer with effect {wrong.Effect} said sold-out (user {wrong.User})");
        }

        long answers = 0;
        foreach (var (offer, said) in story.SoldOut)
        {
            answers += said.Count;
            var times = SoldOutTimesOf(offer);
            foreach (var answer in said)
            {
                var from = answer.Sent + header.ClockOffset - tolerance - SoldOutMayBeOld;
                var to = answer.End + header.ClockOffset + tolerance;
                check.Expect(times.Touch(from, to), () => $"offer {offer}: sold out was said at {Time(answer.End)} with units available for more than 2 s");
            }
        }

        return check.Conclude($"{answers:N0} sold-out answers for {story.SoldOut.Count:N0} offers; clocks within ±{tolerance / 1000} ms");
    }

    private SoldOutTimes SoldOutTimesOf(string offer)
    {
        var ledger = OfferOf(offer);
        var units = ledger.Replays.Sum(replay => replay.SmallestTotal == long.MaxValue ? 0 : replay.SmallestTotal);
        var taken = ledger.Orders.Select(order => Micros(order.CreatedAt) - tolerance);
        // Orders that were paid after all took a unit again at a time that is not exported: they count as never given back.
        var back = ledger.Orders
            .Where(order => order.Status is not ("held" or "paid"))
            .Select(order => story.Orders.GetValueOrDefault(order.Id ?? "")?.SeenReleased ?? long.MaxValue)
            .Where(at => at < long.MaxValue)
            .Select(at => at + header.ClockOffset + tolerance);
        return new SoldOutTimes(units, taken, back);
    }

    /// <summary>
    /// Units that are left with someone still refused as sold out, after the last unit had come back, will never be sold. Demand that was not
    /// heard since then proves nothing and is only told.
    /// </summary>
    private Finding EverythingSells()
    {
        var check = new Check("I10", "With demand left, every unit is sold");
        var live = orders.Values.Where(IsLive).Select(order => (order.UserId ?? "", order.OfferId ?? "")).ToHashSet();
        var wanting = story.Tokens.Values
            .Where(said => said.Order is null && !live.Contains((said.User, said.Offer)) && StillWants(said))
            .GroupBy(said => said.Offer)
            .ToDictionary(group => group.Key, group => group.ToList());
        long left = 0;
        long unheard = 0;
        foreach (var (offer, ledger) in ledgers)
        {
            var available = ledger.Stock.Sum(row => row.Available ?? 0);
            left += available;
            if (!wanting.TryGetValue(offer, out var people))
            {
                continue;
            }

            var backBy = LastUnitBackBy(offer, ledger);
            var refused = people.Count(said => said.LastCode == "sold-out" && said.LastSent + header.ClockOffset > backBy);
            check.Expect(available == 0 || refused == 0, () => $"offer {offer}: {available} units are left, and {refused} shoppers were told sold-out after the last one came back");
            unheard += available > 0 && refused == 0 ? people.Count : 0;
        }

        return check.Conclude($"{left:N0} units left, {wanting.Values.Sum(people => (long)people.Count):N0} shoppers went without, {unheard:N0} of them did not ask again while units were left");
    }

    private static bool StillWants(TokenStory said) =>
        said.LastStatus is 0 or 429 or >= 500 || said.LastCode is "sold-out" or "sale-not-open";

    /// <summary>By when the ledger and the gate must both have had every unit back that came back, by the server's clock.</summary>
    private long LastUnitBackBy(string offer, OfferLedger ledger)
    {
        if (ledger.Changes.Exists(change => change is { Kind: StockChangeKind.Adjust, Delta: > 0 }))
        {
            // When an operator added units is not exported.
            return long.MaxValue;
        }

        var window = saleOfOffer.TryGetValue(offer, out var sale) ? sale.PaymentWindowSeconds * 1_000_000L : 0;
        return ledger.Orders
            .Where(order => !IsLive(order))
            .Select(order => Math.Min(
                Micros(order.CreatedAt) + window + Math.Min(window / 4, ExpirySpreadMax) + ExpiryMayTake,
                SeenReleased(order) is var seen and < long.MaxValue ? seen + header.ClockOffset : long.MaxValue))
            .DefaultIfEmpty(long.MinValue + SoldOutMayBeOld)
            .Max() + SoldOutMayBeOld;
    }

    private long SeenReleased(ExportLine order) => story.Orders.GetValueOrDefault(order.Id ?? "")?.SeenReleased ?? long.MaxValue;

    private Finding ChecksNeverFailOpen()
    {
        var check = new Check("I11", "Token, reservation and sign-in checks never fail open");
        check.Compared(story.MustRefuse);
        foreach (var breach in story.Breaches)
        {
            check.Violate($"{breach.Op} of user {breach.User} ({breach.MustRefuse}) was answered {breach.Status}, order {breach.Order ?? "none"}");
        }

        long reserved = 0;
        foreach (var order in orders.Values)
        {
            if (order.OfferId is not null && saleOfOffer.TryGetValue(order.OfferId, out var sale) && sale.RequiresReservation)
            {
                reserved++;
                check.Expect(
                    story.Reserved.Contains((sale.Id, order.UserId ?? "")),
                    () => $"user {order.UserId} has order {order.Id} in sale {sale.Id} without a reservation");
            }
        }

        return check.Conclude($"{story.MustRefuse:N0} calls that had to be refused, {story.Breaches.Count:N0} were not; {reserved:N0} orders need a reservation");
    }

    private Finding OperatorsAreAudited()
    {
        var check = new Check("I12", "Every operator action is in the audit log");
        foreach (var ((actor, subject), changes) in story.AdminChanges)
        {
            var entries = facts.AuditLog.Count(entry => entry.Actor == actor && Names(entry.Subject, subject));
            check.Expect(entries >= changes, () => $"{actor} changed {subject} {changes} times, the audit log knows {entries}");
        }

        return check.Conclude($"{story.AdminChanges.Values.Sum():N0} changes by operators, {facts.AuditLog.Count:N0} entries in the log");
    }

    /// <summary>A subject names an id if the id stands in it as a word of its own: <c>12</c>, <c>sale/12</c>, <c>sale:12</c>.</summary>
    private static bool Names(string subject, string id)
    {
        for (var at = subject.IndexOf(id, StringComparison.Ordinal); at >= 0; at = subject.IndexOf(id, at + 1, StringComparison.Ordinal))
        {
            var end = at + id.Length;
            if ((at == 0 || !char.IsAsciiLetterOrDigit(subject[at - 1])) && (end == subject.Length || !char.IsAsciiLetterOrDigit(subject[end])))
            {
                return true;
            }
        }

        return false;
    }

    private Finding NothingBeforeTheOpening()
    {
        var check = new Check("X3", "No order before the opening");
        foreach (var order in orders.Values)
        {
            if (order.OfferId is not null && saleOfOffer.TryGetValue(order.OfferId, out var sale))
            {
                check.Expect(
                    Micros(order.CreatedAt) + tolerance >= sale.OpensAt,
                    () => $"order {order.Id} was made {(sale.OpensAt - Micros(order.CreatedAt)) / 1000} ms before the opening");
                if (story.Orders.TryGetValue(order.Id ?? "", out var said))
                {
                    check.Expect(
                        said.FirstSeen + header.ClockOffset + tolerance >= sale.OpensAt,
                        () => $"order {order.Id} was acknowledged before the opening");
                }
            }
        }

        return check.Conclude($"{orders.Count:N0} orders");
    }

    private static long Micros(DateTimeOffset? time) => time is { } at ? (at - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond : 0;

    private static string Time(long micros) => DateTimeOffset.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond).ToString("HH:mm:ss.ffffff", null);
}
