using FlashSale.Core;
using FlashSale.Storage;
using FlashSale.Tests.Server.Orders;

using Polly.CircuitBreaker;

using Xunit;

namespace FlashSale.Tests.Storage;

/// <summary>When a breaker opens, tries and closes; the clock is the test's.</summary>
public sealed class BreakerTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);
    private readonly SteppedTime time = new();
    private int calls;

    public static TheoryData<bool> Kinds { get; } = [true, false];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task TryAsync_WhenCallsFail_OpensAtTheThresholdAndNotBelow(bool many)
    {
        var (breaker, threshold, _) = Make(many);
        for (var i = 1; i < threshold; i++)
        {
            await FailAsync(breaker);
            Assert.Equal(BreakerState.Closed, breaker.State);
        }

        await FailAsync(breaker);
        Assert.Equal((BreakerState.Open, true), (breaker.State, breaker.Rejects));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task TryAsync_WhenLessThanHalfOfTheCallsFail_StaysClosed(bool many)
    {
        var (breaker, threshold, _) = Make(many);
        for (var i = 0; i < 10 * threshold; i++)
        {
            await SucceedAsync(breaker);
            await SucceedAsync(breaker);
            await FailAsync(breaker);
        }

        Assert.Equal(BreakerState.Closed, breaker.State);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task TryAsync_WhenFailuresAreFarApart_StaysClosed(bool many)
    {
        var (breaker, threshold, window) = Make(many);
        for (var i = 0; i < 10 * threshold; i++)
        {
            await FailAsync(breaker);
            time.Advance(window / (threshold - 1) + Tick);
        }

        Assert.Equal(BreakerState.Closed, breaker.State);
    }

    [Fact]
    public async Task TryAsync_WhileItIsOpen_RejectsAndCounts()
    {
        var breaker = await OpenAsync();
        time.Advance(Limits.BreakerBreak - Tick);
        var before = calls;

        await RejectAsync(breaker);
        await RejectAsync(breaker);

        Assert.Equal((before, 2, BreakerState.Open), (calls, breaker.Rejections, breaker.State));
    }

    [Fact]
    public async Task TryAsync_AfterTheBreak_MakesOneTrialAndRejectsTheRestMeanwhile()
    {
        var breaker = await OpenAsync();
        time.Advance(Limits.BreakerBreak);
        Assert.Equal((BreakerState.HalfOpen, false), (breaker.State, breaker.Rejects));

        var trial = new TaskCompletionSource<int>();
        var trying = breaker.TryAsync(static asked => new ValueTask<int>(asked), trial.Task);
        Assert.Equal((BreakerState.HalfOpen, true), (breaker.State, breaker.Rejects));
        await RejectAsync(breaker);

        trial.SetResult(1);
        Assert.Null((await trying).Exception);
        Assert.Equal((BreakerState.Closed, false), (breaker.State, breaker.Rejects));
        await SucceedAsync(breaker);
    }

    [Fact]
    public async Task TryAsync_WhenTheTrialFails_IsOpenForAnotherBreak()
    {
        var breaker = await OpenAsync();
        for (var i = 0; i < 3; i++)
        {
            time.Advance(Limits.BreakerBreak);
            await FailAsync(breaker);
            await RejectAsync(breaker);
            Assert.Equal(BreakerState.Open, breaker.State);
        }

        time.Advance(Limits.BreakerBreak);
        await SucceedAsync(breaker);
        Assert.Equal(BreakerState.Closed, breaker.State);
    }

    [Fact]
    public async Task TryAsync_WhenTheDependencyRefuses_ThrowsThatAndStaysClosed()
    {
        var (breaker, threshold, _) = Make(many: true);
        foreach (var refusal in (Exception[])[new LedgerBusyException(), new BatchRejectedException("A row was refused"), new OperationCanceledException(), new InvalidOperationException("A defect")])
        {
            for (var i = 0; i < 4 * threshold; i++)
            {
                var thrown = await Assert.ThrowsAnyAsync<Exception>(() => breaker.TryAsync<Exception, int>(static refusal => throw refusal, refusal).AsTask());
                Assert.Same(refusal, thrown);
            }
        }

        Assert.Equal(BreakerState.Closed, breaker.State);
    }

    [Fact]
    public async Task TryAsync_WhenTheTrialIsRefusedByTheDependency_Closes()
    {
        var breaker = await OpenAsync();
        time.Advance(Limits.BreakerBreak);

        await Assert.ThrowsAsync<LedgerBusyException>(() => breaker.TryAsync<int, int>(static _ => throw new LedgerBusyException(), 0).AsTask());

        Assert.Equal(BreakerState.Closed, breaker.State);
    }

    [Fact]
    public async Task ReadAsync_WhenTheLedgerHangs_GivesUpInTimeAndThenDoesNotAsk()
    {
        var path = new LedgerPath(Breaker.ForFew("test", time), new HastyTime());
        var hangs = new TaskCompletionSource<int>();
        for (var i = 0; i < Limits.SlowBreakerCalls; i++)
        {
            await Assert.ThrowsAsync<LedgerUnavailableException>(() => path.ReadAsync(static hangs => hangs, hangs.Task));
        }

        hangs.SetResult(1);
        var problem = await Assert.ThrowsAsync<LedgerUnavailableException>(() => path.ReadAsync(static hangs => hangs, hangs.Task));
        Assert.Contains("\"test\" is open", problem.Message, StringComparison.Ordinal);
        Assert.Equal((BreakerState.Open, 1), (path.Breaker.State, path.Breaker.Rejections));
    }

    [Fact]
    public async Task WriteAsync_WhenTheLedgerHangs_CallsTheOutcomeUnknown()
    {
        var path = new LedgerPath(Breaker.ForFew("test", time), new HastyTime());
        for (var i = 0; i < Limits.SlowBreakerCalls; i++)
        {
            await Assert.ThrowsAsync<LedgerOutcomeUnknownException>(() => path.WriteAsync(static hangs => hangs, new TaskCompletionSource<int>().Task));
        }

        // Not asked is certain again.
        await Assert.ThrowsAsync<LedgerUnavailableException>(() => path.WriteAsync(static _ => Task.FromResult(1), 0));
    }

    private (Breaker Breaker, int Threshold, TimeSpan Window) Make(bool many) => many
        ? (Breaker.ForMany("test", time), Limits.BreakerCalls, Limits.BreakerWindow)
        : (Breaker.ForFew("test", time), Limits.SlowBreakerCalls, Limits.SlowBreakerWindow);

    private async Task<Breaker> OpenAsync()
    {
        var (breaker, threshold, _) = Make(many: true);
        for (var i = 0; i < threshold; i++)
        {
            await FailAsync(breaker);
        }

        Assert.Equal(BreakerState.Open, breaker.State);
        return breaker;
    }

    private async Task FailAsync(Breaker breaker)
    {
        var failure = new GateUnavailableException("It is gone.");
        var outcome = await breaker.TryAsync<Exception, int>(
            failure =>
            {
                calls++;
                throw failure;
            },
            failure);
        Assert.Same(failure, outcome.Exception);
    }

    private async Task SucceedAsync(Breaker breaker)
    {
        var outcome = await breaker.TryAsync(
            answer =>
            {
                calls++;
                return new ValueTask<int>(answer);
            },
            7);
        Assert.Null(outcome.Exception);
        Assert.Equal(7, outcome.Result);
    }

    private async Task RejectAsync(Breaker breaker)
    {
        var outcome = await breaker.TryAsync(
            answer =>
            {
                calls++;
                return new ValueTask<int>(answer);
            },
            7);
        Assert.IsType<BrokenCircuitException>(outcome.Exception, exactMatch: false);
    }

    /// <summary>Its timers run out a hundred times as early.</summary>
    private sealed class HastyTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            System.CreateTimer(callback, state, dueTime / 100, period);
    }
}
