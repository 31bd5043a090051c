using FlashSale.Core;
using FlashSale.Storage;

namespace FlashSale.Server.Jobs;

/// <summary>What tells this instance from all others, for as long as it runs.</summary>
public sealed record Instance(string Id)
{
    public static Instance Create() => new($"{Environment.MachineName}-{Environment.ProcessId}-{Guid.NewGuid():N}");
}

/// <summary>
/// Work that one instance does for all. It is whose lease it is; when that instance dies, another takes over after <see cref="Limits.LeaseLength"/>. A lease is
/// no lock: the work itself must bear to be done twice at once, for an instance that was frozen may wake up in the middle of it.
/// </summary>
public abstract class LeasedJob(string name, TimeSpan interval, ILedger ledger, Instance instance, TimeProvider time, ILogger log)
    : RepeatingJob(interval, time, log)
{
    private readonly TimeProvider time = time;
    private long? renewedAt;

    protected abstract Task WorkAsync(CancellationToken stopping);

    /// <summary>Another instance does it now.</summary>
    protected virtual void Yield()
    {
    }

    protected sealed override async Task StepAsync(CancellationToken stopping)
    {
        if (renewedAt is not { } renewed || time.GetElapsedTime(renewed) >= Limits.LeaseRenewal)
        {
            var asked = time.GetTimestamp();
            renewedAt = await ledger.TryLeaseAsync(name, instance.Id, Limits.LeaseLength, stopping) ? asked : null;
        }

        if (renewedAt is not null)
        {
            await WorkAsync(stopping);
        }
        else
        {
            Yield();
        }
    }

    /// <summary>Gives the work to the next at once, so that a restart is no pause.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (renewedAt is not null)
        {
            try
            {
                await ledger.ReleaseLeaseAsync(name, instance.Id, cancellationToken);
            }
            catch (Exception exception) when (exception is LedgerUnavailableException or LedgerBusyException or LedgerOutcomeUnknownException or OperationCanceledException)
            {
                // It runs out by itself.
            }
        }
    }
}
