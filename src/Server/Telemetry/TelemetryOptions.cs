using System.Reflection;

namespace FlashSale.Server.Telemetry;

/// <param name="Enabled">False: no metrics, no traces. Counts that others need are kept all the same.</param>
/// <param name="OtlpEndpoint">Where metrics and traces are pushed to (OTLP over HTTP), without <c>/v1/…</c>; null: they are not.</param>
/// <param name="TraceRatio">Of the requests of the API, 0 to 1; without an endpoint none is traced.</param>
/// <param name="JsonLogs">One JSON object a line.</param>
/// <param name="Roles">Of this instance, in words.</param>
public sealed record TelemetryOptions(bool Enabled, Uri? OtlpEndpoint, double TraceRatio, bool JsonLogs, string Roles)
{
    public static string Version { get; } =
        typeof(TelemetryOptions).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";
}
