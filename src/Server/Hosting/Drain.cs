using FlashSale.Server.Telemetry;

namespace FlashSale.Server.Hosting;

/// <summary>Asked to stop, the instance first says that it is not ready, for long enough that a balancer sees it; then the server ends what is in flight.</summary>
public sealed class Drain(Readiness readiness, TimeProvider time) : IHostedLifecycleService
{
    private static readonly TimeSpan Notice = TimeSpan.FromSeconds(1);

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        readiness.Draining = true;
        await Task.Delay(Notice, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
