using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

using Microsoft.AspNetCore.HttpOverrides;

using IPNetwork = System.Net.IPNetwork;

namespace FlashSale.Server.Http;

/// <summary>Where a request comes from, as far as it can be trusted.</summary>
public static class ClientAddress
{
    /// <summary>
    /// The peer's address, unless the peer is a trusted proxy: then the last entry of <c>X-Forwarded-For</c> that is not one. From anybody else the header is
    /// ignored.
    /// </summary>
    public static IPAddress Of(HttpContext context, IReadOnlyList<IPNetwork> trustedProxies)
    {
        var peer = context.Connection.RemoteIpAddress ?? IPAddress.None;
        if (trustedProxies.Count == 0 || !IsTrusted(peer = Plain(peer), trustedProxies))
        {
            return peer;
        }

        var entries = context.Request.Headers["X-Forwarded-For"].ToString().Split(',', StringSplitOptions.TrimEntries);
        for (var i = entries.Length - 1; i >= 0; i--)
        {
            if (!IPAddress.TryParse(entries[i], out var entry))
            {
                break;
            }

            entry = Plain(entry);
            if (!IsTrusted(entry, trustedProxies))
            {
                return entry;
            }
        }

        return peer;
    }

    /// <summary>
    /// A proxy of ours that ends TLS says so by <c>X-Forwarded-Proto</c>: then cookies are <c>Secure</c>, and addresses that are shown begin with <c>https</c>. Nobody
    /// else is believed. Behind the calls of orders, which need neither.
    /// </summary>
    public static void UseForwardedScheme(this IApplicationBuilder app, IReadOnlyList<IPNetwork> trustedProxies)
    {
        if (trustedProxies.Count == 0)
        {
            return;
        }

        var options = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedProto };
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        foreach (var network in trustedProxies)
        {
            options.KnownIPNetworks.Add(network);
        }

        app.UseForwardedHeaders(options);
    }

    /// <summary>Whom a limit counts: an IPv4 address, however it is written, or the /64 that a subscriber of IPv6 has to themselves.</summary>
    public static ulong LimitKey(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length);
        if (length == 4 || address.IsIPv4MappedToIPv6)
        {
            return BinaryPrimitives.ReadUInt32BigEndian(bytes[(length - 4)..]);
        }

        return BinaryPrimitives.ReadUInt64BigEndian(bytes);
    }

    /// <summary>The same in words: <c>192.0.2.1</c>, or <c>2001:db8:1:2::/64</c>.</summary>
    public static string NetworkOf(IPAddress address)
    {
        var plain = Plain(address);
        if (plain.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return plain.ToString();
        }

        Span<byte> bytes = stackalloc byte[16];
        plain.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return new IPAddress(bytes) + "/64";
    }

    /// <summary>The peer is a proxy of ours, or, with none configured, nobody is.</summary>
    public static bool IsFromTrustedProxy(HttpContext context, IReadOnlyList<IPNetwork> trustedProxies) =>
        trustedProxies.Count > 0 && context.Connection.RemoteIpAddress is { } peer && IsTrusted(Plain(peer), trustedProxies);

    private static bool IsTrusted(IPAddress address, IReadOnlyList<IPNetwork> trustedProxies)
    {
        foreach (var network in trustedProxies)
        {
            if (network.Contains(address))
            {
                return true;
            }
        }

        return false;
    }

    private static IPAddress Plain(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetworkV6 && address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
