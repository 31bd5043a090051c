using System.Runtime.InteropServices;

namespace FlashSale.Core.RateLimits;

/// <summary>
/// A token bucket for each key, in bounded memory. When too many are tracked, those that are full again are forgotten, which changes nothing for them. Keys that are
/// hashes may meet: two of 65,536 random ones with a chance of one in 8 billion.
/// </summary>
/// <param name="most">Keys that are tracked at once.</param>
public sealed class KeyedBuckets(int most)
{
    private const int Stripes = 64;
    private readonly Stripe[] stripes = [.. Enumerable.Range(0, Stripes).Select(_ => new Stripe())];

    /// <summary>Takes all of the permits, or none.</summary>
    /// <returns>0 when they were taken, else the ticks until they would be there; and whether the bucket is more than half empty now.</returns>
    public (long Wait, bool HalfEmpty) Take(ulong key, long now, int permits, in TokenBucket bucket)
    {
        var stripe = stripes[(int)(unchecked(key * 0x9E37_79B9_7F4A_7C15UL) >> 58)];
        lock (stripe.Lock)
        {
            ref var fullAt = ref CollectionsMarshal.GetValueRefOrAddDefault(stripe.Buckets, key, out var known);
            var wait = bucket.Take(ref fullAt, now, permits);
            var half = bucket.IsHalfEmpty(fullAt, now);
            if (!known && stripe.Buckets.Count > most / Stripes)
            {
                stripe.Forget(now);
            }

            return (wait, half);
        }
    }

    private sealed class Stripe
    {
        public Lock Lock { get; } = new();

        public Dictionary<ulong, long> Buckets { get; } = [];

        public void Forget(long now)
        {
            var before = Buckets.Count;
            foreach (var (key, fullAt) in Buckets)
            {
                if (fullAt <= now)
                {
                    Buckets.Remove(key);
                }
            }

            if (Buckets.Count > before / 2)
            {
                // Most of them are busy: start anew, rather than grow without end or scan at every request.
                Buckets.Clear();
            }
        }
    }
}
