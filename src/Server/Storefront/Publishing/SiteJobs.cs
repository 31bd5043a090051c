using FlashSale.Core;
using FlashSale.Server.Jobs;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Storefront.Publishing;

/// <summary>Keeps what this instance shows the same as everywhere, and looks whether it is that of the sales as they are.</summary>
public sealed class SiteFollower(PublishedSite site, SitePublication publication, SiteStatus status, Readiness readiness, TimeProvider time, ILogger<SiteFollower> log)
    : RepeatingJob(Limits.SiteInterval, time, log)
{
    private readonly TimeProvider time = time;

    protected override async Task StepAsync(CancellationToken stopping)
    {
        await site.FollowAsync(stopping);
        if (readiness.Warm && status.History is { } history)
        {
            var current = history.Versions.FirstOrDefault(version => version.Number == history.Current);
            status.Compare(current is not null && SitePublication.SameSales(current.Fingerprint, publication.FingerprintOf(publication.Listed())), time.GetUtcNow());
        }
    }
}

/// <summary>
/// Publishes the site when the sales have changed, for all instances at once. What cannot be made leaves the version that is there. A change that time brings, a sale that is over for so long that it leaves
/// the list, is one like any other.
/// </summary>
public sealed class SitePublisher(
    ILedger ledger, PublishedSite site, SitePublication publication, SiteStatus status, Readiness readiness, Instance instance, TimeProvider time, ILogger<SitePublisher> log)
    : LeasedJob("site", Limits.SiteInterval, ledger, instance, time, log)
{
    private static readonly Actor Publisher = Actor.System("the sales have changed");
    private readonly ILedger ledger = ledger;
    private readonly TimeProvider time = time;
    private (string Fingerprint, long At)? failed;

    protected override async Task WorkAsync(CancellationToken stopping)
    {
        if (!readiness.Warm || status.History is not { Held: false } history)
        {
            return;
        }

        var sales = publication.Listed();
        var fingerprint = publication.FingerprintOf(sales);
        if (history.Versions is [var newest, ..] && newest.Fingerprint == fingerprint && newest.Number == history.Current)
        {
            status.Succeed();
            return;
        }

        if (failed is { } before && before.Fingerprint == fingerprint && time.GetElapsedTime(before.At) < Limits.SiteRetry)
        {
            return;
        }

        try
        {
            var files = await publication.RenderAsync(sales);
            if (await ledger.PublishSiteAsync(fingerprint, files, release: false, Publisher, stopping) is { } version)
            {
                log.LogInformation("Version {Version} of the site is published: {Files} files, {Sales} sales", version.Number, files.Count, sales.Count);
            }

            failed = null;
        }
        catch (Exception exception) when (exception is not (LedgerUnavailableException or LedgerBusyException or LedgerOutcomeUnknownException or OperationCanceledException))
        {
            failed = (fingerprint, time.GetTimestamp());
            if (status.Fail("The pages could not be made: " + exception.Message))
            {
                log.LogError(exception, "The pages could not be made; those that are published stay");
            }
        }

        await site.FollowAsync(stopping);
    }
}

/// <summary>Keeps a copy of the site on disk, for web servers on this machine. What fails is tried again, and never keeps memory from being served.</summary>
public sealed class SiteDiskJob(PublishedSite site, SiteFolder folder, SiteStatus status, TimeProvider time, ILogger<SiteDiskJob> log) : RepeatingJob(Limits.SiteInterval, time, log)
{
    private readonly TimeProvider time = time;
    private ShownSite? written;
    private long? failedAt;

    protected override Task StepAsync(CancellationToken stopping)
    {
        if (site.Shown is not { } shown || ReferenceEquals(shown, written) || (failedAt is { } at && time.GetElapsedTime(at) < Limits.SiteRetry))
        {
            return Task.CompletedTask;
        }

        try
        {
            folder.Write(shown);
            (written, failedAt) = (shown, null);
            (status.OnDisk, status.DiskProblem) = (shown.Number, null);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            failedAt = time.GetTimestamp();
            if (status.DiskProblem is null)
            {
                log.LogError("Version {Version} of the site is served, and cannot be written to disk: {Problem}", shown.Number, exception.Message);
            }

            status.DiskProblem = exception.Message;
        }

        return Task.CompletedTask;
    }
}
