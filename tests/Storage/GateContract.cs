using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;
using FlashSale.Core.Stock;
using FlashSale.Storage;

using Xunit;

namespace FlashSale.Tests.Storage;

/// <summary>What every gate must do; each adapter derives from it.</summary>
public abstract class GateContract
{
    internal static readonly DateTimeOffset Opening = new(2026, 11, 11, 12, 0, 0, TimeSpan.Zero);
    internal static readonly SaleId SaleId = new(1);
    internal static readonly OfferId OfferId = new(11);
    private DateTimeOffset now = Opening.AddSeconds(1);

    protected abstract Task<IGate> CreateGateAsync();

    [Fact]
    public async Task AdmitAsync_WhenNotWarm_ConcludesNothing()
    {
        var gate = await CreateGateAsync();
        Assert.Equal(AdmissionOutcome.NotWarm, await AdmitAsync(gate, "alice"));
        Assert.Equal(Eligibility.Unknown, await gate.CheckAsync(SaleId, UserId.Parse("alice"), now, default));
        Assert.Null(await gate.ReadAsync(OfferId, default));
    }

    [Fact]
    public async Task AdmitAsync_UntilTheStockIsPending_AdmitsThenStandsBy()
    {
        var gate = await WarmAsync(stock: 3);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(AdmissionOutcome.Admitted, await AdmitAsync(gate, $"user-{i}"));
        }

        // Not sold out: what is pending may still fail.
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(AdmissionOutcome.Standby, await AdmitAsync(gate, $"late-{i}"));
        }

        Assert.Equal(new GateStock(0, 3, 3, 1), await gate.ReadAsync(OfferId, default));
    }

    [Fact]
    public async Task AdmitAsync_WhenTheLedgerHasNone_IsSoldOutAndBackWhenAUnitReturns()
    {
        var gate = await WarmAsync(stock: 1);
        var order = Id();
        await AdmitAsync(gate, "alice", order);
        await SettleAsync(gate, available: 0, seq: 2, committed: [new(order, UserId.Parse("alice"))]);
        Assert.Equal(AdmissionOutcome.SoldOut, await AdmitAsync(gate, "bob"));

        await SettleAsync(gate, available: 1, seq: 3, ended: [new(order, UserId.Parse("alice"))]);
        Assert.Equal(AdmissionOutcome.Admitted, await AdmitAsync(gate, "bob"));
    }

    [Fact]
    public async Task AdmitAsync_WithTheSameOrder_TakesOneUnit()
    {
        var gate = await WarmAsync(stock: 5);
        var order = Id();
        Assert.Equal(AdmissionOutcome.Admitted, await AdmitAsync(gate, "alice", order));
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(AdmissionOutcome.Repeated, await AdmitAsync(gate, "alice", order));
        }

        Assert.Equal(1, (await gate.ReadAsync(OfferId, default))!.Value.Pending);
    }

    [Fact]
    public async Task AdmitAsync_WhenTheOrderIsKnownAndTheSaleIsOver_StillRepeats()
    {
        var gate = await WarmAsync(stock: 1);
        var order = Id();
        await AdmitAsync(gate, "alice", order);
        await SettleAsync(gate, available: 0, seq: 2, committed: [new(order, UserId.Parse("alice"))]);
        now = Opening.AddMinutes(20);
        Assert.Equal(AdmissionOutcome.Repeated, await AdmitAsync(gate, "alice", order));
        Assert.Equal(AdmissionOutcome.SaleEnded, await AdmitAsync(gate, "alice"));
    }

    [Fact]
    public async Task AdmitAsync_AtTheLimit_CountsPendingAndLiveAndNotEnded()
    {
        var gate = await WarmAsync(stock: 10, limit: 2);
        var (first, second) = (Id(), Id());
        var alice = UserId.Parse("alice");
        Assert.Equal(AdmissionOutcome.Admitted, await AdmitAsync(gate, "alice", first));
        Assert.Equal(AdmissionOutcome.Admitted, await AdmitAsync(gate, "alice", second));
        Assert.Equal(AdmissionOutcome.LimitReached, await AdmitAsync(gate, "alice"));
        Assert.Equal(AdmissionOutcome.Admitted, await AdmitAsync(gate, "bob"));

        await SettleAsync(gate, available: 9, seq: 2, committed: [new(first, alice)], refused: [new(second, alice)]);
        Assert.Equal(AdmissionOutcome.Admitted, await AdmitAsync(gate, "alice", second));
        Assert.Equal(AdmissionOutcome.LimitReached, await AdmitAsync(gate, "alice"));

        await SettleAsync(gate, available: 10, seq: 3, ended: [new(first, alice)]);
        Assert.Equal(AdmissionOutcome.Admitted, await AdmitAsync(gate, "alice"));
    }

    [Theory]
    [InlineData(-1, SaleStatus.Published, AdmissionOutcome.SaleNotOpen)]
    [InlineData(0, SaleStatus.Published, AdmissionOutcome.Admitted)]
    [InlineData(0, SaleStatus.Paused, AdmissionOutcome.SalePaused)]
    [InlineData(0, SaleStatus.Closed, AdmissionOutcome.SaleEnded)]
    [InlineData(600_000, SaleStatus.Published, AdmissionOutcome.SaleEnded)]
    public async Task AdmitAsync_ByPhase_Decides(int ms, SaleStatus status, AdmissionOutcome expected)
    {
        var gate = await WarmAsync(stock: 1);
        await gate.UpdateSaleAsync(Sale(1) with { Status = status, Rev = 9 }, default);
        now = Opening.AddMilliseconds(ms);
        Assert.Equal(expected, await AdmitAsync(gate, "alice"));
    }

    [Fact]
    public async Task UpdateSaleAsync_WhenOlder_ChangesNothing()
    {
        var gate = await WarmAsync(stock: 1);
        await gate.UpdateSaleAsync(Sale(1) with { Status = SaleStatus.Paused, Rev = 5 }, default);
        await gate.UpdateSaleAsync(Sale(1) with { Rev = 4 }, default);
        Assert.Equal(AdmissionOutcome.SalePaused, await AdmitAsync(gate, "alice"));
    }

    [Fact]
    public async Task AdmitAsync_WhenAReservationIsNeeded_LetsOnlyApprovedIn()
    {
        var gate = await CreateGateAsync();
        var sale = Sale(1) with { RequiresReservation = true, ReservationOpensAt = Opening.AddHours(-1), ReservationClosesAt = Opening };
        await gate.WarmUpAsync(Load(sale, 10) with { Reserved = [UserId.Parse("early")], Rejected = [UserId.Parse("bad")] }, anew: false, default);
        await gate.ReserveAsync(SaleId, UserId.Parse("new"), approved: true, default);
        await gate.ReserveAsync(SaleId, UserId.Parse("risky"), approved: false, default);

        Assert.Equal(AdmissionOutcome.Admitted, await AdmitAsync(gate, "early"));
        Assert.Equal(AdmissionOutcome.Admitted, await AdmitAsync(gate, "new"));
        Assert.Equal(AdmissionOutcome.NotReserved, await AdmitAsync(gate, "stranger"));
        Assert.Equal(AdmissionOutcome.NotEligible, await AdmitAsync(gate, "bad"));
        Assert.Equal(AdmissionOutcome.NotEligible, await AdmitAsync(gate, "risky"));
    }

    [Fact]
    public async Task BarAsync_UntilATime_KeepsTheUserOutUntilThen()
    {
        var gate = await WarmAsync(stock: 10);
        var bob = UserId.Parse("bob");
        await gate.BarAsync(bob, now.AddSeconds(10), default);
        Assert.Equal(AdmissionOutcome.NotEligible, await AdmitAsync(gate, "bob"));
        Assert.Equal(Eligibility.NotEligible, await gate.CheckAsync(SaleId, bob, now, default));
        now = now.AddSeconds(10);
        Assert.Equal(AdmissionOutcome.Admitted, await AdmitAsync(gate, "bob"));

        await gate.BarAsync(UserId.Parse("eve"), DateTimeOffset.MaxValue, default);
        Assert.Equal(AdmissionOutcome.NotEligible, await AdmitAsync(gate, "eve"));
        await gate.BarAsync(UserId.Parse("eve"), null, default);
        Assert.Equal(AdmissionOutcome.Admitted, await AdmitAsync(gate, "eve"));

        await gate.LoadBlacklistAsync(2, [(UserId.Parse("mallory"), DateTimeOffset.MaxValue)], default);
        Assert.Equal(AdmissionOutcome.NotEligible, await AdmitAsync(gate, "mallory"));
        await gate.LoadBlacklistAsync(1, [], default);
        Assert.Equal(AdmissionOutcome.NotEligible, await AdmitAsync(gate, "mallory"));
        await gate.LoadBlacklistAsync(3, [], default);
        Assert.Equal(AdmissionOutcome.Admitted, await AdmitAsync(gate, "mallory"));
    }

    [Fact]
    public async Task AdmitAsync_FromABarredOrigin_IsAsForAUserWhoMayNot()
    {
        var gate = await WarmAsync(stock: 5);
        var order = Id();
        AdmissionRequest Barred(string user, OrderId? of = null) => new(SaleId, OfferId, of ?? Id(), UserId.Parse(user), now) { IsBarred = true };
        Assert.Equal(AdmissionOutcome.Admitted, await AdmitAsync(gate, "alice", order));

        Assert.Equal(AdmissionOutcome.NotEligible, await gate.AdmitAsync(Barred("bob"), default));
        Assert.Equal(AdmissionOutcome.NotEligible, await gate.AdmitAsync(Barred("alice"), default));
        Assert.Equal(AdmissionOutcome.Repeated, await gate.AdmitAsync(Barred("alice", order), default));
        Assert.Equal(4, (await gate.ReadAsync(OfferId, default))!.Value.Stock);

        now = Opening.AddSeconds(-1);
        Assert.Equal(AdmissionOutcome.SaleNotOpen, await gate.AdmitAsync(Barred("bob"), default));
        now = Opening.AddDays(30);
        Assert.Equal(AdmissionOutcome.SaleEnded, await gate.AdmitAsync(Barred("bob"), default));
    }

    [Fact]
    public async Task SettleAsync_WhenOlder_ChangesNoStock()
    {
        var gate = await WarmAsync(stock: 5);
        await SettleAsync(gate, available: 2, seq: 9);
        await SettleAsync(gate, available: 5, seq: 8);
        Assert.Equal(2, (await gate.ReadAsync(OfferId, default))!.Value.Stock);
    }

    [Fact]
    public async Task SettleAsync_InAnyOrder_EndsAtTheLedgersStockWithNothingPending()
    {
        var random = new Random(11);
        for (var round = 0; round < 50; round++)
        {
            var gate = await WarmAsync(stock: 20, limit: 10);
            List<Settlement> settlements = [];
            var row = StockRow.Create(20).Row;
            for (var i = 0; i < 20; i++)
            {
                var order = new SettledOrder(Id(), UserId.Parse($"user-{i}"));
                Assert.Equal(AdmissionOutcome.Admitted, await AdmitAsync(gate, order.UserId.Value, order.OrderId));
                row = row.Hold(order.OrderId).Row;
                settlements.Add(new Settlement(OfferId, new OfferStock(OfferId, 0, row), [order], [], [], now));
                if (i % 3 == 0)
                {
                    row = row.Release(order.OrderId).Row;
                    settlements.Add(new Settlement(OfferId, new OfferStock(OfferId, 0, row), [], [], [order], now));
                }
            }

            // An order's own settlements stay in order; everything else may overtake.
            foreach (var group in settlements.GroupBy(s => (s.Committed.Concat(s.Ended)).First().OrderId).OrderBy(_ => random.Next()))
            {
                foreach (var settlement in group)
                {
                    await gate.SettleAsync(settlement, default);
                }
            }

            Assert.Equal(new GateStock(7, 0, 7, row.Seq), await gate.ReadAsync(OfferId, default));
        }
    }

    [Fact]
    public async Task SettleAsync_DropsPendingThatGrewOld_ButNeverWhileAnOutcomeIsUnknown()
    {
        var gate = await WarmAsync(stock: 1);
        await AdmitAsync(gate, "alice");
        now += Limits.GatePendingMax + TimeSpan.FromMilliseconds(1);
        await gate.SettleAsync(new Settlement(OfferId, null, [], [], [], Now: null), default);
        Assert.Equal([OfferId], await gate.ListPendingAsync(default));

        await SettleAsync(gate, available: 1, seq: 1);
        Assert.Empty(await gate.ListPendingAsync(default));
        Assert.Equal(AdmissionOutcome.Admitted, await AdmitAsync(gate, "bob"));
    }

    [Fact]
    public async Task SettleAsync_WhenADuplicateIsRefusedAfterTheOrderCommitted_KeepsTheOrder()
    {
        var gate = await WarmAsync(stock: 2);
        var order = new SettledOrder(Id(), UserId.Parse("alice"));
        await AdmitAsync(gate, "alice", order.OrderId);
        await SettleAsync(gate, available: 1, seq: 2, committed: [order]);
        await SettleAsync(gate, available: 1, seq: 2, refused: [order]);
        Assert.Equal(AdmissionOutcome.Repeated, await AdmitAsync(gate, "alice", order.OrderId));
    }

    [Fact]
    public async Task SettleAsync_WhenTheEndOvertookTheCommit_LeavesTheOrderEnded()
    {
        var gate = await WarmAsync(stock: 2);
        var order = new SettledOrder(Id(), UserId.Parse("alice"));
        await AdmitAsync(gate, "alice", order.OrderId);
        await SettleAsync(gate, available: 2, seq: 3, ended: [order]);
        await SettleAsync(gate, available: 1, seq: 2, committed: [order]);
        Assert.Equal(new GateStock(2, 0, 2, 3), await gate.ReadAsync(OfferId, default));
        Assert.Equal(AdmissionOutcome.Repeated, await AdmitAsync(gate, "alice", order.OrderId));
        Assert.Equal(AdmissionOutcome.Admitted, await AdmitAsync(gate, "alice"));
    }

    [Fact]
    public async Task WarmUpAsync_AfterTheGateMissedAnEnd_LearnsOfIt()
    {
        var gate = await WarmAsync(stock: 2);
        var order = new SettledOrder(Id(), UserId.Parse("alice"));
        await AdmitAsync(gate, "alice", order.OrderId);
        await SettleAsync(gate, available: 1, seq: 2, committed: [order]);
        Assert.Equal(AdmissionOutcome.LimitReached, await AdmitAsync(gate, "alice"));

        var stock = new OfferStock(OfferId, 0, StockRow.Restore(2, 0, 2, 0, 0, 3));
        await gate.WarmUpAsync(new GateLoad(Sale(1), [stock], [new(order.OrderId, OfferId, order.UserId, false)], [], []), anew: false, default);

        Assert.Equal(AdmissionOutcome.Admitted, await AdmitAsync(gate, "alice"));
    }

    [Fact]
    public async Task WarmUpAsync_WhileTheSaleRuns_KeepsWhatIsPendingAndNewer()
    {
        var gate = await WarmAsync(stock: 5);
        var order = Id();
        await AdmitAsync(gate, "alice", order);
        await gate.WarmUpAsync(Load(Sale(1), 5), anew: false, default);
        Assert.Equal(new GateStock(4, 1, 5, 1), await gate.ReadAsync(OfferId, default));
        Assert.Equal(AdmissionOutcome.LimitReached, await AdmitAsync(gate, "alice"));
    }

    [Fact]
    public async Task WarmUpAsync_AfterALoss_KnowsLiveAndEndedOrders()
    {
        var gate = await CreateGateAsync();
        var (live, ended) = (Id(), Id());
        await gate.WarmUpAsync(
            Load(Sale(1), 5) with { Orders = [new(live, OfferId, UserId.Parse("alice"), true), new(ended, OfferId, UserId.Parse("bob"), false)] },
            anew: false,
            default);
        Assert.Equal(AdmissionOutcome.Repeated, await AdmitAsync(gate, "alice", live));
        Assert.Equal(AdmissionOutcome.LimitReached, await AdmitAsync(gate, "alice"));
        Assert.Equal(AdmissionOutcome.Repeated, await AdmitAsync(gate, "bob", ended));
        Assert.Equal(AdmissionOutcome.Admitted, await AdmitAsync(gate, "bob"));
    }

    [Fact]
    public async Task WarmUpAsync_Anew_ForgetsWhatTheLedgerDoesNotSay()
    {
        var gate = await WarmAsync(stock: 5);
        await AdmitAsync(gate, "alice");
        await SettleAsync(gate, available: 0, seq: 99);
        await gate.WarmUpAsync(Load(Sale(1), 5), anew: true, default);
        Assert.Equal(new GateStock(5, 0, 5, 1), await gate.ReadAsync(OfferId, default));
        Assert.Equal(AdmissionOutcome.Admitted, await AdmitAsync(gate, "alice"));
    }

    [Fact]
    public async Task SettleAsync_WhenTheOfferIsNotLoaded_SaysSo()
    {
        var gate = await CreateGateAsync();
        Assert.False(await SettleAsync(gate, available: 5, seq: 1));
        await gate.WarmUpAsync(Load(Sale(1), 5), anew: false, default);
        Assert.True(await SettleAsync(gate, available: 5, seq: 1));
    }

    [Fact]
    public async Task CountAsync_Always_TellsWhatIsLoaded()
    {
        var gate = await CreateGateAsync();
        Assert.Null(await gate.CountAsync(SaleId, default));
        await gate.WarmUpAsync(
            Load(Sale(1), 5) with
            {
                Orders = [new(Id(), OfferId, UserId.Parse("alice"), true)],
                Reserved = [.. Enumerable.Range(0, 100).Select(i => UserId.Parse($"user-{i}"))],
                Rejected = [UserId.Parse("bad")],
            },
            anew: false,
            default);
        Assert.Equal(new GateCounts(true, 100, 1, 1), await gate.CountAsync(SaleId, default));
        await gate.ReserveAsync(SaleId, UserId.Parse("user-7"), approved: false, default);
        Assert.Equal(new GateCounts(true, 99, 2, 1), await gate.CountAsync(SaleId, default));
    }

    [Fact]
    public async Task RemoveSaleAsync_Always_ForgetsIt()
    {
        var gate = await WarmAsync(stock: 5);
        await gate.RemoveSaleAsync(SaleId, default);
        Assert.Equal(AdmissionOutcome.NotWarm, await AdmitAsync(gate, "alice"));
    }

    [Fact]
    public async Task AdmitAsync_FromManyThreads_NeverAdmitsMoreThanThereIsOrTwiceAUser()
    {
        for (var round = 0; round < 20; round++)
        {
            var gate = await WarmAsync(stock: 50);
            var admitted = 0;
            await Parallel.ForAsync(0, 2_000, async (i, _) =>
            {
                if (await AdmitAsync(gate, $"user-{i % 500}") == AdmissionOutcome.Admitted)
                {
                    Interlocked.Increment(ref admitted);
                }
            });
            Assert.Equal(50, admitted);
            Assert.Equal(new GateStock(0, 50, 50, 1), await gate.ReadAsync(OfferId, default));
        }
    }

    internal static Sale Sale(int limit) => new()
    {
        Id = SaleId,
        Slug = "s",
        Title = new LocalizedText("一", "one"),
        RequiresReservation = false,
        OpensAt = Opening,
        ClosesAt = Opening.AddMinutes(10),
        PaymentWindow = TimeSpan.FromMinutes(15),
        Status = SaleStatus.Published,
        Offers =
        [
            new Offer
            {
                Id = OfferId,
                Sku = "o",
                Title = new LocalizedText("一", "one"),
                FaceValue = Money.Cny(2),
                Price = Money.Cny(1),
                Stock = 1,
                PerUserLimit = limit,
                ValidFrom = Opening,
                ValidUntil = Opening.AddYears(1),
            },
        ],
    };

    internal static GateLoad Load(Sale sale, int stock) => new(sale, [new OfferStock(OfferId, 0, StockRow.Create(stock).Row)], [], [], []);

    internal static OrderId Id() => OrderId.Create(Opening);

    private async Task<IGate> WarmAsync(int stock, int limit = 1)
    {
        var gate = await CreateGateAsync();
        await gate.WarmUpAsync(Load(Sale(limit), stock), anew: false, default);
        return gate;
    }

    private ValueTask<AdmissionOutcome> AdmitAsync(IGate gate, string user, OrderId? order = null) =>
        gate.AdmitAsync(new AdmissionRequest(SaleId, OfferId, order ?? Id(), UserId.Parse(user), now), default);

    private ValueTask<bool> SettleAsync(
        IGate gate, int available, long seq, SettledOrder[]? committed = null, SettledOrder[]? refused = null, SettledOrder[]? ended = null) =>
        gate.SettleAsync(
            new Settlement(
                OfferId,
                new OfferStock(OfferId, 0, StockRow.Restore(available, 0, available, 0, 0, seq)),
                committed ?? [],
                refused ?? [],
                ended ?? [],
                now),
            default);
}
