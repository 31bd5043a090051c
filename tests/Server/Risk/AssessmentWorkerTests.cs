using FlashSale.Core;
using FlashSale.Core.Reservations;
using FlashSale.Core.Risk;
using FlashSale.Server.Risk;
using FlashSale.Storage;
using FlashSale.Tests.Storage;

using Xunit;

namespace FlashSale.Tests.Server.Risk;

public sealed class AssessmentWorkerTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Work_ByTwoAtOnce_DecidesEachReservationOnceAndTellsTheGate()
    {
        await using var rig = await WorkerRig.StartAsync();
        await rig.ReserveAsync(Enumerable.Range(0, 120).Select(i => i % 4 == 0 ? $"bad-{i}" : $"good-{i}"));

        await rig.StartWorkerAsync();
        await rig.StartWorkerAsync();
        await rig.ReachAsync(all => all.All(one => one.State == AssessmentState.Done), "all are assessed", TimeSpan.Zero);

        Assert.All(await rig.ReadAsync(), one => Assert.Equal(one.UserId.Value.StartsWith("bad", StringComparison.Ordinal) ? ReservationStatus.Rejected : ReservationStatus.Approved, one.Status));
        Assert.Equal(30, (await rig.Ledger.ListBarredUsersAsync()).Count);
        Assert.Equal(30, (await rig.Ledger.ListAuditAsync(null, 500, default)).Count(entry => entry.Action == "reservation.reject"));
        await Eventually.HoldsAsync(
            async () => await rig.Gate.CheckAsync(rig.Sale.Id, UserId.Parse("bad-0"), rig.Time.GetUtcNow(), default) == Eligibility.NotEligible
                && await rig.Gate.CheckAsync(rig.Sale.Id, UserId.Parse("good-119"), rig.Time.GetUtcNow(), default) == Eligibility.Eligible,
            "the gate knows");
    }

    /// <summary>A worker stands still with what it has claimed; another takes over, and the first wakes up with an answer of its own.</summary>
    [Fact]
    public async Task Work_WhenOneWakesUpTooLate_StandsWhatTheOtherDecided()
    {
        await using var rig = await WorkerRig.StartAsync();
        await rig.ReserveAsync(["bad-sleeper"]);
        await rig.BehaveAsync(new { latencyMs = 1_200 });
        await rig.StartWorkerAsync();
        await Eventually.HoldsAsync(async () => (await rig.Ledger.ClaimAssessmentsAsync(1, TimeSpan.Zero, default)).Count == 0, "it is claimed");

        await rig.BehaveAsync(new { latencyMs = 0 });
        rig.Time.Advance(Limits.AssessmentVisibility + Second);
        await rig.StartWorkerAsync();
        await rig.ReachAsync(all => all[0].State == AssessmentState.Done, "the other decides", TimeSpan.Zero);
        var decided = (await rig.ReadAsync())[0];
        await Task.Delay(1_500);

        Assert.Equivalent(decided, (await rig.ReadAsync())[0]);
        Assert.Single(await rig.Ledger.ListAuditAsync(null, 100, default), entry => entry.Action == "reservation.reject");
    }

    [Fact]
    public async Task Work_WhenAProviderNeverAnswersForSomebody_EndsDeadUntilSomebodyRetries()
    {
        await using var rig = await WorkerRig.StartAsync();
        await rig.BehaveAsync(new { failPercent = 100 });
        await rig.ReserveAsync(["lost"]);
        await rig.StartWorkerAsync();

        await rig.ReachAsync(all => all[0].State == AssessmentState.Dead, "it is given up", TimeSpan.FromSeconds(5));
        var dead = (await rig.ReadAsync())[0];
        Assert.Equal((ReservationStatus.Pending, Limits.AssessmentAttempts), (dead.Status, dead.Attempts));
        Assert.Contains("500", dead.Problem);
        await rig.BehaveAsync(new { failPercent = 0 });
        rig.Time.Advance(TimeSpan.FromMinutes(5));
        await Task.Delay(100);
        Assert.Equal(AssessmentState.Dead, (await rig.ReadAsync())[0].State);

        await rig.Ledger.RetryAssessmentAsync(dead.ReservationId, Actor.System("test"), default);
        await rig.ReachAsync(all => all[0].Status == ReservationStatus.Approved, "it is assessed", Second);
    }

    [Fact]
    public async Task Work_WhileAProviderIsAwayForLong_GivesUpOnNobody()
    {
        await using var rig = await WorkerRig.StartAsync();
        await rig.BehaveAsync(new { down = true });
        await rig.ReserveAsync(Enumerable.Range(0, 40).Select(i => $"patient-{i}"));
        await rig.StartWorkerAsync();

        // Ten minutes, by the clock of ledger and breakers.
        for (var i = 0; i < 150; i++)
        {
            rig.Time.Advance(TimeSpan.FromSeconds(4));
            await Task.Delay(10);
        }

        Assert.All(await rig.ReadAsync(), one => Assert.Equal(ReservationStatus.Pending, one.Status));
        await rig.BehaveAsync(new { down = false });
        await rig.ReachAsync(all => all.All(one => one.State != AssessmentState.Waiting), "nobody waits", Second);
        Assert.InRange((await rig.ReadAsync()).Count(one => one.Status == ReservationStatus.Approved), 30, 40);
    }

    /// <summary>404 says that nothing is known: no reason to reject, and none to wait.</summary>
    [Fact]
    public async Task Work_WhenTheProvidersDoNotKnowSomebody_LeavesTheirInputsAbsent()
    {
        await using var rig = await WorkerRig.StartAsync();
        await rig.ReserveAsync(["unknown-person"]);
        await rig.StartWorkerAsync();

        await rig.ReachAsync(all => all[0].State == AssessmentState.Done, "it is assessed", TimeSpan.Zero);

        var one = (await rig.ReadAsync())[0];
        Assert.Equal(ReservationStatus.Approved, one.Status);
        Assert.Null(one.Inputs![RiskInput.CreditRisk]);
        Assert.Null(one.Inputs[RiskInput.AccountAgeDays]);
    }

    [Fact]
    public async Task Work_ForAnIdThatIsNoSegmentOfAPath_AsksForNobodyElse()
    {
        await using var rig = await WorkerRig.StartAsync();
        await rig.ReserveAsync(["..", "next"]);
        await rig.StartWorkerAsync();

        await rig.ReachAsync(all => all.Any(one => one.State == AssessmentState.Done), "the other is assessed", TimeSpan.Zero);

        var odd = (await rig.ReadAsync()).Single(one => one.UserId.Value == "..");
        Assert.Equal((AssessmentState.Waiting, ReservationStatus.Pending), (odd.State, odd.Status));
    }

    [Theory]
    [InlineData(1, 0.25, 0.5)]
    [InlineData(2, 0.5, 1)]
    [InlineData(5, 4, 8)]
    [InlineData(12, 15, 30)]
    public void PauseAfter_ByAttempts_DoublesUpToItsBoundAndIsSpread(int attempts, double from, double to)
    {
        var pauses = Enumerable.Range(0, 50).Select(_ => AssessmentWorker.PauseAfter(attempts).TotalSeconds).ToList();

        Assert.All(pauses, pause => Assert.InRange(pause, from, to));
        Assert.True(pauses.Distinct().Count() > 10);
    }
}
