using System.Diagnostics.Metrics;

using FlashSale.Server.Telemetry;
using FlashSale.Tests.Server.Console;

using OpenTelemetry;
using OpenTelemetry.Metrics;

using Xunit;

namespace FlashSale.Tests.Server.Telemetry;

public sealed class MetricsTests(ConsoleServer console) : IClassFixture<ConsoleServer>
{
    [Fact]
    public async Task Scrape_WhenAnOrderWasPlaced_CountsItOnce()
    {
        var published = await console.PublishAsync();
        await console.OrderAsync(published.OfferId, "anna");

        var answer = await ScrapeAsync();

        Assert.Equal("text/plain", answer.MediaType);
        var lines = answer.Text.Split('\n');
        Assert.Contains("# TYPE flashsale_orders_total counter", lines);
        Assert.Contains("flashsale_orders_total{state=\"held\"} 1", lines);
        Assert.Contains("flashsale_decisions_total{layer=\"ledger\",outcome=\"admitted\",reason=\"placed\"} 1", lines);
        Assert.Contains("flashsale_order_duration_seconds_bucket{le=\"+Inf\"} 1", lines);
        Assert.Contains("flashsale_order_duration_seconds_count 1", lines);
        Assert.Contains("flashsale_ledger_batch_orders_bucket{le=\"512\"} 1", lines);
        Assert.Contains(lines, line => line.StartsWith("dotnet_", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("kestrel_active_connections{", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Scrape_WhenManyAskAtOnce_AnswersAll()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => ScrapeAsync()));

        Assert.All(answers, answer => Assert.EndsWith("\n", answer.Text));
    }

    [Fact]
    public void Export_WhenTextsHaveSpecialCharacters_EscapesThemAndKeepsTheOrder()
    {
        using var meter = new Meter("prometheus-text-test");
        var exporter = new PrometheusText([]);
        using var reader = new BaseExportingMetricReader(exporter);
        using var provider = Sdk.CreateMeterProviderBuilder().AddMeter(meter.Name).AddReader(reader).Build();
        var counter = meter.CreateCounter<long>("b.things", description: "One\nline \\ two");
        counter.Add(2, new KeyValuePair<string, object?>("which.one", "z"));
        counter.Add(1, new KeyValuePair<string, object?>("which.one", "a\"b\\c\nd"));
        meter.CreateUpDownCounter<long>("c.level", "By").Add(-3);
        var histogram = meter.CreateHistogram("a.time", "s", "", null, new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.5, 1] });
        histogram.Record(0.25);
        histogram.Record(0.75);
        histogram.Record(7);

        reader.Collect();

        Assert.Equal(
            """
            # TYPE a_time_seconds histogram
            a_time_seconds_bucket{le="0.5"} 1
            a_time_seconds_bucket{le="1"} 2
            a_time_seconds_bucket{le="+Inf"} 3
            a_time_seconds_sum 8
            a_time_seconds_count 3
            # HELP b_things_total One\nline \\ two
            # TYPE b_things_total counter
            b_things_total{which_one="a\"b\\c\nd"} 1
            b_things_total{which_one="z"} 2
            # TYPE c_level_bytes gauge
            c_level_bytes -3

            """,
            exporter.Text);
    }

    private Task<Answer> ScrapeAsync() => ConsoleServer.SendAsync(console.Server.Anonymous(), HttpMethod.Get, "/metrics");
}
