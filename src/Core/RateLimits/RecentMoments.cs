namespace FlashSale.Core.RateLimits;

/// <summary>
/// How often something happened under a key within a window that slides: exact, at 8 bytes a moment, in bounded memory. When too many are tracked, what is old is
/// forgotten; when that is not enough, everything of the same stripe is.
/// </summary>
/// <param name="most">Moments that are tracked at once.</param>
/// <param name="window">Ticks of the clock that <c>now</c> comes from.</param>
public sealed class RecentMoments<TKey>(int most, long window)
    where TKey : notnull
{
    private const int Stripes = 64;
    private readonly Stripe[] stripes = [.. Enumerable.Range(0, Stripes).Select(_ => new Stripe())];

    /// <summary>How often within the window that ends now.</summary>
    public int Count(TKey key, long now) => Take(key, now, 0).Count;

    /// <summary>Notes this moment too, unless there are <paramref name="limit"/> of them within the window already.</summary>
    /// <param name="now">A moment of a clock that does not go back.</param>
    /// <returns>0 when it was noted, else the ticks until it would be; and how many there are now.</returns>
    public (long Wait, int Count) Take(TKey key, long now, int limit)
    {
        var stripe = stripes[unchecked((uint)key.GetHashCode()) % Stripes];
        lock (stripe.Lock)
        {
            if (stripe.Moments.TryGetValue(key, out var moments))
            {
                stripe.Count -= DropOld(moments, now);
            }

            var count = moments?.Count ?? 0;
            if (count >= limit)
            {
                return (count == 0 ? window : moments!.Peek() + window - now, count);
            }

            if (stripe.Count >= most / Stripes)
            {
                Forget(stripe, now);
                moments = stripe.Moments.GetValueOrDefault(key);
            }

            if (moments is null)
            {
                stripe.Moments[key] = moments = new Queue<long>(1);
            }

            moments.Enqueue(now);
            stripe.Count++;
            return (0, moments.Count);
        }
    }

    private int DropOld(Queue<long> moments, long now)
    {
        var dropped = 0;
        while (moments.TryPeek(out var first) && first + window <= now)
        {
            moments.Dequeue();
            dropped++;
        }

        return dropped;
    }

    private void Forget(Stripe stripe, long now)
    {
        foreach (var (key, moments) in stripe.Moments)
        {
            stripe.Count -= DropOld(moments, now);
            if (moments.Count == 0)
            {
                stripe.Moments.Remove(key);
            }
        }

        if (stripe.Count > most / Stripes / 2)
        {
            // Most of it is recent: start anew, rather than scan at every call.
            stripe.Moments.Clear();
            stripe.Count = 0;
        }
    }

    private sealed class Stripe
    {
        public Lock Lock { get; } = new();

        public Dictionary<TKey, Queue<long>> Moments { get; } = [];

        public int Count { get; set; }
    }
}
