using System.Diagnostics;

using FlashSale.Core;
using FlashSale.Storage;
using FlashSale.Storage.Redis;
using FlashSale.Tests.Servers;

using Xunit;

namespace FlashSale.Tests.Storage;

/// <summary>A Redis that cannot keep the promises is refused at start, with what to change.</summary>
public sealed class RedisStartTests(OneRedisServer redis) : IClassFixture<OneRedisServer>
{
    private const string Secret = "open-sesame-7";

    [Fact]
    public async Task OpenAsync_WhenOptionsAreWrong_NamesThemAll()
    {
        var message = await RefusalAsync(new RedisGateOptions("") { Shards = -1, KeyPrefix = "{x}", Timeout = TimeSpan.FromMinutes(1) });
        Assert.Contains("connection string", message);
        Assert.Contains("Shards is -1", message);
        Assert.Contains("KeyPrefix", message);
        Assert.Contains("Timeout", message);
    }

    [Fact]
    public async Task OpenAsync_WhenThePartsAreUnknown_DoesNotQuoteThem() =>
        Assert.DoesNotContain(Secret, await RefusalAsync(Patient($"{redis.Server.Address},passwort={Secret}")));

    [Fact]
    public async Task OpenAsync_WhenNobodyListens_NamesTheAddress()
    {
        var address = $"127.0.0.1:{LocalProcess.FreePort()}";
        Assert.Contains(address, await RefusalAsync(Patient(address)));
    }

    [Fact]
    public async Task OpenAsync_WhenTheShardsDiffer_SaysWhatToDo()
    {
        await using (await RedisGate.OpenAsync(Patient(redis.Server.Address) with { KeyPrefix = "shards", Shards = 4 }, TimeProvider.System, default))
        {
            var message = await RefusalAsync(Patient(redis.Server.Address) with { KeyPrefix = "shards" });
            Assert.Contains("4 shards", message);
            Assert.Contains("Set 4", message);
            Assert.Contains("shards:*", message);
        }
    }

    [Fact]
    public async Task OpenAsync_WhenKeysMayBeEvicted_Refuses()
    {
        await using var server = await RedisServer.StartAsync("--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru");
        Assert.Contains("set maxmemory-policy noeviction", await RefusalAsync(Patient(server.Address)));
        await server.CommandAsync("CONFIG", "SET", "maxmemory-policy", "noeviction");
        await using var gate = await RedisGate.OpenAsync(Patient(server.Address), TimeProvider.System, default);
    }

    [Theory]
    [InlineData("")]
    [InlineData(",password=wrong-" + Secret)]
    public async Task OpenAsync_WithTheWrongPassword_SaysSoAndNoMore(string password)
    {
        await using var server = await RedisServer.StartAsync("--requirepass", Secret);
        var message = await RefusalAsync(Patient(server.Address + password));
        Assert.Contains("password", message);
        Assert.Contains(server.Address, message);
        Assert.DoesNotContain(Secret, message);
        await using var gate = await RedisGate.OpenAsync(Patient($"{server.Address},password={Secret}"), TimeProvider.System, default);
    }

    [Theory]
    [InlineData("6.0.16", 1)]
    [InlineData("unknown", 1)]
    [InlineData("6.2.0", 0)]
    [InlineData("8.0.1", 0)]
    public void CheckServer_WhenItIsTooOld_SaysWhichIsNeeded(string version, int faults)
    {
        var found = RedisStart.CheckServer(new Dictionary<string, string> { ["redis_version"] = version }).ToArray();
        Assert.Equal(faults, found.Length);
        Assert.All(found, fault => Assert.Contains("at least 6.2", fault));
    }

    [Fact]
    public async Task OpenAsync_WhenItIsAReplica_Refuses()
    {
        await using var replica = await RedisServer.StartAsync("--replicaof", "127.0.0.1", $"{redis.Server.Port}");
        Assert.Contains("is a replica", await RefusalAsync(Patient(replica.Address)));
    }

    [Fact]
    public async Task OpenAsync_WhenSeveralServersAreNoCluster_Refuses()
    {
        await using var other = await RedisServer.StartAsync();
        Assert.Contains("they are no cluster", await RefusalAsync(Patient($"{redis.Server.Address},{other.Address}")));
    }

    [Fact]
    public async Task OpenAsync_WhenTheClusterHasNoSlots_Refuses()
    {
        await using var server = await RedisServer.StartAsync("--cluster-enabled", "yes", "--cluster-port", $"{LocalProcess.FreePort()}");
        Assert.Contains("cluster_state:fail", await RefusalAsync(Patient(server.Address)));
    }

    [Fact]
    public async Task OpenAsync_WhenNoSentinelAnswers_SaysSo() =>
        Assert.Contains("serviceName", await RefusalAsync(Patient($"127.0.0.1:{LocalProcess.FreePort()},serviceName=flashsale")));

    [Fact]
    public async Task AdmitAsync_WhenTheServerHangs_IsUnavailableAfterTheTimeout()
    {
        await using var server = await RedisServer.StartAsync();
        var timeout = TimeSpan.FromSeconds(1);
        await using var gate = await RedisGate.OpenAsync(new RedisGateOptions(server.Address) { Timeout = timeout }, TimeProvider.System, default);
        await gate.WarmUpAsync(GateContract.Load(GateContract.Sale(1), 5), anew: false, default);
        server.Process.Freeze();
        var clock = Stopwatch.StartNew();
        var refused = await Assert.ThrowsAsync<GateUnavailableException>(() => gate.ReadAsync(GateContract.OfferId, default).AsTask());
        Assert.InRange(clock.Elapsed, timeout * 0.9, timeout * 4.5);
        Assert.Contains("1000 ms", refused.Message);
        server.Process.Thaw();
        await Server.Eventually.HoldsAsync(async () => await Recovery.AnswersAsync(gate), "it answers again");
        Assert.Equal(5, (await gate.ReadAsync(GateContract.OfferId, default))!.Value.Stock);
    }

    /// <summary>Gives a slow machine the time to say what is wrong.</summary>
    private static RedisGateOptions Patient(string connection) => new(connection) { Timeout = Limits.GateTimeoutMax };

    private static async Task<string> RefusalAsync(RedisGateOptions options)
    {
        var clock = Stopwatch.StartNew();
        var refused = await Assert.ThrowsAsync<GateUnavailableException>(() => RedisGate.OpenAsync(options, TimeProvider.System, default));
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(10));
        TestContext.Current.SendDiagnosticMessage(refused.Message);
        return refused.Message;
    }
}
