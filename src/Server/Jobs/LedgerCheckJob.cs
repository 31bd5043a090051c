using FlashSale.Server.Hosting;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Jobs;

/// <summary>Asks the ledger each second whether it reads and writes, so that readiness answers from memory, and what time it is.</summary>
public sealed class LedgerCheckJob(ILedger ledger, Readiness readiness, LedgerClock clock, TimeProvider time, ILogger<LedgerCheckJob> log)
    : RepeatingJob(TimeSpan.FromSeconds(1), time, log)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);
    private readonly TimeProvider time = time;

    protected override async Task StepAsync(CancellationToken stopping)
    {
        try
        {
            readiness.LedgerProblem = await ledger.CheckAsync(stopping).WaitAsync(Patience, time, stopping);
            if (readiness.LedgerProblem is null)
            {
                await clock.AdjustAsync(ledger, stopping).WaitAsync(Patience, time, stopping);
            }
        }
        catch (TimeoutException)
        {
            readiness.LedgerProblem = $"it did not answer within {Patience.TotalSeconds} s";
        }
    }
}
