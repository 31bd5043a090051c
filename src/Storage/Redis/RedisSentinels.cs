using StackExchange.Redis;

namespace FlashSale.Storage.Redis;

/// <summary>Knows from the sentinels who is master. A sentinel that was cut off still names the old one, so the word of most of them counts.</summary>
internal sealed class RedisSentinels : IAsyncDisposable
{
    private readonly ConnectionMultiplexer connection;
    private readonly ConfigurationOptions settings;
    private readonly TimeSpan timeout;
    private readonly TimeProvider time;

    private RedisSentinels(ConnectionMultiplexer connection, ConfigurationOptions settings, TimeSpan timeout, TimeProvider time)
    {
        this.connection = connection;
        this.settings = settings;
        this.timeout = timeout;
        this.time = time;
    }

    public string Unknown =>
        $"None of the sentinels at {RedisConnection.Describe(settings)} names a master of \"{settings.ServiceName}\": they cannot be reached, or serviceName is not what their \"sentinel monitor\" says.";

    public static async Task<RedisSentinels> OpenAsync(ConfigurationOptions settings, TimeSpan timeout, TimeProvider time, CancellationToken cancellation)
    {
        var ask = settings.Clone();
        ask.CommandMap = CommandMap.Sentinel;
        ask.ServiceName = null;
        ask.Password = null;
        return new RedisSentinels(await RedisConnection.ConnectAsync(ask, cancellation), settings, timeout, time);
    }

    /// <summary>host:port; null when no sentinel knows one.</summary>
    public async Task<string?> FindMasterAsync(CancellationToken cancellation)
    {
        var answers = await Task.WhenAll(connection.GetEndPoints().Select(endPoint => AskAsync(endPoint, cancellation)));
        return answers.OfType<string>().GroupBy(answer => answer, StringComparer.Ordinal).OrderByDescending(group => group.Count()).FirstOrDefault()?.Key;
    }

    /// <summary>The connection string's settings, at this master.</summary>
    public ConfigurationOptions SettingsFor(string master)
    {
        var found = settings.Clone();
        found.ServiceName = null;
        found.EndPoints.Clear();
        found.EndPoints.Add(master);
        return found;
    }

    private async Task<string?> AskAsync(System.Net.EndPoint endPoint, CancellationToken cancellation)
    {
        try
        {
            var master = await connection.GetServer(endPoint).SentinelGetMasterAddressByNameAsync(settings.ServiceName).WaitAsync(timeout, time, cancellation);
            return master is null ? null : RedisConnection.Describe(master);
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await connection.CloseAsync(allowCommandsToComplete: false);
        connection.Dispose();
    }
}
