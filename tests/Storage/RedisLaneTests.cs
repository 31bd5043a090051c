using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Storage;

using Xunit;

using AdmissionLane = FlashSale.Storage.Redis.RedisLane<FlashSale.Storage.AdmissionRequest, FlashSale.Core.Orders.AdmissionOutcome>;
using RedisAdmission = FlashSale.Storage.Redis.RedisAsk<FlashSale.Storage.AdmissionRequest, FlashSale.Core.Orders.AdmissionOutcome>;

using static FlashSale.Tests.Storage.GateContract;

namespace FlashSale.Tests.Storage;

/// <summary>Who goes with which call, and what becomes of those that wait.</summary>
public sealed class RedisLaneTests
{
    private static readonly SaleId SaleId = GateContract.SaleId;
    private static readonly OfferId OfferId = GateContract.OfferId;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);
    private readonly StandingClock time = new();
    private readonly List<(RedisAdmission[] Batch, TaskCompletionSource Done)> calls = [];
    private readonly AdmissionLane lane;

    public RedisLaneTests() => lane = new AdmissionLane(CallAsync, Patience, time);

    [Fact]
    public async Task AskAsync_WhileACallIsUnderWay_SharesTheNextUpToABatch()
    {
        var admissions = Admit(1 + Limits.GateLaneBatch + 5);
        Assert.Single(calls);
        Assert.Single(calls[0].Batch);
        Answer(0);
        Assert.Equal(Limits.GateLaneBatch, calls[1].Batch.Length);
        Answer(1);
        Assert.Equal(5, calls[2].Batch.Length);
        Answer(2);
        await Task.WhenAll(admissions);

        // The lane is free again.
        Admit(1);
        Assert.Single(calls[3].Batch);
    }

    [Fact]
    public async Task AskAsync_WhenTooManyWait_RefusesAtOnce()
    {
        Admit(1 + Limits.GateLaneQueue);
        await Assert.ThrowsAsync<GateUnavailableException>(() => Admit(1)[0]);
        Answer(0);
        Admit(Limits.GateLaneBatch);
        await Assert.ThrowsAsync<GateUnavailableException>(() => Admit(1)[0]);
    }

    [Fact]
    public async Task AskAsync_WhenACallFails_FailsForItsBatchOnly()
    {
        var admissions = Admit(2);
        Fail(0, new GateUnavailableException("broken"));
        await Assert.ThrowsAsync<GateUnavailableException>(() => admissions[0]);
        Answer(1);
        Assert.Equal(AdmissionOutcome.Admitted, await admissions[1]);
    }

    [Fact]
    public async Task AskAsync_WhenACallHasNoAnswerInTime_FailsForThoseBehindItToo()
    {
        var admissions = Admit(3 * Limits.GateLaneBatch);
        Fail(0, new GateUnavailableException("late", new TimeoutException()));
        foreach (var admission in admissions)
        {
            await Assert.ThrowsAsync<GateUnavailableException>(() => admission);
        }

        Assert.Single(calls);
        var next = Admit(1);
        Answer(1);
        Assert.Equal(AdmissionOutcome.Admitted, await next[0]);
    }

    [Fact]
    public async Task AskAsync_WhenItWaitedTooLong_IsNotSent()
    {
        var admissions = Admit(2);
        time.Elapsed = Patience + TimeSpan.FromMilliseconds(1);
        admissions = [.. admissions, .. Admit(1)];
        Answer(0);
        await Assert.ThrowsAsync<GateUnavailableException>(() => admissions[1]);
        Assert.Single(calls[1].Batch);
        Answer(1);
        Assert.Equal(AdmissionOutcome.Admitted, await admissions[2]);
    }

    [Fact]
    public async Task AskAsync_WhenACallerGoes_LeavesTheOthersAlone()
    {
        using var gone = new CancellationTokenSource();
        var sent = lane.AskAsync(Request(), gone.Token).AsTask();
        var waits = lane.AskAsync(Request(), gone.Token).AsTask();
        var stays = Admit(1)[0];
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sent);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waits);
        Answer(0);
        Assert.Single(calls[1].Batch);
        Answer(1);
        Assert.Equal(AdmissionOutcome.Admitted, await stays);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => lane.AskAsync(Request(), gone.Token).AsTask());
    }

    private static AdmissionRequest Request() => new(SaleId, OfferId, Id(), UserId.Parse("alice"), Opening);

    private Task<AdmissionOutcome>[] Admit(int count) => [.. Enumerable.Range(0, count).Select(_ => AdmitAsync())];

    private async Task<AdmissionOutcome> AdmitAsync() => await lane.AskAsync(Request(), default);

    private async Task CallAsync(RedisAdmission[] batch)
    {
        var done = new TaskCompletionSource();
        calls.Add((batch, done));
        await done.Task;
        foreach (var admission in batch)
        {
            admission.SetResult(AdmissionOutcome.Admitted);
        }
    }

    /// <summary>The lane goes on before this returns.</summary>
    private void Answer(int call) => calls[call].Done.SetResult();

    private void Fail(int call, Exception exception) => calls[call].Done.SetException(exception);

    private sealed class StandingClock : TimeProvider
    {
        public TimeSpan Elapsed { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Elapsed.Ticks;
    }
}
