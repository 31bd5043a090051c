using FlashSale.Core.Sales;

namespace FlashSale.Server.Console.Pages;

/// <summary>A sale on the timeline, in units of its width.</summary>
/// <param name="Reserve">Where its reservations begin; null where there are none.</param>
/// <param name="Label">Where its title begins.</param>
public sealed record TimelineBar(SaleLine Line, int Lane, double From, double Width, double? Reserve, double Label);

/// <param name="X">In units of the width.</param>
public readonly record struct TimelineDay(DateTimeOffset At, double X);

/// <summary>When more sales run at once than are meant to.</summary>
public sealed record Crowding(DateTimeOffset At, int Sales);

/// <summary>The sales of some days side by side: those that run at the same time stand in lanes below each other.</summary>
public sealed record SaleTimeline(DateTimeOffset From, DateTimeOffset To, double Now, int Lanes, IReadOnlyList<TimelineBar> Bars, IReadOnlyList<TimelineDay> Days)
{
    public const int Width = 1000;
    public const int DaysBack = 1;
    public const int DaysAhead = 7;

    /// <summary>So many sales may run at once (docs/operations.md): beyond that they are planned at other times.</summary>
    public const int AtOnceMax = 12;

    private const int LabelGap = 5;

    /// <summary>More than a page can show; the table has them all.</summary>
    private const int BarsMax = 200;

    public static SaleTimeline Of(IEnumerable<SaleLine> sales, DateTimeOffset now)
    {
        var local = now.ToOffset(ConsoleTexts.Shanghai);
        var from = new DateTimeOffset(local.Date, ConsoleTexts.Shanghai).AddDays(-DaysBack);
        var to = from.AddDays(DaysBack + DaysAhead);
        List<double> lanes = [];
        List<TimelineBar> bars = [];
        foreach (var line in sales.Where(line => BeginOf(line.Sale) < to && line.Sale.ClosesAt > from).OrderBy(line => BeginOf(line.Sale)).Take(BarsMax))
        {
            var (begin, opens, closes, title) = (At(BeginOf(line.Sale)), At(line.Sale.OpensAt), At(line.Sale.ClosesAt), LengthOf(line.Sale.Title));
            var label = Math.Max(0, Math.Min(opens + LabelGap, Width - title));
            var lane = lanes.FindIndex(end => end <= Math.Min(begin, label - LabelGap));
            if (lane < 0)
            {
                lane = lanes.Count;
                lanes.Add(0);
            }

            lanes[lane] = Math.Max(closes, label + title);
            bars.Add(new TimelineBar(line, lane, opens, closes - opens, line.Sale.RequiresReservation ? begin : null, label));
        }

        var days = Enumerable.Range(0, DaysBack + DaysAhead).Select(i => from.AddDays(i)).Select(day => new TimelineDay(day, At(day)));
        return new SaleTimeline(from, to, At(now), lanes.Count, bars, [.. days]);

        double At(DateTimeOffset time) => Math.Clamp((time - from) / (to - from), 0, 1) * Width;
    }

    /// <summary>The worst moment to come with more than <see cref="AtOnceMax"/> sales that are open at once, drafts among them; null when there is none.</summary>
    public static Crowding? Crowded(IEnumerable<Sale> sales, DateTimeOffset now)
    {
        // An end comes before a beginning at the same moment: those two sales do not run at once.
        var steps = sales.Where(sale => sale.Status != SaleStatus.Closed && sale.ClosesAt > now)
            .SelectMany(sale => new[] { (At: sale.OpensAt, Step: 1), (At: sale.ClosesAt, Step: -1) })
            .OrderBy(step => step.At).ThenBy(step => step.Step);
        var (open, worst) = (0, new Crowding(default, AtOnceMax));
        foreach (var (at, step) in steps)
        {
            open += step;
            worst = open > worst.Sales ? new Crowding(at, open) : worst;
        }

        return worst.Sales > AtOnceMax ? worst : null;
    }

    /// <summary>Of the longer of both titles, about: what is written in Chinese is twice as wide.</summary>
    private static double LengthOf(LocalizedText title) => Math.Min(Width / 2, Math.Max(title.Zh.Length * 12, title.En.Length * 7));

    private static DateTimeOffset BeginOf(Sale sale) => sale.RequiresReservation ? sale.ReservationOpensAt ?? sale.OpensAt : sale.OpensAt;
}
