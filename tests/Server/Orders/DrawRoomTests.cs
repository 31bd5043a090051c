using FlashSale.Core;
using FlashSale.Core.Draws;
using FlashSale.Core.Sales;
using FlashSale.Server.Http;
using FlashSale.Server.Orders;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

using Xunit;

namespace FlashSale.Tests.Server.Orders;

/// <summary>The draw as one instance runs it, with a clock that the test moves; the sale opens with the test.</summary>
public sealed class DrawRoomTests
{
    private const int Window = 800;

    [Fact]
    public async Task PlaceAsync_WhenBotsComeAtOnceAndPeopleLater_GivesBothTheSameChance()
    {
        const int Each = 200;
        const int Stock = 100;
        await using var rig = await WriterRig.StartAsync(Stock, drawMs: Window);
        rig.Time.Advance(TimeSpan.FromMilliseconds(20));
        var bots = Enumerable.Range(0, Each).Select(i => rig.PlaceAsync($"bot-{i}")).ToList();
        rig.Time.Advance(TimeSpan.FromMilliseconds(580));
        var people = Enumerable.Range(0, Each).Select(i => rig.PlaceAsync($"person-{i}")).ToList();
        await EnteredAsync(rig, 2 * Each);
        Assert.DoesNotContain(bots.Concat(people), call => call.IsCompleted);

        await DrawAsync(rig);

        var answers = await Task.WhenAll(bots.Concat(people));
        Assert.Equal(Stock, answers.Count(answer => answer.Decision == OrderDecision.Placed));
        Assert.All(answers, answer => Assert.True(answer.Decision is OrderDecision.Placed or OrderDecision.GateSoldOut or OrderDecision.LedgerSoldOut));
        // 50 of 100, with a deviation of 4.3: in one of many millions of runs it is not within this.
        Assert.InRange(answers[..Each].Count(answer => answer.Order is not null), 24, 76);
        Assert.Equal(0, rig.Draws.Waiting);
        Assert.Equal(0, await rig.ReadAvailableAsync());

        // Those within the stock, and the ledger had them in the order of their ranks.
        var list = (await rig.Ledger.ReadDrawAsync(rig.Sale.Id, CancellationToken.None))!.Offers[0];
        Assert.Equal((2 * Each, (long)Stock), (list.Entries.Count, list.Stock));
        Assert.Equal(list.Entries.Take(Stock), rig.Faults.Handed.SelectMany(batch => batch).Take(Stock).Select(draft => DrawEntry.Of(draft.Id, draft.OfferId, draft.UserId)));
    }

    /// <summary>A draw is no way around the blacklist.</summary>
    [Fact]
    public async Task PlaceAsync_FromABarredDevice_IsStillFromOneAfterTheDraw()
    {
        await using var rig = await WriterRig.StartAsync(stock: 2, drawMs: Window);
        OrderSubmission? drawn = null;
        var call = rig.EnterAsync("anna", OrderDecision.BarredDevice, submission =>
        {
            drawn = submission;
            return new(new OrderAnswer(OrderDecision.BarredDevice));
        });
        await EnteredAsync(rig, 1);

        await DrawAsync(rig);

        Assert.Equal(OrderDecision.BarredDevice, (await call).Decision);
        Assert.Equal(OrderDecision.BarredDevice, drawn!.Barred);
    }

    [Fact]
    public async Task PlaceAsync_WithTheSameTokenWhileItWaits_GivesTheSameOrder()
    {
        await using var rig = await WriterRig.StartAsync(stock: 2, drawMs: Window);
        var token = rig.Token("anna");
        var calls = Enumerable.Range(0, 20).Select(_ => rig.PlaceAsync("anna", token)).ToList();
        await EnteredAsync(rig, 1);

        await DrawAsync(rig);

        var answers = await Task.WhenAll(calls);
        Assert.Single(answers.Select(answer => answer.Order!.Id).Distinct());
        Assert.Equal((1, 19), (answers.Count(answer => answer.Decision == OrderDecision.Placed), answers.Count(answer => answer.Decision == OrderDecision.Repeated)));
        Assert.Equal((OrderDecision.Repeated, answers[0].Order!.Id), await rig.PlaceAsync("anna", token) is var again ? (again.Decision, again.Order!.Id) : default);
        Assert.Equal(1, await rig.ReadAvailableAsync());
    }

    [Fact]
    public async Task PlaceAsync_WithSeveralTokensOfAUser_EntersOneAndLetsTheOthersGoBehindAll()
    {
        await using var rig = await WriterRig.StartAsync(stock: 1, drawMs: Window);
        var greedy = Enumerable.Range(0, 30).Select(_ => rig.PlaceAsync("greedy")).ToList();
        var other = rig.PlaceAsync("other");
        await EnteredAsync(rig, 2);

        await DrawAsync(rig);

        var list = (await rig.Ledger.ReadDrawAsync(rig.Sale.Id, CancellationToken.None))!.Offers[0];
        Assert.Equal(2, list.Entries.Count);
        var answers = await Task.WhenAll(greedy.Append(other));
        var placed = Assert.Single(answers, answer => answer.Order is not null).Order!;
        Assert.Equal(list.Entries[0], DrawEntry.Of(placed.Id, placed.OfferId, placed.UserId));
    }

    [Fact]
    public async Task PlaceAsync_WhenTheWindowIsOverAndNobodyIsDrawnYet_WaitsBehindThoseWhoAre()
    {
        await using var rig = await WriterRig.StartAsync(stock: 2, drawMs: Window);
        var inTime = new[] { rig.PlaceAsync("anna"), rig.PlaceAsync("ben") };
        await EnteredAsync(rig, 2);
        rig.Time.Advance(TimeSpan.FromMilliseconds(Window));
        var late = rig.PlaceAsync("late");

        rig.Time.Advance(Limits.DrawGrace);

        Assert.All(await Task.WhenAll(inTime), answer => Assert.Equal(OrderDecision.Placed, answer.Decision));
        Assert.True((await late).Decision is OrderDecision.GateSoldOut or OrderDecision.LedgerSoldOut);
        Assert.Equal(2, (await rig.Ledger.ReadDrawAsync(rig.Sale.Id, CancellationToken.None))!.Offers[0].Entries.Count);
    }

    [Fact]
    public async Task PlaceAsync_WhenThereIsEnoughForAll_ServesTheLateOnesWhenTheOthersHadTheirTime()
    {
        await using var rig = await WriterRig.StartAsync(stock: 9, drawMs: Window);
        var inTime = rig.PlaceAsync("anna");
        await EnteredAsync(rig, 1);
        rig.Time.Advance(TimeSpan.FromMilliseconds(Window));
        var late = rig.PlaceAsync("late");
        rig.Time.Advance(Limits.DrawGrace);
        Assert.Equal(OrderDecision.Placed, (await inTime).Decision);
        Assert.False(late.IsCompleted);

        rig.Time.Advance(Limits.DrawOthersAfter);

        Assert.Equal(OrderDecision.Placed, (await late).Decision);
        // It is over: nobody waits any more, though its longest time is not.
        await Eventually.HoldsAsync(async () => (await rig.PlaceAsync($"after-{Guid.NewGuid():N}")).Decision == OrderDecision.Placed, "who comes later is served");
        Assert.True(SalePhases.DrawIsOpen(rig.Sale, rig.Time.GetUtcNow()));
    }

    [Fact]
    public async Task PlaceAsync_WhenTheRoomIsFull_RefusesAndTheTokenMayTryAgain()
    {
        await using var rig = await WriterRig.StartAsync(stock: 9, drawMs: Window, drawEntries: 2);
        var tokens = new[] { rig.Token("anna"), rig.Token("ben"), rig.Token("carl") };
        var waiting = new[] { rig.PlaceAsync("anna", tokens[0]), rig.PlaceAsync("ben", tokens[1]) };

        Assert.Equal(OrderDecision.DrawFull, (await rig.PlaceAsync("carl", tokens[2])).Decision);
        Assert.Equal(2, rig.Draws.Waiting);
        // A repeat takes no room.
        var again = rig.PlaceAsync("anna", tokens[0]);
        Assert.False(again.IsCompleted);

        await EnteredAsync(rig, 2);
        await DrawAsync(rig);
        Assert.All(await Task.WhenAll(waiting), answer => Assert.Equal(OrderDecision.Placed, answer.Decision));
        Assert.Equal(OrderDecision.Repeated, (await again).Decision);
        rig.Time.Advance(Limits.DrawOthersAfter);
        Assert.Equal(OrderDecision.Placed, (await rig.PlaceAsync("carl", tokens[2])).Decision);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task PlaceAsync_WhenTheLedgerIsAwayAtTheEnd_RefusesAllAndTheTokensMayTryAgain(bool hangs)
    {
        await using var rig = await WriterRig.StartAsync(stock: 9, drawMs: Window);
        rig.Faults.OnFix = async fix =>
        {
            await (hangs ? Task.Delay(Timeout.Infinite, TestContext.Current.CancellationToken) : Task.CompletedTask);
            throw new LedgerUnavailableException("A test");
        };
        var tokens = Enumerable.Range(0, 5).Select(i => rig.Token($"user-{i}")).ToArray();
        var calls = tokens.Select((token, i) => rig.PlaceAsync($"user-{i}", token)).ToList();
        await EnteredAsync(rig, 5);
        rig.Time.Advance(TimeSpan.FromMilliseconds(Window) + Limits.DrawGrace);
        var late = rig.PlaceAsync("late");
        await Task.Delay(3 * Limits.DrawStep, TestContext.Current.CancellationToken);
        Assert.DoesNotContain(calls, call => call.IsCompleted);

        rig.Time.Advance(Limits.DrawPatience);

        var answers = await Task.WhenAll(calls.Append(late));
        Assert.All(answers, answer => Assert.Equal((OrderDecision.NotDrawn, null), (answer.Decision, answer.Order)));
        Assert.Equal(0, rig.Draws.Waiting);
        Assert.Empty(rig.Faults.Handed);
        Assert.Equal(9, await rig.ReadAvailableAsync());
        // The same tokens, as ordinary requests; the draw is never made up for.
        Assert.Equal(OrderDecision.Placed, (await rig.PlaceAsync("user-3", tokens[3])).Decision);
        rig.Faults.OnFix = fix => fix();
        Assert.False(await rig.Ledger.FixDrawAsync(rig.Sale.Id, CancellationToken.None));
        Assert.Null(await rig.Ledger.ReadDrawAsync(rig.Sale.Id, CancellationToken.None));
    }

    [Fact]
    public async Task PlaceAsync_WhenTheLedgerComesBackInTime_DrawsAllTheSame()
    {
        await using var rig = await WriterRig.StartAsync(stock: 3, drawMs: Window);
        var tries = 0;
        rig.Faults.OnEnter = async enter =>
        {
            // Written, and not known to be: it is written once more.
            var written = await enter();
            return ++tries > 1 ? written : throw new LedgerOutcomeUnknownException("A test");
        };
        rig.Faults.OnFix = fix => ++tries < 6 ? throw new LedgerUnavailableException("A test") : fix();
        var calls = Enumerable.Range(0, 3).Select(i => rig.PlaceAsync($"user-{i}")).ToList();
        await EnteredAsync(rig, 6);

        await DrawAsync(rig);

        Assert.All(await Task.WhenAll(calls), answer => Assert.Equal(OrderDecision.Placed, answer.Decision));
        Assert.Equal(3, (await rig.Ledger.ReadDrawAsync(rig.Sale.Id, CancellationToken.None))!.Offers[0].Entries.Count);
    }

    [Fact]
    public async Task PlaceAsync_WhenItsEntryCouldNotBeWrittenInTime_GoesBehindThoseOfTheList()
    {
        await using var rig = await WriterRig.StartAsync(stock: 2, drawMs: Window);
        var first = rig.PlaceAsync("first");
        await EnteredAsync(rig, 1);
        rig.Faults.OnEnter = enter => throw new LedgerUnavailableException("A test");
        var missed = Enumerable.Range(0, 3).Select(i => rig.PlaceAsync($"missed-{i}")).ToList();

        await DrawAsync(rig);

        Assert.Equal(OrderDecision.Placed, (await first).Decision);
        Assert.DoesNotContain(missed, call => call.IsCompleted);
        rig.Time.Advance(Limits.DrawOthersAfter);
        Assert.Equal(1, (await Task.WhenAll(missed)).Count(answer => answer.Order is not null));
        Assert.Equal("first", Assert.Single(rig.Faults.Handed.First()).UserId.Value);
        Assert.Single((await rig.Ledger.ReadDrawAsync(rig.Sale.Id, CancellationToken.None))!.Offers[0].Entries);
    }

    [Fact]
    public async Task PlaceAsync_WhenItsOwnDeadlineEndsBeforeTheDraw_IsRefusedAtOnce()
    {
        await using var rig = await WriterRig.StartAsync(stock: 2, drawMs: Window);

        Assert.Equal(OrderDecision.DeadlinePassed, (await rig.PlaceWithinAsync(TimeSpan.FromMilliseconds(Window) + Limits.DrawGrace - TimeSpan.FromMilliseconds(1), "anna")).Decision);
        Assert.Equal(0, rig.Draws.Waiting);
    }

    [Fact]
    public async Task PlaceAsync_WhenTheSaleIsPausedMeanwhile_SaysSoAtTheEnd()
    {
        await using var rig = await WriterRig.StartAsync(stock: 2, drawMs: Window);
        var call = rig.PlaceAsync("anna");
        await EnteredAsync(rig, 1);
        await rig.PauseAsync();
        Assert.Equal(OrderDecision.SalePaused, (await rig.PlaceAsync("ben")).Decision);

        await DrawAsync(rig);

        Assert.Equal(OrderDecision.SalePaused, (await call).Decision);
        Assert.Equal(2, await rig.ReadAvailableAsync());
    }

    [Fact]
    public async Task PlaceAsync_AfterTheWait_HasAFreshDeadline()
    {
        await using var rig = await WriterRig.StartAsync(stock: 2, drawMs: Limits.DrawMsMax);
        var call = rig.PlaceAsync("anna");
        await EnteredAsync(rig, 1);

        // Later than the two seconds that an order may wait by itself.
        rig.Time.Advance(TimeSpan.FromMilliseconds(Limits.DrawMsMax) + Limits.DrawGrace + TimeSpan.FromMilliseconds(400));

        Assert.Equal(OrderDecision.Placed, (await call).Decision);
    }

    /// <summary>Nobody is late by a slow machine alone: it is a clock that stands, and everybody is served while it does.</summary>
    [Fact]
    public async Task PlaceAsync_OfASaleThatDoesNotDraw_DoesNotWait()
    {
        await using var rig = await WriterRig.StartAsync(stock: 2);
        rig.Faults.OnEnter = rig.Faults.OnFix = _ => throw new InvalidOperationException("Nobody draws.");

        Assert.Equal(OrderDecision.Placed, (await rig.PlaceAsync("anna")).Decision);
        Assert.Null(rig.Sale.DrawCommitment);

        var now = rig.Time.GetUtcNow();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var open = false;
        for (var i = 0; i < 1_000; i++)
        {
            open |= SalePhases.DrawIsOpen(rig.Sale, now);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.False(open);
    }

    private static Task EnteredAsync(WriterRig rig, int entries) => Eventually.HoldsAsync(() => rig.Faults.Entered == entries, $"{entries} entries are with the ledger");

    private static async Task DrawAsync(WriterRig rig)
    {
        var until = DrawTimes.Of(rig.Sale).FixedFrom;
        rig.Time.Advance(until - rig.Time.GetUtcNow());
        await Eventually.HoldsAsync(async () => await rig.Ledger.ReadDrawAsync(rig.Sale.Id, CancellationToken.None) is not null, "the list is fixed");
    }
}
