using FlashSale.Tests.Server;

namespace FlashSale.Tests.Servers;

/// <summary>A master, its replica and three sentinels that replace it about 2 seconds after it stops.</summary>
public sealed class SentinelGroup : IAsyncDisposable
{
    public const string ServiceName = "flashsale";
    private const int Quorum = 2;
    private readonly TemporaryFolder folder = new();
    private readonly List<LocalProcess> sentinels = [];
    private readonly List<int> ports = [];

    private SentinelGroup(RedisServer master, RedisServer replica)
    {
        Master = master;
        Replica = replica;
    }

    public RedisServer Master { get; }
    public RedisServer Replica { get; }
    public string Addresses => string.Join(',', ports.Select(port => $"127.0.0.1:{port}"));
    public string ConnectionString => $"{Addresses},serviceName={ServiceName}";

    public static async Task<SentinelGroup> StartAsync()
    {
        var master = await RedisServer.StartAsync("--repl-diskless-sync-delay", "0");
        var replica = await RedisServer.StartAsync("--replicaof", "127.0.0.1", $"{master.Port}");
        var all = new SentinelGroup(master, replica);
        try
        {
            await Eventually.HoldsAsync(async () => (await replica.CommandAsync("INFO", "replication")).Contains("master_link_status:up"), "the replica follows");
            for (var i = 0; i < 3; i++)
            {
                await all.AddSentinelAsync(i);
            }

            await Eventually.HoldsAsync(async () => await all.KnowEachOtherAsync(), "the sentinels know each other");
            return all;
        }
        catch
        {
            await all.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var sentinel in sentinels)
        {
            await sentinel.DisposeAsync();
        }

        await Master.DisposeAsync();
        await Replica.DisposeAsync();
        folder.Dispose();
    }

    private async Task AddSentinelAsync(int number)
    {
        var port = LocalProcess.FreePort();
        var file = folder.File($"sentinel-{number}.conf");
        await File.WriteAllTextAsync(file, $"""
            port {port}
            bind 127.0.0.1
            dir {folder.Path}
            sentinel monitor {ServiceName} 127.0.0.1 {Master.Port} {Quorum}
            sentinel down-after-milliseconds {ServiceName} 1000
            sentinel failover-timeout {ServiceName} 3000
            """);
        ports.Add(port);
        sentinels.Add(new LocalProcess("redis-sentinel", file));
    }

    private async Task<bool> KnowEachOtherAsync()
    {
        foreach (var port in ports)
        {
            try
            {
                var master = await RedisServer.CommandAsync(port, "SENTINEL", "MASTER", ServiceName);
                if (!master.Contains("num-other-sentinels\n2") || !master.Contains("num-slaves\n1"))
                {
                    return false;
                }
            }
            catch (System.Net.Sockets.SocketException)
            {
                return false;
            }
        }

        return true;
    }
}
