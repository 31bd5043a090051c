using FlashSale.Core;

using StackExchange.Redis;

namespace FlashSale.Storage.Redis;

/// <summary>The way to the master or masters; every failure on it is a <see cref="GateUnavailableException"/>.</summary>
internal sealed class RedisConnection : IAsyncDisposable
{
    private readonly TimeSpan timeout;
    private readonly TimeProvider time;
    private readonly RedisSentinels? sentinels;
    private readonly CancellationTokenSource closing = new();
    private volatile ConnectionMultiplexer connection;
    private volatile IDatabase database;
    private Task following = Task.CompletedTask;
    private int callsInFlight;

    private RedisConnection(ConnectionMultiplexer connection, RedisSentinels? sentinels, TimeSpan timeout, TimeProvider time)
    {
        this.connection = connection;
        this.sentinels = sentinels;
        this.timeout = timeout;
        this.time = time;
        database = connection.GetDatabase();
    }

    public bool HasSentinels => sentinels is not null;

    public int CallsInFlight => Math.Min(Volatile.Read(ref callsInFlight), Limits.GateCallsInFlight);

    /// <summary>Those of the connection string, and of the cluster that they belong to.</summary>
    public IEnumerable<IServer> Servers() => connection.GetEndPoints().Select(endPoint => connection.GetServer(endPoint));

    /// <summary>As many slices as are set, or as the server asks for: one server is not relieved by them.</summary>
    public int ShardsFor(RedisGateOptions options) => options.Shards > 0
        ? options.Shards
        : Servers().Any(server => server.ServerType == ServerType.Cluster) ? Limits.GateShards : 1;

    /// <exception cref="GateUnavailableException">With what to change.</exception>
    public static async Task<RedisConnection> OpenAsync(RedisGateOptions options, TimeProvider time, CancellationToken cancellation)
    {
        var settings = Parse(options);
        if (settings.ServiceName is null)
        {
            return new RedisConnection(await ConnectAsync(settings, cancellation), null, options.Timeout, time);
        }

        var watch = await RedisSentinels.OpenAsync(settings, options.Timeout, time, cancellation);
        try
        {
            var master = await watch.FindMasterAsync(cancellation) ?? throw new GateUnavailableException(watch.Unknown);
            var opened = new RedisConnection(await ConnectAsync(watch.SettingsFor(master), cancellation), watch, options.Timeout, time);
            opened.following = opened.FollowMasterAsync(master);
            return opened;
        }
        catch
        {
            await watch.DisposeAsync();
            throw;
        }
    }

    /// <summary>One script call; its keys lie in one slot.</summary>
    /// <exception cref="GateUnavailableException">It failed or had no answer in time, and may have been done all the same.</exception>
    public async Task<RedisResult> EvaluateAsync(RedisScript script, RedisKey[] keys, RedisValue[] values, CancellationToken cancellation)
    {
        try
        {
            return await StorageMeter.MeasureGateAsync(
                script.Call,
                static all => all.on.RunAsync(to => to.ScriptEvaluateAsync(all.script.Hash, all.keys, all.values, CommandFlags.DemandMaster), all.cancellation),
                (on: this, script, keys, values, cancellation));
        }
        catch (GateUnavailableException exception) when (exception.InnerException is RedisServerException { Message: var message } && message.StartsWith("NOSCRIPT", StringComparison.Ordinal))
        {
            // The whole text goes to the same server, which then knows it.
            object[] arguments = [script.Text, keys.Length, .. keys.Cast<object>(), .. values.Cast<object>()];
            return await RunAsync(to => to.ExecuteAsync("EVAL", arguments, CommandFlags.DemandMaster), cancellation);
        }
    }

    /// <exception cref="GateUnavailableException">With why there is none: the driver itself only says that there is no connection.</exception>
    public async Task RequireAnswerAsync(CancellationToken cancellation)
    {
        try
        {
            await RunAsync(database => database.PingAsync(), cancellation);
        }
        catch (GateUnavailableException exception)
        {
            throw new GateUnavailableException($"Redis at {string.Join(", ", connection.GetEndPoints().Select(Describe))} cannot be used: are address and password right? {exception.Message}", exception);
        }
    }

    /// <summary>The driver waits for ever and queues without end: both are bounded here.</summary>
    /// <exception cref="GateUnavailableException">It failed or had no answer in time, and may have been done all the same.</exception>
    public async Task<T> RunAsync<T>(Func<IDatabase, Task<T>> command, CancellationToken cancellation)
    {
        Task? call = null;
        try
        {
            if (Interlocked.Increment(ref callsInFlight) > Limits.GateCallsInFlight)
            {
                throw new GateUnavailableException($"Redis has not answered {Limits.GateCallsInFlight} calls: no more are sent.");
            }

            var sent = command(database);
            call = sent;
            return await sent.WaitAsync(timeout, time, cancellation);
        }
        catch (TimeoutException exception)
        {
            throw new GateUnavailableException($"Redis did not answer within {timeout.TotalMilliseconds:0} ms.", exception);
        }
        catch (Exception exception) when (exception is RedisException or ObjectDisposedException)
        {
            throw new GateUnavailableException($"Redis failed: {Short(exception.Message)}", exception);
        }
        finally
        {
            Release(call ?? Task.CompletedTask);
        }
    }

    /// <summary>The driver puts its counters behind what happened.</summary>
    private static string Short(string message) => message.Split([", origin:", ", input-buffer:", ", inst:", ", mgr:"], StringSplitOptions.None)[0];

    private void Release(Task call)
    {
        if (call.IsCompleted)
        {
            Interlocked.Decrement(ref callsInFlight);
        }
        else
        {
            // Its failure is looked at, so that nobody reports it as unobserved.
            _ = call.ContinueWith(
                done => (_ = done.Exception, Interlocked.Decrement(ref callsInFlight)),
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }
    }

    /// <summary>Asks the sentinels for as long as the gate lives: the driver does not follow a failover by itself.</summary>
    private async Task FollowMasterAsync(string master)
    {
        using var timer = new PeriodicTimer(Limits.SettleInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(closing.Token))
            {
                master = await FollowMasterOnceAsync(master);
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed of.
        }
    }

    private async Task<string> FollowMasterOnceAsync(string master)
    {
        try
        {
            if (await sentinels!.FindMasterAsync(closing.Token) is { } found && found != master)
            {
                var old = connection;
                connection = await ConnectAsync(sentinels.SettingsFor(found), closing.Token);
                database = connection.GetDatabase();
                master = found;
                await old.CloseAsync(allowCommandsToComplete: false);
                old.Dispose();
            }
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // Whatever the driver throws, the next step asks again; meanwhile every call says what is wrong.
        }

        return master;
    }

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await following;
        await connection.CloseAsync(allowCommandsToComplete: false);
        connection.Dispose();
        if (sentinels is not null)
        {
            await sentinels.DisposeAsync();
        }

        closing.Dispose();
    }

    private static ConfigurationOptions Parse(RedisGateOptions options)
    {
        ConfigurationOptions settings;
        try
        {
            settings = ConfigurationOptions.Parse(options.ConnectionString);
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException)
        {
            // Its own message may quote a part of the password.
            throw new GateUnavailableException("The connection string of Redis has a part that StackExchange.Redis does not know (a password with a comma in it cannot be written there).");
        }

        if (settings.EndPoints.Count == 0)
        {
            throw new GateUnavailableException("The connection string of Redis names no server.");
        }

        settings.ClientName ??= "flashsale";
        settings.AbortOnConnectFail = false;
        settings.AllowAdmin = true; // for INFO
        settings.ConnectRetry = 1;
        settings.ConnectTimeout = 2_000;
        settings.SyncTimeout = 2_000;
        settings.KeepAlive = 1;
        settings.ConfigCheckSeconds = 1;
        settings.ReconnectRetryPolicy = new LinearRetry(200);

        // Neither a key of the driver's own nor a subscription: there is one master, or a cluster knows its masters.
        settings.TieBreaker = "";
        settings.ConfigurationChannel = "";
        return settings;
    }

    internal static async Task<ConnectionMultiplexer> ConnectAsync(ConfigurationOptions settings, CancellationToken cancellation)
    {
        try
        {
            return await ConnectionMultiplexer.ConnectAsync(settings).WaitAsync(cancellation);
        }
        catch (Exception exception) when (exception is RedisException or ArgumentException)
        {
            throw new GateUnavailableException($"Redis at {Describe(settings)} cannot be reached: {exception.Message}", exception);
        }
    }

    internal static string Describe(ConfigurationOptions settings) => string.Join(", ", settings.EndPoints.Select(Describe));

    internal static string Describe(System.Net.EndPoint endPoint) => endPoint is System.Net.DnsEndPoint name ? $"{name.Host}:{name.Port}" : endPoint.ToString() ?? "";
}
