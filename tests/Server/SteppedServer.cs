using System.Globalization;
using System.Net.Http.Json;

using FlashSale.Core;
using FlashSale.Core.Challenges;
using FlashSale.Core.Reservations;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;
using FlashSale.Server.Checkout;
using FlashSale.Server.Edge;
using FlashSale.Server.Hosting;
using FlashSale.Server.Http;
using FlashSale.Server.Orders;
using FlashSale.Server.Reservations;
using FlashSale.Server.Storefront;
using FlashSale.Server.Storefront.Publishing;
using FlashSale.Storage;
using FlashSale.Tests.Server.Orders;

using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

using Xunit;

namespace FlashSale.Tests.Server;

/// <summary>The server in this process, on a free loopback port, with its own services and pipeline and a clock that stands until a test moves it.</summary>
public sealed class SteppedServer : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly Sessions sessions;

    private SteppedServer(WebApplication app, SteppedTime time)
    {
        this.app = app;
        Time = time;
        sessions = Get<Sessions>();
        Address = new Uri(app.Urls.Single());
        Client = new HttpClient(new HttpClientHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = Address };
    }

    public SteppedTime Time { get; }

    public Uri Address { get; }

    /// <summary>Without cookies.</summary>
    public HttpClient Client { get; }

    /// <summary>A clock that stands at this very second: the ledger has its own, and an order that it takes must not be from another day.</summary>
    public static SteppedTime Now() => new(DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()));

    /// <param name="folder">Of the ledger and the keys.</param>
    /// <param name="settings">Without their prefix, such as <c>Limits:Enabled=true</c>; they win over those of this class.</param>
    public static async Task<SteppedServer> StartAsync(string folder, SteppedTime? time = null, params string[] settings)
    {
        var stepped = time ?? Now();
        string[] own = [$"DataDirectory={folder}", "Demo=false", "Limits:Enabled=false"];
        var builder = ServerSetup.CreateBuilder(["--urls=http://127.0.0.1:0", "--environment=Production", .. own.Concat(settings).Select(setting => "--FlashSale:" + setting)]);
        var (read, errors) = Settings.Read(builder.Configuration, builder.Environment);
        Assert.True(read is not null, string.Join('\n', errors));
        builder.Logging.ClearProviders();
        builder.AddKestrel();
        Assert.Empty(await builder.AddStorageAsync(read));
        builder.AddStages(read);
        builder.AddJobs(read);
        builder.Services.AddSingleton<TimeProvider>(stepped);
        var built = builder.Build();
        built.UseProblemPages();
        built.UseMiddleware<ProblemMiddleware>();
        built.UseEdge();
        built.UseOrderCalls();
        built.UseSiteFiles();
        built.UseRouting();
        built.UseSessions();
        built.MapOwnState();
        built.MapStorefront();
        built.MapReservations();
        built.MapOrderTokens();
        built.MapOrders();
        built.MapOperators();
        await built.StartAsync();
        var server = new SteppedServer(built, stepped);
        await Eventually.HoldsAsync(
            async () =>
            {
                using var ready = await server.Client.GetAsync(new Uri("/healthz/ready", UriKind.Relative));
                return ready.IsSuccessStatusCode;
            },
            "the server is ready");
        return server;
    }

    public T Get<T>()
        where T : notnull => app.Services.GetRequiredService<T>();

    /// <summary>A sale that is open since a second, published and warm.</summary>
    public async Task<Sale> PublishAsync(SaleDefences? defences = null, int stock = 100, int limit = 1, Func<Sale, Sale>? change = null)
    {
        var draft = TestSale.Draft(Time.GetUtcNow().AddSeconds(-1), stock, limit) with { Defences = defences ?? SaleDefences.Default };
        var sale = await TestSale.PublishAsync(Get<ILedger>(), change?.Invoke(draft) ?? draft);
        await Get<WarmUp>().RefreshAsync(CancellationToken.None);
        return sale;
    }

    /// <summary>A sale that takes reservations, and opens in nine minutes.</summary>
    public Task<Sale> PublishReservingAsync(SaleDefences? defences = null) => PublishAsync(defences, change: draft => draft with
    {
        RequiresReservation = true,
        ReservationOpensAt = Time.GetUtcNow().AddHours(-1),
        ReservationClosesAt = Time.GetUtcNow().AddMinutes(9),
        OpensAt = Time.GetUtcNow().AddMinutes(9),
        ClosesAt = Time.GetUtcNow().AddHours(1),
    });

    /// <summary>An operator puts the user on the blacklist.</summary>
    public async Task BarAsync(string user)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, new Uri("/api/v1/admin/blacklist/" + user, UriKind.Relative));
        request.Content = JsonContent.Create(new { reason = "a test", source = "test" });
        request.Headers.Add("Authorization", "Bearer " + sessions.Create(UserId.Parse("olga"), ["operator"], TimeSpan.FromHours(2)));
        using var response = await Client.SendAsync(request);
        (await Reply.ReadAsync(response)).Expect(System.Net.HttpStatusCode.OK);
    }

    public string SessionOf(string user) => sessions.Create(UserId.Parse(user), [], TimeSpan.FromHours(2));

    public Task<Reply> PostAsync(string user, string path, object? body = null, string? device = null, string? cookie = null, string? from = null) =>
        SendAsync(HttpMethod.Post, user, path, body is null ? null : JsonContent.Create(body), device, cookie, from);

    public async Task<Reply> SendAsync(HttpMethod method, string user, string path, HttpContent? content = null, string? device = null, string? cookie = null, string? from = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = content };
        request.Headers.Add("Authorization", "Bearer " + SessionOf(user));
        foreach (var (name, value) in new[] { (Devices.Header, device), ("Cookie", cookie), ("X-Forwarded-For", from) }.Where(header => header.Item2 is not null))
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await Client.SendAsync(request);
        return await Reply.ReadAsync(response);
    }

    public Task<Reply> AskTokenAsync(Sale sale, string user, object? body = null, string? device = null, string? cookie = null, string? from = null) =>
        PostAsync(user, $"/api/v1/offers/{sale.Offers[0].Id}/order-tokens", body, device, cookie, from);

    public Task<Reply> OrderAsync(string user, string token, string? device = null, string? cookie = null) =>
        PostAsync(user, "/api/v1/orders", new { token }, device, cookie);

    public Task<Reply> ReserveAsync(Sale sale, string user, object? body = null, string? device = null, string? from = null) =>
        PostAsync(user, $"/api/v1/sales/{sale.Id}/reservations", body, device, from: from);

    /// <summary>The user's reservation is approved, or will be in a moment.</summary>
    public Task AwaitApprovalAsync(Sale sale, string user) => Eventually.HoldsAsync(
        async () => (await Get<ILedger>().FindReservationAsync(sale.Id, UserId.Parse(user), CancellationToken.None))?.Status == ReservationStatus.Approved,
        "the reservation is assessed");

    /// <summary>A reservation that was decided already.</summary>
    public async Task ReserveAsync(Sale sale, string user, ReservationStatus status)
    {
        await Get<ILedger>().ReserveAsync(
            new Reservation(Guid.NewGuid(), sale.Id, UserId.Parse(user), status), Evidence.Unknown, CancellationToken.None);
        if (status != ReservationStatus.Pending)
        {
            await Get<Settlements>().ReserveAsync(sale.Id, UserId.Parse(user), status == ReservationStatus.Approved, CancellationToken.None);
        }
    }

    /// <summary>A device that has been known for an hour.</summary>
    public string OldDevice() => Get<Devices>().Create(Time.GetUtcNow().AddHours(-1));

    /// <summary>The nonce of a challenge, found by trying.</summary>
    public static string Work(string stamp, int bits)
    {
        for (var i = 0L; ; i++)
        {
            var nonce = i.ToString(CultureInfo.InvariantCulture);
            if (ChallengeStamps.IsWork(stamp, nonce, bits))
            {
                return nonce;
            }
        }
    }

    /// <summary>The solution that a refusal asks for.</summary>
    public static object Solve(Reply refused)
    {
        var challenge = refused.ExpectProblem(System.Net.HttpStatusCode.Forbidden, "challenge-required").Json.GetProperty("challenge");
        var stamp = challenge.GetProperty("stamp").GetString()!;
        return new { challenge = stamp, nonce = Work(stamp, challenge.GetProperty("bits").GetInt32()) };
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        var data = Get<Settings>().Data;
        foreach (var job in app.Services.GetServices<IHostedService>().OfType<SiteDiskJob>())
        {
            // It might be writing below the folder that goes next.
            await job.StopAsync(CancellationToken.None);
        }

        await app.DisposeAsync();
        // A process would give it back by ending.
        data.Dispose();
    }
}
