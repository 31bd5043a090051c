using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Sales;
using FlashSale.Core.Stock;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Jobs;

/// <summary>
/// Holds the books of running sales against each other all the time: each row of the change log, new ones at once and all of
/// them once a minute, against the one before it, its order, coupon and payment, and
/// the stock row, which it must end at; and the gate against the ledger. Only the gate is repaired, for it is derived. A ledger that does not agree with itself
/// pauses the sale, and the alarm says why: nobody guesses what is right.
/// </summary>
public sealed class ReconciliationJob(
    ILedger ledger, IGate gate, SaleCatalog catalog, WarmUp warmUp, Books books, SaleWatch watch, Readiness readiness, Instance instance, TimeProvider time,
    ILogger<ReconciliationJob> log)
    : LeasedJob("reconciliation", Limits.ReconciliationInterval, ledger, instance, time, log)
{
    /// <summary>Rounds that gate and ledger may differ while orders come and go; then it is no coincidence.</summary>
    private const int RoundsOfDrift = 5;

    /// <summary>A long change log is read in so many steps that the orders of other sales do not feel it.</summary>
    private const int PagesPerStep = 5;
    private static readonly TimeSpan AfterTheEnd = TimeSpan.FromMinutes(10);

    private readonly ILedger ledger = ledger;
    private readonly TimeProvider time = time;
    private readonly Dictionary<OfferId, OfferBook> open = [];

    // Offers whose books did not agree, with the revision of their sale then: looked at again when somebody has changed the sale, as by resuming it, and after a while, until
    // they agree, however long the sale is over.
    private readonly Dictionary<OfferId, (long Rev, DateTimeOffset At)> broken = [];

    protected override async Task WorkAsync(CancellationToken stopping)
    {
        if (!readiness.Warm)
        {
            return;
        }

        var now = time.GetUtcNow();
        foreach (var live in catalog.Sales.Where(live => live.Sale.Status != SaleStatus.Draft
            && (now < live.Sale.ClosesAt + live.Sale.PaymentWindow + AfterTheEnd || live.Sale.Offers.Any(offer => broken.ContainsKey(offer.Id)))))
        {
            foreach (var offer in live.Sale.Offers)
            {
                await CheckAsync(live.Sale, offer.Id, stopping);
            }

            await CheckGateAsync(live.Sale, stopping);
        }
    }

    /// <summary>Whoever works now knows what is wrong.</summary>
    protected override void Yield()
    {
        foreach (var offer in broken.Keys)
        {
            books.Clear(offer);
            watch.NoteOversold(offer, 0);
        }

        broken.Clear();
        open.Clear();
    }

    private async Task CheckAsync(Sale sale, OfferId offer, CancellationToken stopping)
    {
        var now = time.GetUtcNow();
        if (broken.TryGetValue(offer, out var found) && found.Rev == sale.Rev && now - found.At < Limits.ReconciliationFromStart)
        {
            return;
        }

        if (!open.TryGetValue(offer, out var book) || (book.AtTheEnd && now - book.Begun >= Limits.ReconciliationFromStart))
        {
            open[offer] = book = new OfferBook { Begun = now, Stock = book?.Stock, RoundsOfDrift = book?.RoundsOfDrift ?? 0 };
        }

        for (var pages = 0; pages < PagesPerStep && await ledger.ReadChangesAsync(offer, book.Seq, Limits.ReconciliationPage, stopping) is { } page; pages++)
        {
            books.CountChecked(page.Changes.Count);
            var violation = book.Read(page);
            watch.NoteOversold(offer, book.Oversold);
            if (violation is not null)
            {
                open.Remove(offer);
                broken[offer] = (await AlarmAsync(sale, offer, violation, stopping), now);
                return;
            }

            if (book.AtTheEnd)
            {
                if (broken.Remove(offer))
                {
                    books.Clear(offer);
                }

                return;
            }
        }
    }

    /// <returns>The revision of the sale as it is now.</returns>
    private async Task<long> AlarmAsync(Sale sale, OfferId offer, string violation, CancellationToken stopping)
    {
        if (books.Report(sale.Id, offer, $"Offer {offer}: {violation}"))
        {
            log.LogCritical("The books of offer {Offer} of sale {Sale} do not agree, and the sale is paused: {Violation}", offer, sale.Id, violation);
        }

        if (sale.Status == SaleStatus.Published && time.GetUtcNow() < sale.ClosesAt)
        {
            var reason = $"Reconciliation: offer {offer}: {violation}";
            var actor = Actor.System(reason[..Math.Min(reason.Length, Limits.ReasonLength)]);
            if (await ledger.UpdateSaleAsync(sale with { Status = SaleStatus.Paused }, sale.Rev, "sale.pause", actor, stopping) is { } paused)
            {
                await warmUp.RefreshAsync(paused, stopping);
                return paused.Rev;
            }
        }

        return sale.Rev;
    }

    private async Task CheckGateAsync(Sale sale, CancellationToken stopping)
    {
        foreach (var offer in sale.Offers)
        {
            if (!open.TryGetValue(offer.Id, out var book) || book.Stock is not { } stock || await gate.ReadAsync(offer.Id, stopping) is not { } inGate)
            {
                continue;
            }

            watch.NoteGate(offer.Id, inGate, inGate.Seq == stock.Seq ? inGate.Stock + inGate.Pending - stock.Available : 0);

            // A gate that is ahead of the ledger was told by somebody else than the ledger: no settlement can correct it.
            var wrong = inGate.Seq > stock.Seq || (inGate.Seq == stock.Seq && inGate.Stock + inGate.Pending != stock.Available);
            book.RoundsOfDrift = wrong ? book.RoundsOfDrift + 1 : 0;
            if (book.RoundsOfDrift > RoundsOfDrift)
            {
                log.LogWarning(
                    "The gate has {Stock} units of offer {Offer} and {Pending} pending at seq {GateSeq}, the ledger {Available} at {Seq}: it is loaded anew",
                    inGate.Stock, offer.Id, inGate.Pending, inGate.Seq, stock.Available, stock.Seq);
                await warmUp.RunAsync(sale, anew: true, stopping);
                book.RoundsOfDrift = 0;
                return;
            }
        }
    }

    /// <summary>How far the change log of an offer has been read, and what it came to.</summary>
    private sealed class OfferBook
    {
        private long balance;

        public long Seq { get; private set; }

        /// <summary>Units beyond what there ever was, where the change log has been read to.</summary>
        public long Oversold => Math.Max(0, -balance);

        public required DateTimeOffset Begun { get; init; }

        /// <summary>All that there was has been read.</summary>
        public bool AtTheEnd { get; private set; }

        public StockRow? Stock { get; set; }

        public int RoundsOfDrift { get; set; }

        /// <summary>Null when all agrees.</summary>
        public string? Read(ChangePage page)
        {
            foreach (var row in page.Changes)
            {
                var change = row.Change;
                balance += change.Delta;
                if (change.Seq != ++Seq || change.BalanceAfter != balance || balance < 0)
                {
                    return $"the change log does not replay at seq {change.Seq}: {change.Kind} by {change.Delta} to {change.BalanceAfter}, where seq {Seq} to {balance} was due.";
                }

                if (Disagrees(row) is { } why)
                {
                    return $"seq {change.Seq} of the change log, {change.Kind} for order {change.OrderId}: {why}.";
                }
            }

            Stock = page.Stock.Row;
            AtTheEnd = page.Changes.Count < Limits.ReconciliationPage;
            return AtTheEnd && (page.Stock.Row.Seq != Seq || page.Stock.Row.Available != balance)
                ? $"the stock row has {page.Stock.Row.Available} available at seq {page.Stock.Row.Seq}, the change log comes to {balance} at {Seq}."
                : null;
        }

        private static string? Disagrees(in CheckedChange row) =>
            row.Change.Kind switch
            {
                StockChangeKind.Initial or StockChangeKind.Adjust => null,
                _ when row.OrderStatus is null => "there is no such order of this offer",
                StockChangeKind.Sell when row.OrderStatus is not (OrderStatus.Paid or OrderStatus.Refunded) => $"the order is {row.OrderStatus}",
                StockChangeKind.Sell when row.Coupons != 1 => $"{row.Coupons} coupons",
                StockChangeKind.Sell when row.PaymentsPaid != 1 => $"{row.PaymentsPaid} payments",
                StockChangeKind.Release when row.OrderStatus == OrderStatus.Held => "the order still holds its unit",
                _ => null,
            };
    }
}
