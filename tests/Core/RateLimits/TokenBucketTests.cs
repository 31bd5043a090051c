using FlashSale.Core.RateLimits;

using Xunit;

namespace FlashSale.Tests.Core.RateLimits;

public sealed class TokenBucketTests
{
    private const long Second = 1_000_000_000;
    private long fullAt;

    [Fact]
    public void Take_BeyondTheBurst_IsRefusedUntilTimePasses()
    {
        var bucket = TokenBucket.Of(new RateLimit(10, 5), Second);
        Assert.Equal(5, Taken(bucket, now: Second));
        Assert.Equal(Second / 10, bucket.Take(ref fullAt, Second, 1));
        Assert.Equal(1, bucket.Take(ref fullAt, Second + Second / 10 - 1, 1));
        Assert.Equal(1, Taken(bucket, Second + Second / 10));
        Assert.Equal(3, Taken(bucket, Second + 4 * Second / 10));
        Assert.Equal(5, Taken(bucket, 3_600 * Second));
    }

    [Fact]
    public void Take_OfSeveralPermits_TakesAllOrNone()
    {
        var bucket = TokenBucket.Of(new RateLimit(10, 5), Second);
        Assert.Equal(0, bucket.Take(ref fullAt, 0, 3));
        Assert.Equal(Second / 10, bucket.Take(ref fullAt, 0, 3));
        Assert.Equal(0, bucket.Take(ref fullAt, 0, 2));
        Assert.Equal(0, bucket.Level(fullAt, 0), 6);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(1_000)]
    [InlineData(999_983)]
    public void Take_AtTheRateAllowed_IsNeverRefused(int perSecond)
    {
        var bucket = TokenBucket.Of(new RateLimit(perSecond, 2), Second);
        for (long i = 0; i < 5_000; i++)
        {
            // Not before the exact moment of the i-th permit.
            Assert.Equal(0, bucket.Take(ref fullAt, (i * Second + perSecond - 1) / perSecond, 1));
        }
    }

    [Fact]
    public void Take_WhenTheLimitIsChanged_GoesByTheNewOneAtOnce()
    {
        var wide = TokenBucket.Of(new RateLimit(1_000, 1_000), Second);
        Assert.Equal(0, wide.Take(ref fullAt, 0, 900));
        var narrow = TokenBucket.Of(new RateLimit(10, 5), Second);
        Assert.True(narrow.Take(ref fullAt, 0, 1) > 0);
        Assert.Equal(100, Taken(wide, 0));
    }

    [Fact]
    public void Borrow_OfFiveAtTwentyASecond_GivesAtOnceAndLetsTheNextOneWait()
    {
        var bucket = TokenBucket.Of(new RateLimit(20, 1), Second);
        Assert.Equal(0, bucket.Borrow(ref fullAt, 0, 5, long.MaxValue));
        Assert.Equal(Second / 4, bucket.Borrow(ref fullAt, 0, 1, long.MaxValue));
        Assert.Equal(3 * Second / 10, bucket.Borrow(ref fullAt, 0, 1, long.MaxValue));
        Assert.Equal(0, bucket.Borrow(ref fullAt, 10 * Second, 1, 0));
    }

    [Fact]
    public void Borrow_WithoutPatience_TakesNothingWhileSomethingIsOwed()
    {
        var bucket = TokenBucket.Of(new RateLimit(20, 1), Second);
        Assert.Equal(0, bucket.Borrow(ref fullAt, 0, 5, 0));
        var owed = fullAt;
        Assert.Equal(Second / 4, bucket.Borrow(ref fullAt, 0, 1, 0));
        Assert.Equal(owed, fullAt);
        Assert.Equal(1, bucket.Borrow(ref fullAt, Second / 4 - 1, 1, 0));
        Assert.Equal(0, bucket.Borrow(ref fullAt, Second / 4, 1, 0));
    }

    [Fact]
    public void Borrow_BesideLightOnes_LetsTheHeavyOneThrough()
    {
        var bucket = TokenBucket.Of(new RateLimit(10, 5), Second);
        var light = 0;
        var heavy = 0;
        for (var i = 0; i < 5_000; i++)
        {
            // Now the one is first, and now the other.
            var now = i * Second / 50;
            if (i % 4 == 0 && bucket.Borrow(ref fullAt, now, 4, 0) == 0)
            {
                heavy++;
            }

            light += bucket.Borrow(ref fullAt, now, 1, 0) == 0 ? 1 : 0;
        }

        // All or nothing would let none of the heavy ones through: four permits are never there.
        Assert.True(heavy > 20, $"{heavy} heavy ones got through");
        Assert.InRange(light + 4 * heavy, 990, 1_010);
    }

    private int Taken(TokenBucket bucket, long now)
    {
        var taken = 0;
        while (taken < 100 && bucket.Take(ref fullAt, now, 1) == 0)
        {
            taken++;
        }

        return taken;
    }
}
