using FlashSale.Core;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;
using FlashSale.Server.Jobs;
using FlashSale.Server.Payments;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;
using FlashSale.Storage.Memory;
using FlashSale.Tests.Servers;
using FlashSale.Tests.Storage;

using Microsoft.Extensions.Logging.Abstractions;

using Xunit;

namespace FlashSale.Tests.Server.Jobs;

/// <summary>A MariaDB of these tests' own, to be killed and frozen.</summary>
public sealed class OwnMariaDb : IAsyncLifetime
{
    public MariaDb Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await MariaDb.StartAsync();

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}

/// <summary>What each path says while the ledger is stopped, slow or wrong, and that all of it passes.</summary>
public sealed class LedgerAwayTests(OwnMariaDb own) : IClassFixture<OwnMariaDb>, IAsyncLifetime
{
    private const int Stock = 10;
    private readonly MemoryGate gate = new();
    private readonly SaleCatalog catalog = new();
    private readonly SaleMetrics metrics = new();
    private readonly Readiness readiness = new();
    private readonly List<Microsoft.Extensions.Hosting.BackgroundService> jobs = [];
    private MySqlRig rig = null!;
    private ILedger ledger = null!;
    private Breakers breakers = null!;
    private EligibilityCheck eligibility = null!;
    private PaymentDesk desk = null!;
    private Sale sale = null!;

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    private LiveSale Live => catalog.Find(sale.Id)!;

    public async ValueTask InitializeAsync()
    {
        rig = await MySqlRig.OnAsync(own.Server);
        ledger = await rig.OpenAsync();
        sale = await TestSale.PublishAsync(ledger, TestSale.Draft(Now.AddSeconds(-1), Stock));
        breakers = new Breakers(gate, TimeProvider.System);
        eligibility = new EligibilityCheck(gate, ledger, breakers);
        var settlements = new Settlements(gate, catalog, TimeProvider.System);
        desk = new PaymentDesk(ledger, settlements, breakers, metrics);
        var warmUp = new WarmUp(ledger, gate, catalog, new OriginBlacklist(), settlements, TimeProvider.System);
        jobs.Add(new CatalogJob(ledger, warmUp, catalog, breakers, readiness, TimeProvider.System, NullLogger<CatalogJob>.Instance));
        jobs.Add(new SettleJob(ledger, gate, catalog, settlements, breakers, readiness, TimeProvider.System, NullLogger<SettleJob>.Instance));
        foreach (var job in jobs)
        {
            await job.StartAsync(default);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var job in jobs)
        {
            await job.StopAsync(default);
            job.Dispose();
        }

        metrics.Dispose();
        await rig.DisposeAsync();
    }

    [Theory]
    [InlineData("stopped")]
    [InlineData("slow")]
    [InlineData("wrong")]
    public async Task Paths_WhileTheLedgerIsAway_SayWhatTheyKnowAndRecover(string how)
    {
        var draft = MySqlRig.Order(sale, user: 1);
        await ledger.PlaceAsync([draft], default);
        await Eventually.HoldsAsync(() => catalog.Find(sale.Id) is { } live && live.Offers[0].Stock?.Available == Stock - 1 && !live.IsStale(Now), "the sale and its stock are known");

        await StrikeAsync(how);
        await Eventually.HoldsAsync(() => Live.IsStale(Now), "the stock is stale");

        // The last known is still there, and nobody who is not known is let in or told anything else.
        Assert.Equal(Stock - 1, Live.Offers[0].Stock!.Value.Available);
        Assert.True(Live.Describe(Now).Stale);
        for (var i = 0; i < Limits.BreakerCalls; i++)
        {
            await Assert.ThrowsAsync<LedgerUnavailableException>(() => eligibility.ReadAsync(sale, UserId.Parse("alice")).AsTask());
        }

        var pay = await Assert.ThrowsAnyAsync<Exception>(() => desk.StartAsync(draft.Id, draft.UserId, PaymentId.Create(Now)));
        Assert.True(pay is LedgerUnavailableException or LedgerOutcomeUnknownException, pay.ToString());
        await Eventually.HoldsAsync(
            () => breakers.Stock.Breaker.State != BreakerState.Closed && breakers.Sales.Breaker.State != BreakerState.Closed && breakers.Stock.Breaker.Rejections > 0,
            "the breakers of stock and sales are open");
        await Eventually.HoldsAsync(() => Now - catalog.ConfirmedAt > Limits.StaleAfter, "the sales are stale");

        await HealAsync(how);
        await Eventually.HoldsAsync(
            () => !Live.IsStale(Now) && Now - catalog.ConfirmedAt < Limits.StaleAfter && breakers.Stock.Breaker.State == BreakerState.Closed && breakers.Sales.Breaker.State == BreakerState.Closed,
            "stock and sales are fresh again");
        await Eventually.HoldsAsync(() => SucceedsAsync(async () => Assert.Equal(Eligibility.Eligible, await eligibility.ReadAsync(sale, UserId.Parse("alice")))), "risk answers");
        await Eventually.HoldsAsync(() => SucceedsAsync(async () => Assert.NotNull((await desk.StartAsync(draft.Id, draft.UserId, PaymentId.Create(Now)))!.Value.Payment)), "payments start");
        await Eventually.HoldsAsync(() => breakers.Read().All(breaker => breaker.State == BreakerState.Closed), "all breakers are closed");
    }

    private static async Task<bool> SucceedsAsync(Func<Task> call)
    {
        try
        {
            await call();
            return true;
        }
        catch (Exception problem) when (problem is LedgerUnavailableException or LedgerOutcomeUnknownException)
        {
            return false;
        }
    }

    private async Task StrikeAsync(string how)
    {
        switch (how)
        {
            case "stopped":
                await own.Server.KillAsync();
                break;
            case "slow":
                own.Server.Freeze();
                break;
            default:
                await RenameAllAsync("", "gone_");
                break;
        }
    }

    private async Task HealAsync(string how)
    {
        switch (how)
        {
            case "stopped":
                await own.Server.StartAgainAsync();
                break;
            case "slow":
                own.Server.Thaw();
                break;
            default:
                await RenameAllAsync("gone_", "");
                break;
        }
    }

    private async Task RenameAllAsync(string from, string to)
    {
        var tables = await rig.ReadAsync<string>("SELECT GROUP_CONCAT(table_name) FROM information_schema.tables WHERE table_schema = DATABASE()");
        await rig.ByHandAsync("RENAME TABLE " + string.Join(", ", tables.Split(',').Select(table => $"{table} TO {to}{table[from.Length..]}")));
    }
}
