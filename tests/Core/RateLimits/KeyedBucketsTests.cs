using FlashSale.Core.RateLimits;

using Xunit;

namespace FlashSale.Tests.Core.RateLimits;

public sealed class KeyedBucketsTests
{
    private const int Most = 65_536;
    private const long Second = 1_000_000_000;
    private readonly KeyedBuckets buckets = new(Most);
    private TokenBucket bucket = TokenBucket.Of(new RateLimit(10, 5), Second);
    private long now;

    [Fact]
    public void Take_ByManyKeys_CountsEachByItself()
    {
        Assert.Equal(5, Taken(key: 1));
        Assert.Equal(5, Taken(key: 2));
        now += Second / 10;
        Assert.Equal(1, Taken(key: 1));
    }

    [Fact]
    public void Take_WhenMoreThanHalfIsGone_SaysSo()
    {
        Assert.Equal([false, false, true, true, true, true], Enumerable.Range(0, 6).Select(_ => buckets.Take(1, now, 1, bucket).HalfEmpty));
        now += Second;
        Assert.False(buckets.Take(1, now, 1, bucket).HalfEmpty);
    }

    [Fact]
    public void Take_OfMoreKeysThanAreTracked_UsesBoundedMemory()
    {
        Flood(Most * 2);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        Flood(Most * 20);
        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        GC.KeepAlive(buckets);

        // 24 bytes or more a key: without a bound, 30 MB.
        Assert.InRange(grown, long.MinValue, 12 * 1024 * 1024);
    }

    [Fact]
    public void Take_WhenForgottenKeysComeBack_StillLimitsTheBusyOne()
    {
        bucket = TokenBucket.Of(new RateLimit(1, 2), Second);
        Assert.Equal(2, Taken(key: 7));

        // Others fill the table, and are full again a second later; the busy one, which owes two seconds, is kept.
        for (ulong other = 1_000; other < 1_000 + (ulong)Most; other++)
        {
            buckets.Take(other, now, 1, bucket);
            now += 20_000;
        }

        Assert.InRange(Taken(key: 7), 0, 1);
    }

    [Fact]
    public async Task Take_ByManyThreadsAtOnce_GivesTheBurstAndNotOneMore()
    {
        bucket = TokenBucket.Of(new RateLimit(1, 1_000), Second);
        var taken = 0;
        await Parallel.ForAsync(0, 8, (_, _) =>
        {
            for (var i = 0; i < 1_000; i++)
            {
                if (buckets.Take(1, now, 1, bucket).Wait == 0)
                {
                    Interlocked.Increment(ref taken);
                }
            }

            return ValueTask.CompletedTask;
        });

        Assert.Equal(1_000, taken);
    }

    private int Taken(ulong key) => Enumerable.Range(0, 20).Count(_ => buckets.Take(key, now, 1, bucket).Wait == 0);

    private void Flood(int keys)
    {
        for (var i = 0; i < keys; i++)
        {
            buckets.Take(unchecked((ulong)i * 0x1_0001), now, 1, bucket);
        }
    }
}
