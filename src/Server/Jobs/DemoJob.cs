using FlashSale.Core.Sales;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Jobs;

/// <summary>
/// Keeps the demo alive: at the start every sale opens within a minute, later one opens every two minutes and a few are to come. What is there after a restart
/// is counted, so nothing piles up: a sale has at most one round to come.
/// </summary>
public sealed class DemoJob(ILedger ledger, WarmUp warmUp, SaleCatalog catalog, Readiness readiness, Instance instance, TimeProvider time, ILogger<DemoJob> log)
    : LeasedJob("demo", TimeSpan.FromSeconds(1), ledger, instance, time, log)
{
    private const int RoundsToCome = 4;
    private static readonly TimeSpan BetweenOpenings = TimeSpan.FromMinutes(2);
    private static readonly Actor Actor = Actor.System("demo schedule");

    private readonly ILedger ledger = ledger;
    private readonly TimeProvider time = time;
    private readonly IReadOnlyList<DemoSale> sales = DemoSale.Read();
    private bool started;

    protected override async Task WorkAsync(CancellationToken stopping)
    {
        if (!readiness.Warm)
        {
            return;
        }

        var now = WholeSecond(time.GetUtcNow());
        var rounds = sales.Select(LatestRound).ToArray();
        if (!started)
        {
            foreach (var round in rounds.Where(round => round.ClosesAt <= now))
            {
                await ScheduleAsync(round, now, now + TimeSpan.FromSeconds(round.Sale.FirstOpensAfterSeconds), stopping);
            }

            started = true;
        }
        else if (rounds.Count(round => round.OpensAt > now) < RoundsToCome && rounds.Where(round => round.OpensAt <= now).MinBy(round => round.OpensAt) is { } next)
        {
            // One a step: the next step sees it, and schedules after it.
            var latest = rounds.Max(round => round.OpensAt);
            await ScheduleAsync(next, now, (latest > now ? latest : now) + BetweenOpenings, stopping);
        }
    }

    private async Task ScheduleAsync(Round last, DateTimeOffset now, DateTimeOffset opensAt, CancellationToken stopping)
    {
        // Null when another process was faster; the catalogue will show its round.
        if (await ledger.CreateSaleAsync(last.Sale.Draft(last.Number + 1, now, opensAt), Actor, stopping) is { } draft
            && await ledger.UpdateSaleAsync(draft with { Status = SaleStatus.Published }, draft.Rev, "sale.publish", Actor, stopping) is { } published)
        {
            await warmUp.RefreshAsync(published, stopping);
        }
    }

    /// <summary>Number 0, long ago, when it was never held. A draft that a crash left counts as held: its slug is taken.</summary>
    private Round LatestRound(DemoSale sale)
    {
        var latest = new Round(sale, 0, DateTimeOffset.MinValue, DateTimeOffset.MinValue);
        foreach (var live in catalog.Sales)
        {
            if (sale.RoundOf(live.Sale.Slug) is var number && number > latest.Number)
            {
                latest = live.Sale.Status == SaleStatus.Draft
                    ? latest with { Number = number }
                    : new Round(sale, number, live.Sale.OpensAt, live.Sale.ClosesAt);
            }
        }

        return latest;
    }

    private static DateTimeOffset WholeSecond(DateTimeOffset value) => DateTimeOffset.FromUnixTimeSeconds(value.ToUnixTimeSeconds());

    private sealed record Round(DemoSale Sale, int Number, DateTimeOffset OpensAt, DateTimeOffset ClosesAt);
}
