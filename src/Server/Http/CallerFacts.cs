using FlashSale.Core.Tokens;

namespace FlashSale.Server.Http;

/// <summary>What is known of whoever reserves or asks for an order token, beside who they are: what risk control judges them by.</summary>
/// <param name="Device"><see cref="DeviceId.None"/> for a client that named none.</param>
/// <param name="DeviceSince">When the device was first seen; null without one.</param>
/// <param name="Network">The IPv4 address, or the /64 that a subscriber of IPv6 has to themselves (<c>2001:db8:1:2::/64</c>).</param>
/// <param name="VisitedAt">When this user opened the page of this sale; null for a client that did not. Later by the time that it took to solve a challenge after a first try.</param>
/// <param name="AskedForChallenge">A challenge had to be solved.</param>
/// <param name="SolvedChallenge">It was, by work; false by an answer to the question.</param>
public sealed record CallerFacts(
    DeviceId Device, DateTimeOffset? DeviceSince, string Network, DateTimeOffset? VisitedAt, bool AskedForChallenge, bool SolvedChallenge)
{
    /// <summary>Of a caller of whom nothing is known, such as the demo's own shoppers.</summary>
    public static CallerFacts Unknown { get; } = new(DeviceId.None, null, "", null, false, false);
}
