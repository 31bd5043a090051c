using System.Diagnostics.Metrics;

namespace FlashSale.Storage;

/// <summary>One kind of call to a database, as it is measured: after OpenTelemetry's conventions for database clients.</summary>
/// <param name="IsOfUserLimit">Redis counts a user's requests: what fails there is no failure of the gate.</param>
internal sealed record StorageCall(string System, string Operation, bool IsOfUserLimit = false)
{
    public KeyValuePair<string, object?> SystemTag { get; } = new("db.system.name", System);

    public KeyValuePair<string, object?> OperationTag { get; } = new("db.operation.name", Operation);
}

/// <summary>
/// How long calls to the ledger's database and to Redis took, and how they failed. Of all ledgers and gates of this process; counted where a call is made, so that nothing
/// above it has to. A call that a breaker did not make is none.
/// </summary>
public static class StorageMeter
{
    /// <summary>Whoever asks for it finds the instruments there.</summary>
    public static string Name { get; } = "FlashSale.Storage";
    private const int Unavailable = 0;
    private const int Busy = 1;
    private const int Unknown = 2;

    private static readonly string[] Kinds = ["unavailable", "busy", "unknown"];
    private static readonly KeyValuePair<string, object?>[] KindTags = [.. Kinds.Select(kind => new KeyValuePair<string, object?>("error.type", kind))];
    private static readonly Meter Meter = new(Name);
    private static readonly Histogram<double> Duration = Meter.CreateHistogram<double>(
        "db.client.operation.duration", "s", "Calls to the ledger's database and to Redis, from the question until the answer; with error_type when there was none");
    private static readonly long[] LedgerFailures = new long[Kinds.Length];
    private static readonly long[] GateFailures = new long[Kinds.Length];

    static StorageMeter()
    {
        Meter.CreateObservableCounter(
            "flashsale.ledger.failures", () => Read(LedgerFailures), description: "Calls of the ledger that failed: unavailable and busy wrote nothing, of unknown it is not known");
        Meter.CreateObservableCounter(
            "flashsale.gate.failures", () => Read(GateFailures), description: "Calls of a gate in Redis that failed: what had no answer in time (unknown) may have been done");
    }

    /// <summary>A call of the ledger that its caller no longer waits for.</summary>
    internal static void CountLedgerTimeout(bool wrote) => Interlocked.Increment(ref LedgerFailures[wrote ? Unknown : Unavailable]);

    internal static async Task<T> MeasureLedgerAsync<TAsk, T>(StorageCall call, Func<TAsk, Task<T>> run, TAsk ask)
    {
        var started = TimeProvider.System.GetTimestamp();
        int? kind = null;
        try
        {
            return await run(ask);
        }
        catch (Exception exception) when ((kind = LedgerKindOf(exception)) is { } failed)
        {
            Interlocked.Increment(ref LedgerFailures[failed]);
            throw;
        }
        finally
        {
            Record(call, started, kind);
        }
    }

    internal static async Task<T> MeasureGateAsync<TAsk, T>(StorageCall call, Func<TAsk, Task<T>> run, TAsk ask)
    {
        var started = TimeProvider.System.GetTimestamp();
        int? kind = null;
        try
        {
            return await run(ask);
        }
        catch (GateUnavailableException exception) when (exception.InnerException?.Message.StartsWith("NOSCRIPT", StringComparison.Ordinal) != true)
        {
            // A server that does not know the script yet is told it, and has not failed.
            kind = exception.InnerException is null ? Busy : exception.InnerException is TimeoutException ? Unknown : Unavailable;
            if (!call.IsOfUserLimit)
            {
                Interlocked.Increment(ref GateFailures[kind.Value]);
            }

            throw;
        }
        finally
        {
            Record(call, started, kind);
        }
    }

    private static int? LedgerKindOf(Exception exception) => exception switch
    {
        LedgerUnavailableException => Unavailable,
        LedgerBusyException => Busy,
        LedgerOutcomeUnknownException => Unknown,
        _ => null,
    };

    private static void Record(StorageCall call, long started, int? kind)
    {
        if (!Duration.Enabled)
        {
            return;
        }

        var seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        if (kind is { } failed)
        {
            Duration.Record(seconds, call.SystemTag, call.OperationTag, KindTags[failed]);
        }
        else
        {
            Duration.Record(seconds, call.SystemTag, call.OperationTag);
        }
    }

    private static IEnumerable<Measurement<long>> Read(long[] failures) =>
        Kinds.Select((kind, i) => new Measurement<long>(Interlocked.Read(ref failures[i]), new KeyValuePair<string, object?>("kind", kind)));
}
