using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Sales;
using FlashSale.Core.Stock;
using FlashSale.Server.Jobs;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;
using FlashSale.Storage.Memory;
using FlashSale.Storage.Sqlite;

using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

using Xunit;

namespace FlashSale.Tests.Server.Jobs;

/// <summary>Somebody edits the ledger or the gate by hand: the job finds it, and repairs only what is derived.</summary>
public sealed class ReconciliationJobTests : IAsyncLifetime
{
    private static readonly Actor Actor = Actor.System("test");
    private readonly TemporaryFolder folder = new();
    private readonly ManualTime time = new(TimeProvider.System.GetUtcNow());
    private readonly SaleMetrics metrics = new();
    private readonly MemoryGate gate = new();
    private readonly Instance instance = Instance.Create();
    private readonly SaleCatalog catalog = new();
    private SqliteLedger ledger = null!;
    private WarmUp warmUp = null!;
    private Books books = null!;
    private SaleWatch watch = null!;
    private ReconciliationJob job = null!;
    private Sale sale = null!;

    private string File => folder.File("ledger.db");

    private OfferId Offer => sale.Offers[0].Id;

    public async ValueTask InitializeAsync()
    {
        ledger = await SqliteLedger.OpenAsync(new SqliteLedgerOptions(File), TimeProvider.System, default);
        books = new Books(metrics);
        warmUp = new WarmUp(ledger, gate, catalog, new OriginBlacklist(), new Settlements(gate, catalog, TimeProvider.System), TimeProvider.System);
        sale = await TestSale.PublishAsync(ledger, TestSale.Draft(time.GetUtcNow().AddSeconds(-1), stock: 10));
        await warmUp.RefreshAsync(default);
        watch = new SaleWatch(metrics, catalog, warmUp, time);
        job = new ReconciliationJob(
            ledger, gate, catalog, warmUp, books, watch, new Readiness { Warm = true }, instance, time, NullLogger<ReconciliationJob>.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        await job.StopAsync(default);
        job.Dispose();
        metrics.Dispose();
        await ledger.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task WorkAsync_WhenAllAgrees_LeavesEverythingAsItIs()
    {
        await BuyAsync("alice", paid: true);
        await BuyAsync("bob", paid: false);
        await job.StartAsync(default);
        await Task.Delay(2 * Limits.ReconciliationInterval);

        Assert.Empty(books.Violations(sale.Id));
        Assert.Equal(SaleStatus.Published, (await ReadSaleAsync()).Status);
    }

    [Theory]
    [InlineData("UPDATE stock SET available = available + 1, held = held - 1", "the stock row has 9 available")]
    [InlineData("DELETE FROM coupons", "0 coupons")]
    [InlineData("UPDATE payments SET status = 'failed'", "0 payments")]
    [InlineData("DELETE FROM stock_changes WHERE seq = 2", "does not replay at seq 3")]
    [InlineData("UPDATE stock_changes SET delta = 0 WHERE seq = 2", "does not replay at seq 2")]
    public async Task WorkAsync_WhenTheLedgerDoesNotAgreeWithItself_PausesTheSaleAndSaysWhy(string edit, string reason)
    {
        await BuyAsync("alice", paid: true);
        await BuyAsync("bob", paid: false);
        await EditAsync(edit);
        await job.StartAsync(default);

        await Eventually.HoldsAsync(async () => (await ReadSaleAsync()).Status == SaleStatus.Paused, "the sale is paused");

        Assert.Contains(reason, Assert.Single(books.Violations(sale.Id)));
        var entry = (await ledger.ListAuditAsync(null, 1, default))[0];
        Assert.Equal(("system", "sale.pause"), (entry.Actor, entry.Action));
        Assert.Contains(reason, entry.Reason);
        await Eventually.HoldsAsync(async () => await AdmitAsync("carol") == AdmissionOutcome.SalePaused, "the gate knows");
    }

    [Fact]
    public async Task WorkAsync_WhenMoreWasSoldThanThereEverWas_SaysHowMuch()
    {
        await BuyAsync("alice", paid: true);
        await job.StartAsync(default);
        await Task.Delay(2 * Limits.ReconciliationInterval);
        Assert.Equal(0, watch.OversoldOf(Offer));

        await EditAsync("UPDATE stock_changes SET delta = -13 WHERE seq = 2");
        time.Advance(Limits.ReconciliationFromStart);

        await Eventually.HoldsAsync(() => watch.OversoldOf(Offer) == 3, "three more than the ten that there are");
    }

    [Fact]
    public async Task WorkAsync_WhenAnOldRowIsChanged_FindsItWhenItReadsFromTheStartAgain()
    {
        await BuyAsync("alice", paid: true);
        await job.StartAsync(default);
        await Eventually.HoldsAsync(() => books.Checked == 3, "what is there has been read");
        await EditAsync("UPDATE stock_changes SET delta = 0 WHERE seq = 2");
        await Task.Delay(2 * Limits.ReconciliationInterval);
        Assert.Equal(SaleStatus.Published, (await ReadSaleAsync()).Status);

        time.Advance(Limits.ReconciliationFromStart);
        await Eventually.HoldsAsync(async () => (await ReadSaleAsync()).Status == SaleStatus.Paused, "the sale is paused");
    }

    [Fact]
    public async Task WorkAsync_WhenTheSaleIsResumedUnmended_PausesItAgainAndWhenMendedLetsItGoOn()
    {
        await BuyAsync("bob", paid: false);
        await EditAsync("UPDATE stock SET available = available + 1, held = held - 1");
        await job.StartAsync(default);
        await Eventually.HoldsAsync(async () => (await ReadSaleAsync()).Status == SaleStatus.Paused, "the sale is paused");

        await ResumeAsync();
        await Eventually.HoldsAsync(async () => (await ReadSaleAsync()).Status == SaleStatus.Paused, "the sale is paused again");

        await EditAsync("UPDATE stock SET available = available - 1, held = held + 1");
        await ResumeAsync();
        await Eventually.HoldsAsync(() => books.Violations(sale.Id).Count == 0, "nothing is said any more");
        await Task.Delay(2 * Limits.ReconciliationInterval);
        Assert.Equal(SaleStatus.Published, (await ReadSaleAsync()).Status);
    }

    [Fact]
    public async Task WorkAsync_WhenTheBooksAreMendedAfterTheSale_SaysNothingAnyMore()
    {
        await BuyAsync("bob", paid: false);
        await EditAsync("UPDATE stock SET available = available + 1, held = held - 1");
        await job.StartAsync(default);
        await Eventually.HoldsAsync(() => books.Violations(sale.Id).Count == 1, "it is found");

        // Nobody changes a sale that is over: the books are looked at all the same.
        time.Advance(sale.ClosesAt + sale.PaymentWindow + TimeSpan.FromHours(1) - time.GetUtcNow());
        await Task.Delay(2 * Limits.ReconciliationInterval);
        Assert.Single(books.Violations(sale.Id));
        await EditAsync("UPDATE stock SET available = available - 1, held = held + 1");
        time.Advance(Limits.ReconciliationFromStart);

        await Eventually.HoldsAsync(() => books.Violations(sale.Id).Count == 0, "nothing is said any more");
    }

    [Fact]
    public async Task WorkAsync_WhenAnotherInstanceDoesTheWork_LeavesItToThatOneToSayWhatIsWrong()
    {
        await BuyAsync("alice", paid: true);
        await EditAsync("UPDATE stock_changes SET delta = -13 WHERE seq = 2");
        await job.StartAsync(default);
        await Eventually.HoldsAsync(() => books.Violations(sale.Id).Count == 1 && watch.OversoldOf(Offer) == 3, "it is found");

        await ledger.ReleaseLeaseAsync("reconciliation", instance.Id, default);
        Assert.True(await ledger.TryLeaseAsync("reconciliation", "another", TimeSpan.FromHours(1), default));
        time.Advance(Limits.LeaseRenewal);

        await Eventually.HoldsAsync(() => books.Violations(sale.Id).Count == 0 && watch.OversoldOf(Offer) == 0, "nothing is said here");
    }

    [Fact]
    public async Task WorkAsync_WhenTheGateIsAheadOfTheLedger_LoadsItAnew()
    {
        await job.StartAsync(default);
        // As a hand could have written it: no settlement from the ledger is newer.
        await gate.SettleAsync(new Settlement(Offer, new OfferStock(Offer, 0, StockRow.Restore(10, 0, 3, 7, 0, 1_000)), [], [], [], null), default);

        await Eventually.HoldsAsync(async () => await gate.ReadAsync(Offer, default) == new GateStock(10, 0, 10, 1), "the gate has what the ledger has");
        Assert.Equal(SaleStatus.Published, (await ReadSaleAsync()).Status);
    }

    private async Task BuyAsync(string user, bool paid)
    {
        var id = OrderId.Create(TimeProvider.System.GetUtcNow());
        var buyer = UserId.Parse(user);
        var draft = new OrderDraft(id, sale.Id, Offer, buyer, sale.Offers[0].Price, 1, sale.PaymentWindow);
        Assert.Equal(PlacementOutcome.Placed, (await ledger.PlaceAsync([draft], default)).Results[id].Outcome);
        if (paid)
        {
            var payment = (await ledger.StartPaymentAsync(id, buyer, PaymentId.Create(TimeProvider.System.GetUtcNow()), default))!.Value.Payment!;
            await ledger.CompletePaymentAsync(payment.Id, id, draft.Price, paid: true, FlashSale.Core.Coupons.CouponCode.Create(), default);
        }
    }

    private async Task<Sale> ReadSaleAsync() => Assert.Single(await ledger.ListSalesAsync(default));

    private async Task ResumeAsync()
    {
        var paused = await ReadSaleAsync();
        var resumed = await ledger.UpdateSaleAsync(paused with { Status = SaleStatus.Published }, paused.Rev, "sale.resume", Actor, default);
        await warmUp.RefreshAsync(resumed!, default);
    }

    private ValueTask<AdmissionOutcome> AdmitAsync(string user)
    {
        var now = TimeProvider.System.GetUtcNow();
        return gate.AdmitAsync(new AdmissionRequest(sale.Id, Offer, OrderId.Create(now), UserId.Parse(user), now), default);
    }

    private async Task EditAsync(string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={File};Pooling=False");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        Assert.True(await command.ExecuteNonQueryAsync() > 0);
    }
}
