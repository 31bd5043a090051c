using FlashSale.Storage;

namespace FlashSale.Server.Jobs;

/// <summary>Erases what is kept of people for risk control when its time is over (docs/risk.md, Privacy).</summary>
public sealed class ForgetJob(ILedger ledger, Instance instance, TimeProvider time, ILogger<ForgetJob> log)
    : LeasedJob("forget", TimeSpan.FromMinutes(10), ledger, instance, time, log)
{
    private readonly ILedger ledger = ledger;

    protected override async Task WorkAsync(CancellationToken stopping)
    {
        while (await ledger.ForgetAsync(stopping))
        {
            // A piece at a time: others write in between.
        }
    }
}
