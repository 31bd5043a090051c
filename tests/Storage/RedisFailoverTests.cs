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

    [Fact]
    public async Task AdmitAsync_WhenSentinelsReplaceTheMaster_GoesOnWithTheNewOne()
    {
        await using var sentinels = await SentinelGroup.StartAsync();
        var wrong = await Assert.ThrowsAsync<GateUnavailableException>(
            () => RedisGate.OpenAsync(new RedisGateOptions($"{sentinels.Addresses},serviceName=nobody"), TimeProvider.System, default));
        Assert.Contains("\"nobody\"", wrong.Message);

        await using var gate = await RedisGate.OpenAsync(new RedisGateOptions(sentinels.ConnectionString), TimeProvider.System, default);
        await gate.WarmUpAsync(Load(Sale(1), 50_000), anew: false, default);
        Assert.Equal(AdmissionOutcome.Admitted, await Recovery.AdmitAsync(gate, "first"));
        await sentinels.Master.ReplicatedAsync();
        await sentinels.Master.KillAsync();
        var clock = Stopwatch.StartNew();
        var failures = await Recovery.AdmitUntilAllSucceedAsync(gate, TimeSpan.FromSeconds(30));

        // The sentinels need a second to notice and about one to agree.
        TestContext.Current.SendDiagnosticMessage($"sentinels: {failures} failures, recovered after {clock.Elapsed.TotalSeconds:0.0} s");
        Assert.NotEqual(0, failures);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(1 + 5 + 4));
        Assert.StartsWith("master", await sentinels.Replica.CommandAsync("ROLE"));
        Assert.True(await gate.SettleAsync(new Settlement(OfferId, new OfferStock(OfferId, 0, StockRow.Restore(50_000, 0, 50_000, 0, 0, 2)), [], [], [], null), default));
    }

    [Fact]
    public async Task AdmitAsync_WhenAMasterOfTheClusterDies_FailsOpenlyAndRecovers()
    {
        await using var cluster = await RedisCluster.StartAsync();
        await using var gate = await RedisGate.OpenAsync(new RedisGateOptions(cluster.ConnectionString), TimeProvider.System, default);
        await gate.WarmUpAsync(Load(Sale(1), 50_000), anew: false, default);
        Assert.Equal(AdmissionOutcome.Admitted, await Recovery.AdmitAsync(gate, "first"));
        var master = await cluster.MasterOfAsync($"fs:{{{SaleId}:0}}:sale");
        await master.ReplicatedAsync();
        await master.KillAsync();
        var clock = Stopwatch.StartNew();
        var failures = await Recovery.AdmitUntilAllSucceedAsync(gate, TimeSpan.FromSeconds(30));

        TestContext.Current.SendDiagnosticMessage($"cluster: {failures} failures, recovered after {clock.Elapsed.TotalSeconds:0.0} s");
        Assert.NotEqual(0, failures);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(2 + 5 + 4));
        var row = StockRow.Restore(50_000, 0, 50_000, 0, 0, 2);
        while ((await gate.ListPendingAsync(default)).Count > 0)
        {
            Assert.True(await gate.SettleAsync(new Settlement(OfferId, new OfferStock(OfferId, 0, row), [], [], [], Opening.AddHours(2)), default));
        }

        Assert.Equal(new GateStock(50_000, 0, 50_000, 2), await gate.ReadAsync(OfferId, default));
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
