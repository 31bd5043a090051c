using System.Collections.Concurrent;

using FlashSale.Core;

namespace FlashSale.Server.Telemetry;

/// <summary>What a user did that says something of them later.</summary>
public enum ConductKind
{
    TokenAsked,

    /// <summary>An order token of theirs was turned down: forged, another's, too young or too old.</summary>
    TokenRefused,
    ChallengeFailed,
    RateLimited,
    Cancelled,
}

/// <summary>
/// How users behaved, counted in memory: the next assessment of their reservations weighs it. Bounded; what does not fit is not counted, since it must never
/// cost a shopper anything.
/// </summary>
public sealed class ConductLog
{
    private readonly ConcurrentDictionary<(UserId User, ConductKind Kind), int> counts = new();

    // The dictionary's own count locks all of it.
    private int tracked;

    public void Note(UserId user, ConductKind kind)
    {
        while (true)
        {
            if (counts.TryGetValue((user, kind), out var count))
            {
                if (count == int.MaxValue || counts.TryUpdate((user, kind), count + 1, count))
                {
                    return;
                }
            }
            else if (Volatile.Read(ref tracked) >= Limits.ConductTracked)
            {
                return;
            }
            else if (counts.TryAdd((user, kind), 1))
            {
                Interlocked.Increment(ref tracked);
                return;
            }
        }
    }

    /// <summary>Some of what was counted since it was last taken, at most <paramref name="most"/>.</summary>
    public IReadOnlyList<(UserId User, ConductKind Kind, int Count)> Take(int most)
    {
        List<(UserId, ConductKind, int)> taken = [];
        foreach (var (key, _) in counts)
        {
            if (taken.Count == most)
            {
                break;
            }

            if (counts.TryRemove(key, out var count))
            {
                Interlocked.Decrement(ref tracked);
                taken.Add((key.User, key.Kind, count));
            }
        }

        return taken;
    }

    /// <summary>It could not be written: counted again, to be taken later.</summary>
    public void PutBack(UserId user, ConductKind kind, int count)
    {
        var fresh = false;
        counts.AddOrUpdate(
            (user, kind),
            _ =>
            {
                fresh = true;
                return count;
            },
            (_, since) =>
            {
                fresh = false;
                return (int)Math.Min((long)since + count, int.MaxValue);
            });
        if (fresh)
        {
            Interlocked.Increment(ref tracked);
        }
    }
}
