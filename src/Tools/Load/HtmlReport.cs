using System.Net;
using System.Text;

using FlashSale.Tools.Verify;

namespace FlashSale.Tools.Load;

/// <summary>One page with everything in it: no script, no font, no image, nothing to load. Light or dark as the reader's system is.</summary>
internal static class HtmlReport
{
    private const string Style = """
        :root { color-scheme: light dark; --ink: #1c2330; --soft: #5b6675; --line: #d8dde5; --paper: #ffffff; --card: #f6f7f9;
          --good: #1b8a5a; --bad: #c2362b; --wait: #b87503; --blue: #2f6fde; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e4e8ee; --soft: #98a3b3; --line: #343c49; --paper: #14181f; --card: #1c222c;
          --good: #46c08a; --bad: #f0766b; --wait: #e5ac48; --blue: #79a8ff; } }
        * { box-sizing: border-box; }
        body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 74rem; background: var(--paper); color: var(--ink);
          font: 15px/1.5 system-ui, sans-serif; }
        h1 { margin: 0 0 .25rem; font-size: 1.7rem; } h2 { margin: 2.5rem 0 .75rem; font-size: 1.2rem; }
        p { margin: .25rem 0; } code { overflow-wrap: anywhere; } .soft { color: var(--soft); }
        .verdict { display: inline-block; margin: 1rem 0; padding: .5rem 1rem; border-left: .35rem solid; background: var(--card); font-weight: 600; }
        .good { color: var(--good); } .bad { color: var(--bad); } .wait { color: var(--wait); }
        .pair { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 1.5rem; align-items: start; }
        @media (max-width: 60rem) { .pair { grid-template-columns: minmax(0, 1fr); } }
        .scroll { overflow: auto; max-height: 26rem; }
        table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .87rem; }
        th, td { padding: .25rem .5rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
        th { position: sticky; top: 0; background: var(--paper); color: var(--soft); font-weight: 600; }
        td.n, th.n { text-align: right; white-space: nowrap; }
        svg { width: 100%; height: auto; display: block; } svg text { fill: var(--soft); font: 11px system-ui, sans-serif; }
        .axis { stroke: var(--line); } .s0 { fill: var(--good); } .s1 { fill: var(--blue); } .s2 { fill: var(--bad); } .s3 { fill: var(--wait); }
        .key { display: flex; flex-wrap: wrap; gap: .25rem 1rem; font-size: .85rem; color: var(--soft); }
        .key i { display: inline-block; width: .75rem; height: .75rem; margin-right: .35rem; }
        .k0 { background: var(--good); } .k1 { background: var(--blue); } .k2 { background: var(--bad); } .k3 { background: var(--wait); }
        """;

    public static string Write(RunOutcome outcome)
    {
        var page = new StringBuilder();
        var title = $"FlashSale load run, seed {outcome.Settings.Seed}";
        WriteStart(page, title);
        WriteHead(page, outcome);
        WriteInvariants(page, outcome.Report);
        WriteSeconds(page, outcome);
        WriteLatencies(page, outcome);
        WriteSales(page, outcome);
        page.Append("<h2>Calls</h2>\n");
        WriteTable(page, ["op", "status", "code", "#count"], outcome.Metrics.Counts.Select(row =>
            (string[])[row.Op, row.Status == 0 ? "none" : $"{row.Status}", row.Code, $"{row.Count:N0}"]));
        page.Append("<h2>What became of shoppers and bots</h2>\n");
        WriteTable(page, ["what", "#count"], outcome.Metrics.Notes.OrderBy(note => note.Key, StringComparer.Ordinal).Select(note =>
            (string[])[note.Key, $"{note.Value:N0}"]));
        page.Append("</body>\n</html>\n");
        return page.ToString();
    }

    internal static void WriteStart(StringBuilder page, string title)
    {
        page.Append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        page.Append($"<title>{Escape(title)}</title>\n<style>\n{Style}\n</style>\n</head>\n<body>\n<h1>{Escape(title)}</h1>\n");
    }

    private static void WriteHead(StringBuilder page, RunOutcome outcome)
    {
        var settings = outcome.Settings;
        var (answers, placed) = outcome.Peak;
        var colour = outcome.Report.ExitCode switch
        {
            ExitCodes.Holds => "good",
            ExitCodes.Violated => "bad",
            _ => "wait",
        };
        page.Append($"<p><code>{Escape(settings.CommandLine)}</code></p>\n");
        page.Append($"<p class=\"verdict {colour}\">{Escape(outcome.Report.Verdict)}</p>\n");
        page.Append($"<p>{settings.Sales} sales × {settings.Offers} offers × {settings.Stock:N0} units = {settings.Units:N0} units; {settings.Users:N0} users, {settings.BotPercent} % of them bots, ");
        page.Append($"{outcome.Entries:N0} wishes; opened {outcome.OpensAt:yyyy-MM-dd HH:mm:ss} UTC.</p>\n");
        page.Append($"<p>{outcome.Metrics.Calls:N0} calls in {outcome.Duration.TotalSeconds:0.0} s; at most {answers:N0} order answers and {placed:N0} new orders in one second. ");
        page.Append(outcome.Settled ? "Everything was sold and settled.</p>\n" : $"<b>Not everything was sold and settled</b>; {outcome.WentWithout:N0} shoppers were still waiting.</p>\n");
        page.Append($"<p class=\"soft\">{Escape(outcome.ServerFacts)}; its clock is {outcome.ClockOffset / 1000.0:0.0} ms ahead of the generator's (±{outcome.ClockError / 1000.0:0.0} ms). ");
        page.Append($"Generator: {Environment.ProcessorCount} processors, {Escape(System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription)}.</p>\n");
    }

    internal static void WriteInvariants(StringBuilder page, AuditReport report)
    {
        page.Append("<h2>Invariants</h2>\n<table>\n<tr><th></th><th>invariant</th><th>verdict</th><th class=\"n\">checks</th><th class=\"n\">violations</th><th>figures</th></tr>\n");
        foreach (var finding in report.Findings)
        {
            var (word, colour) = finding.State switch
            {
                FindingState.Holds => ("holds", "good"),
                FindingState.Violated => ("violated", "bad"),
                _ => ("not exercised", "soft"),
            };
            page.Append($"<tr><td>{finding.Id}</td><td>{Escape(finding.Title)}</td><td class=\"{colour}\">{word}</td>");
            page.Append($"<td class=\"n\">{finding.Checked:N0}</td><td class=\"n\">{finding.Violations:N0}</td><td>{Escape(finding.Figures)}");
            foreach (var example in finding.Examples)
            {
                page.Append($"<br><span class=\"bad\">{Escape(example)}</span>");
            }

            page.Append("</td></tr>\n");
        }

        page.Append("</table>\n");
    }

    private static void WriteSeconds(StringBuilder page, RunOutcome outcome)
    {
        var rows = outcome.Metrics.Seconds.Where(row => row.At >= -1).ToList();
        page.Append("<h2>Answers to order attempts, by second from the opening</h2>\n<div class=\"pair\">\n<div>\n");
        Charts.WriteKey(page, "placed", "sold out", "shed (429, 5xx, lost)", "other");
        Charts.WriteColumns(page, rows.Select(row =>
            (row.At, (long[])[row.Second.Placed, row.Second.SoldOut, row.Second.Shed, row.Second.Other])).ToList());
        page.Append("</div>\n");
        WriteTable(page, ["#second", "#placed", "#sold out", "#shed", "#other"], rows.Select(row =>
            (string[])[$"{row.At}", $"{row.Second.Placed:N0}", $"{row.Second.SoldOut:N0}", $"{row.Second.Shed:N0}", $"{row.Second.Other:N0}"]));
        page.Append("</div>\n");
    }

    private static void WriteLatencies(StringBuilder page, RunOutcome outcome)
    {
        var rows = outcome.Metrics.Latencies.ToList();
        page.Append("<h2>Latency from the intended send time, ms</h2>\n<div class=\"pair\">\n<div>\n");
        Charts.WriteKey(page, "p50", "p90", "p99", "p99.9");
        Charts.WriteLatencies(page, rows.Select(row =>
            (row.Op, (long[])[row.Histogram.Percentile(50), row.Histogram.Percentile(90), row.Histogram.Percentile(99), row.Histogram.Percentile(99.9)])).ToList());
        page.Append("</div>\n");
        WriteTable(page, ["op", "#count", "#p50", "#p90", "#p99", "#p99.9", "#max"], rows.Select(row =>
            (string[])[row.Op, $"{row.Histogram.Count:N0}", .. Summary.Percentiles(row.Histogram)]));
        page.Append("</div>\n");
    }

    private static void WriteSales(StringBuilder page, RunOutcome outcome)
    {
        var rows = outcome.Sales.SelectMany(sale => sale.Offers.Select(offer => (Sale: sale, Offer: offer))).ToList();
        page.Append("<h2>What was sold</h2>\n<div class=\"pair\">\n<div>\n");
        Charts.WriteKey(page, "paid", "not sold");
        Charts.WriteBars(page, "Units paid of each offer's stock", rows.Select(row =>
            (row.Offer.Title, (long)row.Offer.Paid, (long)row.Offer.Stock)).ToList());
        page.Append("</div>\n");
        WriteTable(page, ["sale", "offer", "#stock", "#orders", "#paid", "#sold-out answers"], rows.Select(row =>
            (string[])[row.Sale.Slug + (row.Sale.RequiresReservation ? " (reservation)" : ""), row.Offer.Title, $"{row.Offer.Stock:N0}", $"{row.Offer.Placed:N0}", $"{row.Offer.Paid:N0}", $"{row.Offer.SoldOut:N0}"]));
        page.Append("</div>\n");
    }

    /// <param name="columns">Those with # in front are numbers.</param>
    internal static void WriteTable(StringBuilder page, string[] columns, IEnumerable<string[]> rows)
    {
        page.Append("<div class=\"scroll\"><table>\n<tr>");
        foreach (var column in columns)
        {
            page.Append(column[0] == '#' ? $"<th class=\"n\">{Escape(column[1..])}</th>" : $"<th>{Escape(column)}</th>");
        }

        page.Append("</tr>\n");
        foreach (var row in rows)
        {
            page.Append("<tr>");
            for (var i = 0; i < row.Length; i++)
            {
                page.Append(columns[i][0] == '#' ? "<td class=\"n\">" : "<td>").Append(Escape(row[i])).Append("</td>");
            }

            page.Append("</tr>\n");
        }

        page.Append("</table></div>\n");
    }

    internal static string Escape(string text) => WebUtility.HtmlEncode(text);
}
