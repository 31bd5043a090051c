using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Sales;
using FlashSale.Core.Stock;
using FlashSale.Core.Tokens;
using FlashSale.Server.Http;
using FlashSale.Server.Orders;
using FlashSale.Server.Payments;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;
using FlashSale.Storage.Memory;
using FlashSale.Storage.Sqlite;

using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

using Xunit;

namespace FlashSale.Tests.Server.Orders;

/// <summary>The order path from the token on, in this process: the real gate, writer and SQLite, with faults in between and a clock that a test moves.</summary>
public sealed class WriterRig : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly string folder;
    private readonly OrderTokens tokens = new(new byte[32], [], new TokenAges(TimeSpan.Zero, Limits.TokenMaximumAge));
    private readonly SaleMetrics metrics = new();
    private readonly PlaceOrder place;
    private readonly SqliteLedger ledger;
    private readonly IGate gate;
    private readonly Breakers breakers;
    private readonly Settlements settlements;
    private readonly Admission admission;
    private readonly WarmUp warmUp;
    private readonly Sale sale;
    private readonly SaleCatalog sales;
    private bool stopped;

    private WriterRig(
        string folder, SqliteLedger ledger, Sale sale, SaleCatalog catalog, (IGate Gate, FaultyGate Faults) gate, LedgerWriterOptions options, SteppedTime time,
        int drawEntries)
    {
        this.folder = folder;
        this.ledger = ledger;
        this.sale = sale;
        sales = catalog;
        this.gate = gate.Gate;
        GateFaults = gate.Faults;
        Time = time;
        var (faulty, faults) = FaultyLedger.Wrap(ledger);
        Faults = faults;
        breakers = new Breakers(gate.Gate, time);
        settlements = new Settlements(gate.Gate, catalog, time);
        warmUp = new WarmUp(ledger, gate.Gate, catalog, new OriginBlacklist(), settlements, time);
        admission = new Admission(gate.Gate, new EligibilityCheck(gate.Gate, faulty, breakers), faulty, metrics);
        Payments = new PaymentDesk(faulty, settlements, breakers, metrics);
        Draws = new DrawRoom(faulty, time, metrics, NullLogger<DrawRoom>.Instance, drawEntries);
        Writer = new LedgerWriter(faulty, catalog, settlements, metrics, options, breakers, time, NullLogger<LedgerWriter>.Instance);
        var devices = new Devices(new Stamps(new byte[32], []));
        var submissions = new OrderSubmissions(tokens, devices, new RecentFaults(new ConductLog(), time), time);
        place = new PlaceOrder(submissions, new BarredOrigins(new OriginBlacklist(), [], devices, time), catalog, admission, faulty, Writer, Draws, metrics, time);
    }

    public SteppedTime Time { get; }

    public FaultyLedger Faults { get; }

    public FaultyGate GateFaults { get; }

    public LedgerWriter Writer { get; }

    public PaymentDesk Payments { get; }

    public DrawRoom Draws { get; }

    public Sale Sale => sale;

    /// <param name="stock">Units of the one offer.</param>
    /// <param name="limit">Live orders of a user.</param>
    /// <param name="options">Of the writer.</param>
    /// <param name="sharedGate">The gate is taken for one on another machine, with a breaker before it.</param>
    /// <param name="drawMs">Orders of so many milliseconds after the opening are drawn by lot; the sale opens now.</param>
    /// <param name="drawEntries">Requests that may wait for it.</param>
    public static async Task<WriterRig> StartAsync(
        int stock = 100, int limit = 1, LedgerWriterOptions? options = null, bool sharedGate = false, int drawMs = 0, int drawEntries = Limits.DrawEntries)
    {
        var time = new SteppedTime();
        var path = Directory.CreateTempSubdirectory("flashsale-test-").FullName;
        var sqlite = await SqliteLedger.OpenAsync(new SqliteLedgerOptions(Path.Combine(path, "ledger.db")), time, CancellationToken.None);
        var wrapped = FaultyGate.Wrap(new MemoryGate());
        var catalog = new SaleCatalog();
        var published = await TestSale.PublishAsync(sqlite, TestSale.Draft(time.GetUtcNow(), stock, limit) with { Defences = new SaleDefences { DrawMs = drawMs } });
        var first = new Settlements(wrapped.Gate, catalog, time);
        await new WarmUp(sqlite, wrapped.Gate, catalog, new OriginBlacklist(), first, time).RefreshAsync(CancellationToken.None);
        wrapped.Faults.IsShared = sharedGate;
        var rig = new WriterRig(path, sqlite, published, catalog, wrapped, options ?? new LedgerWriterOptions(), time, drawEntries);
        await rig.Writer.StartAsync(CancellationToken.None);
        return rig;
    }

    /// <summary>A token of this user, good at once.</summary>
    /// <param name="user">Whose it is.</param>
    /// <param name="byGate">Not one of the few whose orders go past a shared gate.</param>
    public string Token(string user, bool byGate = false)
    {
        var now = Time.GetUtcNow();
        var order = OrderId.Create(now);
        while (byGate && Admission.TakesTheOtherWay(order))
        {
            order = OrderId.Create(now);
        }

        return tokens.Create(new OrderToken(now, order, sale.Id, sale.Offers[0].Id, UserId.Parse(user)));
    }

    /// <summary>Everybody gets an answer.</summary>
    public Task<(OrderDecision Decision, Order? Order)> PlaceAsync(string user, string? token = null) =>
        place.PlaceAsync(new DefaultHttpContext(), token ?? Token(user), UserId.Parse(user)).WaitAsync(Patience);

    /// <summary>Until it is released, no commit comes through; answers what to release, once the first batch has arrived there.</summary>
    public async Task<(TaskCompletionSource Release, Task<(OrderDecision Decision, Order? Order)> First)> HoldCommitsAsync(string firstUser, string? token = null)
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Faults.OnPlace = async (commit, drafts) =>
        {
            await release.Task;
            return await commit(drafts);
        };
        var handed = Faults.Handed.Count;
        var first = PlaceAsync(firstUser, token);
        await Eventually.HoldsAsync(() => Faults.Handed.Count > handed, "the first batch is with the ledger");
        return (release, first);
    }

    public Breakers Breakers => breakers;

    public SqliteLedger Ledger => ledger;

    public OfferId Offer => sale.Offers[0].Id;

    /// <summary>What a job does twice a second: the catalogue hears what the ledger has now.</summary>
    public async Task ConfirmStockAsync() =>
        sales.Confirm(Assert.Single(await ledger.ReadStockAsync([Offer], CancellationToken.None)), Time.GetUtcNow());

    /// <summary>What the ledger never said.</summary>
    public async Task TellGateAsync(int available) => await gate.SettleAsync(
        new Settlement(Offer, new OfferStock(Offer, 0, StockRow.Restore(available, 0, available, 0, 0, 1)), [], [], [], null), CancellationToken.None);

    /// <summary>What an operator does, and the catalogue and the gate hear of.</summary>
    public async Task PauseAsync()
    {
        var paused = await ledger.UpdateSaleAsync(sale with { Status = SaleStatus.Paused }, sale.Rev, "sale.pause", Actor.System("a test"), CancellationToken.None);
        await warmUp.RefreshAsync(paused!, CancellationToken.None);
    }

    /// <summary>An order call whose caller does not wait for long.</summary>
    public Task<OrderAnswer> PlaceWithinAsync(TimeSpan left, string user)
    {
        Assert.True(sales.TryFind(Offer, out var offer));
        var token = new OrderToken(Time.GetUtcNow(), OrderId.Create(Time.GetUtcNow()), sale.Id, Offer, UserId.Parse(user));
        return Draws.PlaceAsync(OrderSubmission.Within(left, token, Time), offer, _ => throw new InvalidOperationException("It was let go.")).AsTask().WaitAsync(Patience);
    }

    /// <summary>An order call that waits for the draw; what becomes of it then is the caller's.</summary>
    public Task<OrderAnswer> EnterAsync(string user, OrderDecision? barred, Placing placing)
    {
        Assert.True(sales.TryFind(Offer, out var offer));
        var token = new OrderToken(Time.GetUtcNow(), OrderId.Create(Time.GetUtcNow()), sale.Id, Offer, UserId.Parse(user));
        return Draws.PlaceAsync(OrderSubmission.Within(TimeSpan.FromMinutes(1), token, Time) with { Barred = barred }, offer, placing).AsTask().WaitAsync(Patience);
    }

    /// <summary>What a job does all the time: loads again what the gate could not be told.</summary>
    public Task RepairAsync() => warmUp.RepairAsync(CancellationToken.None);

    public async Task CancelAsync(Order order)
    {
        var (_, _, move) = await ledger.CancelAsync(order.Id, order.UserId, CancellationToken.None);
        await settlements.SettleAsync(move!.Value, CancellationToken.None);
    }

    public async Task<GateStock> ReadGateAsync() => (await gate.ReadAsync(sale.Offers[0].Id, CancellationToken.None))!.Value;

    public async Task<long> ReadAvailableAsync() => Assert.Single(await ledger.ReadStockAsync([sale.Offers[0].Id], CancellationToken.None)).Row.Available;

    /// <summary>What a job does all the time: the gate hears of the stock, and drops what has been pending for too long.</summary>
    public async Task SettleAsync() =>
        await settlements.SettleAsync(Assert.Single(await ledger.ReadStockAsync([sale.Offers[0].Id], CancellationToken.None)), CancellationToken.None);

    /// <summary>Invariant I7: the gate's stock is the ledger's, and nothing is pending.</summary>
    public Task AssertSettledAsync(long available) => Eventually.HoldsAsync(
        async () => await ReadAvailableAsync() == available && await ReadGateAsync() is var stock && stock.Pending == 0 && stock.Stock == available,
        $"ledger and gate have {available} units and nothing is pending");

    public async Task StopAsync()
    {
        stopped = true;
        using var patience = new CancellationTokenSource(Patience);
        await Writer.StopAsync(patience.Token);
    }

    public async ValueTask DisposeAsync()
    {
        if (!stopped)
        {
            Faults.OnPlace = (commit, drafts) => commit(drafts);
            await StopAsync();
        }

        Writer.Dispose();
        Draws.Dispose();
        admission.Dispose();
        metrics.Dispose();
        await ledger.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}
