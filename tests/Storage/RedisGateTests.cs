using FlashSale.Core;
using FlashSale.Storage;
using FlashSale.Storage.Redis;
using FlashSale.Tests.Servers;

using Xunit;

namespace FlashSale.Tests.Storage;

/// <summary>One server for all tests of a class; each gate has keys of its own.</summary>
public sealed class OneRedisServer : IAsyncLifetime
{
    public RedisServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await RedisServer.StartAsync();

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}

public sealed class OneRedisCluster : IAsyncLifetime
{
    public RedisCluster Cluster { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Cluster = await RedisCluster.StartAsync();

    public ValueTask DisposeAsync() => Cluster.DisposeAsync();
}

/// <summary>The contract on a real server.</summary>
public abstract class RedisGateContract : GateContract, IAsyncDisposable
{
    private readonly List<IGate> opened = [];

    protected abstract string ConnectionString { get; }

    protected virtual int Shards => Limits.GateShards;

    protected override async Task<IGate> CreateGateAsync()
    {
        var gate = await RedisGate.OpenAsync(new RedisGateOptions(ConnectionString) { KeyPrefix = $"t{Guid.NewGuid():N}"[..20], Timeout = Limits.GateTimeoutMax, Shards = Shards }, TimeProvider.System, default);
        opened.Add(gate);
        return gate;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var gate in opened)
        {
            await gate.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }
}

public sealed class RedisGateTests(OneRedisServer redis) : RedisGateContract, IClassFixture<OneRedisServer>
{
    protected override string ConnectionString => redis.Server.Address;
}

/// <summary>As many slices as the server asks for: one.</summary>
public sealed class RedisOneShardGateTests(OneRedisServer redis) : RedisGateContract, IClassFixture<OneRedisServer>
{
    protected override string ConnectionString => redis.Server.Address;

    protected override int Shards => 0;
}

public sealed class RedisClusterGateTests(OneRedisCluster redis) : RedisGateContract, IClassFixture<OneRedisCluster>
{
    protected override string ConnectionString => redis.Cluster.ConnectionString;
}
