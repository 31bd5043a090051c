using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

using FlashSale.Core;

namespace FlashSale.Storage;

/// <summary>
/// A range of addresses in its one canonical form: without host bits, and of IPv4 where it is one, however it is written (<c>::ffff:203.0.113.7</c>). No wider
/// than /8 of IPv4 and /16 of IPv6.
/// </summary>
/// <param name="First">Its first address as a number of 128 bits, or of 32 for IPv4.</param>
/// <param name="Prefix">Bits that all its addresses share.</param>
public readonly record struct AddressRange(bool IsV4, UInt128 First, int Prefix)
{
    /// <summary>Bits of IPv6 before an IPv4 address in it (RFC 4291, section 2.5.5.2).</summary>
    private const int MappedBits = 96;

    /// <summary><c>203.0.113.0/24</c>, <c>2001:db8::/32</c>, or an address, which is a range of one. Host bits are set to zero.</summary>
    public static bool TryParse(string? text, out AddressRange range)
    {
        range = default;
        var cut = text?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        var head = cut < 0 ? text : text![..cut];
        // A zone names a link of the machine that wrote it, and a number without dots is an address to few people.
        if (head is null || head.Contains('%', StringComparison.Ordinal) || !IPAddress.TryParse(head, out var address) || !IsSpelt(head, address))
        {
            return false;
        }

        var bits = address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        var prefix = bits;
        if (cut >= 0 && !(int.TryParse(text.AsSpan(cut + 1), NumberStyles.None, CultureInfo.InvariantCulture, out prefix) && prefix <= bits))
        {
            return false;
        }

        if (address.IsIPv4MappedToIPv6)
        {
            prefix -= MappedBits;
        }

        range = Of(address, prefix);
        return prefix >= (range.IsV4 ? Limits.BlacklistPrefixMinV4 : Limits.BlacklistPrefixMinV6);
    }

    /// <summary>The address as a range of one.</summary>
    public static AddressRange Of(IPAddress address)
    {
        var isV4 = address.AddressFamily == AddressFamily.InterNetwork || address.IsIPv4MappedToIPv6;
        return new AddressRange(isV4, NumberOf(address, isV4), isV4 ? 32 : 128);
    }

    /// <summary>The range of that width around it.</summary>
    public AddressRange Widen(int prefix) => new(IsV4, First & MaskOf(IsV4, prefix), prefix);

    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, First);
        return string.Create(CultureInfo.InvariantCulture, $"{new IPAddress(IsV4 ? bytes[12..] : bytes)}/{Prefix}");
    }

    /// <summary>Its first address as hexadecimal digits, 8 or 32, and the prefix: what a gateway reads.</summary>
    public string ToHex() => First.ToString(IsV4 ? "x8" : "x32", CultureInfo.InvariantCulture) + Prefix.ToString("'/'0", CultureInfo.InvariantCulture);

    private static AddressRange Of(IPAddress address, int prefix)
    {
        var one = Of(address);
        return prefix >= 0 ? one.Widen(prefix) : one;
    }

    private static UInt128 NumberOf(IPAddress address, bool isV4)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length);
        return isV4 ? BinaryPrimitives.ReadUInt32BigEndian(bytes[(length - 4)..]) : BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    private static UInt128 MaskOf(bool isV4, int prefix)
    {
        var bits = isV4 ? 32 : 128;
        // A shift by all of the bits would be one by none.
        return prefix == 0 ? 0 : (isV4 ? uint.MaxValue : UInt128.MaxValue) >> (bits - prefix) << (bits - prefix);
    }

    /// <summary><c>1</c> and <c>0x7f.1</c> are addresses too, to the parser; here they are typing errors.</summary>
    private static bool IsSpelt(string text, IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetworkV6 || (text.Count(c => c == '.') == 3 && text == address.ToString());
}
