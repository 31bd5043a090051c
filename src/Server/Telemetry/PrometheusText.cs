using System.Globalization;
using System.Text;

using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace FlashSale.Server.Telemetry;

/// <summary>
/// Writes what the OpenTelemetry SDK has collected in Prometheus' text format 0.0.4
/// (prometheus.io/docs/instrumenting/exposition_formats). Names follow OpenTelemetry's rules for Prometheus: dots become underscores, the unit comes behind the
/// name, and <c>_total</c> behind a counter. The order is stable: by name, then by labels.
/// </summary>
public sealed class PrometheusText : BaseExporter<Metric>
{
    public const string MediaType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>The last collection.</summary>
    public string Text { get; private set; } = "";

    public override ExportResult Export(in Batch<Metric> batch)
    {
        List<(string Name, Metric Metric)> metrics = [];
        foreach (var metric in batch)
        {
            metrics.Add((NameOf(metric), metric));
        }

        var text = new StringBuilder();
        foreach (var family in metrics.GroupBy(metric => metric.Name).OrderBy(family => family.Key, StringComparer.Ordinal))
        {
            var first = family.First().Metric;
            if (first.Description.Length > 0)
            {
                text.Append("# HELP ").Append(family.Key).Append(' ').Append(Escape(first.Description, quotes: false)).Append('\n');
            }

            text.Append("# TYPE ").Append(family.Key).Append(' ').Append(TypeOf(first)).Append('\n');
            foreach (var lines in family.SelectMany(one => Points(one.Name, one.Metric)).OrderBy(point => point.Labels, StringComparer.Ordinal))
            {
                text.Append(lines.Lines);
            }
        }

        Text = text.ToString();
        return ExportResult.Success;
    }

    private static List<(string Labels, string Lines)> Points(string name, Metric metric)
    {
        List<(string, string)> points = [];
        foreach (ref readonly var point in metric.GetMetricPoints())
        {
            var labels = LabelsOf(point);
            points.Add((labels, metric.MetricType switch
            {
                MetricType.LongSum or MetricType.LongSumNonMonotonic => Line(name, labels, Number(point.GetSumLong())),
                MetricType.DoubleSum or MetricType.DoubleSumNonMonotonic => Line(name, labels, Number(point.GetSumDouble())),
                MetricType.LongGauge => Line(name, labels, Number(point.GetGaugeLastValueLong())),
                MetricType.DoubleGauge => Line(name, labels, Number(point.GetGaugeLastValueDouble())),
                MetricType.Histogram => Histogram(name, labels, point),
                _ => throw new NotSupportedException($"No text for a metric of type {metric.MetricType}: {metric.Name}"),
            }));
        }

        return points;
    }

    private static string Histogram(string name, string labels, in MetricPoint point)
    {
        var lines = new StringBuilder();
        var below = 0L;
        foreach (var bucket in point.GetHistogramBuckets())
        {
            below += bucket.BucketCount;
            var le = $"le=\"{Number(bucket.ExplicitBound)}\"";
            lines.Append(Line(name + "_bucket", labels.Length == 0 ? le : $"{labels},{le}", Number(below)));
        }

        lines.Append(Line(name + "_sum", labels, Number(point.GetHistogramSum())));
        return lines.Append(Line(name + "_count", labels, Number(point.GetHistogramCount()))).ToString();
    }

    private static string Line(string name, string labels, string value) => labels.Length == 0 ? $"{name} {value}\n" : $"{name}{{{labels}}} {value}\n";

    private static string LabelsOf(in MetricPoint point)
    {
        SortedDictionary<string, string> labels = new(StringComparer.Ordinal);
        foreach (var (key, value) in point.Tags)
        {
            labels[Identifier(key)] = Escape(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "", quotes: true);
        }

        return string.Join(',', labels.Select(label => $"{label.Key}=\"{label.Value}\""));
    }

    private static string NameOf(Metric metric)
    {
        var name = Identifier(metric.Name);
        var unit = metric.Unit switch
        {
            "s" => "_seconds",
            "ms" => "_milliseconds",
            "By" => "_bytes",
            "%" => "_percent",
            // What stands in braces only says what is counted.
            _ => "",
        };
        if (!name.EndsWith(unit, StringComparison.Ordinal))
        {
            name += unit;
        }

        return TypeOf(metric) == "counter" && !name.EndsWith("_total", StringComparison.Ordinal) ? name + "_total" : name;
    }

    private static string TypeOf(Metric metric) =>
        metric.MetricType switch
        {
            MetricType.LongSum or MetricType.DoubleSum => "counter",
            MetricType.Histogram => "histogram",
            _ => "gauge",
        };

    private static string Identifier(string name)
    {
        var text = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));
        return char.IsAsciiDigit(text[0]) ? "_" + text : text;
    }

    private static string Escape(string text, bool quotes)
    {
        text = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        return quotes ? text.Replace("\"", "\\\"", StringComparison.Ordinal) : text;
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Number(double value) =>
        value switch
        {
            double.PositiveInfinity => "+Inf",
            double.NegativeInfinity => "-Inf",
            _ => value.ToString("R", CultureInfo.InvariantCulture),
        };
}
