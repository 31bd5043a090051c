using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

using FlashSale.Storage;
using FlashSale.Storage.Redis;
using FlashSale.Tests.Servers;

using Xunit;

namespace FlashSale.Tests.Storage;

/// <summary>What the meter of the storage says when Redis is there, and when it is not.</summary>
public sealed class StorageMeterTests
{
    [Fact]
    public async Task Gate_WhenRedisGoesAway_CountsItsFailuresAndTimesItsCalls()
    {
        await using var server = await RedisServer.StartAsync();
        var options = new RedisGateOptions($"{server.Address},connectRetry=1") { Timeout = TimeSpan.FromSeconds(1) };
        await using var gate = await RedisGate.OpenAsync(options, TimeProvider.System, default);
        using var meter = new Listening();
        await gate.WarmUpAsync(GateContract.Load(GateContract.Sale(1), 5), anew: false, default);
        await gate.CountAsync(GateContract.SaleId, default);
        Assert.Contains(meter.Calls, call => call == "redis count ");
        var before = meter.GateFailures();

        server.Process.Freeze();
        try
        {
            await Assert.ThrowsAsync<GateUnavailableException>(() => gate.CountAsync(GateContract.SaleId, default).AsTask());
        }
        finally
        {
            server.Process.Thaw();
        }

        Assert.True(meter.GateFailures()["unknown"] > before["unknown"]);
        Assert.Contains(meter.Calls, call => call == "redis count unknown");
    }

    private sealed class Listening : IDisposable
    {
        private readonly MeterListener listener = new();
        private readonly ConcurrentDictionary<string, long> failures = new();

        public Listening()
        {
            listener.InstrumentPublished = (instrument, listening) =>
            {
                if (instrument.Meter.Name == StorageMeter.Name)
                {
                    listening.EnableMeasurementEvents(instrument);
                }
            };
            listener.SetMeasurementEventCallback<double>((_, _, tags, _) => Calls.Enqueue($"{Tag(tags, "db.system.name")} {Tag(tags, "db.operation.name")} {Tag(tags, "error.type")}"));
            listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
            {
                if (instrument.Name == "flashsale.gate.failures")
                {
                    failures[Tag(tags, "kind")] = value;
                }
            });
            listener.Start();
        }

        public ConcurrentQueue<string> Calls { get; } = new();

        public Dictionary<string, long> GateFailures()
        {
            listener.RecordObservableInstruments();
            return failures.ToDictionary();
        }

        public void Dispose() => listener.Dispose();

        private static string Tag(ReadOnlySpan<KeyValuePair<string, object?>> tags, string name)
        {
            foreach (var tag in tags)
            {
                if (tag.Key == name)
                {
                    return (string)tag.Value!;
                }
            }

            return "";
        }
    }
}
