using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Risk;

/// <summary>Looks once a second what waits for its assessment, for the metrics.</summary>
public sealed class AssessmentWatch(ILedger ledger, RiskMetrics metrics, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            try
            {
                metrics.Backlog = await ledger.CountAssessmentsAsync(stoppingToken);
            }
            catch (Exception) when (!stoppingToken.IsCancellationRequested)
            {
                // Readiness says so; the last known stays.
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
