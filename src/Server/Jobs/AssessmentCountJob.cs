using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Jobs;

/// <summary>Looks once a second what waits for its assessment, for metrics and readiness; while the ledger is away the last known stays.</summary>
public sealed class AssessmentCountJob(ILedger ledger, RiskMetrics metrics, TimeProvider time, ILogger<AssessmentCountJob> log)
    : RepeatingJob(TimeSpan.FromSeconds(1), time, log)
{
    protected override async Task StepAsync(CancellationToken stopping) => metrics.Backlog = await ledger.CountAssessmentsAsync(stopping);
}
