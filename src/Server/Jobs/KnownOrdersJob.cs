using FlashSale.Core;
using FlashSale.Storage;

namespace FlashSale.Server.Jobs;

/// <summary>Keeps what the edge may answer without asking a gate on another machine, four times a second.</summary>
public sealed class KnownOrdersJob(KnownOrders orders, TimeProvider time, ILogger<KnownOrdersJob> log) : RepeatingJob(Limits.EdgeStateInterval, time, log)
{
    protected override Task StepAsync(CancellationToken stopping) => orders.RefreshAsync(stopping);
}
