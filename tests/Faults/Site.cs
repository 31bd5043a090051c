using System.Data.Common;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

using FlashSale.Core.Wire;
using FlashSale.Tests.Server;
using FlashSale.Tests.Server.Console;
using FlashSale.Tests.Servers;

namespace FlashSale.Tests.Faults;

/// <summary>A shop as it is run: several instances of the server on a MariaDB and a Redis, and a balancer in front.</summary>
internal sealed class Site : IAsyncDisposable
{
    private readonly List<HttpClient> clients = [];

    private Site(MariaDb mariaDb, string database)
    {
        MariaDb = mariaDb;
        Database = database;
    }

    public MariaDb MariaDb { get; }

    /// <summary>The name of this site's own.</summary>
    public string Database { get; }

    /// <summary>What all instances reach mariadbd through; null when they do so directly.</summary>
    public MySqlProxy? Proxy { get; private set; }

    /// <summary>Null when the gate is a cluster or has sentinels.</summary>
    public RedisServer? Redis { get; private set; }

    public IReadOnlyList<TestServer> Instances { get; private set; } = [];

    /// <summary>Those that have not been killed.</summary>
    public IEnumerable<int> Running => Enumerable.Range(0, Instances.Count).Where(i => Instances[i].IsRunning);

    public Balancer Balancer { get; private set; } = null!;

    public byte[] AuthKey => Convert.FromBase64String(Instances[0].AuthKey);

    /// <summary>On the Redis of all tests, emptied, with two instances.</summary>
    public static Task<Site> StartAsync(FaultServers servers) => StartAsync(servers, [], []);

    /// <summary>The same with a proxy in front of mariadbd.</summary>
    public static async Task<Site> StartProxiedAsync(FaultServers servers)
    {
        await servers.Redis.FlushAsync();
        var site = await StartAsync(servers, servers.Redis.Address, new MySqlProxy(servers.MariaDb.Port), [[], []]);
        site.Redis = servers.Redis;
        return site;
    }

    /// <summary>The same with as many instances as there are settings.</summary>
    public static async Task<Site> StartAsync(FaultServers servers, params IReadOnlyList<(string Key, string Value)[]> settings)
    {
        await servers.Redis.FlushAsync();
        var site = await StartAsync(servers, servers.Redis.Address, settings);
        site.Redis = servers.Redis;
        return site;
    }

    /// <param name="servers">For MariaDB.</param>
    /// <param name="gate">Connection string of the Redis.</param>
    /// <param name="settings">Of each instance.</param>
    public static Task<Site> StartAsync(FaultServers servers, string gate, params IReadOnlyList<(string Key, string Value)[]> settings) =>
        StartAsync(servers, gate, null, settings);

    private static async Task<Site> StartAsync(FaultServers servers, string gate, MySqlProxy? proxy, IReadOnlyList<(string Key, string Value)[]> settings)
    {
        var site = new Site(servers.MariaDb, await servers.MariaDb.CreateDatabaseAsync()) { Proxy = proxy };
        try
        {
            await site.StartInstancesAsync(gate, settings);
            site.Balancer = new Balancer(site.Instances.Select(instance => instance.Address));
            return site;
        }
        catch
        {
            await site.DisposeAsync();
            throw;
        }
    }

    /// <summary>A client of the balancer.</summary>
    public HttpClient SignedIn(string userId, params IReadOnlyList<string> roles)
    {
        var client = new HttpClient { BaseAddress = Balancer.Address, Timeout = TimeSpan.FromSeconds(10) };
        client.DefaultRequestHeaders.Authorization = new("Bearer", Instances[0].CreateSession(userId, roles));
        lock (clients)
        {
            clients.Add(client);
        }

        return client;
    }

    /// <summary>What one of the instances says of a sale. After a fault it may have to be asked again: a breaker is open, or Redis has no connection yet.</summary>
    public async Task<T> ReadAsync<T>(int instance, string sale, string what, JsonTypeInfo<T> type)
    {
        var olga = Instances[instance].Operator();
        Answer? answer = null;
        await Eventually.HoldsAsync(
            async () => (answer = await ConsoleServer.SendAsync(olga, HttpMethod.Get, $"sales/{sale}/{what}".TrimEnd('/'))).Status != HttpStatusCode.ServiceUnavailable,
            $"instance {instance} can tell the {what} of sale {sale}");
        return JsonSerializer.Deserialize(answer!.Expect(HttpStatusCode.OK).Text, type)!;
    }

    public Task<ReadinessDocument> ReadinessAsync(int instance, string sale) => ReadAsync(instance, sale, "readiness", WireJson.Default.ReadinessDocument);

    public Task<ReconciliationDocument> ReconciliationAsync(int instance, string sale) =>
        ReadAsync(instance, sale, "reconciliation", WireJson.Default.ReconciliationDocument);

    /// <summary>A sale that is open now, published and loaded.</summary>
    public async Task<SaleDocument> OpenSaleAsync(int stock, int perUserLimit = 1)
    {
        var now = TimeProvider.System.GetUtcNow();
        var offer = ConsoleServer.Offer("A", stock);
        offer["perUserLimit"] = perUserLimit;
        var definition = new JsonObject
        {
            ["slug"] = $"site-{Guid.NewGuid():N}",
            ["title"] = new JsonObject { ["zh"] = "优惠券", ["en"] = "Coupons" },
            ["opensAt"] = ConsoleServer.Rfc3339(now.AddSeconds(-1)),
            ["closesAt"] = ConsoleServer.Rfc3339(now.AddHours(1)),
            ["requiresReservation"] = false,
            ["paymentWindowSeconds"] = 3_600,
            ["offers"] = new JsonArray(offer),
        };
        var olga = Instances[0].Operator();
        var created = (await ConsoleServer.SendAsync(olga, HttpMethod.Post, "sales", definition)).Expect(HttpStatusCode.Created);
        var published = (await ConsoleServer.SendAsync(olga, HttpMethod.Post, $"sales/{created.Id}/publication")).Expect(HttpStatusCode.OK);
        var sale = JsonSerializer.Deserialize(published.Text, WireJson.Default.SaleDocument)!;
        await Eventually.HoldsAsync(
            async () => (await Task.WhenAll(Enumerable.Range(0, Instances.Count).Select(i => ReadinessAsync(i, sale.Id)))).All(said => said.WarmUp.Warm),
            "the sale is warm");
        return sale;
    }

    /// <summary>Another client of the database, past the proxy.</summary>
    public Task<DbConnection> ConnectAsync() => MariaDb.ConnectAsync(Database);

    public async Task<int> RunSqlAsync(string sql)
    {
        await using var connection = await ConnectAsync();
        return await connection.RunAsync(sql);
    }

    /// <summary>Which instance does a work that is done once for all; null when nobody has the lease.</summary>
    public async Task<int?> HolderOfAsync(string lease)
    {
        await using var connection = await ConnectAsync();
        var owner = await connection.ReadAsync<string>($"SELECT COALESCE(MAX(owner), '') FROM leases WHERE name = '{lease}'");
        return Enumerable.Range(0, Instances.Count)
            .Where(i => owner.Contains($"-{Instances[i].ProcessId}-", StringComparison.Ordinal))
            .Select(i => (int?)i)
            .SingleOrDefault();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in clients)
        {
            client.Dispose();
        }

        // Before anything that may fail: an instance that is left would go on writing to the Redis of the next test.
        await Task.WhenAll(Instances.Select(instance => instance.DisposeAsync().AsTask()));
        if (Balancer is not null)
        {
            await Balancer.DisposeAsync();
        }

        if (Proxy is not null)
        {
            await Proxy.DisposeAsync();
        }
    }

    private async Task StartInstancesAsync(string gate, IReadOnlyList<(string Key, string Value)[]> settings)
    {
        var ledger = MariaDb.ConnectionString(Database, "SslMode=Disabled")
            .Replace($"Port={MariaDb.Port};", $"Port={Proxy?.Port ?? MariaDb.Port};", StringComparison.Ordinal);
        (string Key, string Value)[] common =
        [
            ("FlashSale__Ledger__Provider", "mysql"), ("ConnectionStrings__Ledger", ledger),
            ("FlashSale__Gate__Provider", "redis"), ("ConnectionStrings__Gate", gate),
            (TestServer.AuthKeySetting, TestServer.NewKey()), (TestServer.SandboxSecretSetting, TestServer.NewKey()),
        ];
        var starting = settings.Select(own => TestServer.StartAsync([.. common, .. own])).ToArray();

        // Those that did start are to be stopped, also when another one did not.
        await Task.WhenAll(starting).ContinueWith(_ => { }, TaskScheduler.Default);
        List<TestServer> started = [];
        foreach (var instance in starting.Where(instance => instance.IsCompletedSuccessfully))
        {
            started.Add(await instance);
        }

        Instances = started;
        await Task.WhenAll(starting);
    }
}
