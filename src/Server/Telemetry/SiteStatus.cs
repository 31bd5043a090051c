using System.Diagnostics.Metrics;

using FlashSale.Storage;

namespace FlashSale.Server.Telemetry;

/// <summary>How this instance stands with the published site.</summary>
public sealed class SiteStatus
{
    private volatile SiteHistory? history;
    private volatile Lag? behind;
    private volatile string? problem;
    private volatile string? diskProblem;
    private long shown;
    private long onDisk;
    private long failures;

    public SiteStatus(SaleMetrics metrics)
    {
        metrics.Observe("flashsale.site.version", "Version of the published pages that this instance serves; 0 for none", () => One(Shown));
        metrics.Observe("flashsale.site.version.disk", "Version of the published pages in the data directory of this instance; 0 for none", () => One(OnDisk));
        metrics.Observe("flashsale.site.held", "1 when an operator has rolled the published pages back", () => One(History is { Held: true } ? 1 : 0));
        metrics.Observe("flashsale.site.behind", "1 when the published pages are not those of the sales as they are", () => One(Behind is null ? 0 : 1));
        metrics.ObserveCount("flashsale.site.failures", "Publications that failed on this instance", () => One(Interlocked.Read(ref failures)));
    }

    /// <summary>As last read from the ledger; null before the first time, and on an instance that neither serves nor publishes pages.</summary>
    public SiteHistory? History
    {
        get => history;
        set => history = value;
    }

    /// <summary>The version that is served from memory; 0 for none.</summary>
    public long Shown
    {
        get => Interlocked.Read(ref shown);
        set => Interlocked.Exchange(ref shown, value);
    }

    /// <summary>The version that <c>current</c> leads to; 0 for none.</summary>
    public long OnDisk
    {
        get => Interlocked.Read(ref onDisk);
        set => Interlocked.Exchange(ref onDisk, value);
    }

    /// <summary>Since when what is published has not been made of the sales as they are; null when it was.</summary>
    public DateTimeOffset? Behind => behind?.Since;

    /// <summary>Why this instance could not make the pages; null when it could, or did not have to.</summary>
    public string? Problem => problem;

    /// <summary>Why the pages are not on disk; null when they are.</summary>
    public string? DiskProblem
    {
        get => diskProblem;
        set => diskProblem = value;
    }

    public void Compare(bool agrees, DateTimeOffset now) => behind = agrees ? null : behind ?? new Lag(now);

    /// <summary>False when it was known.</summary>
    public bool Fail(string why)
    {
        Interlocked.Increment(ref failures);
        var before = problem;
        problem = why;
        return before != why;
    }

    public void Succeed() => problem = null;

    private static Measurement<long>[] One(long value) => [new(value)];

    private sealed record Lag(DateTimeOffset Since);
}
