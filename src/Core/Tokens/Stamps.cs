using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;

namespace FlashSale.Core.Tokens;

/// <summary>What a stamp is for; one of another purpose is worth nothing.</summary>
public enum StampPurpose : byte
{
    /// <summary>Tells a device again; its body is the <see cref="DeviceId"/>.</summary>
    Device = 1,

    /// <summary>A page was opened at that time; its body says by whom, and of which sale.</summary>
    Visit = 2,
    Challenge = 3,
}

/// <summary>
/// What the server gives out and takes back without keeping it: base64url over <c>purpose 1 · time, Unix ms 8 · body · HMAC-SHA256 16</c>, big-endian. The
/// signature is cut to half (RFC 2104, section 5): stamps travel in headers and forms. The other half is a secret that belongs to the stamp: only we can tell it,
/// and tell it again when the stamp comes back.
/// </summary>
public sealed class Stamps
{
    /// <summary>Longest body in bytes: ids, a user's name, and some.</summary>
    public const int MaxBody = 128;
    private const int HeadBytes = 1 + 8;
    private const int SignatureBytes = HMACSHA256.HashSizeInBytes / 2;
    private const int MaxBytes = HeadBytes + MaxBody + SignatureBytes;

    /// <summary>Longest stamp in characters.</summary>
    public const int MaxLength = (MaxBytes * 4 + 2) / 3;

    private readonly byte[][] keys;

    /// <param name="tokenKey">Of the order tokens; that of the stamps follows from it (HKDF, RFC 5869).</param>
    /// <param name="previousTokenKeys">Their stamps are still accepted.</param>
    public Stamps(byte[] tokenKey, IEnumerable<byte[]> previousTokenKeys) => keys =
    [
        .. previousTokenKeys.Prepend(tokenKey)
            .Select(key => HKDF.DeriveKey(HashAlgorithmName.SHA256, key, Limits.SigningKeyBytes, info: "flashsale stamps"u8.ToArray())),
    ];

    public string Seal(StampPurpose purpose, DateTimeOffset at, ReadOnlySpan<byte> body) => Seal(purpose, at, body, out _);

    /// <param name="secret">As <see cref="Open(StampPurpose, ReadOnlySpan{char}, out DateTimeOffset, out uint)"/> gives it back, also after a change of keys.</param>
    public string Seal(StampPurpose purpose, DateTimeOffset at, ReadOnlySpan<byte> body, out uint secret)
    {
        Span<byte> bytes = stackalloc byte[MaxBytes];
        bytes[0] = (byte)purpose;
        BinaryPrimitives.WriteInt64BigEndian(bytes[1..], at.ToUnixTimeMilliseconds());
        body.CopyTo(bytes[HeadBytes..]);
        var signed = HeadBytes + body.Length;
        secret = Sign(keys[0], bytes[..signed], bytes[signed..]);
        return Base64Url.EncodeToString(bytes[..(signed + SignatureBytes)]);
    }

    /// <summary>The body of a stamp that is ours and of this purpose; null for any other text. Its age is the caller's question.</summary>
    public byte[]? Open(StampPurpose purpose, ReadOnlySpan<char> text, out DateTimeOffset at) => Open(purpose, text, out at, out _);

    /// <inheritdoc cref="Open(StampPurpose, ReadOnlySpan{char}, out DateTimeOffset)"/>
    public byte[]? Open(StampPurpose purpose, ReadOnlySpan<char> text, out DateTimeOffset at, out uint secret)
    {
        at = default;
        secret = 0;
        Span<byte> bytes = stackalloc byte[MaxBytes];
        if (!TryDecode(text, bytes, out var length) || bytes[0] != (byte)purpose)
        {
            return null;
        }

        var signed = length - SignatureBytes;
        Span<byte> expected = stackalloc byte[SignatureBytes];
        foreach (var key in keys)
        {
            var ofThis = Sign(key, bytes[..signed], expected);
            if (CryptographicOperations.FixedTimeEquals(expected, bytes[signed..length]))
            {
                at = DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64BigEndian(bytes[1..]));
                secret = ofThis;
                return bytes[HeadBytes..signed].ToArray();
            }
        }

        return null;
    }

    /// <summary>A stamp has one spelling: the decoder would let white space, padding and stray low bits of the last character pass.</summary>
    private static bool TryDecode(ReadOnlySpan<char> text, Span<byte> bytes, out int length)
    {
        length = 0;
        if (text.Length > MaxLength
            || Base64Url.DecodeFromChars(text, bytes, out _, out length) != System.Buffers.OperationStatus.Done
            || length < HeadBytes + SignatureBytes)
        {
            return false;
        }

        Span<char> again = stackalloc char[MaxLength];
        return Base64Url.TryEncodeToChars(bytes[..length], again, out var written) && again[..written].SequenceEqual(text);
    }

    /// <returns>The start of what is cut off.</returns>
    private static uint Sign(byte[] key, ReadOnlySpan<byte> signed, Span<byte> signature)
    {
        Span<byte> whole = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, signed, whole);
        whole[..SignatureBytes].CopyTo(signature);
        return BinaryPrimitives.ReadUInt32BigEndian(whole[SignatureBytes..]);
    }
}

/// <summary>Tells the devices apart that opened our pages. Anybody may have a new one; nobody can make up another's.</summary>
public readonly record struct DeviceId(ulong Value)
{
    /// <summary>Of a caller that named none.</summary>
    public static DeviceId None => default;

    public bool IsKnown => Value != 0;

    /// <summary>16 lower-case hexadecimal digits, and not those of <see cref="None"/>.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out DeviceId id)
    {
        id = default;
        if (text.Length != 16
            || text.ContainsAnyInRange('A', 'F')
            || !ulong.TryParse(text, System.Globalization.NumberStyles.AllowHexSpecifier, System.Globalization.CultureInfo.InvariantCulture, out var value))
        {
            return false;
        }

        id = new DeviceId(value);
        return id.IsKnown;
    }

    public override string ToString() => Value.ToString("x16", System.Globalization.CultureInfo.InvariantCulture);
}
