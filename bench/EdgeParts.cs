using System.Threading.RateLimiting;

using FlashSale.Core.RateLimits;
using FlashSale.Storage;

namespace FlashSale.Bench;

/// <summary>What the parts of the edge cost alone: a permit of a keyed limiter, and a call through a breaker.</summary>
internal static class EdgeParts
{
    private const int Keys = 20_000;
    private const int Calls = 2_000_000;

    public static void Run()
    {
        var time = TimeProvider.System;
        var limit = new RateLimit(1_000_000, 1_000_000);
        var buckets = new KeyedBuckets(65_536);
        var bucket = TokenBucket.Of(limit, time.TimestampFrequency);
        Measure("a permit of our keyed buckets", key => buckets.Take((ulong)key, time.GetTimestamp(), 1, bucket).Wait == 0);
        using var standard = PartitionedRateLimiter.Create<int, int>(key => RateLimitPartition.GetTokenBucketLimiter(key, _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = limit.Burst,
            TokensPerPeriod = limit.PerSecond,
            ReplenishmentPeriod = TimeSpan.FromSeconds(1),
            QueueLimit = 0,
            AutoReplenishment = false,
        }));
        Measure("a permit of PartitionedRateLimiter", key =>
        {
            using var lease = standard.AttemptAcquire(key);
            return lease.IsAcquired;
        });

        var path = new LedgerPath(Breaker.ForMany("bench", time), time);
        var answer = Task.FromResult(true);
        Func<Task<bool>, Task<bool>> ask = static asked => asked;
        Measure("a call that is answered at once", _ => ask(answer).IsCompletedSuccessfully);
        Measure("the same through breaker and timeout", _ => path.ReadAsync(ask, answer).IsCompletedSuccessfully);
    }

    private static void Measure(string what, Func<int, bool> call)
    {
        Repeat(call, Calls / 4);
        var (allocated, started) = (GC.GetAllocatedBytesForCurrentThread(), TimeProvider.System.GetTimestamp());
        Repeat(call, Calls);
        var nanoseconds = TimeProvider.System.GetElapsedTime(started).TotalNanoseconds / Calls;
        Console.WriteLine($"{what,-40} {nanoseconds,7:N0} ns {(GC.GetAllocatedBytesForCurrentThread() - allocated) / (double)Calls,7:N0} bytes");
    }

    private static void Repeat(Func<int, bool> call, int times)
    {
        for (var i = 0; i < times; i++)
        {
            if (!call(i % Keys))
            {
                throw new InvalidOperationException("It did not succeed.");
            }
        }
    }
}
