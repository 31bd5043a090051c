using FlashSale.Tools.Verify;

namespace FlashSale.Tools.Load;

/// <summary>Everything that a report tells.</summary>
internal sealed class RunOutcome(LoadSettings settings, IReadOnlyList<PlannedSale> sales, Metrics metrics, long startedAt, DateTimeOffset opensAt)
{
    public LoadSettings Settings => settings;
    public IReadOnlyList<PlannedSale> Sales => sales;
    public Metrics Metrics => metrics;
    public DateTimeOffset StartedAt => RunClock.ToTime(startedAt);

    /// <summary>By the server's clock.</summary>
    public DateTimeOffset OpensAt => opensAt;
    public long ClockOffset { get; init; }
    public long ClockError { get; init; }
    public int Entries { get; init; }
    public int SalesWarm { get; set; }

    /// <summary>Every unit sold and paid, nobody busy.</summary>
    public bool Settled { get; set; }
    public bool TimedOut { get; set; }

    /// <summary>Shoppers who were still waiting for a unit at the end.</summary>
    public int WentWithout { get; set; }
    public long EndedAt { get; set; }
    public string ServerFacts { get; set; } = "";
    public AuditReport Report { get; set; } = new([], 0, 0);

    public TimeSpan Duration => RunClock.ToTime(EndedAt) - StartedAt;

    /// <summary>Answers to order attempts in the busiest second, and orders placed in theirs.</summary>
    public (long Answers, long Placed) Peak => (
        metrics.Seconds.Select(row => Sum(row.Second)).DefaultIfEmpty(0).Max(),
        metrics.Seconds.Select(row => row.Second.Placed).DefaultIfEmpty(0).Max());

    public static long Sum(Metrics.Second second) => second.Placed + second.SoldOut + second.Shed + second.Other;
}
