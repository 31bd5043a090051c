using System.Diagnostics.Metrics;

using FlashSale.Core.Reservations;
using FlashSale.Core.Wire;
using FlashSale.Storage;

namespace FlashSale.Server.Telemetry;

/// <summary>What became of an attempt to assess a reservation.</summary>
public enum AssessmentOutcome
{
    Approved,
    Rejected,

    /// <summary>A provider was not asked, since it has not answered others: due again soon, and no attempt.</summary>
    Postponed,

    /// <summary>It failed, and is tried again.</summary>
    Failed,

    /// <summary>It failed too often.</summary>
    Dead,
}

/// <summary>Counts of this instance, and what waits in the ledger as it was last seen.</summary>
public sealed class RiskMetrics
{
    private readonly long[] outcomes = new long[Words<AssessmentOutcome>.ByValue.Count];
    private readonly TimeProvider time;
    private volatile IReadOnlyList<AssessmentBacklog> backlog = [];
    private readonly long[] reservations = new long[Words<ReservationStatus>.ByValue.Count];
    private readonly Histogram<double> scores;
    private long profileFailures;
    private long creditFailures;

    public RiskMetrics(SaleMetrics metrics, TimeProvider time)
    {
        this.time = time;
        metrics.ObserveCount("flashsale.assessments", "Attempts to assess a reservation by their outcome", () =>
            outcomes.Select((_, i) => new Measurement<long>(Interlocked.Read(ref outcomes[i]), new KeyValuePair<string, object?>("outcome", ((AssessmentOutcome)i).Word()))));
        metrics.ObserveCount("flashsale.risk.provider.failures", "Answers of a risk provider that could not be used", () =>
        [
            new Measurement<long>(Interlocked.Read(ref profileFailures), new KeyValuePair<string, object?>("provider", "profile")),
            new Measurement<long>(Interlocked.Read(ref creditFailures), new KeyValuePair<string, object?>("provider", "credit")),
        ]);
        metrics.Observe("flashsale.assessments.waiting", "Reservations in the ledger that wait for their assessment", () => One(Backlog.Sum(sale => sale.Waiting)));
        metrics.Observe("flashsale.assessments.dead", "Reservations in the ledger whose assessment failed too often", () => One(Backlog.Sum(sale => sale.Dead)));
        metrics.Observe("flashsale.assessments.oldest.age", "s", "How long the oldest of those that wait has waited", () => [new Measurement<double>(OldestAge().TotalSeconds)]);
        metrics.ObserveCount("flashsale.reservations", "Reservations that came into a status: made and waiting, or decided", () =>
            reservations.Select((_, i) => new Measurement<long>(Interlocked.Read(ref reservations[i]), new KeyValuePair<string, object?>("status", ((ReservationStatus)i).Word()))));
        scores = metrics.CreateHistogram("flashsale.risk.score", "Risk scores of reservations as they were assessed, 0 to 100");
    }

    /// <summary>By sale, at most a second old.</summary>
    public IReadOnlyList<AssessmentBacklog> Backlog
    {
        get => backlog;
        set => backlog = value;
    }

    public void Count(AssessmentOutcome outcome) => Interlocked.Increment(ref outcomes[(int)outcome]);

    /// <summary>By an assessment.</summary>
    public void Count(in DecidedReservation decided)
    {
        Count(decided.Status == ReservationStatus.Approved ? AssessmentOutcome.Approved : AssessmentOutcome.Rejected);
        CountReservation(decided.Status);
    }

    /// <summary>A reservation came into a status, by whomever.</summary>
    public void CountReservation(ReservationStatus status) => Interlocked.Increment(ref reservations[(int)status]);

    public void RecordScore(int score) => scores.Record(score);

    public void CountProfileFailure() => Interlocked.Increment(ref profileFailures);

    public void CountCreditFailure() => Interlocked.Increment(ref creditFailures);

    private TimeSpan OldestAge() => Backlog.Min(sale => sale.Since) is { } since && time.GetUtcNow() - since is var age && age > TimeSpan.Zero ? age : TimeSpan.Zero;

    private static Measurement<long>[] One(long value) => [new(value)];
}
