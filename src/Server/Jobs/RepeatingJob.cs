namespace FlashSale.Server.Jobs;

/// <summary>Does its step again and again; a step that fails is logged once for each run of failures and tried again.</summary>
public abstract class RepeatingJob(TimeSpan interval, TimeProvider time, ILogger log) : BackgroundService
{
    private bool failing;

    protected abstract Task StepAsync(CancellationToken stopping);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Starting must not wait for the first step.
        await Task.Yield();
        using var timer = new PeriodicTimer(interval, time);
        do
        {
            try
            {
                await StepAsync(stoppingToken);
                failing = false;
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                if (!failing)
                {
                    log.LogError("{Job} failed and is tried again: {Problem}", GetType().Name, exception.Message);
                }

                failing = true;
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
