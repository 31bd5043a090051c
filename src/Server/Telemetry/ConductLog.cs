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

    public void Note(UserId user, ConductKind kind)
    {
        if (counts.Count < Limits.ConductTracked || counts.ContainsKey((user, kind)))
        {
            counts.AddOrUpdate((user, kind), 1, static (_, count) => count == int.MaxValue ? count : count + 1);
        }
    }

    /// <summary>What was counted since the last time.</summary>
    public IReadOnlyList<(UserId User, ConductKind Kind, int Count)> Take()
    {
        List<(UserId, ConductKind, int)> taken = [];
        foreach (var key in counts.Keys)
        {
            if (counts.TryRemove(key, out var count))
            {
                taken.Add((key.User, key.Kind, count));
            }
        }

        return taken;
    }
}
