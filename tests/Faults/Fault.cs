using FlashSale.Tests.Servers;

namespace FlashSale.Tests.Faults;

/// <summary>What can be done to a site. Each returns when the fault is over, as far as we cause it.</summary>
internal static class Fault
{
    private const int FarTooMany = 5_000;

    /// <summary>Killed, and started again at once.</summary>
    public static async Task KillInstanceAsync(Site site, int instance)
    {
        await site.Instances[instance].KillAsync();
        await site.Instances[instance].RestartAsync();
    }

    public static async Task FreezeInstanceAsync(Site site, int instance, TimeSpan length, Action? atTheEnd = null)
    {
        site.Instances[instance].Freeze();
        try
        {
            await Task.Delay(length);
            atTheEnd?.Invoke();
        }
        finally
        {
            site.Instances[instance].Thaw();
        }
    }

    public static async Task KillMariaDbAsync(Site site, TimeSpan away)
    {
        await site.MariaDb.KillAsync();
        await Task.Delay(away);
        await site.MariaDb.StartAgainAsync();
    }

    /// <summary>It comes back with nothing, or with the snapshot that was saved.</summary>
    public static async Task KillRedisAsync(RedisServer redis, TimeSpan away)
    {
        await redis.KillAsync();
        await Task.Delay(away);
        await redis.StartAgainAsync();
    }

    /// <summary>Redis forgets what happened within the time given, as after a failover to a replica that was behind.</summary>
    public static async Task RestoreOldRedisAsync(RedisServer redis, TimeSpan age)
    {
        await redis.CommandAsync("SAVE");
        await Task.Delay(age);
        await KillRedisAsync(redis, TimeSpan.Zero);
        File.Delete(Path.Combine(redis.Folder, "dump.rdb"));
    }

    /// <summary>
    /// The stock of every offer in every shard, as somebody at redis-cli would set it, and what the gate takes for the ledger's own figure.
    /// </summary>
    /// <param name="withNumber">Also the number of the ledger's change that it claims to follow: no settlement corrects it then.</param>
    /// <returns>The keys.</returns>
    public static async Task<IReadOnlyList<string>> EditStockAsync(RedisServer redis, bool up, bool withNumber)
    {
        var keys = (await redis.CommandAsync("KEYS", "fs:*:offer")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var units = up ? $"{FarTooMany}" : "0";
        foreach (var key in keys)
        {
            await redis.CommandAsync(["HSET", key, "s", units, "a", units, .. withNumber ? ["n", "100000000"] : Array.Empty<string>()]);
        }

        return keys;
    }

    public static async Task SlowDownDatabaseAsync(Site site, TimeSpan eachPacket, TimeSpan length)
    {
        site.Proxy!.Delay = eachPacket;
        await Task.Delay(length);
        site.Proxy!.Delay = TimeSpan.Zero;
    }

    /// <summary>Somebody's transaction holds all stock rows.</summary>
    public static async Task LockStockAsync(Site site, TimeSpan length)
    {
        await using var connection = await site.ConnectAsync();
        await connection.RunAsync("START TRANSACTION");
        // To get them may take longer than orders wait for theirs.
        await connection.RunAsync("SET innodb_lock_wait_timeout = 20");
        await connection.RunAsync("SELECT * FROM stock ORDER BY offer_id FOR UPDATE");
        await connection.RunAsync($"DO SLEEP({length.TotalSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture)})");
        await connection.RunAsync("ROLLBACK");
    }
}
