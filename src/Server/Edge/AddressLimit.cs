using System.Runtime.InteropServices;

using FlashSale.Core;

namespace FlashSale.Server.Edge;

/// <summary>
/// A token bucket for each client address, in 16 bytes: full at first, refilled as time passes. When too many addresses are tracked, those whose bucket
/// would be full again are forgotten, which changes nothing for them.
/// </summary>
public sealed class AddressLimit(EdgeOptions options, TimeProvider time)
{
    private const int Stripes = 64;
    private readonly Stripe[] stripes = [.. Enumerable.Range(0, Stripes).Select(_ => new Stripe())];
    private readonly double perTick = options.AddressRequestsPerSecond / (double)time.TimestampFrequency;

    /// <summary>Takes one permit.</summary>
    public bool TryTake(ulong address)
    {
        var now = time.GetTimestamp();
        var stripe = stripes[(int)(unchecked(address * 0x9E37_79B9_7F4A_7C15UL) >> 58)];
        lock (stripe.Lock)
        {
            ref var bucket = ref CollectionsMarshal.GetValueRefOrAddDefault(stripe.Buckets, address, out var known);
            var permits = known ? Refilled(bucket, now) : options.AddressBurst;
            var taken = permits >= 1;
            bucket = new Bucket(taken ? permits - 1 : permits, now);
            if (!known && stripe.Buckets.Count > Limits.AddressesTracked / Stripes)
            {
                Forget(stripe, now);
            }

            return taken;
        }
    }

    private double Refilled(in Bucket bucket, long now) => Math.Min(options.AddressBurst, bucket.Permits + (now - bucket.At) * perTick);

    private void Forget(Stripe stripe, long now)
    {
        foreach (var (address, bucket) in stripe.Buckets)
        {
            if (Refilled(bucket, now) >= options.AddressBurst)
            {
                stripe.Buckets.Remove(address);
            }
        }

        if (stripe.Buckets.Count > Limits.AddressesTracked / Stripes)
        {
            // All of them are busy: start anew, rather than grow without end or scan at every request.
            stripe.Buckets.Clear();
        }
    }

    private sealed class Stripe
    {
        public Lock Lock { get; } = new();

        public Dictionary<ulong, Bucket> Buckets { get; } = [];
    }

    private readonly record struct Bucket(double Permits, long At);
}
