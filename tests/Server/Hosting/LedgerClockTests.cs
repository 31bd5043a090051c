using FlashSale.Server.Hosting;
using FlashSale.Storage;
using FlashSale.Storage.Sqlite;

using Xunit;

namespace FlashSale.Tests.Server.Hosting;

public sealed class LedgerClockTests : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();
    private ILedger ledger = null!;

    public async ValueTask InitializeAsync() =>
        ledger = await SqliteLedger.OpenAsync(new SqliteLedgerOptions(folder.File("ledger.db")), TimeProvider.System, default);

    public async ValueTask DisposeAsync()
    {
        await ledger.DisposeAsync();
        folder.Dispose();
    }

    [Theory]
    [InlineData(5)]
    [InlineData(-5)]
    [InlineData(0)]
    public async Task AdjustAsync_WhenTheMachineIsWrong_GoesByTheLedger(int seconds)
    {
        var clock = new LedgerClock(TimeSpan.FromSeconds(seconds));
        Assert.InRange((clock.GetUtcNow() - TimeProvider.System.GetUtcNow()).TotalSeconds, seconds - 0.5, seconds + 0.5);

        var asked = TimeProvider.System.GetTimestamp();
        await clock.AdjustAsync(ledger, default);
        // It cannot know better than by half of the time that the answer took.
        var most = 0.5 + (TimeProvider.System.GetElapsedTime(asked).TotalSeconds / 2);

        Assert.InRange((clock.GetUtcNow() - TimeProvider.System.GetUtcNow()).TotalSeconds, -most, most);
        Assert.InRange(clock.Correction.TotalSeconds, -seconds - most, -seconds + most);
    }

    [Fact]
    public async Task AdjustAsync_WhenTheClocksAgree_ChangesNothing()
    {
        var clock = new LedgerClock(TimeSpan.Zero);
        for (var i = 0; i < 20; i++)
        {
            await clock.AdjustAsync(ledger, default);
        }

        Assert.InRange(clock.Correction.TotalMilliseconds, -100, 100);
    }
}
