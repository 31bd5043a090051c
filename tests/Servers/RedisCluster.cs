using FlashSale.Tests.Server;

namespace FlashSale.Tests.Servers;

/// <summary>Three masters with a replica each, on free ports of this machine. A master that stops is replaced after about 2 seconds.</summary>
public sealed class RedisCluster : IAsyncDisposable
{
    private const int Masters = 3;
    private const int Slots = 16_384;
    private readonly List<RedisServer> nodes = [];

    public string ConnectionString => string.Join(',', nodes.Select(node => node.Address));
    public IReadOnlyList<RedisServer> Nodes => nodes;

    public static async Task<RedisCluster> StartAsync()
    {
        var cluster = new RedisCluster();
        try
        {
            for (var i = 0; i < 2 * Masters; i++)
            {
                cluster.nodes.Add(await RedisServer.StartAsync(
                    "--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-port", $"{LocalProcess.FreePort()}", "--repl-diskless-sync-delay", "0"));
            }

            await cluster.JoinAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>The master of the slot that a key is in.</summary>
    public async Task<RedisServer> MasterOfAsync(string key)
    {
        foreach (var node in nodes)
        {
            var role = await node.CommandAsync("ROLE");
            if (role.StartsWith("master", StringComparison.Ordinal) && !(await node.CommandAsync("EXISTS", key)).StartsWith("-MOVED", StringComparison.Ordinal))
            {
                return node;
            }
        }

        throw new InvalidOperationException($"No master has {key}.");
    }

    /// <summary>Whether another has taken the place of the one that is gone.</summary>
    public async Task<bool> IsServedWithoutAsync(RedisServer gone, string key)
    {
        foreach (var node in nodes.Where(node => node != gone))
        {
            var role = await node.CommandAsync("ROLE");
            if (role.StartsWith("master", StringComparison.Ordinal) && await node.CommandAsync("EXISTS", key) == "1")
            {
                return true;
            }
        }

        return false;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes)
        {
            await node.DisposeAsync();
        }
    }

    private async Task JoinAsync()
    {
        var first = nodes[0];
        foreach (var node in nodes.Skip(1))
        {
            var port = (await node.CommandAsync("CONFIG", "GET", "cluster-port")).Split('\n')[1];
            await first.CommandAsync("CLUSTER", "MEET", "127.0.0.1", $"{node.Port}", port);
        }

        for (var i = 0; i < Masters; i++)
        {
            await nodes[i].CommandAsync("CLUSTER", "ADDSLOTSRANGE", $"{Slots * i / Masters}", $"{Slots * (i + 1) / Masters - 1}");
            await nodes[i].CommandAsync("CLUSTER", "SET-CONFIG-EPOCH", $"{i + 1}");
        }

        await Eventually.HoldsAsync(
            async () => (await Task.WhenAll(nodes.Select(node => node.CommandAsync("CLUSTER", "INFO")))).All(info => info.Contains("cluster_known_nodes:6")), "all know each other");
        for (var i = 0; i < Masters; i++)
        {
            var master = await nodes[i].CommandAsync("CLUSTER", "MYID");
            await Eventually.HoldsAsync(async () => await nodes[i + Masters].CommandAsync("CLUSTER", "REPLICATE", master) == "OK", "a replica has its master");
        }

        await Eventually.HoldsAsync(
            async () => (await Task.WhenAll(nodes.Select(node => node.CommandAsync("CLUSTER", "INFO")))).All(info => info.Contains("cluster_state:ok"))
                && (await Task.WhenAll(nodes.Skip(Masters).Select(node => node.CommandAsync("INFO", "replication")))).All(info => info.Contains("master_link_status:up")),
            "the cluster is ready");
    }
}
