using FlashSale.Core.Sales;
using FlashSale.Server.Jobs;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;
using FlashSale.Storage.Memory;
using FlashSale.Storage.Sqlite;
using FlashSale.Tests.Server.Orders;

using Microsoft.Extensions.Logging.Abstractions;

using Xunit;

namespace FlashSale.Tests.Server.Jobs;

public sealed class SettleJobTests
{
    [Fact]
    public async Task StepAsync_WhenASaleIsReservedUntilItsOpening_KnowsWhetherTheGateOfAllHasIt()
    {
        using var folder = new TemporaryFolder();
        await using var ledger = await SqliteLedger.OpenAsync(new SqliteLedgerOptions(folder.File("ledger.db")), TimeProvider.System, default);
        var (gate, faults) = FaultyGate.Wrap(new MemoryGate());
        faults.IsShared = true;
        using var metrics = new SaleMetrics();
        var breakers = new Breakers(gate, TimeProvider.System);
        var opensAt = TimeProvider.System.GetUtcNow().AddMinutes(9);
        var sale = await TestSale.PublishAsync(ledger, TestSale.Draft(opensAt, stock: 5) with
        {
            RequiresReservation = true,
            ReservationOpensAt = opensAt.AddHours(-1),
            ReservationClosesAt = opensAt,
        });
        var (_, loader) = Instance();
        var (catalog, warmUp) = Instance();
        await warmUp.RefreshAsync(default);
        Assert.Equal(SalePhase.Reserving, catalog.Find(sale.Id)!.PhaseAt(TimeProvider.System.GetUtcNow()));
        using var job = new SettleJob(
            ledger, gate, catalog, new Settlements(gate, catalog, TimeProvider.System), breakers, new Readiness { Warm = true }, TimeProvider.System, NullLogger<SettleJob>.Instance);

        await job.StartAsync(default);
        await Eventually.HoldsAsync(() => catalog.Find(sale.Id)!.Offers[0].InGate == false, "it is known that the gate has not got it");
        await loader.RunAsync(sale, anew: false, default);
        await Eventually.HoldsAsync(() => catalog.Find(sale.Id)!.Offers[0].InGate == true, "it is known that the gate has it");

        Assert.False(warmUp.HasLoaded(sale.Id));
        await job.StopAsync(default);

        (SaleCatalog Catalog, WarmUp WarmUp) Instance()
        {
            var known = new SaleCatalog();
            return (known, new WarmUp(ledger, gate, known, new OriginBlacklist(), new Settlements(gate, known, TimeProvider.System), TimeProvider.System));
        }
    }
}
