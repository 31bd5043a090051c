using FlashSale.Core;
using FlashSale.Server.Orders;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

using Xunit;

namespace FlashSale.Tests.Server.Orders;

public sealed class LedgerWriterTests
{
    private static readonly TimeSpan PastEveryDeadline = Limits.OrderDeadline + TimeSpan.FromMilliseconds(100);

    [Fact]
    public async Task SubmitAsync_WhenOneOrderOfABatchIsBad_FailsItAlone()
    {
        await using var rig = await WriterRig.StartAsync();
        var (release, first) = await rig.HoldCommitsAsync("first");
        var good = Enumerable.Range(0, 9).Select(i => rig.PlaceAsync($"good-{i}")).ToList();
        var bad = rig.PlaceAsync("bad");
        var after = rig.PlaceAsync("after");
        rig.Faults.OnPlace = (commit, drafts) => drafts.Any(draft => draft.UserId.Value == "bad")
            ? Task.FromException<PlacementBatch>(new BatchRejectedException("a row cannot be written"))
            : commit(drafts);
        release.SetResult();

        foreach (var task in good.Append(first).Append(after))
        {
            Assert.Equal(OrderDecision.Placed, (await task).Decision);
        }

        Assert.Equal(OrderDecision.Broken, (await bad).Decision);
        await rig.AssertSettledAsync(available: 100 - 11);
    }

    [Fact]
    public async Task SubmitAsync_WhenTheCommitHappenedAndItsAnswerWasLost_AnswersWithTheOrder()
    {
        await using var rig = await WriterRig.StartAsync();
        FailOnce(rig, async (commit, drafts) =>
        {
            await commit(drafts);
            throw new LedgerOutcomeUnknownException("the connection was lost");
        });

        var (decision, order) = await rig.PlaceAsync("alice");

        // Not repeated: this request made it, and no other was told so.
        Assert.Equal(OrderDecision.Placed, decision);
        Assert.Equal("alice", order!.UserId.Value);
        Assert.Equal(rig.Faults.Handed.First()[0].Id, order.Id);
        Assert.All(rig.Faults.Handed, batch => Assert.Equal(order.Id, Assert.Single(batch).Id));
        await rig.AssertSettledAsync(available: 99);
    }

    [Fact]
    public async Task SubmitAsync_WhenTheLostCommitDidNotHappen_PlacesTheOrderNow()
    {
        await using var rig = await WriterRig.StartAsync();
        FailOnce(rig, (_, _) => throw new LedgerOutcomeUnknownException("the connection was lost"));

        Assert.Equal(OrderDecision.Placed, (await rig.PlaceAsync("alice")).Decision);
        await rig.AssertSettledAsync(available: 99);
    }

    [Fact]
    public async Task SubmitAsync_WhenTheLedgerIsGoneAfterAnUnknownOutcome_AsksUntilItKnows()
    {
        await using var rig = await WriterRig.StartAsync();
        var calls = 0;
        rig.Faults.OnPlace = async (commit, drafts) =>
        {
            if (++calls == 1)
            {
                await commit(drafts);
                throw new LedgerOutcomeUnknownException("the connection was lost");
            }

            return calls < 4 ? throw new LedgerUnavailableException("it does not answer") : await commit(drafts);
        };

        Assert.Equal(OrderDecision.Placed, (await rig.PlaceAsync("alice")).Decision);
        Assert.Equal(4, calls);
        await rig.AssertSettledAsync(available: 99);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SubmitAsync_WhenTheOutcomeStaysUnknown_SaysSoAndKeepsTheUnitUntilItIsKnown(bool committed)
    {
        await using var rig = await WriterRig.StartAsync();
        var known = new TaskCompletionSource();
        var wrote = false;
        rig.Faults.OnPlace = async (commit, drafts) =>
        {
            if (known.Task.IsCompleted || (committed && !wrote))
            {
                wrote = true;
                var placed = await commit(drafts);
                return known.Task.IsCompleted ? placed : throw new LedgerOutcomeUnknownException("the connection was lost");
            }

            throw new LedgerOutcomeUnknownException("the connection was lost");
        };
        var token = rig.Token("alice");
        var asked = rig.PlaceAsync("alice", token);
        await Eventually.HoldsAsync(() => rig.Faults.Handed.Count > 1, "the writer asks again");
        rig.Time.Advance(PastEveryDeadline);

        Assert.Equal(OrderDecision.OutcomeUnknown, (await asked).Decision);
        rig.Time.Advance(Limits.GatePendingMax);
        await rig.SettleAsync();
        Assert.Equal(1, (await rig.ReadGateAsync()).Pending);

        known.SetResult();
        await rig.AssertSettledAsync(available: 99);
        var (decision, order) = await rig.PlaceAsync("alice", token);
        Assert.Equal(OrderDecision.Repeated, decision);
        Assert.Equal(rig.Faults.Handed.First()[0].Id, order!.Id);
    }

    [Fact]
    public async Task SubmitAsync_WhenTheLedgerIsNotAvailable_GivesTheUnitBackAndGoesOn()
    {
        await using var rig = await WriterRig.StartAsync(stock: 1);
        FailOnce(rig, (_, _) => throw new LedgerUnavailableException("the disk is full"));

        Assert.Equal(OrderDecision.LedgerUnavailable, (await rig.PlaceAsync("alice")).Decision);
        await rig.AssertSettledAsync(available: 1);
        Assert.Equal(OrderDecision.Placed, (await rig.PlaceAsync("bob")).Decision);
        await rig.AssertSettledAsync(available: 0);
    }

    [Fact]
    public async Task SubmitAsync_WhenTheLedgerBreaksInAWayNobodyExpected_CallsTheOutcomeUnknownAndGoesOn()
    {
        await using var rig = await WriterRig.StartAsync();
        FailOnce(rig, (_, _) => throw new InvalidOperationException("a defect"));

        Assert.Equal(OrderDecision.OutcomeUnknown, (await rig.PlaceAsync("alice")).Decision);
        Assert.Equal(OrderDecision.Placed, (await rig.PlaceAsync("bob")).Decision);
        // Her first order may be there: the gate keeps its unit, and counts it for her limit.
        Assert.Equal(OrderDecision.GateLimitReached, (await rig.PlaceAsync("alice")).Decision);
    }

    [Fact]
    public async Task SubmitAsync_WhenTheQueueIsFull_AnswersAtOnceAndGivesTheUnitBack()
    {
        await using var rig = await WriterRig.StartAsync(options: new LedgerWriterOptions(QueueMax: 2));
        var (release, first) = await rig.HoldCommitsAsync("first");
        var waiting = Enumerable.Range(0, 2).Select(i => rig.PlaceAsync($"waits-{i}")).ToList();

        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(OrderDecision.QueueFull, (await rig.PlaceAsync($"late-{i}")).Decision);
        }

        Assert.Equal(3, (await rig.ReadGateAsync()).Pending);
        release.SetResult();
        foreach (var task in waiting.Append(first))
        {
            Assert.Equal(OrderDecision.Placed, (await task).Decision);
        }

        await rig.AssertSettledAsync(available: 97);
    }

    [Fact]
    public async Task SubmitAsync_WhenTheQueueWouldTakeTooLong_RefusesWhatComesNowAndKeepsWhatWaits()
    {
        // Batches of four that take 300 ms each: with eight in the queue the next one would wait for 900 ms, more than the operators' 500; with four, for 600.
        await using var rig = await WriterRig.StartAsync(options: new LedgerWriterOptions(BatchMax: 4));
        var (release, first) = await rig.HoldCommitsAsync("first");
        var early = Enumerable.Range(0, 4).Select(i => rig.PlaceAsync($"early-{i}")).ToList();
        rig.Faults.OnPlace = async (commit, drafts) =>
        {
            rig.Time.Advance(TimeSpan.FromMilliseconds(300));
            return await commit(drafts);
        };
        release.SetResult();
        Assert.All(await Task.WhenAll(early.Append(first)), answer => Assert.Equal(OrderDecision.Placed, answer.Decision));

        (release, first) = await rig.HoldCommitsAsync("again");
        var waiting = Enumerable.Range(0, 4).Select(i => rig.PlaceAsync($"waits-{i}")).ToList();
        await Eventually.HoldsAsync(() => rig.Writer.ExpectedWait == TimeSpan.FromMilliseconds(600), "four orders wait");

        Assert.Equal(OrderDecision.QueueTooSlow, (await rig.PlaceAsync("late")).Decision);
        release.SetResult();
        Assert.All(await Task.WhenAll(waiting.Append(first)), answer => Assert.Equal(OrderDecision.Placed, answer.Decision));
        Assert.Equal(OrderDecision.Placed, (await rig.PlaceAsync("late")).Decision);
        await rig.AssertSettledAsync(available: 89);
    }

    [Fact]
    public async Task SubmitAsync_WhenAnOrderWaitsPastItsDeadline_NeverHandsItToTheLedger()
    {
        await using var rig = await WriterRig.StartAsync();
        var (release, first) = await rig.HoldCommitsAsync("first");
        var late = rig.PlaceAsync("late");
        rig.Time.Advance(PastEveryDeadline);

        // While the ledger hangs, and so before it is released.
        Assert.Contains((await late).Decision, new[] { OrderDecision.DeadlinePassed, OrderDecision.LedgerUnavailable });
        Assert.Equal(OrderDecision.OutcomeUnknown, (await first).Decision);
        release.SetResult();
        await rig.AssertSettledAsync(available: 99);
        Assert.DoesNotContain(rig.Faults.Handed.SelectMany(batch => batch), draft => draft.UserId.Value == "late");
    }

    [Fact]
    public async Task SubmitAsync_WhenTheOtherHalfOfASplitBatchHangs_AnswersThoseWhoseTurnHasNotCome()
    {
        await using var rig = await WriterRig.StartAsync();
        var (release, _) = await rig.HoldCommitsAsync("first");
        var batch = Enumerable.Range(0, 4).Select(i => rig.PlaceAsync($"user-{i}")).ToList();
        var hangs = new TaskCompletionSource();
        var handed = rig.Faults.Handed.Count;
        rig.Faults.OnPlace = async (commit, drafts) =>
        {
            if (drafts.Count == 4)
            {
                throw new BatchRejectedException("a row cannot be written");
            }

            await hangs.Task;
            return await commit(drafts);
        };
        release.SetResult();
        await Eventually.HoldsAsync(() => rig.Faults.Handed.Count == handed + 2, "the first half is with the ledger");
        rig.Time.Advance(PastEveryDeadline);

        foreach (var task in batch)
        {
            Assert.Equal(OrderDecision.OutcomeUnknown, (await task.WaitAsync(TimeSpan.FromSeconds(10))).Decision);
        }

        hangs.SetResult();
        await rig.AssertSettledAsync(available: 95);
    }

    [Fact]
    public async Task SubmitAsync_WhenTheLedgerReturnsItsResultsInAnotherOrder_GivesEachShopperTheirOwn()
    {
        await using var rig = await WriterRig.StartAsync(stock: 6);
        var (release, first) = await rig.HoldCommitsAsync("user-first");
        var asked = Enumerable.Range(0, 8).ToDictionary(i => $"user-{i}", i => rig.PlaceAsync($"user-{i}"));
        rig.Faults.OnPlace = async (commit, drafts) =>
        {
            var placed = await commit(drafts);
            return placed with { Results = placed.Results.Reverse().ToDictionary() };
        };
        release.SetResult();

        await first;
        foreach (var (user, task) in asked)
        {
            var (decision, order) = await task;
            var soldOut = int.Parse(user["user-".Length..]) >= 5;
            Assert.Equal(soldOut ? OrderDecision.LedgerSoldOut : OrderDecision.Placed, decision);
            Assert.Equal(soldOut ? null : user, order?.UserId.Value);
        }

        await rig.AssertSettledAsync(available: 0);
    }

    [Fact]
    public async Task SubmitAsync_WithTheSameTokenManyTimesAtOnce_PlacesOneAndRepeatsItToTheOthers()
    {
        await using var rig = await WriterRig.StartAsync();
        var (release, first) = await rig.HoldCommitsAsync("first");
        var token = rig.Token("alice");
        var asked = Enumerable.Range(0, 20).Select(_ => rig.PlaceAsync("alice", token)).ToList();
        release.SetResult();

        await first;
        var answers = await Task.WhenAll(asked);
        Assert.Single(answers, answer => answer.Decision == OrderDecision.Placed);
        Assert.Equal(19, answers.Count(answer => answer.Decision == OrderDecision.Repeated));
        Assert.Single(answers.Select(answer => answer.Order!.Id).Distinct());
        await rig.AssertSettledAsync(available: 98);
    }

    /// <summary>Invariant I4: a retry is not told that nothing was done while its first request is being written.</summary>
    [Theory]
    [InlineData(100)]
    [InlineData(1)]
    public async Task SubmitAsync_WhenARetryCannotBeTaken_DoesNotSayThatNothingWasDone(int stock)
    {
        // With one unit the gate knows nothing of the retried order: it stands by for the unit of the other one.
        await using var rig = await WriterRig.StartAsync(stock, options: new LedgerWriterOptions(QueueMax: 1));
        var (release, other) = await rig.HoldCommitsAsync("other");
        var token = rig.Token("alice");
        var first = rig.PlaceAsync("alice", token);
        var retry = rig.PlaceAsync("alice", token);
        release.SetResult();

        await other;
        Assert.Equal((await first).Order?.Id, (await retry).Order?.Id);
        Assert.Equal(stock == 1 ? OrderDecision.LedgerSoldOut : OrderDecision.Repeated, (await retry).Decision);
    }

    [Fact]
    public async Task SubmitAsync_WhenTheLedgerHangsOnTheFirstRequest_TellsItsRetryThatTheOutcomeIsUnknown()
    {
        await using var rig = await WriterRig.StartAsync();
        var token = rig.Token("alice");
        var (release, first) = await rig.HoldCommitsAsync("alice", token);
        var retry = rig.PlaceAsync("alice", token);
        rig.Time.Advance(PastEveryDeadline);

        Assert.Equal(OrderDecision.OutcomeUnknown, (await first).Decision);
        Assert.Equal(OrderDecision.OutcomeUnknown, (await retry).Decision);
        release.SetResult();
        await rig.AssertSettledAsync(available: 99);
    }

    [Fact]
    public async Task PlaceAsync_WhenTheOrderIsThereAndTheLedgerCannotBeRead_DoesNotSayThatNothingWasDone()
    {
        await using var rig = await WriterRig.StartAsync();
        var token = rig.Token("alice");
        Assert.Equal(OrderDecision.Placed, (await rig.PlaceAsync("alice", token)).Decision);

        rig.Faults.OnFind = new LedgerUnavailableException("it does not answer");
        Assert.Equal(OrderDecision.OutcomeUnknown, (await rig.PlaceAsync("alice", token)).Decision);

        rig.Faults.OnFind = null;
        Assert.Equal(OrderDecision.Repeated, (await rig.PlaceAsync("alice", token)).Decision);
    }

    [Fact]
    public async Task SubmitAsync_WhenTheGateCannotBeTold_AnswersAndGoesOn()
    {
        await using var rig = await WriterRig.StartAsync();
        rig.GateFaults.CannotBeTold = true;
        Assert.Equal(OrderDecision.Placed, (await rig.PlaceAsync("alice")).Decision);
        FailOnce(rig, (_, _) => throw new LedgerUnavailableException("the disk is full"));
        Assert.Equal(OrderDecision.LedgerUnavailable, (await rig.PlaceAsync("bob")).Decision);
        Assert.Equal(OrderDecision.Placed, (await rig.PlaceAsync("carol")).Decision);

        // Healed, it hears all that was missed from the stock, and drops what nobody works on.
        rig.GateFaults.CannotBeTold = false;
        rig.Time.Advance(Limits.GatePendingMax + TimeSpan.FromMilliseconds(1));
        await rig.SettleAsync();
        await rig.AssertSettledAsync(available: 98);
    }

    [Fact]
    public async Task StopAsync_WhenOrdersWait_AnswersThemAll()
    {
        await using var rig = await WriterRig.StartAsync(options: new LedgerWriterOptions(BatchMax: 2));
        var (release, first) = await rig.HoldCommitsAsync("first");
        var waiting = Enumerable.Range(0, 7).Select(i => rig.PlaceAsync($"user-{i}")).ToList();
        var stopping = rig.StopAsync();
        Assert.Equal(OrderDecision.QueueFull, (await rig.PlaceAsync("too-late")).Decision);
        release.SetResult();

        await stopping;
        Assert.All(await Task.WhenAll(waiting.Append(first)), answer => Assert.Equal(OrderDecision.Placed, answer.Decision));
        await rig.AssertSettledAsync(available: 92);
    }

    [Fact]
    public async Task StopAsync_WhenAnOutcomeIsUnknown_EndsAndSaysSo()
    {
        await using var rig = await WriterRig.StartAsync();
        rig.Faults.OnPlace = (_, _) => throw new LedgerOutcomeUnknownException("the connection was lost");
        var asked = rig.PlaceAsync("alice");
        await Eventually.HoldsAsync(() => !rig.Faults.Handed.IsEmpty, "the order is with the ledger");

        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
        await rig.Writer.StopAsync(patience.Token);

        Assert.Equal(OrderDecision.OutcomeUnknown, (await asked).Decision);
    }

    private static void FailOnce(WriterRig rig, Func<FaultyLedger.Commit, IReadOnlyList<OrderDraft>, Task<PlacementBatch>> failure) =>
        rig.Faults.OnPlace = (commit, drafts) =>
        {
            rig.Faults.OnPlace = (next, batch) => next(batch);
            return failure(commit, drafts);
        };
}
