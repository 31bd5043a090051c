using Spectre.Console;
using Spectre.Console.Rendering;

namespace FlashSale.Tools.Load;

/// <summary>What is going on: a live table on a screen, a line a second in a log.</summary>
internal sealed class Progress(
    IAnsiConsole console,
    LoadSettings settings,
    IReadOnlyList<PlannedSale> sales,
    Metrics metrics,
    Crew crew,
    RunClock clock,
    long opening)
{
    private const int RowsMax = 20;
    private long callsBefore;
    private long readBefore;

    /// <summary>Until cancelled.</summary>
    public Task ShowAsync(CancellationToken cancellationToken) =>
        console.Profile.Capabilities.Interactive
            ? console.Live(Draw(0)).StartAsync(live => EverySecondAsync(
                speed =>
                {
                    live.UpdateTarget(Draw(speed));
                    live.Refresh();
                },
                cancellationToken))
            : EverySecondAsync(speed => console.WriteLine(Line(speed)), cancellationToken);

    private async Task EverySecondAsync(Action<long> show, CancellationToken cancellationToken)
    {
        readBefore = clock.Now;
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), clock.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                show(Speed());
            }
        }
        catch (OperationCanceledException)
        {
            show(Speed());
        }
    }

    private long Speed()
    {
        var (calls, now) = (metrics.Calls, clock.Now);
        var speed = (calls - callsBefore) * 1_000_000 / Math.Max(1, now - readBefore);
        (callsBefore, readBefore) = (calls, now);
        return speed;
    }

    private string Line(long speed)
    {
        var offers = sales.SelectMany(sale => sale.Offers).ToList();
        return $"{Seconds(),7:+0.0;-0.0;0.0} s  {speed,7:N0} calls/s  {metrics.InFlight,6:N0} in flight  {crew.Busy,7:N0} busy  "
            + $"{offers.Sum(offer => (long)offer.Placed),7:N0} orders  {offers.Sum(offer => (long)offer.Paid),7:N0} paid of {settings.Units:N0}  "
            + $"{offers.Sum(offer => (long)offer.SoldOut),8:N0} sold-out answers";
    }

    private double Seconds() => (clock.Now - opening) / 1_000_000.0;

    private IRenderable Draw(long speed)
    {
        var table = new Table().Border(TableBorder.Rounded).Title(Markup.Escape(Line(speed).Trim()));
        table.AddColumn("sale");
        foreach (var name in (string[])["offer", "stock", "orders", "paid", "sold-out answers"])
        {
            table.AddColumn(new TableColumn(name).RightAligned());
        }

        foreach (var (sale, offer) in sales.SelectMany(sale => sale.Offers.Select(offer => (sale, offer))).Take(RowsMax))
        {
            table.AddRow(sale.Slug, offer.Title, $"{offer.Stock:N0}", $"{offer.Placed:N0}", $"{offer.Paid:N0}", $"{offer.SoldOut:N0}");
        }

        return table;
    }
}
