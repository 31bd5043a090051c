using System.Collections.Frozen;
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
/// <param name="own">Besides, what the SDK does not count.</param>
public sealed class PrometheusText(IReadOnlyList<DurationHistogram> own) : BaseExporter<Metric>
{
    /// <summary>The label set of the SDK for what did not fit.</summary>
    private const string Overflow = "otel_metric_overflow=\"True\"";
    public const string MediaType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>
    /// What .NET and OpenTelemetry name against the rules of Prometheus' linter (<c>_count</c> belongs to histograms), or declares as a counter though it goes up and down.
    /// </summary>
    private static readonly FrozenDictionary<string, string> OtherNames = new Dictionary<string, string>
    {
        ["dotnet.assembly.count"] = "dotnet_assemblies",
        ["dotnet.process.cpu.count"] = "dotnet_process_cpus",
        ["dotnet.timer.count"] = "dotnet_timers",
        ["dotnet.thread_pool.thread.count"] = "dotnet_thread_pool_threads",
        ["db.client.connection.count"] = "db_client_connections",
        ["dotnet.thread_pool.queue.length"] = "dotnet_thread_pool_queue_length",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The last collection.</summary>
    public string Text { get; private set; } = "";

    /// <summary>A metric of the last collection had more label sets than it may keep, over its whole life.</summary>
    public bool HasOverflowed { get; private set; }

    public override ExportResult Export(in Batch<Metric> batch)
    {
        HasOverflowed = false;
        List<(string Name, string Type, string Description, IReadOnlyList<(string Labels, string Lines)> Points)> all =
            [.. own.Select(histogram => (histogram.Name, "histogram", histogram.Description, Points(histogram)))];
        foreach (var metric in batch)
        {
            var name = NameOf(metric);
            all.Add((name, TypeOf(metric), metric.Description, Points(name, metric)));
        }

        var text = new StringBuilder();
        foreach (var family in all.Where(metric => metric.Points.Count > 0).GroupBy(metric => metric.Name).OrderBy(family => family.Key, StringComparer.Ordinal))
        {
            var (_, type, description, _) = family.First();
            if (description.Length > 0)
            {
                text.Append("# HELP ").Append(family.Key).Append(' ').Append(Escape(description, quotes: false)).Append('\n');
            }

            text.Append("# TYPE ").Append(family.Key).Append(' ').Append(type).Append('\n');
            foreach (var lines in family.SelectMany(one => one.Points).OrderBy(point => point.Labels, StringComparer.Ordinal))
            {
                text.Append(lines.Lines);
            }
        }

        Text = text.ToString();
        return ExportResult.Success;
    }

    private List<(string Labels, string Lines)> Points(string name, Metric metric)
    {
        List<(string, string)> points = [];
        foreach (ref readonly var point in metric.GetMetricPoints())
        {
            var labels = LabelsOf(point);
            HasOverflowed |= labels == Overflow;
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
        List<(double, long)> buckets = [];
        foreach (var bucket in point.GetHistogramBuckets())
        {
            buckets.Add((bucket.ExplicitBound, bucket.BucketCount));
        }

        return Histogram(name, labels, buckets, point.GetHistogramSum());
    }

    private static IReadOnlyList<(string Labels, string Lines)> Points(DurationHistogram histogram)
    {
        var (counts, sum) = histogram.Read();
        return [(histogram.Label, Histogram(histogram.Name, histogram.Label, histogram.Bounds.Append(double.PositiveInfinity).Zip(counts), sum))];
    }

    private static string Histogram(string name, string labels, IEnumerable<(double Bound, long Count)> buckets, double sum)
    {
        var lines = new StringBuilder();
        var below = 0L;
        foreach (var (bound, count) in buckets)
        {
            below += count;
            var le = $"le=\"{Number(bound)}\"";
            lines.Append(Line(name + "_bucket", labels.Length == 0 ? le : $"{labels},{le}", Number(below)));
        }

        lines.Append(Line(name + "_sum", labels, Number(sum)));
        return lines.Append(Line(name + "_count", labels, Number(below))).ToString();
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
        if (OtherNames.TryGetValue(metric.Name, out var gauge))
        {
            return gauge;
        }

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
            _ when OtherNames.ContainsKey(metric.Name) => "gauge",
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
