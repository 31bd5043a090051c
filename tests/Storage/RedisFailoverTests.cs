using System.Diagnostics;

using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Stock;
using FlashSale.Storage;
using FlashSale.Storage.Redis;
using FlashSale.Tests.Servers;

using Xunit;

using static FlashSale.Tests.Storage.GateContract;

namespace FlashSale.Tests.Storage;

/// <summary>The master dies under load, and a replica takes its place.</summary>
public sealed class RedisFailoverTests
{
    private static readonly SaleId SaleId = GateContract.SaleId;
    private static readonly OfferId OfferId = GateContract.OfferId;
    private static readonly TimeSpan Replacement = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Following = TimeSpan.FromSeconds(9);

    [Fact]
    public async Task AdmitAsync_WhenSentinelsReplaceTheMaster_GoesOnWithTheNewOne()
    {
        await using var sentinels = await SentinelGroup.StartAsync();
        var wrong = await Assert.ThrowsAsync<GateUnavailableException>(
            () => RedisGate.OpenAsync(new RedisGateOptions($"{sentinels.Addresses},serviceName=nobody"), TimeProvider.System, default));
        Assert.Contains("\"nobody\"", wrong.Message);

        await using var gate = await RedisGate.OpenAsync(new RedisGateOptions(sentinels.ConnectionString) { Timeout = Limits.GateTimeoutMax }, TimeProvider.System, default);
        await gate.WarmUpAsync(Load(Sale(1), 50_000), anew: false, default);
        Assert.Equal(AdmissionOutcome.Admitted, await Recovery.AdmitAsync(gate, "first"));
        await sentinels.Master.ReplicatedAsync();
        await sentinels.Master.KillAsync();
        var recovery = await RecoverAsync(gate, async () => (await sentinels.Replica.CommandAsync("ROLE")).StartsWith("master", StringComparison.Ordinal));

        TestContext.Current.SendDiagnosticMessage("sentinels: " + recovery);
        Assert.StartsWith("master", await sentinels.Replica.CommandAsync("ROLE"));
        Assert.True(await gate.SettleAsync(new Settlement(OfferId, new OfferStock(OfferId, 0, StockRow.Restore(50_000, 0, 50_000, 0, 0, 2)), [], [], [], null), default));
    }

    [Fact]
    public async Task AdmitAsync_WhenAMasterOfTheClusterDies_FailsOpenlyAndRecovers()
    {
        await using var cluster = await RedisCluster.StartAsync();
        await using var gate = await RedisGate.OpenAsync(new RedisGateOptions(cluster.ConnectionString) { Timeout = Limits.GateTimeoutMax }, TimeProvider.System, default);
        await gate.WarmUpAsync(Load(Sale(1), 50_000), anew: false, default);
        Assert.Equal(AdmissionOutcome.Admitted, await Recovery.AdmitAsync(gate, "first"));
        var key = $"fs:{{{SaleId}:0}}:sale";
        var master = await cluster.MasterOfAsync(key);
        await master.ReplicatedAsync();
        await master.KillAsync();
        var recovery = await RecoverAsync(gate, () => cluster.IsServedWithoutAsync(master, key));

        TestContext.Current.SendDiagnosticMessage("cluster: " + recovery);
        var row = StockRow.Restore(50_000, 0, 50_000, 0, 0, 2);
        while ((await gate.ListPendingAsync(default)).Count > 0)
        {
            Assert.True(await gate.SettleAsync(new Settlement(OfferId, new OfferStock(OfferId, 0, row), [], [], [], Opening.AddHours(2)), default));
        }

        Assert.Equal(new GateStock(50_000, 0, 50_000, 2), await gate.ReadAsync(OfferId, default));
    }

    /// <summary>
    /// How long the replacement takes is Redis's own: a sentinel that stood still for two seconds looks on for thirty (its TILT mode). The gate has to go on soon after it.
    /// </summary>
    private static async Task<string> RecoverAsync(IGate gate, Func<Task<bool>> isReplaced)
    {
        var clock = Stopwatch.StartNew();
        async Task<TimeSpan> ReplacedAsync()
        {
            async Task<bool> IsReplacedAsync()
            {
                try
                {
                    return await isReplaced();
                }
                catch (Exception problem) when (problem is IOException or System.Net.Sockets.SocketException or InvalidOperationException)
                {
                    // Whoever is connected to a server that becomes the master is cut off.
                    return false;
                }
            }

            await Server.Eventually.HoldsAsync(IsReplacedAsync, "the master is replaced", Replacement);
            return clock.Elapsed;
        }

        var replacing = ReplacedAsync();
        var failures = await Recovery.AdmitUntilAllSucceedAsync(gate, Replacement + Following);
        var (recovered, replaced) = (clock.Elapsed, await replacing);
        Assert.NotEqual(0, failures);
        Assert.True(recovered - replaced < Following, $"replaced after {replaced}, and the gate went on after {recovered}");
        return $"{failures} failures, replaced after {replaced.TotalSeconds:0.0} s, recovered after {recovered.TotalSeconds:0.0} s";
    }
}

/// <summary>A crowd that goes on asking while the gate is away.</summary>
internal static class Recovery
{
    private const int Crowd = 64;
    private static readonly SaleId SaleId = GateContract.SaleId;
    private static readonly OfferId OfferId = GateContract.OfferId;
    private static int users;

    public static ValueTask<AdmissionOutcome> AdmitAsync(IGate gate, string user) =>
        gate.AdmitAsync(new AdmissionRequest(SaleId, OfferId, Id(), UserId.Parse(user), Opening.AddSeconds(1)), default);

    public static async Task<bool> AnswersAsync(IGate gate)
    {
        try
        {
            return await gate.CountAsync(SaleId, default) is not null;
        }
        catch (GateUnavailableException)
        {
            return false;
        }
    }

    /// <summary>Users of all shards order in rounds until a whole round is admitted. Whatever is not an admission must be a failure of the gate.</summary>
    /// <returns>How many failed before that.</returns>
    public static async Task<int> AdmitUntilAllSucceedAsync(IGate gate, TimeSpan patience)
    {
        var failures = 0;
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var failed = (await Task.WhenAll(Enumerable.Range(0, Crowd).Select(_ => FailsAsync(gate)))).Count(failed => failed);
            failures += failed;
            if (failed == 0 && failures > 0)
            {
                return failures;
            }

            Assert.True(clock.Elapsed < patience, $"Not recovered within {patience}, {failures} failures");
            await Task.Delay(10);
        }
    }

    private static async Task<bool> FailsAsync(IGate gate)
    {
        try
        {
            var outcome = await AdmitAsync(gate, $"user-{Interlocked.Increment(ref users)}");
            Assert.True(outcome is AdmissionOutcome.Admitted or AdmissionOutcome.Unavailable, outcome.ToString());
            return outcome == AdmissionOutcome.Unavailable;
        }
        catch (GateUnavailableException)
        {
            return true;
        }
    }
}
