using System.Diagnostics.Metrics;

using FlashSale.Core;
using FlashSale.Storage;

using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace FlashSale.Server.Telemetry;

/// <summary>Which meters are collected, and into which buckets (docs/metrics.md).</summary>
public static class Meters
{
    /// <summary>In seconds: from well below one commit to an order's last deadline.</summary>
    public static readonly double[] DurationBounds =
        [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    /// <summary>Finer, since the stages add up to one order: each bound is at most half as much again as the one before, where orders are.</summary>
    public static readonly double[] StageBounds =
        [0.00005, 0.0001, 0.0002, 0.0003, 0.0005, 0.00075, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 2, 5];

    /// <summary>Orders in a batch, to the most that one may have.</summary>
    private static readonly double[] BatchBounds = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
    private static readonly double[] ScoreBounds = [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100];

    /// <param name="isPushed">Not scraped: without what the SDK does not count.</param>
    public static MeterProviderBuilder Builder(bool isPushed) => Sdk.CreateMeterProviderBuilder()
        .AddMeter(SaleMetrics.MeterName, StorageMeter.Name, "System.Runtime", "System.Net.Http", "Microsoft.AspNetCore.Server.Kestrel")
        .AddView(instrument =>
            !isPushed && instrument.Name is (SaleMetrics.OrderDuration or SaleMetrics.StageDuration or SaleMetrics.CommitDuration) ? MetricStreamConfiguration.Drop : ViewOf(instrument));

    private static MetricStreamConfiguration? ViewOf(Instrument instrument) => instrument.Name switch
    {
        // Every reason of every sale that is counted by itself.
        "flashsale.sale.decisions" => new MetricStreamConfiguration { CardinalityLimit = Limits.SalesTracked * Enum.GetValues<OrderDecision>().Length },
        SaleMetrics.StageDuration => Histogram(StageBounds),
        "flashsale.ledger.batch.orders" => Histogram(BatchBounds),
        "flashsale.risk.score" => Histogram(ScoreBounds),
        "db.client.operation.duration" or "http.client.request.duration" => Histogram(DurationBounds),
        var name when name.StartsWith("flashsale.", StringComparison.Ordinal) && name.EndsWith(".duration", StringComparison.Ordinal) => Histogram(DurationBounds),
        _ => null,
    };

    private static ExplicitBucketHistogramConfiguration Histogram(double[] bounds) => new() { Boundaries = bounds };
}

/// <summary>Collects the metrics of this process when somebody asks, one at a time.</summary>
public sealed class MetricsScrape(SaleMetrics metrics) : IDisposable
{
    private readonly Lock scraping = new();
    private Collection collection = new(metrics);

    public string Read()
    {
        lock (scraping)
        {
            if (collection.Read() is { } text)
            {
                return text;
            }

            // Sales come and go, and the SDK never forgets a label set. Begun anew, counts that are read are what they were; histograms begin at zero, as after a restart.
            collection.Dispose();
            collection = new Collection(metrics);
            return collection.Read() ?? throw new InvalidOperationException("There are more label sets than a metric may have.");
        }
    }

    public void Dispose() => collection.Dispose();

    private sealed class Collection : IDisposable
    {
        private readonly PrometheusText exporter;
        private readonly BaseExportingMetricReader reader;
        private readonly MeterProvider provider;

        public Collection(SaleMetrics metrics)
        {
            exporter = new PrometheusText(metrics.Histograms);
            reader = new BaseExportingMetricReader(exporter);
            provider = Meters.Builder(isPushed: false).AddReader(reader).Build();
        }

        /// <summary>Null when a metric has no room for its label sets.</summary>
        public string? Read() =>
            !reader.Collect() ? throw new InvalidOperationException("The metrics could not be collected.")
            : exporter.HasOverflowed ? null : exporter.Text;

        public void Dispose() => provider.Dispose();
    }
}

public static class MetricsEndpoint
{
    /// <summary>With telemetry off nothing is collected, and nothing answers.</summary>
    public static void MapMetrics(this IEndpointRouteBuilder app)
    {
        var services = app.ServiceProvider;
        var options = services.GetRequiredService<TelemetryOptions>();
        if (!options.Enabled)
        {
            return;
        }

        // From the start on, not from the first question on: what was recorded before would be lost.
        var scrape = services.GetRequiredService<MetricsScrape>();
        _ = services.GetRequiredService<TelemetryExport>();
        _ = services.GetRequiredService<SaleWatch>();
        var metrics = services.GetRequiredService<SaleMetrics>();
        metrics.IsCollected = true;
        metrics.ObserveBreakers(services.GetRequiredService<Breakers>());
        metrics.ObservePools(services.GetRequiredService<ILedger>(), services.GetRequiredService<IGate>());
        metrics.Observe("flashsale.build.info", "1, with the version and the roles of this instance as labels", () =>
            [new Measurement<long>(1, new("version", TelemetryOptions.Version), new("roles", options.Roles))]);
        app.MapGet("/metrics", () => Results.Text(scrape.Read(), PrometheusText.MediaType)).ExcludeFromDescription();
    }

    private static void ObserveBreakers(this SaleMetrics metrics, Breakers breakers)
    {
        metrics.Observe("flashsale.breaker.state", "Breakers by what they guard: 0 closed, 1 half open, 2 open", () =>
            breakers.Read().Select(breaker => new Measurement<long>((long)breaker.State, new KeyValuePair<string, object?>("breaker", breaker.Name))));
        metrics.ObserveCount("flashsale.breaker.rejections", "Calls that were not made because of a breaker", () =>
            breakers.Read().Select(breaker => new Measurement<long>(breaker.Rejections, new KeyValuePair<string, object?>("breaker", breaker.Name))));
    }

    /// <summary>By OpenTelemetry's names for the pools of database clients.</summary>
    private static void ObservePools(this SaleMetrics metrics, ILedger ledger, IGate gate)
    {
        metrics.Observe("db.client.connection.count", "Connections to the ledger's database by what they are for, and calls that are under way to Redis", () =>
            Pools().SelectMany<ConnectionPool, Measurement<long>>(pool =>
            [
                new(pool.Used, NameOf(pool), new("db.client.connection.state", "used")),
                new(pool.Size - pool.Used, NameOf(pool), new("db.client.connection.state", "idle")),
            ]));
        metrics.Observe("db.client.connection.pending_requests", "Calls that wait for one of them", () => Pools().Select(pool => new Measurement<long>(pool.Waiting, NameOf(pool))));

        IEnumerable<ConnectionPool> Pools() => ledger.Pools.Concat(gate.Pools);

        static KeyValuePair<string, object?> NameOf(ConnectionPool pool) => new("db.client.connection.pool.name", pool.Name);
    }
}
