using System.Globalization;

using StackExchange.Redis;

namespace FlashSale.Storage.Redis;

/// <summary>What is asked of a server before anything is entrusted to it.</summary>
internal static class RedisStart
{
    /// <summary>The scripts use SMISMEMBER, which came with it.</summary>
    private static readonly Version OldestVersion = new(6, 2);

    /// <exception cref="GateUnavailableException">With all that is wrong and what to change.</exception>
    public static async Task CheckAsync(RedisConnection redis, RedisGateOptions options, CancellationToken cancellation)
    {
        List<string> faults = [];
        var clustered = false;
        foreach (var server in redis.Servers().Where(server => server.IsConnected && !(server.ServerType == ServerType.Cluster && server.IsSlave)))
        {
            clustered |= server.ServerType == ServerType.Cluster;
            var sections = await redis.RunAsync(_ => server.InfoAsync(), cancellation);
            var info = sections.SelectMany(section => section).DistinctBy(pair => pair.Key).ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);
            faults.AddRange(CheckServer(info).Select(fault => $"Redis at {RedisConnection.Describe(server.EndPoint)} {fault}"));
        }

        if (clustered && redis.HasSentinels)
        {
            faults.Add("The sentinels name a node of a cluster: a cluster has no sentinels, so name its nodes, without serviceName.");
        }
        else if (clustered)
        {
            faults.AddRange(await CheckClusterAsync(redis, cancellation));
        }
        else if (redis.Servers().Count() > 1)
        {
            faults.Add("The connection string names several servers, but they are no cluster: name one, or the sentinels together with serviceName.");
        }

        if (faults.Count == 0)
        {
            await CheckShardsAsync(redis, options, cancellation);
            await redis.EvaluateAsync(RedisScript.Look, [options.KeyPrefix + ":shards:look"], [], cancellation);
        }

        if (faults.Count > 0)
        {
            throw new GateUnavailableException(string.Join(' ', faults));
        }
    }

    /// <summary>A user is at home in a shard by the number of shards: with another number, everybody would be looked for in the wrong place.</summary>
    public static async Task CheckShardsAsync(RedisConnection redis, RedisGateOptions options, CancellationToken cancellation)
    {
        RedisKey key = options.KeyPrefix + ":shards";
        await redis.RunAsync(database => database.StringSetAsync(key, options.Shards, null, When.NotExists, CommandFlags.DemandMaster), cancellation);
        string? stored = await redis.RunAsync(database => database.StringGetAsync(key, CommandFlags.DemandMaster), cancellation);
        if (stored != options.Shards.ToString(CultureInfo.InvariantCulture))
        {
            throw new GateUnavailableException(
                $"This Redis holds sales in {stored} shards under the key prefix \"{options.KeyPrefix}\", but {options.Shards} are set. " +
                $"Set {stored}; or, while all servers are stopped, delete the keys {options.KeyPrefix}:*; or set another key prefix.");
        }
    }

    internal static IEnumerable<string> CheckServer(IReadOnlyDictionary<string, string> info)
    {
        var version = info.GetValueOrDefault("redis_version", "of an unknown version");
        if (!Version.TryParse(version, out var parsed) || parsed < OldestVersion)
        {
            yield return $"is {version}; at least {OldestVersion} is needed.";
        }

        if (info.GetValueOrDefault("role") == "slave")
        {
            yield return "is a replica and takes no writes: name the master, or the sentinels together with serviceName.";
        }

        if (info.GetValueOrDefault("loading") == "1")
        {
            yield return "is still loading its data: start again when it is done.";
        }

        var policy = info.GetValueOrDefault("maxmemory_policy", "noeviction");
        if (info.GetValueOrDefault("maxmemory", "0") != "0" && policy != "noeviction")
        {
            yield return $"has maxmemory-policy {policy} and would drop parts of a running sale: set maxmemory-policy noeviction (or maxmemory 0).";
        }
    }

    private static async Task<IEnumerable<string>> CheckClusterAsync(RedisConnection redis, CancellationToken cancellation)
    {
        var info = (string?)await redis.RunAsync(database => database.ExecuteAsync("CLUSTER", "INFO"), cancellation) ?? "";
        var state = info.Split("\r\n").FirstOrDefault(line => line.StartsWith("cluster_state:", StringComparison.Ordinal)) ?? "cluster_state unknown";
        return state == "cluster_state:ok" ? [] : [$"The Redis cluster is not ready ({state}): see that all slots have a master (redis-cli --cluster check)."];
    }
}
