using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Storage;

namespace FlashSale.Server.Telemetry;

/// <summary>
/// What was done with the sales that are watched: with each, its offers, and with the limits of the shop. A sale's own past is read once, by its subjects; from then on
/// only what is newer, and only when the log has grown, so that whoever bars a hundred thousand users neither pushes anything out nor makes this dear. One job calls it.
/// </summary>
public sealed class LiveEvents(ILedger ledger)
{
    /// <summary>Of a sale, the newest.</summary>
    private const int Kept = 20;

    /// <summary>At once; what is behind them comes with the next step.</summary>
    private const int ReadAtOnce = 200;

    /// <summary>The subject of what holds for all sales.</summary>
    private const string LimitsSubject = "limits";

    private readonly Dictionary<SaleId, Log> logs = [];
    private long readUpTo;

    /// <summary>Newest first.</summary>
    public IReadOnlyList<LiveEventDocument> Of(SaleId sale) => logs.TryGetValue(sale, out var log) ? log.Shown : [];

    /// <param name="sales">All that are watched; others are forgotten.</param>
    public async Task FollowAsync(IReadOnlyCollection<Sale> sales, CancellationToken cancellation)
    {
        foreach (var over in logs.Keys.Except(sales.Select(sale => sale.Id)).ToArray())
        {
            logs.Remove(over);
        }

        if (sales.Count == 0)
        {
            return;
        }

        var head = (await ledger.ReadAuditHeadAsync(cancellation)).Seq;
        // With none known there is nothing to go on from.
        readUpTo = logs.Count == 0 ? head : readUpTo;
        foreach (var sale in sales)
        {
            if (!logs.ContainsKey(sale.Id))
            {
                logs[sale.Id] = await BeginAsync(sale, cancellation);
            }
        }

        if (head <= readUpTo)
        {
            return;
        }

        string[] subjects = [LimitsSubject, .. logs.Values.SelectMany(log => log.Subjects)];
        var news = await ledger.ListAuditAfterAsync(subjects, readUpTo, ReadAtOnce, cancellation);
        foreach (var log in logs.Values)
        {
            log.Take(news.Where(entry => entry.Subject == LimitsSubject || log.Subjects.Contains(entry.Subject)));
        }

        readUpTo = news.Count == ReadAtOnce ? news[^1].Seq : Math.Max(head, news.Count > 0 ? news[^1].Seq : 0);
    }

    private async Task<Log> BeginAsync(Sale sale, CancellationToken cancellation)
    {
        var log = new Log([$"sale/{sale.Id}", .. sale.Offers.Select(offer => $"offer/{offer.Id}")]);
        foreach (var subject in log.Subjects)
        {
            log.Take(await ledger.ListAuditOfAsync(subject, null, Kept, cancellation));
        }

        // Limits of last year are no event of this sale.
        log.Take((await ledger.ListAuditOfAsync(LimitsSubject, null, Kept, cancellation)).Where(entry => entry.At >= LiveBoard.WatchedFrom(sale)));
        return log;
    }

    private sealed class Log(HashSet<string> subjects)
    {
        private readonly SortedList<long, AuditDocument> entries = [];

        public HashSet<string> Subjects { get; } = subjects;

        public IReadOnlyList<LiveEventDocument> Shown { get; private set; } = [];

        /// <summary>What is known already is left as it is.</summary>
        public void Take(IEnumerable<AuditDocument> read)
        {
            foreach (var entry in read)
            {
                entries[entry.Seq] = entry;
            }

            while (entries.Count > Kept)
            {
                entries.RemoveAt(0);
            }

            Shown = [.. entries.Values.Reverse().Select(entry => new LiveEventDocument(entry.At, entry.Actor, entry.Role, entry.Action, entry.Reason))];
        }
    }
}
