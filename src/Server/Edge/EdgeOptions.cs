using System.Net;

using FlashSale.Core;

namespace FlashSale.Server.Edge;

/// <param name="TrustedProxies">Only their <c>X-Forwarded-For</c> is believed.</param>
/// <param name="LimitsEnabled">False switches every rate limit off.</param>
public sealed record EdgeOptions(
    IReadOnlyList<IPNetwork> TrustedProxies,
    bool LimitsEnabled,
    int AddressRequestsPerSecond = Limits.AddressRequestsPerSecond,
    int AddressBurst = Limits.AddressBurst);
