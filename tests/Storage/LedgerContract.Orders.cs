using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Sales;
using FlashSale.Storage;

using Xunit;

using static FlashSale.Core.Orders.PlacementOutcome;

namespace FlashSale.Tests.Storage;

public abstract partial class LedgerContract
{
    /// <summary>
    /// Stock, limit, then one transaction after another: <c>user:order</c> asks for an order, <c>-user:order</c> cancels it; after <c>=</c>
    /// the outcomes by their first letter (Placed, Already, Soldout, Limit). Then available, held, and the deltas of the log.
    /// </summary>
    public static TheoryData<int, int, string[], int, int, string> Scenarios => new()
    {
        { 3, 1, ["1:a 2:b = P P"], 1, 2, "3 -1 -1" },
        { 2, 1, ["1:a 2:b 3:c 4:d = P P S S"], 0, 2, "2 -1 -1" },
        { 1, 1, ["3:c 1:a 2:b = P S S"], 0, 1, "1 -1" },
        { 2, 1, ["1:a 1:b 2:c = P L P"], 0, 2, "2 -1 -1" },
        { 2, 1, ["1:a = P", "1:a = A", "1:a 2:b = A P"], 0, 2, "2 -1 -1" },
        { 1, 1, ["1:a = P", "2:b 1:a = S A"], 0, 1, "1 -1" },
        { 5, 2, ["1:a 1:b 1:c = P P L", "1:d = L", "-1:a =", "1:e 1:f = P L"], 3, 2, "5 -1 -1 1 -1" },
        { 5, 3, ["1:a 1:b 1:c = P P P", "-1:b =", "1:d 1:e = P L"], 2, 3, "5 -1 -1 -1 1 -1" },
        { 1, 1, ["1:a = P", "-1:a =", "1:a = A", "1:b = P", "1:a 1:b 1:c = A A S"], 0, 1, "1 -1 1 -1" },
        { 1, 1, ["1:a 2:b = P S", "-1:a =", "2:b = P", "1:a = A"], 0, 1, "1 -1 1 -1" },
    };

    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task PlaceAsync_WhenScenario_GivesOutcomesStockAndLog(int stock, int limit, string[] steps, int available, int held, string log)
    {
        var sale = await PublishAsync((stock, limit));
        var ids = new Dictionary<string, OrderId>();
        foreach (var step in steps)
        {
            var sides = step.Split('=');
            var asked = sides[0].Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(word => (Cancel: word[0] == '-', User: User(word[^3] - '0'), Name: word[^1..])).ToList();
            asked.ForEach(ask => ids.TryAdd(ask.Name, OrderId.Create(Time.GetUtcNow())));
            if (asked[0].Cancel)
            {
                Assert.Equal(CancellationOutcome.Cancelled, (await Ledger.CancelAsync(ids[asked[0].Name], asked[0].User, Stop)).Outcome);
                continue;
            }

            var batch = await Ledger.PlaceAsync([.. asked.Select(ask => Order(sale, ask.User, id: ids[ask.Name]))], Stop);
            Assert.Equal(
                sides[1].Split(' ', StringSplitOptions.RemoveEmptyEntries),
                asked.Select(ask => batch.Results[ids[ask.Name]].Outcome.ToString()[..1]));
            Assert.Equal(await StockAsync(sale), Assert.Single(batch.Stocks).Row);
        }

        var deltas = log.Split(' ').Select(long.Parse).ToList();
        Assert.Equal(Row(stock, 0, available, held, 0, deltas.Count), await StockAsync(sale));
        var rows = await AuditAsync(sale);
        Assert.Equal(deltas, rows.Of("stockChange").Select(change => change.Delta!.Value));
    }

    [Fact]
    public async Task PlaceAsync_WhenPlaced_TheOrderIsAsAskedAndTimedByTheLedger()
    {
        var sale = await PublishAsync((10, 1));
        Time.Advance(TimeSpan.FromSeconds(3) + TimeSpan.FromTicks(7));
        var now = await Ledger.ReadClockAsync(Stop);
        var draft = Order(sale, User(1));

        var result = (await Ledger.PlaceAsync([draft], Stop)).Results[draft.Id];

        var expected = new Order(draft.Id, sale.Id, draft.OfferId, User(1), OrderStatus.Held, Price, now, now + Window);
        Assert.Equal(new PlacementResult(Placed, expected), result);
        Assert.Equal(expected, await Ledger.FindOrderAsync(draft.Id, Stop));
        Assert.Equal(0, now.Ticks % TimeSpan.TicksPerMillisecond);
    }

    [Fact]
    public async Task PlaceAsync_WhenRepeatedAfterEachEnd_TellsTheOrderAsItStands()
    {
        var sale = await PublishAsync((3, 1));
        var (paid, payment) = await BuyAsync(sale, User(1));
        await PayAsync(payment, paid);
        var cancelled = Order(sale, User(2));
        await PlaceAsync(cancelled);
        await Ledger.CancelAsync(cancelled.Id, User(2), Stop);

        var again = await Ledger.PlaceAsync([cancelled, paid], Stop);

        Assert.Equal(AlreadyPlaced, again.Results[cancelled.Id].Outcome);
        Assert.Equal(OrderStatus.Cancelled, again.Results[cancelled.Id].Order!.Status);
        Assert.Equal(OrderStatus.Paid, again.Results[paid.Id].Order!.Status);
        Assert.NotNull(again.Results[paid.Id].Order!.Coupon);
        Assert.Equal(Row(3, 0, 2, 0, 1, 5), await StockAsync(sale));
    }

    [Fact]
    public async Task PlaceAsync_WhenOneBatchHasSeveralOffers_EachHasItsOwnStock()
    {
        var sale = await PublishAsync((1, 1), (2, 2), (5, 1));
        OrderDraft[] drafts =
        [
            Order(sale, User(1), 1), Order(sale, User(1), 0), Order(sale, User(2), 0), Order(sale, User(1), 1), Order(sale, User(3), 1), Order(sale, User(1), 2),
        ];

        var batch = await Ledger.PlaceAsync(drafts, Stop);

        Assert.Equal([Placed, Placed, SoldOut, Placed, SoldOut, Placed], drafts.Select(draft => batch.Results[draft.Id].Outcome));
        Assert.Equal(3, batch.Stocks.Count);
        Assert.Equal([0L, 0L, 4L], sale.Offers.Select(offer => batch.Stocks.Single(stock => stock.OfferId == offer.Id).Row.Available));
        await AuditAsync(sale);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(9)]
    [InlineData(10)]
    public async Task PlaceAsync_WhenTheLimitIsReached_RefusesUntilAnOrderEnds(int limit)
    {
        var sale = await PublishAsync((100, limit));
        var drafts = Enumerable.Range(0, limit + 2).Select(_ => Order(sale, User(1))).ToList();

        var batch = await Ledger.PlaceAsync(drafts, Stop);

        Assert.Equal(limit, drafts.Count(draft => batch.Results[draft.Id].Outcome == Placed));
        Assert.All(drafts[limit..], draft => Assert.Equal(LimitReached, batch.Results[draft.Id].Outcome));
        await Ledger.CancelAsync(drafts[limit / 2].Id, User(1), Stop);
        Assert.Equal(Placed, await PlaceAsync(Order(sale, User(1))));
        Assert.Equal(LimitReached, await PlaceAsync(Order(sale, User(1))));
        await AuditAsync(sale);
    }

    [Fact]
    public async Task PlaceAsync_WhenTheOrdersExpired_TheUserMayBuyAgain()
    {
        var sale = await PublishAsync((1, 1));
        var first = Order(sale, User(1));
        await PlaceAsync(first);
        Time.Advance(WindowAndSpread);
        Assert.Single(await Ledger.ExpireAsync(10, Stop));

        Assert.Equal(Placed, await PlaceAsync(Order(sale, User(1))));
        Assert.Equal(OrderStatus.Expired, await StatusAsync(first.Id));
    }

    [Fact]
    public async Task PlaceAsync_WhenABatchIsLarge_ResultsStandUnderTheirIds()
    {
        var sale = await PublishAsync((400, 1));
        var drafts = Enumerable.Range(0, Limits.BatchMax).Select(i => Order(sale, User(i))).ToList();

        var batch = await Ledger.PlaceAsync(drafts, Stop);

        Assert.Equal(Limits.BatchMax, batch.Results.Count);
        foreach (var (draft, i) in drafts.Select((draft, i) => (draft, i)))
        {
            Assert.Equal(i < 400 ? Placed : SoldOut, batch.Results[draft.Id].Outcome);
            Assert.Equal(i < 400 ? draft.UserId : null, batch.Results[draft.Id].Order?.UserId);
            Assert.Equal(i < 400 ? draft.UserId : null, (await Ledger.FindOrderAsync(draft.Id, Stop))?.UserId);
        }
    }

    [Fact]
    public async Task PlaceAsync_WhenARowCannotBeWritten_NothingOfTheBatchIs()
    {
        var sale = await PublishAsync((10, 1));
        var good = Order(sale, User(1));
        OrderDraft[] bad =
        [
            Order(sale, User(2)) with { OfferId = new OfferId(999_999) },
            Order(sale, User(2)) with { SaleId = new SaleId(999_999) },
            Order(sale, User(2)) with { PerUserLimit = 11 },
            Order(sale, User(2)) with { Price = Money.Cny(-1) },
        ];
        foreach (var draft in bad)
        {
            await Assert.ThrowsAsync<BatchRejectedException>(() => Ledger.PlaceAsync([good, draft], Stop));

            Assert.Null(await Ledger.FindOrderAsync(good.Id, Stop));
        }

        Assert.Equal(Row(10, 0, 10, 0, 0, 1), await StockAsync(sale));
        Assert.Equal(Placed, await PlaceAsync(good));
        await AuditAsync(sale);
    }

    [Fact]
    public async Task PlaceAsync_WhenBadBatchesShareATransactionWithGoodOnes_OnlyTheyFail()
    {
        var sale = await PublishAsync((1_000, 1));
        var jobs = Enumerable.Range(0, 200)
            .Select(i => (Bad: i % 3 == 0, Draft: Order(sale, User(i)), Second: Order(sale, User(1_000 + i)) with { Price = Money.Cny(-1) }))
            .Select(job => (job.Bad, job.Draft, Task: Ledger.PlaceAsync(job.Bad ? [job.Draft, job.Second] : [job.Draft], Stop)))
            .ToList();
        foreach (var (bad, draft, task) in jobs)
        {
            if (bad)
            {
                await Assert.ThrowsAsync<BatchRejectedException>(() => task);
                Assert.Null(await Ledger.FindOrderAsync(draft.Id, Stop));
            }
            else
            {
                Assert.Equal(Placed, (await task).Results[draft.Id].Outcome);
            }
        }

        Assert.Equal(133, (await StockAsync(sale)).Held);
        await AuditAsync(sale);
    }

    [Fact]
    public async Task CancelAsync_WhenAskedInEachState_SaysWhatHappened()
    {
        var sale = await PublishAsync((5, 1));
        var (paid, payment) = await BuyAsync(sale, User(1));
        await PayAsync(payment, paid);
        var held = Order(sale, User(2));
        await PlaceAsync(held);

        Assert.Equal(CancellationOutcome.NotFound, (await Ledger.CancelAsync(OrderId.Create(Time.GetUtcNow()), User(2), Stop)).Outcome);
        Assert.Equal((CancellationOutcome.NotFound, null, null), await Ledger.CancelAsync(held.Id, User(1), Stop));
        Assert.Equal(CancellationOutcome.NotCancellable, (await Ledger.CancelAsync(paid.Id, User(1), Stop)).Outcome);

        var (outcome, order, move) = await Ledger.CancelAsync(held.Id, User(2), Stop);
        Assert.Equal(CancellationOutcome.Cancelled, outcome);
        Assert.Equal(OrderStatus.Cancelled, order!.Status);
        Assert.Equal(new StockMove(new OfferStock(held.OfferId, 0, Row(5, 0, 4, 0, 1, 5)), held.Id, User(2), OrderStatus.Cancelled), move);

        var (again, same, none) = await Ledger.CancelAsync(held.Id, User(2), Stop);
        Assert.Equal((CancellationOutcome.AlreadyCancelled, order, null), (again, same, none));
        await AuditAsync(sale);
    }

    [Fact]
    public async Task ExpireAsync_WhenTimeHasRunOut_EndsTheOldestInBatches()
    {
        var sale = await PublishAsync((20, 1), (20, 1));
        var drafts = new List<OrderDraft>();
        for (var i = 0; i < 10; i++)
        {
            drafts.Add(Order(sale, User(i), i % 2));
            await PlaceAsync(drafts[i]);
            Time.Advance(TimeSpan.FromSeconds(10));
        }

        // Orders 0 to 6 were placed so long ago that they have ended wherever in the spread they stand, and the next one is 2 s within its time.
        Time.Advance(WindowAndSpread - TimeSpan.FromSeconds(40));
        var first = await Ledger.ExpireAsync(4, Stop);
        var second = await Ledger.ExpireAsync(4, Stop);

        Assert.Equal(drafts[..4].Select(draft => draft.Id), first.Select(move => move.OrderId!.Value));
        Assert.Equal(drafts[4..7].Select(draft => draft.Id), second.Select(move => move.OrderId!.Value));
        Assert.Empty(await Ledger.ExpireAsync(4, Stop));
        Assert.All(first, move => Assert.Equal(OrderStatus.Expired, move.Status));
        Assert.All(second, move => Assert.Contains(move.Stock.Row, new[] { Row(20, 0, 19, 1, 0, 10), Row(20, 0, 18, 2, 0, 9) }));
        Assert.Equal(Row(20, 0, 19, 1, 0, 10), await StockAsync(sale, 0));
        Assert.Equal(Row(20, 0, 18, 2, 0, 9), await StockAsync(sale, 1));
        await AuditAsync(sale);
    }

    [Fact]
    public async Task ListOrdersAsync_WhenPaged_GivesTheUsersOrdersNewestFirst()
    {
        var sale = await PublishAsync((50, 10), (50, 10));
        var mine = new List<OrderDraft>();
        for (var i = 0; i < 12; i++)
        {
            mine.Add(Order(sale, User(1), i % 2));
            await PlaceAsync(mine[i]);
            await PlaceAsync(Order(sale, User(100 + i)));
            Time.Advance(TimeSpan.FromMilliseconds(1));
        }

        await Ledger.CancelAsync(mine[3].Id, User(1), Stop);
        var first = await Ledger.ListOrdersAsync(User(1), null, 5, Stop);
        var second = await Ledger.ListOrdersAsync(User(1), first[^1].Id, 50, Stop);

        mine.Reverse();
        Assert.Equal(mine.Select(draft => draft.Id), first.Concat(second).Select(order => order.Id));
        Assert.Equal(5, first.Count);
        Assert.Equal(OrderStatus.Cancelled, second.Single(order => order.Id == mine[8].Id).Status);
        Assert.Empty(await Ledger.ListOrdersAsync(User(2), null, 5, Stop));
    }

    [Fact]
    public async Task CountOrdersAsync_WhenOrdersMoved_CountsThemByState()
    {
        var sale = await PublishAsync((5, 2));
        var (paid, payment) = await BuyAsync(sale, User(1));
        await PayAsync(payment, paid);
        await BuyAsync(sale, User(2));
        var cancelled = Order(sale, User(3));
        await PlaceAsync(cancelled);
        await Ledger.CancelAsync(cancelled.Id, User(3), Stop);

        var counts = await Ledger.CountOrdersAsync(Stop);

        Assert.Equal(1, counts[OrderStatus.Paid]);
        Assert.Equal(1, counts[OrderStatus.Held]);
        Assert.Equal(1, counts[OrderStatus.Cancelled]);
        Assert.Equal(0, counts.GetValueOrDefault(OrderStatus.Expired));
    }

    [Fact]
    public async Task Reopen_WhenDisposedBefore_EverythingIsThere()
    {
        var sale = await PublishAsync((5, 2));
        var (paid, payment) = await BuyAsync(sale, User(1));
        await PayAsync(payment, paid);
        var before = await AuditAsync(sale);
        var order = await Ledger.FindOrderAsync(paid.Id, Stop);

        await ReopenAsync();

        Assert.Equal(order, await Ledger.FindOrderAsync(paid.Id, Stop));
        Assert.Equal(before.Of("stockChange"), (await AuditAsync(sale)).Of("stockChange"));
        Assert.Equal(AlreadyPlaced, await PlaceAsync(paid));
        Assert.Null(await Ledger.CheckAsync(Stop));
    }

    [Fact]
    public async Task AnyMethod_WhenDisposed_SaysThatTheLedgerIsNotAvailable()
    {
        var sale = await PublishAsync((5, 2));
        await Ledger.DisposeAsync();

        await Assert.ThrowsAsync<LedgerUnavailableException>(() => Ledger.PlaceAsync([Order(sale, User(1))], Stop));
        await Assert.ThrowsAsync<LedgerUnavailableException>(() => Ledger.ListSalesAsync(Stop));
        Assert.NotNull(await Ledger.CheckAsync(Stop));
    }

    [Fact]
    public async Task DisposeAsync_WhenWorkIsQueued_FinishesItFirst()
    {
        var sale = await PublishAsync((500, 1));
        var drafts = Enumerable.Range(0, 300).Select(i => Order(sale, User(i))).ToList();
        var running = drafts.ConvertAll(draft => Ledger.PlaceAsync([draft], Stop));

        await ReopenAsync();

        Assert.All(await Task.WhenAll(running), batch => Assert.Equal(Placed, batch.Results.Values.Single().Outcome));
        Assert.Equal(300, (await StockAsync(sale)).Held);
    }

    [Fact]
    public async Task ReadGateLoadAsync_WhenOrdersLiveAndDie_HasTheLiveAndTheRecentOnes()
    {
        var sale = await PublishAsync((50, 2), (50, 2));
        var oldDead = Order(sale, User(1));
        var oldLive = Order(sale, User(2), 1);
        await Ledger.PlaceAsync([oldDead, oldLive], Stop);
        await Ledger.CancelAsync(oldDead.Id, User(1), Stop);
        Time.Advance(Limits.GateKeepsEnded + TimeSpan.FromSeconds(1));
        var dead = Order(sale, User(3));
        var live = Order(sale, User(4));
        await Ledger.PlaceAsync([dead, live], Stop);
        await Ledger.CancelAsync(dead.Id, User(3), Stop);

        var load = await Ledger.ReadGateLoadAsync(sale, Stop);

        Assert.Equal(
            new[]
            {
                new GateLoadOrder(oldLive.Id, oldLive.OfferId, User(2), true),
                new GateLoadOrder(dead.Id, dead.OfferId, User(3), false),
                new GateLoadOrder(live.Id, live.OfferId, User(4), true),
            }.ToHashSet(),
            load.Orders.ToHashSet());
        Assert.Equal([49L, 49L], load.Stocks.Select(stock => stock.Row.Available));
    }

    [Fact]
    public async Task ExportAsync_WhenWritingGoesOn_IsOneConsistentSnapshot()
    {
        var sale = await PublishAsync((5_000, 1));
        using var stop = new CancellationTokenSource();
        var writing = WriteUntilAsync(sale, stop.Token);
        var seen = new List<int>();
        while (!writing.IsCompleted && (seen.Count < 20 || seen[^1] == seen[0]))
        {
            seen.Add((await AuditAsync(sale)).Of("order").Count());
        }

        await stop.CancelAsync();
        await writing;
        await AuditAsync(sale);
    }

    private async Task WriteUntilAsync(Sale sale, CancellationToken stop)
    {
        for (var i = 0; !stop.IsCancellationRequested; i += 3)
        {
            OrderDraft[] drafts = [Order(sale, User(i)), Order(sale, User(i + 1)), Order(sale, User(i + 2))];
            await Ledger.PlaceAsync(drafts, CancellationToken.None);
            await Ledger.CancelAsync(drafts[0].Id, drafts[0].UserId, CancellationToken.None);
        }
    }
}
