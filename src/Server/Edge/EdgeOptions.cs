using System.Net;

namespace FlashSale.Server.Edge;

/// <param name="TrustedProxies">Only their <c>X-Forwarded-For</c>, <c>X-Forwarded-Proto</c> and <c>X-Deadline-Ms</c> are believed.</param>
/// <param name="LimitsEnabled">False switches every rate limit off; load is shed all the same.</param>
public sealed record EdgeOptions(IReadOnlyList<IPNetwork> TrustedProxies, bool LimitsEnabled);
