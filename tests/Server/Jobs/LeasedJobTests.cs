using FlashSale.Core;
using FlashSale.Server.Jobs;
using FlashSale.Storage;
using FlashSale.Storage.Sqlite;

using Microsoft.Extensions.Logging.Abstractions;

using Xunit;

namespace FlashSale.Tests.Server.Jobs;

/// <summary>
/// Several instances, one ledger: the work is one's at a time. No lease runs out by itself, as on a machine that stands still for longer than it lasts: the clock of
/// the ledger is the test's.
/// </summary>
public sealed class LeasedJobTests : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();
    private readonly ManualTime time = new();
    private ILedger ledger = null!;

    public async ValueTask InitializeAsync() =>
        ledger = await SqliteLedger.OpenAsync(new SqliteLedgerOptions(folder.File("ledger.db")), time, default);

    public async ValueTask DisposeAsync()
    {
        await ledger.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task WorkAsync_OnSeveralInstances_IsDoneByOneAndByTheNextWhenThatStops()
    {
        using var first = new CountingJob(ledger);
        using var second = new CountingJob(ledger);
        await first.StartAsync(default);
        await Eventually.HoldsAsync(() => first.Done > 0, "the first one works");
        await second.StartAsync(default);
        await Task.Delay(Limits.LeaseRenewal);
        Assert.Equal(0, second.Done);

        // It gives the work up as it stops: nobody waits for the lease to run out.
        await first.StopAsync(default);
        var done = first.Done;
        await Eventually.HoldsAsync(() => second.Done > 0, "the second one works");
        Assert.Equal(done, first.Done);
        await second.StopAsync(default);
    }

    [Fact]
    public async Task WorkAsync_WhenTheOwnerDies_IsTakenOver()
    {
        Assert.True(await ledger.TryLeaseAsync("counting", "an instance that was killed", Limits.LeaseLength, default));
        using var job = new CountingJob(ledger);
        await job.StartAsync(default);
        Assert.Equal(0, job.Done);
        time.Advance(Limits.LeaseLength + TimeSpan.FromMilliseconds(1));
        await Eventually.HoldsAsync(() => job.Done > 0, "the work was taken over");
        await job.StopAsync(default);
    }

    private sealed class CountingJob(ILedger ledger)
        : LeasedJob("counting", TimeSpan.FromMilliseconds(10), ledger, Instance.Create(), TimeProvider.System, NullLogger.Instance)
    {
        private int done;

        public int Done => Volatile.Read(ref done);

        protected override Task WorkAsync(CancellationToken stopping)
        {
            Interlocked.Increment(ref done);
            return Task.CompletedTask;
        }
    }
}
