using System.Diagnostics.Metrics;

using FlashSale.Storage;

using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace FlashSale.Server.Telemetry;

/// <summary>Collects the metrics of this process when somebody asks, one at a time.</summary>
public sealed class MetricsScrape : IDisposable
{
    /// <summary>In seconds: from well below one commit to an order's last deadline.</summary>
    private static readonly double[] DurationBounds =
        [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    /// <summary>Orders in a batch, to the most that one may have.</summary>
    private static readonly double[] BatchBounds = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

    private readonly Lock scraping = new();
    private readonly PrometheusText exporter = new();
    private readonly BaseExportingMetricReader reader;
    private readonly MeterProvider provider;

    public MetricsScrape()
    {
        reader = new BaseExportingMetricReader(exporter);
        provider = Sdk.CreateMeterProviderBuilder()
            .AddMeter(SaleMetrics.MeterName, "System.Runtime", "Microsoft.AspNetCore.Server.Kestrel")
            .AddView("flashsale.*.duration", new ExplicitBucketHistogramConfiguration { Boundaries = DurationBounds })
            .AddView("flashsale.*.batch.orders", new ExplicitBucketHistogramConfiguration { Boundaries = BatchBounds })
            .AddReader(reader)
            .Build();
    }

    public string Read()
    {
        lock (scraping)
        {
            return reader.Collect() ? exporter.Text : throw new InvalidOperationException("The metrics could not be collected.");
        }
    }

    public void Dispose() => provider.Dispose();
}

public static class MetricsEndpoint
{
    public static void MapMetrics(this IEndpointRouteBuilder app)
    {
        // From the start on, not from the first question on: what was recorded before would be lost.
        var scrape = app.ServiceProvider.GetRequiredService<MetricsScrape>();
        app.ServiceProvider.GetRequiredService<SaleMetrics>().ObserveBreakers(app.ServiceProvider.GetRequiredService<Breakers>());
        app.MapGet("/metrics", () => Results.Text(scrape.Read(), PrometheusText.MediaType)).ExcludeFromDescription();
    }

    private static void ObserveBreakers(this SaleMetrics metrics, Breakers breakers)
    {
        metrics.Observe("flashsale.breaker.state", "Breakers by what they guard: 0 closed, 1 half open, 2 open", () =>
            breakers.Read().Select(breaker => new Measurement<long>((long)breaker.State, new KeyValuePair<string, object?>("breaker", breaker.Name))));
        metrics.ObserveCount("flashsale.breaker.rejections", "Calls that were not made because of a breaker", () =>
            breakers.Read().Select(breaker => new Measurement<long>(breaker.Rejections, new KeyValuePair<string, object?>("breaker", breaker.Name))));
    }
}
