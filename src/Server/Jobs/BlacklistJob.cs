using FlashSale.Core;
using FlashSale.Storage;

namespace FlashSale.Server.Jobs;

/// <summary>Deletes entries of the blacklist that have run out. They bar nobody any more, whether they are there or not.</summary>
public sealed class BlacklistJob(ILedger ledger, Instance instance, TimeProvider time, ILogger<BlacklistJob> log)
    : LeasedJob("blacklist", Limits.LeaseRenewal, ledger, instance, time, log)
{
    private readonly ILedger ledger = ledger;
    private readonly TimeProvider time = time;
    private long? doneAt;

    protected override async Task WorkAsync(CancellationToken stopping)
    {
        if (doneAt is { } done && time.GetElapsedTime(done) < Limits.BlacklistForgetInterval)
        {
            return;
        }

        while (await ledger.ForgetBlacklistAsync(Limits.BlacklistForgotten, stopping) == Limits.BlacklistForgotten)
        {
            // There may be more.
        }

        doneAt = time.GetTimestamp();
    }
}
