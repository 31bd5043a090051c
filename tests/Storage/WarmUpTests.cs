using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Reservations;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;
using FlashSale.Core.Tokens;
using FlashSale.Core.Wire;
using FlashSale.Storage;
using FlashSale.Storage.Memory;
using FlashSale.Storage.Sqlite;
using FlashSale.Tests.Server.Orders;

using Xunit;

namespace FlashSale.Tests.Storage;

/// <summary>The warm-up of a gate that instances share: when it is due, what it finds, and what it makes up for.</summary>
public sealed class WarmUpTests : IAsyncLifetime
{
    private static readonly Actor Actor = Actor.System("test");
    private static readonly TimeSpan Lead = TimeSpan.FromMinutes(20);
    private readonly TemporaryFolder folder = new();
    private readonly ManualTime time = new();
    private readonly SaleCatalog catalog = new();
    private readonly OriginBlacklist origins = new();
    private SqliteLedger ledger = null!;
    private IGate gate = null!;
    private FaultyGate faults = null!;
    private WarmUp warmUp = null!;
    private Sale sale = null!;

    public async ValueTask InitializeAsync()
    {
        ledger = await SqliteLedger.OpenAsync(new SqliteLedgerOptions(folder.File("ledger.db")), time, default);
        (gate, faults) = FaultyGate.Wrap(new MemoryGate());
        faults.IsShared = true;
        warmUp = OnAnotherInstance();
        var opensAt = time.GetUtcNow() + (2 * Lead);
        sale = await TestSale.PublishAsync(ledger, TestSale.Draft(opensAt, stock: 5) with
        {
            RequiresReservation = true,
            ReservationOpensAt = opensAt.AddHours(-5),
            ReservationClosesAt = opensAt,
            WarmUpLead = Lead,
        });
        for (var i = 0; i < 10; i++)
        {
            var status = i < 7 ? ReservationStatus.Approved : ReservationStatus.Rejected;
            await ledger.ReserveAsync(new Reservation(Guid.CreateVersion7(), sale.Id, UserId.Parse($"user-{i}"), status), Evidence.Unknown, default);
        }

        await warmUp.RefreshAsync(default);
    }

    public async ValueTask DisposeAsync()
    {
        await ledger.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task LoadDueAsync_BeforeTheLeadTime_LeavesTheSaleAndSaysWhen()
    {
        time.Advance(Lead - TimeSpan.FromSeconds(1));
        Assert.Empty(await warmUp.LoadDueAsync(default));

        var described = await warmUp.DescribeAsync(sale, default);
        Assert.False(described.Warm);
        Assert.Contains($"{sale.OpensAt - Lead:u}", described.Problem);
        Assert.Equal((0, 10), (described.Reservations, described.ReservationsInLedger));
    }

    [Fact]
    public async Task LoadDueAsync_InTheLeadTime_LoadsOnceAndHoldsTheCountsAgainstTheLedger()
    {
        time.Advance(Lead);
        var loaded = Assert.Single(await warmUp.LoadDueAsync(default));
        Assert.Equal((true, 1, 1, 10, 10), (loaded.Warm, loaded.OffersWarm, loaded.Offers, loaded.Reservations, loaded.ReservationsInLedger));
        Assert.Null(loaded.Problem);
        Assert.Empty(await warmUp.LoadDueAsync(default));
        Assert.True((await OnAnotherInstance().DescribeAsync(sale, default)).Warm);
    }

    [Fact]
    public async Task RunAsync_ByHand_LoadsBeforeTheLeadTime()
    {
        Assert.True((await warmUp.RunAsync(sale, anew: false, default)).Warm);
        Assert.Equal(7, (await gate.CountAsync(sale.Id, default))!.Value.Reserved);
    }

    [Fact]
    public async Task LoadDueAsync_AfterTheGateLostTheSale_LoadsIt()
    {
        time.Advance(Lead);
        await warmUp.LoadDueAsync(default);
        await gate.RemoveSaleAsync(sale.Id, default);
        Assert.Single(await warmUp.LoadDueAsync(default));
        Assert.Equal(10, (await warmUp.DescribeAsync(sale, default)).Reservations);
    }

    [Fact]
    public async Task LoadDueAsync_WhileTheGateIsAway_FailsAndLaterMakesUpForIt()
    {
        time.Advance(Lead);
        faults.IsAway = true;
        await Assert.ThrowsAsync<GateUnavailableException>(() => warmUp.LoadDueAsync(default));
        faults.IsAway = false;
        Assert.Single(await warmUp.LoadDueAsync(default));
    }

    [Fact]
    public async Task RefreshAsync_WhileTheGateIsAway_KeepsTheCatalogueUpToDate()
    {
        faults.IsAway = true;
        await ledger.UpdateSaleAsync(sale with { Status = SaleStatus.Paused }, sale.Rev, "sale.pause", Actor, default);
        await Assert.ThrowsAsync<GateUnavailableException>(() => warmUp.RefreshAsync(default));
        Assert.Equal(SaleStatus.Paused, catalog.Find(sale.Id)!.Sale.Status);
    }

    [Fact]
    public async Task RefreshAsync_OnAnySharedGate_DoesNotLoadOnItsOwnAccount()
    {
        time.Advance(2 * Lead);
        await warmUp.RefreshAsync(default);
        Assert.Null(await gate.CountAsync(sale.Id, default));
        Assert.Equal(AdmissionOutcome.NotWarm, await gate.AdmitAsync(
            new AdmissionRequest(sale.Id, sale.Offers[0].Id, OrderId.Create(time.GetUtcNow()), UserId.Parse("user-1"), time.GetUtcNow()), default));
    }

    [Fact]
    public async Task RefreshAsync_OnAFreshGate_BarsUsersBeforeAnySaleLetsThemIn()
    {
        await ledger.BlacklistAsync(UserId.Parse("user-1"), new BlacklistRequest("bot", "test", null), Actor, default);
        (gate, faults) = FaultyGate.Wrap(new MemoryGate());
        var loads = 0;
        faults.OnWarmUp = () =>
        {
            loads++;
            Assert.True(faults.HasBlacklist, "a sale is loaded before it is known who is barred from it");
        };

        await OnAnotherInstance().RefreshAsync(default);

        Assert.Equal(1, loads);
        Assert.Equal(Eligibility.NotEligible, await gate.CheckAsync(sale.Id, UserId.Parse("user-1"), time.GetUtcNow(), default));
    }

    [Fact]
    public async Task DescribeAsync_WhenTheGateHasFewerReservations_SaysSo()
    {
        time.Advance(Lead);
        await warmUp.LoadDueAsync(default);
        await ledger.ReserveAsync(new Reservation(Guid.CreateVersion7(), sale.Id, UserId.Parse("late"), ReservationStatus.Approved), Evidence.Unknown, default);
        var described = await warmUp.DescribeAsync(sale, default);
        Assert.False(described.Warm);
        Assert.Contains("10 reservations, the ledger 11", described.Problem);
    }

    [Fact]
    public async Task RefreshAsync_WhenOnlyTheBlacklistChanged_FollowsItAndLoadsNothing()
    {
        var (mallory, eve) = (UserId.Parse("user-1"), UserId.Parse("user-2"));
        var device = new DeviceId(0xab);
        time.Advance(Lead);
        await warmUp.LoadDueAsync(default);
        await ledger.BlacklistAsync(mallory, new BlacklistRequest("bot", "test", null), Actor, default);
        await warmUp.RefreshAsync(default);
        var loads = faults.BlacklistLoads;

        await ledger.BlacklistAsync(eve, new BlacklistRequest("bot", "test", null), Actor, default);
        await ledger.BlacklistAsync(BlacklistKind.Address, "203.0.113.0/24", new BlacklistRequest("bots", "test", null), Actor, default);
        await ledger.BlacklistAsync(BlacklistKind.Device, device.ToString(), new BlacklistRequest("bots", "test", null), Actor, default);
        await ledger.UnblacklistAsync(mallory, Actor, default);
        await warmUp.RefreshAsync(default);

        Assert.Equal(loads, faults.BlacklistLoads);
        Assert.Equal(Eligibility.Eligible, await gate.CheckAsync(sale.Id, mallory, time.GetUtcNow(), default));
        Assert.Equal(Eligibility.NotEligible, await gate.CheckAsync(sale.Id, eve, time.GetUtcNow(), default));
        Assert.True(origins.Bars(device, time.GetUtcNow()));
        Assert.True(origins.Bars(System.Net.IPAddress.Parse("203.0.113.9"), time.GetUtcNow()));

        // A gate that could not be told is told again; a list that came at once is loaded whole.
        faults.IsAway = true;
        await ledger.BlacklistAsync(mallory, new BlacklistRequest("bot", "test", null), Actor, default);
        await Assert.ThrowsAsync<GateUnavailableException>(() => warmUp.RefreshAsync(default));
        faults.IsAway = false;
        await warmUp.RefreshAsync(default);
        Assert.Equal(Eligibility.NotEligible, await gate.CheckAsync(sale.Id, mallory, time.GetUtcNow(), default));
        Assert.Equal(loads, faults.BlacklistLoads);
        await ledger.ImportBlacklistAsync([new BlacklistLine(BlacklistKind.User, "user-3", new BlacklistRequest("bot", "test", null))], Actor, default);
        await warmUp.RefreshAsync(default);
        Assert.Equal(loads + 1, faults.BlacklistLoads);
        Assert.Equal(Eligibility.NotEligible, await gate.CheckAsync(sale.Id, UserId.Parse("user-3"), time.GetUtcNow(), default));

        // What a gate may have lost since comes back with the next change after a while.
        time.Advance(Limits.BlacklistFromStart);
        await ledger.UnblacklistAsync(mallory, Actor, default);
        await warmUp.RefreshAsync(default);
        Assert.Equal(loads + 2, faults.BlacklistLoads);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task RefreshAsync_WhenAnotherInstanceToldTheGateSomethingNewerMeanwhile_DoesNotLeaveItWithTheOlder(bool barred)
    {
        var mallory = UserId.Parse("user-1");
        time.Advance(Lead);
        await warmUp.LoadDueAsync(default);
        await (barred ? BarAsync() : LiftAsync());
        await warmUp.RefreshAsync(default);

        // What was read says the opposite of what the other instance writes, and tells the gate, before this one has told it.
        await (barred ? LiftAsync() : BarAsync());
        faults.OnBar = async () =>
        {
            await (barred ? BarAsync() : LiftAsync());
            await gate.BarAsync(mallory, barred ? DateTimeOffset.MaxValue : null, default);
        };
        await warmUp.RefreshAsync(default);

        Assert.Null(faults.OnBar);
        Assert.Equal(barred ? Eligibility.NotEligible : Eligibility.Eligible, await gate.CheckAsync(sale.Id, mallory, time.GetUtcNow(), default));

        Task BarAsync() => ledger.BlacklistAsync(mallory, new BlacklistRequest("bot", "test", null), Actor, default);

        Task LiftAsync() => ledger.UnblacklistAsync(mallory, Actor, default);
    }

    private WarmUp OnAnotherInstance() => new(ledger, gate, catalog, origins, new Settlements(gate, catalog, time), time);
}
