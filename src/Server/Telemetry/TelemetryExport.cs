using FlashSale.Core;

using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace FlashSale.Server.Telemetry;

/// <summary>Pushes metrics and traces to a collector, where one is configured. Without one nobody listens, and nothing is traced.</summary>
public sealed class TelemetryExport : IDisposable
{
    private readonly MeterProvider? metrics;
    private readonly TracerProvider? traces;

    public TelemetryExport(TelemetryOptions options)
    {
        if (!options.Enabled || options.OtlpEndpoint is not { } endpoint)
        {
            return;
        }

        var resource = ResourceBuilder.CreateEmpty().AddService(
            "flashsale", serviceVersion: TelemetryOptions.Version, serviceInstanceId: $"{Environment.MachineName}-{Environment.ProcessId}");
        metrics = Meters.Builder(isPushed: true)
            .SetResourceBuilder(resource)
            .AddReader(new PeriodicExportingMetricReader(
                new OtlpMetricExporter(To(endpoint, "v1/metrics")), (int)Limits.OtlpInterval.TotalMilliseconds, (int)Limits.OtlpTimeout.TotalMilliseconds))
            .Build();
        if (options.TraceRatio > 0)
        {
            traces = Sdk.CreateTracerProviderBuilder()
                .SetResourceBuilder(resource)
                .SetSampler(new OwnSampler())
                // The calls of providers, which hand the trace on.
                .AddSource(Traces.SourceName, "System.Net.Http")
                .AddProcessor(new BatchActivityExportProcessor(
                    new OtlpTraceExporter(To(endpoint, "v1/traces")), scheduledDelayMilliseconds: 2_000, exporterTimeoutMilliseconds: (int)Limits.OtlpTimeout.TotalMilliseconds))
                .Build();
        }
    }

    public void Dispose()
    {
        // What is left is sent, or given up after the timeout.
        traces?.Dispose();
        metrics?.Dispose();
    }

    private static OtlpExporterOptions To(Uri endpoint, string path) => new()
    {
        Protocol = OtlpExportProtocol.HttpProtobuf,
        Endpoint = new Uri(endpoint.AbsoluteUri.TrimEnd('/') + "/" + path),
        TimeoutMilliseconds = (int)Limits.OtlpTimeout.TotalMilliseconds,
    };

    /// <summary>What begins a trace has been chosen already (<see cref="TraceChoice"/>); a call to a provider that belongs to none begins none.</summary>
    private sealed class OwnSampler : Sampler
    {
        public override SamplingResult ShouldSample(in SamplingParameters samplingParameters) => new(
            samplingParameters.Kind != System.Diagnostics.ActivityKind.Client || samplingParameters.ParentContext.TraceFlags.HasFlag(System.Diagnostics.ActivityTraceFlags.Recorded));
    }
}
