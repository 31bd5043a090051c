using System.Collections.Concurrent;

using FlashSale.Core;

namespace FlashSale.Server.Http;

/// <summary>
/// Which accounts were seen on a device or a network, first come first, as this instance saw it. Bounded: when there are too many, it begins anew. What all
/// instances saw together, the assessments know from the ledger.
/// </summary>
public sealed class SeenAccounts(int most = Limits.AccountsTracked)
{
    private readonly ConcurrentDictionary<(SaleId Sale, string Where), Place> places = new();
    private int count;

    /// <summary>Sees the account there.</summary>
    /// <param name="where">A device or a network.</param>
    /// <param name="first">1 or more: how many accounts may be there.</param>
    /// <returns>Whether the account is among the first, and whether there were more than these.</returns>
    public (bool IsAmongFirst, bool AreMore) See(SaleId sale, string where, UserId user, int first)
    {
        var place = places.GetOrAdd((sale, where), static _ => new Place());
        lock (place)
        {
            if (place.Ranks.TryGetValue(user, out var rank))
            {
                return (rank < first, place.AreMore);
            }

            if (place.Ranks.Count >= first)
            {
                place.AreMore = true;
                return (false, true);
            }

            place.Ranks[user] = place.Ranks.Count;
        }

        if (Interlocked.Increment(ref count) > most)
        {
            Interlocked.Exchange(ref count, 0);
            places.Clear();
        }

        return (true, place.AreMore);
    }

    private sealed class Place
    {
        /// <summary>As the how manieth each account came, from 0.</summary>
        public Dictionary<UserId, int> Ranks { get; } = [];

        /// <summary>Somebody came who was not among the first.</summary>
        public bool AreMore { get; set; }
    }
}
