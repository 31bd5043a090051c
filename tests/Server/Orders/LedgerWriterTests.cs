using System.Reflection;

using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Server.Orders;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;
using FlashSale.Storage.Memory;
using FlashSale.Storage.Sqlite;

using Microsoft.Extensions.Logging.Abstractions;

using Xunit;

namespace FlashSale.Tests.Server.Orders;

/// <summary>The ledger writer in front of a real ledger whose answers a test may hold up, turn round or lose.</summary>
public sealed class LedgerWriterTests : IAsyncLifetime
{
    private const int Stock = 5;
    private static readonly Actor Operator = new("olga", "operator", null, null);

    private readonly TemporaryFolder folder = new();
    private readonly MemoryGate gate = new();
    private readonly SaleMetrics metrics = new();
    private SqliteLedger sqlite = null!;
    private FaultyLedger faults = null!;
    private LedgerWriter writer = null!;
    private Sale sale = null!;

    public async ValueTask InitializeAsync()
    {
        sqlite = await SqliteLedger.OpenAsync(new SqliteLedgerOptions(folder.File("ledger.db")), TimeProvider.System, default);
        var now = TimeProvider.System.GetUtcNow();
        var draft = await sqlite.CreateSaleAsync(Sale(now), Operator, default);
        sale = (await sqlite.UpdateSaleAsync(draft! with { Status = SaleStatus.Published }, draft.Rev, "sale.publish", Operator, default))!;
        await gate.WarmUpAsync(await sqlite.ReadGateLoadAsync(sale, default), default);
        var (ledger, proxy) = FaultyLedger.InFrontOf(sqlite);
        faults = proxy;
        var settlements = new Settlements(gate, new SaleCatalog(), TimeProvider.System);
        writer = new LedgerWriter(ledger, settlements, metrics, new LedgerWriterOptions(), TimeProvider.System, NullLogger<LedgerWriter>.Instance);
        await writer.StartAsync(default);
    }

    public async ValueTask DisposeAsync()
    {
        await writer.StopAsync(default);
        writer.Dispose();
        metrics.Dispose();
        await sqlite.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task SubmitAsync_WhenTheLedgerAnswersInAnotherOrder_GivesEachShopperTheirOwnOrder()
    {
        faults.TurnRound = true;

        var (drafts, answers) = await SubmitTogetherAsync(Stock + 3);

        for (var i = 0; i < drafts.Count; i++)
        {
            Assert.Equal(i < Stock ? OrderDecision.Placed : OrderDecision.LedgerSoldOut, answers[i].Decision);
            Assert.Equal(i < Stock ? drafts[i].Id : null, answers[i].Order?.Id);
            Assert.Equal(i < Stock ? drafts[i].UserId : null, answers[i].Order?.UserId);
        }
    }

    [Fact]
    public async Task SubmitAsync_WhenMoreWaitThanThereAre_PlacesTheFirstAndEndsWithNothingPending()
    {
        var (_, answers) = await SubmitTogetherAsync(Stock + 3);

        Assert.Equal(
            [.. Enumerable.Repeat(OrderDecision.Placed, Stock), .. Enumerable.Repeat(OrderDecision.LedgerSoldOut, 3)],
            answers.Select(answer => answer.Decision));
        await AssertGateAsync(stock: 0, pending: 0);
    }

    [Fact]
    public async Task SubmitAsync_WhenTheAnswerOfACommitIsLost_FindsTheOrderAndSaysSo()
    {
        faults.LoseAnswers = 2;
        var draft = Draft("ann");

        var answer = await AdmitAndSubmitAsync(draft);

        Assert.Equal(OrderDecision.Repeated, answer.Decision);
        Assert.Equal(draft.Id, answer.Order?.Id);
        await AssertGateAsync(stock: Stock - 1, pending: 0);
    }

    [Fact]
    public async Task SubmitAsync_WhenTheOutcomeStaysUnknown_SaysUnknownAndKeepsTheUnitBack()
    {
        faults.LoseAnswers = int.MaxValue;

        var answer = await AdmitAndSubmitAsync(Draft("ann"));

        Assert.Equal(OrderDecision.OutcomeUnknown, answer.Decision);
        Assert.Equal(Effect.Unknown, Problems.Of(DecisionKind.Of(answer.Decision).Problem!.Value).Effect);
        await AssertGateAsync(stock: Stock - 1, pending: 1);
        faults.LoseAnswers = 0;
        await AssertGateAsync(stock: Stock - 1, pending: 0);
    }

    [Fact]
    public async Task StopAsync_WhileAnOutcomeIsUnknown_SaysUnknownAndKeepsTheUnitBack()
    {
        faults.LoseAnswers = int.MaxValue;
        var answer = AdmitAndSubmitAsync(Draft("ann"));
        await faults.Asked;

        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await writer.StopAsync(patience.Token);

        Assert.Equal(OrderDecision.OutcomeUnknown, (await answer).Decision);
        await AssertGateAsync(stock: Stock - 1, pending: 1);
    }

    [Fact]
    public async Task SubmitAsync_WhenTheLedgerSurelyWroteNothing_SaysSoAndGivesTheUnitBack()
    {
        faults.Refuse = true;
        var draft = Draft("ann");

        var answer = await AdmitAndSubmitAsync(draft);

        Assert.Equal(OrderDecision.LedgerUnavailable, answer.Decision);
        await AssertGateAsync(stock: Stock, pending: 0);
        faults.Refuse = false;
        Assert.Equal(OrderDecision.Placed, (await AdmitAndSubmitAsync(draft)).Decision);
    }

    [Fact]
    public async Task SubmitAsync_WhenTheSameOrderIsInABatchTwice_PlacesItOnce()
    {
        var draft = Draft("ann");
        faults.Hold();
        var first = AdmitAndSubmitAsync(Draft("first"));
        await faults.Asked;
        Task<WriterAnswer>[] twins = [AdmitAndSubmitAsync(draft), AdmitAndSubmitAsync(draft)];
        faults.Release();

        var answers = await Task.WhenAll(twins);

        Assert.Equal(OrderDecision.Placed, (await first).Decision);
        Assert.Equal([OrderDecision.Placed, OrderDecision.Repeated], answers.Select(answer => answer.Decision));
        Assert.All(answers, answer => Assert.Equal(draft.Id, answer.Order?.Id));
        await AssertGateAsync(stock: Stock - 2, pending: 0);
    }

    /// <summary>All of them in one batch, behind one that is held up; the order that was held up had its unit from elsewhere.</summary>
    private async Task<(IReadOnlyList<OrderDraft> Drafts, WriterAnswer[] Answers)> SubmitTogetherAsync(int count)
    {
        faults.Hold();
        var first = writer.SubmitAsync(Draft("first") with { OfferId = sale.Offers[1].Id }, admitted: false);
        await faults.Asked;
        OrderDraft[] drafts = [.. Enumerable.Range(0, count).Select(i => Draft($"user-{i}"))];
        var answers = drafts.Select(AdmitAndSubmitAsync).ToArray();
        faults.Release();
        await first;
        return (drafts, await Task.WhenAll(answers));
    }

    private async Task<WriterAnswer> AdmitAndSubmitAsync(OrderDraft draft)
    {
        var admission = await gate.AdmitAsync(
            new AdmissionRequest(sale.Id, draft.OfferId, draft.Id, draft.UserId, TimeProvider.System.GetUtcNow()), default);
        return await writer.SubmitAsync(draft, admission == AdmissionOutcome.Admitted);
    }

    /// <summary>The gate learns of a commit right after the shoppers did.</summary>
    private async Task AssertGateAsync(int stock, int pending)
    {
        var read = default(GateStock);
        for (var i = 0; i < 200; i++)
        {
            read = (await gate.ReadAsync(sale.Offers[0].Id, default))!.Value;
            if (read.Stock == stock && read.Pending == pending)
            {
                return;
            }

            await Task.Delay(10);
        }

        Assert.Fail($"The gate has {read}; expected stock {stock} and {pending} pending.");
    }

    private OrderDraft Draft(string user) => new(
        OrderId.Create(TimeProvider.System.GetUtcNow()), sale.Id, sale.Offers[0].Id, UserId.Parse(user), sale.Offers[0].Price, 1, sale.PaymentWindow);

    private static Sale Sale(DateTimeOffset now) => new()
    {
        Slug = "sale",
        Title = new LocalizedText("优惠券", "Coupons"),
        OpensAt = now.AddSeconds(-1),
        ClosesAt = now.AddHours(1),
        RequiresReservation = false,
        PaymentWindow = TimeSpan.FromMinutes(15),
        Offers = [.. Enumerable.Range(0, 2).Select(i => new Offer
        {
            Sku = $"sku-{i}",
            Title = new LocalizedText("优惠券", "Coupon"),
            FaceValue = Money.Cny(10_000),
            Price = Money.Cny(9_900),
            Stock = Stock,
            PerUserLimit = 1,
            ValidFrom = now,
            ValidUntil = now.AddDays(30),
        })],
    };
}

/// <summary>Passes every call on; what it does with the placing of orders is set by a test.</summary>
public class FaultyLedger : DispatchProxy
{
    private ILedger behind = null!;
    private TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? held;
    private volatile int loseAnswers;

    /// <summary>Results in the opposite order: they belong to orders by their ids.</summary>
    public bool TurnRound { get; set; }

    /// <summary>So many commits happen and then fail in a way that leaves that open.</summary>
    public int LoseAnswers
    {
        get => loseAnswers;
        set => loseAnswers = value;
    }

    /// <summary>Nothing is written, and that is said.</summary>
    public bool Refuse { get; set; }

    /// <summary>Ends when the ledger has been asked to place orders.</summary>
    public Task Asked => asked.Task;

    public static (ILedger Ledger, FaultyLedger Faults) InFrontOf(ILedger ledger)
    {
        var proxy = Create<ILedger, FaultyLedger>();
        var faults = (FaultyLedger)(object)proxy;
        faults.behind = ledger;
        return (proxy, faults);
    }

    /// <summary>The next placing waits, so that others gather behind it.</summary>
    public void Hold()
    {
        asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public void Release() => held!.SetResult();

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        targetMethod!.Name == nameof(ILedger.PlaceAsync)
            ? PlaceAsync((IReadOnlyList<OrderDraft>)args![0]!)
            : targetMethod.Invoke(behind, args);

    private async Task<PlacementBatch> PlaceAsync(IReadOnlyList<OrderDraft> drafts)
    {
        asked.TrySetResult();
        if (held is { } waiting)
        {
            await waiting.Task;
        }

        if (Refuse)
        {
            throw new LedgerUnavailableException("The test refuses.");
        }

        var placed = await behind.PlaceAsync(drafts, default);
        if (LoseAnswers > 0)
        {
            LoseAnswers--;
            throw new LedgerOutcomeUnknownException("The test lost the answer.");
        }

        return TurnRound ? placed with { Results = placed.Results.Reverse().ToDictionary() } : placed;
    }
}
