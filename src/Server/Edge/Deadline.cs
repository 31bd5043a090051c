using System.Globalization;

using FlashSale.Core;
using FlashSale.Server.Http;

namespace FlashSale.Server.Edge;

/// <summary>Until when a request to order is worth anything: whoever sent it waits no longer.</summary>
internal static class Deadline
{
    /// <summary>What a proxy of ours says is left of it, in milliseconds: a span, so that the clocks of two machines need not agree.</summary>
    public const string Header = "X-Deadline-Ms";

    /// <returns><see cref="Limits.OrderDeadline"/>, or what is left of that.</returns>
    public static TimeSpan LeftOf(HttpContext context, EdgeOptions options) =>
        options.TrustedProxies.Count > 0
            && context.Request.Headers.TryGetValue(Header, out var header)
            && int.TryParse(header, NumberStyles.None, CultureInfo.InvariantCulture, out var ms)
            && ms < Limits.OrderDeadline.TotalMilliseconds
            && ClientAddress.IsFromTrustedProxy(context, options.TrustedProxies)
            ? TimeSpan.FromMilliseconds(ms)
            : Limits.OrderDeadline;
}
