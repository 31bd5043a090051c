using System.Threading.RateLimiting;

using FlashSale.Core.RateLimits;
using FlashSale.Server.Edge;
using FlashSale.Tests.Server.Orders;

using Xunit;

namespace FlashSale.Tests.Server.Edge;

public sealed class BorrowingRateLimiterTests
{
    private readonly SteppedTime time = new();

    [Fact]
    public async Task AcquireAsync_OfFiveAtTwentyASecond_GivesAtOnceAndLetsTheNextOneWait()
    {
        var owed = TimeSpan.FromMilliseconds(250);
        for (var attempt = 1; ; attempt++)
        {
            using var limiter = new BorrowingRateLimiter(new RateLimit(20, 1), TimeSpan.FromMinutes(1), TimeProvider.System);
            var since = TimeProvider.System.GetTimestamp();

            using (var first = await limiter.AcquireAsync(5))
            {
                Assert.True(first.IsAcquired);
            }

            var second = limiter.AcquireAsync(1);
            if (attempt < 5 && second.IsCompleted && TimeProvider.System.GetElapsedTime(since) >= owed)
            {
                // This machine stood still until nothing was owed: then it proves nothing.
                continue;
            }

            Assert.False(second.IsCompleted);
            Assert.True((await second).IsAcquired);
            // Not after the 50 ms of one permit; a timer may come up to 10 ms early.
            Assert.True(TimeProvider.System.GetElapsedTime(since) >= owed - TimeSpan.FromMilliseconds(15));
            return;
        }
    }

    [Fact]
    public void AttemptAcquire_WhileSomethingIsOwed_SaysHowLong()
    {
        using var limiter = new BorrowingRateLimiter(new RateLimit(20, 1), TimeSpan.Zero, time);
        Assert.True(limiter.AttemptAcquire(5).IsAcquired);
        Assert.Equal(-4, limiter.GetStatistics()!.CurrentAvailablePermits);

        using var refused = limiter.AttemptAcquire(1);
        Assert.False(refused.IsAcquired);
        Assert.True(refused.TryGetMetadata(MetadataName.RetryAfter, out var wait));
        Assert.Equal(TimeSpan.FromMilliseconds(250), wait);
        Assert.Equal(wait, limiter.TryTake(1));

        time.Advance(wait);
        Assert.True(limiter.AttemptAcquire(1).IsAcquired);
    }

    [Fact]
    public async Task AcquireAsync_BeyondItsPatience_IsRefusedAtOnceAndOwesNothing()
    {
        using var limiter = new BorrowingRateLimiter(new RateLimit(1, 1), TimeSpan.FromSeconds(2), time);
        Assert.True((await limiter.AcquireAsync(10)).IsAcquired);

        using var refused = await limiter.AcquireAsync(1);
        Assert.False(refused.IsAcquired);
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.True(limiter.AttemptAcquire(1).IsAcquired);
    }

    [Fact]
    public void Limit_WhenItIsChanged_HoldsAtOnce()
    {
        using var limiter = new BorrowingRateLimiter(new RateLimit(1, 100), TimeSpan.Zero, time);
        Assert.Equal(TimeSpan.Zero, limiter.TryTake(50));
        limiter.Limit = new RateLimit(10, 5);
        Assert.True(limiter.TryTake(1) > TimeSpan.Zero);
    }

    [Fact]
    public async Task TryTake_ByManyThreadsAtOnce_GivesNoMoreThanThereIs()
    {
        using var limiter = new BorrowingRateLimiter(new RateLimit(1, 1_000), TimeSpan.Zero, time);
        var taken = 0;
        await Parallel.ForAsync(0, 8, (_, _) =>
        {
            for (var i = 0; i < 1_000; i++)
            {
                if (limiter.TryTake(1) == TimeSpan.Zero)
                {
                    Interlocked.Increment(ref taken);
                }
            }

            return ValueTask.CompletedTask;
        });

        Assert.Equal(1_000, taken);
    }
}
