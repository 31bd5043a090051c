using FlashSale.Core;
using FlashSale.Core.Reservations;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;
using FlashSale.Server.Risk;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;
using FlashSale.Storage.Memory;
using FlashSale.Storage.Sqlite;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FlashSale.Tests.Server.Risk;

/// <summary>Workers on one ledger whose clock a test moves, and the sandbox that they ask.</summary>
public sealed class WorkerRig : IAsyncDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly List<IAsyncDisposable> started = [];
    private WebApplication? sandbox;
    private HttpClient? client;

    public ManualTime Time { get; } = new();

    public ILedger Ledger { get; private set; } = null!;

    public MemoryGate Gate { get; } = new();

    public Sale Sale { get; private set; } = null!;

    public static async Task<WorkerRig> StartAsync(int riskThreshold = 60)
    {
        var rig = new WorkerRig();
        rig.Ledger = await SqliteLedger.OpenAsync(new SqliteLedgerOptions(rig.folder.File("ledger.db")), rig.Time, default);
        var now = rig.Time.GetUtcNow();
        var draft = TestSale.Draft(now.AddHours(2), stock: 10) with
        {
            RequiresReservation = true, ReservationOpensAt = now.AddHours(-1), ReservationClosesAt = now.AddHours(1), RiskThreshold = riskThreshold,
        };
        rig.Sale = await TestSale.PublishAsync(rig.Ledger, draft);
        await rig.Gate.WarmUpAsync(await rig.Ledger.ReadGateLoadAsync(rig.Sale, default), anew: false, default);
        await rig.StartSandboxAsync();
        return rig;
    }

    /// <summary>Another instance.</summary>
    public async Task<AssessmentWorker> StartWorkerAsync()
    {
        var catalog = new SaleCatalog();
        catalog.Put([Sale]);
        var metrics = new SaleMetrics();
        var breakers = new Breakers(Gate, Time);
        var (rules, errors) = RiskRules.Parse(await File.ReadAllBytesAsync(Path.Combine(Repository.Root, "src/Server/risk-rules.json")));
        Xunit.Assert.Empty(errors);
        var url = new Uri(sandbox!.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single() + "/sandbox");
        var options = new RiskOptions(rules!, new ProviderOptions(url, null), new ProviderOptions(url, null));
        var risk = new RiskMetrics(metrics, Time);
        var worker = new AssessmentWorker(
            Ledger, new Settlements(Gate, catalog, Time), catalog, options, new RiskProviders(options, breakers, risk), new AssessmentNews(), risk,
            new Readiness { Warm = true }, new TraceChoice(new TelemetryOptions(true, null, 0, false, ""), Time), NullLogger<AssessmentWorker>.Instance);
        await worker.StartAsync(default);
        started.Add(new Running(worker));
        return worker;
    }

    public async Task BehaveAsync(object behaviour)
    {
        using var answer = await client!.PutAsync(new Uri("/sandbox/behaviour", UriKind.Relative), System.Net.Http.Json.JsonContent.Create(behaviour));
        Xunit.Assert.True(answer.IsSuccessStatusCode);
    }

    public async Task ReserveAsync(IEnumerable<string> users)
    {
        foreach (var user in users)
        {
            await Ledger.ReserveAsync(
                new Reservation(Guid.CreateVersion7(Time.GetUtcNow()), Sale.Id, UserId.Parse(user), ReservationStatus.Pending), Evidence.Unknown, default);
        }
    }

    public Task<IReadOnlyList<StoredAssessment>> ReadAsync() => Ledger.ListAssessmentsAsync(Sale.Id, null, null, 1_000, default);

    /// <summary>While the ledger's clock goes on, a second at a time.</summary>
    public Task ReachAsync(Func<IReadOnlyList<StoredAssessment>, bool> condition, string what, TimeSpan step) => Eventually.HoldsAsync(
        async () =>
        {
            if (condition(await ReadAsync()))
            {
                return true;
            }

            Time.Advance(step);
            await Task.Delay(10);
            return false;
        },
        what);

    public async ValueTask DisposeAsync()
    {
        foreach (var one in started)
        {
            await one.DisposeAsync();
        }

        client?.Dispose();
        await (sandbox?.DisposeAsync() ?? ValueTask.CompletedTask);
        await Ledger.DisposeAsync();
        folder.Dispose();
    }

    private async Task StartSandboxAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton(TimeProvider.System);
        sandbox = builder.Build();
        RiskSandbox.Map(sandbox);
        await sandbox.StartAsync();
        client = new HttpClient { BaseAddress = new Uri(sandbox.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()) };
    }

    private sealed class Running(AssessmentWorker worker) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await worker.StopAsync(default);
            worker.Dispose();
        }
    }
}
