using Spectre.Console;

namespace FlashSale.Tools.Load;

/// <summary>The tables at the end of a run.</summary>
internal static class Summary
{
    public static void Print(IAnsiConsole console, RunOutcome outcome)
    {
        console.Write(Make("Calls", ["op", "status", "code", "count"], outcome.Metrics.Counts.Select(row =>
            (string[])[row.Op, row.Status == 0 ? "none" : $"{row.Status}", row.Code, $"{row.Count:N0}"])));
        console.Write(Make("Latency from the intended send time, ms", ["op", "count", "p50", "p90", "p99", "p99.9", "max"], outcome.Metrics.Latencies.Select(pair =>
            (string[])[pair.Op, $"{pair.Histogram.Count:N0}", .. Percentiles(pair.Histogram)])));
        console.Write(Make("Offers", ["sale", "offer", "stock", "orders", "paid", "sold-out answers"], outcome.Sales.SelectMany(sale => sale.Offers.Select(offer =>
            (string[])[sale.Slug, offer.Title, $"{offer.Stock:N0}", $"{offer.Placed:N0}", $"{offer.Paid:N0}", $"{offer.SoldOut:N0}"]))));
        foreach (var (what, count) in outcome.Metrics.Notes.OrderBy(note => note.Key, StringComparer.Ordinal))
        {
            console.WriteLine($"{what}: {count:N0}");
        }

        var (answers, placed) = outcome.Peak;
        console.WriteLine($"{outcome.Metrics.Calls:N0} calls in {outcome.Duration.TotalSeconds:0.0} s; at most {answers:N0} order answers/s and {placed:N0} orders/s");
        if (!outcome.Settled)
        {
            console.WriteLine($"not everything was sold and settled: {outcome.WentWithout:N0} shoppers were still waiting{(outcome.TimedOut ? " at --timeout" : "")}");
        }
    }

    public static IEnumerable<string> Percentiles(LatencyHistogram histogram) =>
        ((double[])[50, 90, 99, 99.9]).Select(percent => $"{histogram.Percentile(percent) / 1000.0:N1}").Append($"{histogram.Max / 1000.0:N1}");

    internal static Table Make(string title, string[] columns, IEnumerable<string[]> rows)
    {
        var table = new Table().Border(TableBorder.Simple).Title(title);
        foreach (var column in columns)
        {
            table.AddColumn(new TableColumn(Markup.Escape(column)));
        }

        foreach (var row in rows)
        {
            table.AddRow(row.Select(cell => new Text(cell)));
        }

        return table;
    }
}
