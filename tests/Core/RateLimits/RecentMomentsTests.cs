using FlashSale.Core.RateLimits;

using Xunit;

namespace FlashSale.Tests.Core.RateLimits;

public sealed class RecentMomentsTests
{
    private const long Window = 1_000;

    [Fact]
    public void Take_WhateverTheTimes_NeverLetsMoreThanTheLimitIntoAnyWindow()
    {
        var random = new Random(3);
        for (var round = 0; round < 200; round++)
        {
            var limit = random.Next(1, 6);
            var moments = new RecentMoments<int>(10_000, Window);
            List<long> taken = [];
            var now = 0L;
            for (var i = 0; i < 200; i++)
            {
                now += random.Next(0, 300);
                var (wait, count) = moments.Take(1, now, limit);
                var recent = taken.Where(moment => moment + Window > now).ToList();
                Assert.Equal(recent.Count < limit, wait == 0);
                if (wait == 0)
                {
                    taken.Add(now);
                    Assert.Equal(recent.Count + 1, count);
                }
                else
                {
                    Assert.Equal(recent.Count, count);
                    Assert.Equal(recent[0] + Window - now, wait);
                }

                Assert.Equal(count, moments.Count(1, now));
            }
        }
    }

    [Fact]
    public void Take_FromManyThreads_GivesExactlyTheLimit()
    {
        var moments = new RecentMoments<int>(10_000, Window);
        var taken = 0;
        Parallel.For(0, 10_000, i =>
        {
            if (moments.Take(i % 10, 5, 7).Wait == 0)
            {
                Interlocked.Increment(ref taken);
            }
        });

        Assert.Equal(70, taken);
    }

    [Fact]
    public void Take_WhenKeysAreMany_StaysWithinItsBoundAndForgetsTheOldFirst()
    {
        const int Most = 64 * 100;
        var moments = new RecentMoments<int>(Most, Window);
        for (var key = 0; key < 10 * Most; key++)
        {
            moments.Take(key, key, 3);
        }

        // Within the last window few enough came: all of them are remembered.
        Assert.All(Enumerable.Range(10 * Most - 900, 900), key => Assert.Equal(1, moments.Count(key, 10 * Most)));
        Assert.Equal(0, moments.Count(17, 10 * Most));

        for (var key = 0; key < 10 * Most; key++)
        {
            moments.Take(key, 100 * Most, 3);
        }

        Assert.InRange(Enumerable.Range(0, 10 * Most).Count(key => moments.Count(key, 100 * Most) > 0), 1, Most);
    }
}
