using System.Net;

using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Http;

/// <summary>
/// Whether a request comes from an address, or a device, that is on the blacklist. Whoever it is hears what a user hears who may not take part; people with a role
/// are never barred so, for they lift it.
/// </summary>
public sealed class BarredOrigins(OriginBlacklist blacklist, IReadOnlyList<IPNetwork> trustedProxies, Devices devices, TimeProvider time)
{
    /// <summary>Null for most, which costs next to nothing while no range and no device is listed.</summary>
    public OrderDecision? Find(HttpContext context)
    {
        var (ranges, named) = (blacklist.HasRanges, blacklist.HasDevices);
        if ((!ranges && !named) || context.Features.Get<Session>() is { Roles: not Roles.None })
        {
            return null;
        }

        var now = time.GetUtcNow();
        return ranges && blacklist.Bars(ClientAddress.Of(context, trustedProxies), now) ? OrderDecision.BarredAddress
            : named && devices.Read(context, out _) is { IsKnown: true } device && blacklist.Bars(device, now) ? OrderDecision.BarredDevice
            : null;
    }
}
