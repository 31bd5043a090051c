using System.Globalization;
using System.Net;
using System.Text;

namespace FlashSale.Tools.Load;

/// <summary>Inline SVG. Colours come from the page, so that a chart is right in light and in dark.</summary>
internal static class Charts
{
    private const int Width = 640;
    private const int Left = 60;
    private const int Top = 10;
    private const int PlotHeight = 220;
    private const int RowHeight = 22;
    private const int LabelWidth = 130;

    public static void WriteKey(StringBuilder page, params ReadOnlySpan<string> names)
    {
        page.Append("<div class=\"key\">");
        for (var i = 0; i < names.Length; i++)
        {
            page.Append($"<span><i class=\"k{i}\"></i>{Escape(names[i])}</span>");
        }

        page.Append("</div>\n");
    }

    /// <summary>Stacked columns over seconds.</summary>
    public static void WriteColumns(StringBuilder page, IReadOnlyList<(int At, long[] Parts)> columns)
    {
        var height = Top + PlotHeight + 30;
        Open(page, height, "Stacked columns: answers by second");
        var most = Math.Max(1, columns.Select(column => column.Parts.Sum()).DefaultIfEmpty(0).Max());
        var first = columns.Count == 0 ? 0 : columns[0].At;
        var last = columns.Count == 0 ? 0 : columns[^1].At;
        var step = (Width - Left - 10.0) / (last - first + 1);
        for (var tick = 0; tick <= 4; tick++)
        {
            var y = Top + PlotHeight - (PlotHeight * tick / 4.0);
            page.Append(Invariant($"<line class=\"axis\" x1=\"{Left}\" x2=\"{Width - 10}\" y1=\"{y:0.#}\" y2=\"{y:0.#}\"/><text x=\"{Left - 6}\" y=\"{y + 4:0.#}\" text-anchor=\"end\">{most * tick / 4:N0}</text>"));
        }

        foreach (var (at, parts) in columns)
        {
            var x = Left + ((at - first) * step);
            var y = (double)(Top + PlotHeight);
            page.Append(Invariant($"<g><title>second {at}: {string.Join(" / ", parts)}</title>"));
            for (var i = 0; i < parts.Length; i++)
            {
                var size = parts[i] * (double)PlotHeight / most;
                y -= size;
                if (parts[i] > 0)
                {
                    page.Append(Invariant($"<rect class=\"s{i}\" x=\"{x:0.##}\" y=\"{y:0.##}\" width=\"{Math.Max(0.5, step * 0.9):0.##}\" height=\"{size:0.##}\"/>"));
                }
            }

            page.Append("</g>");
        }

        page.Append(Invariant($"<text x=\"{Left}\" y=\"{height - 10}\">{first} s</text><text x=\"{Width - 10}\" y=\"{height - 10}\" text-anchor=\"end\">{last} s</text></svg>\n"));
    }

    /// <summary>Dots on a logarithmic scale, one row an operation.</summary>
    /// <param name="rows">In microseconds.</param>
    public static void WriteLatencies(StringBuilder page, IReadOnlyList<(string Op, long[] Micros)> rows)
    {
        const int Decades = 6;
        var height = Top + (rows.Count * RowHeight) + 30;
        var plot = Width - LabelWidth - 20.0;
        Open(page, height, "Latency percentiles by operation, logarithmic");
        for (var decade = 0; decade <= Decades; decade++)
        {
            var x = LabelWidth + (plot * decade / Decades);
            var label = decade < 3 ? Invariant($"{Math.Pow(10, decade - 2):0.##} ms") : decade < 5 ? Invariant($"{Math.Pow(10, decade - 2):0} ms") : Invariant($"{Math.Pow(10, decade - 5):0} s");
            page.Append(Invariant($"<line class=\"axis\" x1=\"{x:0.#}\" x2=\"{x:0.#}\" y1=\"{Top}\" y2=\"{height - 25}\"/><text x=\"{x:0.#}\" y=\"{height - 8}\" text-anchor=\"middle\">{label}</text>"));
        }

        for (var row = 0; row < rows.Count; row++)
        {
            var y = Top + (row * RowHeight) + (RowHeight / 2);
            page.Append(Invariant($"<text x=\"{LabelWidth - 8}\" y=\"{y + 4}\" text-anchor=\"end\">{Escape(rows[row].Op)}</text>"));
            for (var i = 0; i < rows[row].Micros.Length; i++)
            {
                // The scale begins at 10 µs.
                var decades = Math.Clamp(Math.Log10(Math.Max(10, rows[row].Micros[i])) - 1, 0, Decades);
                page.Append(Invariant($"<circle class=\"s{i}\" cx=\"{LabelWidth + (plot * decades / Decades):0.#}\" cy=\"{y}\" r=\"5\"><title>{rows[row].Micros[i] / 1000.0:0.0} ms</title></circle>"));
            }
        }

        page.Append("</svg>\n");
    }

    /// <summary>How much of each whole is there.</summary>
    public static void WriteBars(StringBuilder page, string title, IReadOnlyList<(string Name, long Part, long Whole)> rows)
    {
        var height = Top + (rows.Count * RowHeight) + 10;
        var plot = Width - LabelWidth - 90.0;
        Open(page, height, title);
        for (var row = 0; row < rows.Count; row++)
        {
            var (name, part, whole) = rows[row];
            var y = Top + (row * RowHeight);
            var size = plot * Math.Min(part, whole) / Math.Max(1, whole);
            page.Append(Invariant($"<text x=\"{LabelWidth - 8}\" y=\"{y + 14}\" text-anchor=\"end\">{Escape(name)}</text>"));
            page.Append(Invariant($"<rect class=\"s0\" x=\"{LabelWidth}\" y=\"{y + 3}\" width=\"{size:0.#}\" height=\"14\"/>"));
            page.Append(Invariant($"<rect class=\"s1\" x=\"{LabelWidth + size:0.#}\" y=\"{y + 3}\" width=\"{plot - size:0.#}\" height=\"14\" opacity=\"0.35\"/>"));
            page.Append(Invariant($"<text x=\"{LabelWidth + plot + 6:0.#}\" y=\"{y + 14}\">{part:N0} of {whole:N0}</text>"));
        }

        page.Append("</svg>\n");
    }

    private static void Open(StringBuilder page, int height, string title) =>
        page.Append(Invariant($"<svg viewBox=\"0 0 {Width} {height}\" role=\"img\" aria-label=\"{Escape(title)}\">"));

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}
