using System.Globalization;

using FlashSale.Core;

namespace FlashSale.Server.Edge;

/// <summary>Until when a request to order is worth anything: whoever sent it waits no longer.</summary>
internal static class Deadline
{
    /// <summary>What a proxy of ours says is left of it, in milliseconds: a span, so that the clocks of two machines need not agree.</summary>
    public const string Header = "X-Deadline-Ms";

    /// <returns>A timestamp of the time provider: <see cref="Limits.OrderDeadline"/> from now, or what is left of that.</returns>
    public static long Of(HttpContext context, EdgeOptions options, TimeProvider time)
    {
        var left = Limits.OrderDeadline;
        if (options.TrustedProxies.Count > 0
            && context.Request.Headers.TryGetValue(Header, out var header)
            && int.TryParse(header, NumberStyles.None, CultureInfo.InvariantCulture, out var ms)
            && ms < left.TotalMilliseconds
            && ClientAddress.IsFromTrustedProxy(context, options.TrustedProxies))
        {
            left = TimeSpan.FromMilliseconds(ms);
        }

        return time.GetTimestamp() + (long)(left.TotalSeconds * time.TimestampFrequency);
    }
}
