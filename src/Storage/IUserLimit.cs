using FlashSale.Core;
using FlashSale.Core.RateLimits;

namespace FlashSale.Storage;

/// <summary>How often one user may ask. Of instances that share a Redis, all count together: a user's requests go to any of them.</summary>
public interface IUserLimit : IAsyncDisposable
{
    /// <summary>One for each part of the store that can be away by itself; none for a limit of this process.</summary>
    IReadOnlyList<Breaker> Breakers { get; }

    /// <summary>Takes all of the permits, or none. Never fails: a store that is away is replaced by this instance's own count.</summary>
    /// <returns>Zero when they were taken, else how long until they would be there.</returns>
    ValueTask<TimeSpan> TryTakeAsync(UserId user, int permits, RateLimit limit, CancellationToken cancellation);
}
