using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace FlashSale.Core.Tokens;

/// <summary>Permission to submit one order, made by the checkout page (seed row 16).</summary>
/// <param name="Device">Whose checkout it is, and who alone may submit it; <see cref="DeviceId.None"/> for a client that named none: anybody of the user's.</param>
public readonly record struct OrderToken(
    DateTimeOffset IssuedAt, OrderId OrderId, SaleId SaleId, OfferId OfferId, UserId UserId, DeviceId Device = default);

/// <summary>Why a token was turned down. Operators count these; callers see one answer for all.</summary>
public enum TokenVerdict
{
    Valid,

    /// <summary>Not a token of this version, or not in its one canonical spelling.</summary>
    Malformed,

    /// <summary>Signed with a key that is not, or no longer, in the ring.</summary>
    UnknownKey,
    Forged,
    WrongUser,

    /// <summary>Given out to another device. Found by whoever knows the caller's.</summary>
    WrongDevice,
    TooYoung,
    TooOld,
}

/// <summary>How old a token may be. Both ends belong to the allowed range.</summary>
public sealed record TokenAges(TimeSpan Minimum, TimeSpan Maximum)
{
    public static TokenAges Default { get; } = new(Limits.TokenMinimumAge, Limits.TokenMaximumAge);
}

/// <summary>
/// Makes and checks order tokens: base64url over <c>version 1 · key id 4 · issued at, Unix ms 8 · order id 16 · sale 8 · offer 8 · device 8 ·
/// user length 1 · user · HMAC-SHA256 32</c>, big-endian. Checked without a look-up. The 74 random bits of the order id are the nonce.
/// </summary>
public sealed class OrderTokens
{
    private const byte Version = 2;
    private const int HeadBytes = 1 + 4 + 8 + 16 + 8 + 8 + 8 + 1;
    private const int MaxBytes = HeadBytes + Limits.UserIdLength + HMACSHA256.HashSizeInBytes;

    /// <summary>Longest token in characters.</summary>
    public const int MaxLength = (MaxBytes * 4 + 2) / 3;

    private readonly (uint Id, byte[] Key)[] ring;
    private readonly TokenAges ages;

    /// <param name="signingKey">Signs new tokens; at least <see cref="Limits.SigningKeyBytes"/> bytes.</param>
    /// <param name="previousKeys">Still accepted, so that a key can be changed without a failed order.</param>
    /// <param name="ages">Checked against the issue time inside the token.</param>
    public OrderTokens(byte[] signingKey, IEnumerable<byte[]> previousKeys, TokenAges ages)
    {
        ring = [.. previousKeys.Prepend(signingKey).Select(key => (KeyId(key), key))];
        this.ages = ages;
    }

    public string Create(in OrderToken token)
    {
        Span<byte> bytes = stackalloc byte[MaxBytes];
        var (keyId, key) = ring[0];
        bytes[0] = Version;
        BinaryPrimitives.WriteUInt32BigEndian(bytes[1..], keyId);
        BinaryPrimitives.WriteInt64BigEndian(bytes[5..], token.IssuedAt.ToUnixTimeMilliseconds());
        token.OrderId.Value.TryWriteBytes(bytes[13..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(bytes[29..], token.SaleId.Value);
        BinaryPrimitives.WriteInt64BigEndian(bytes[37..], token.OfferId.Value);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[45..], token.Device.Value);
        var userBytes = Encoding.ASCII.GetBytes(token.UserId.Value, bytes[HeadBytes..]);
        bytes[HeadBytes - 1] = (byte)userBytes;
        var signed = HeadBytes + userBytes;
        HMACSHA256.HashData(key, bytes[..signed], bytes[signed..]);
        return Base64Url.EncodeToString(bytes[..(signed + HMACSHA256.HashSizeInBytes)]);
    }

    /// <summary>
    /// Checks form, key, signature, user and age, in this order. <paramref name="token"/> is filled in only when the signature is right.
    /// </summary>
    public TokenVerdict Verify(ReadOnlySpan<byte> text, UserId user, DateTimeOffset now, out OrderToken token)
    {
        token = default;
        Span<byte> bytes = stackalloc byte[MaxBytes];
        if (!TryDecode(text, bytes, out var length) || bytes[0] != Version)
        {
            return TokenVerdict.Malformed;
        }

        var signed = HeadBytes + bytes[HeadBytes - 1];
        if (length != signed + HMACSHA256.HashSizeInBytes)
        {
            return TokenVerdict.Malformed;
        }

        if (FindKey(BinaryPrimitives.ReadUInt32BigEndian(bytes[1..])) is not { } key)
        {
            return TokenVerdict.UnknownKey;
        }

        Span<byte> expected = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, bytes[..signed], expected);
        if (!CryptographicOperations.FixedTimeEquals(expected, bytes[signed..length]))
        {
            return TokenVerdict.Forged;
        }

        if (!Ascii.Equals(bytes[HeadBytes..signed], user.Value))
        {
            return TokenVerdict.WrongUser;
        }

        token = new OrderToken(
            DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64BigEndian(bytes[5..])),
            new OrderId(new Guid(bytes.Slice(13, 16), bigEndian: true)),
            new SaleId(BinaryPrimitives.ReadInt64BigEndian(bytes[29..])),
            new OfferId(BinaryPrimitives.ReadInt64BigEndian(bytes[37..])),
            user,
            new DeviceId(BinaryPrimitives.ReadUInt64BigEndian(bytes[45..])));
        return CheckAge(token.IssuedAt, now);
    }

    private TokenVerdict CheckAge(DateTimeOffset issuedAt, DateTimeOffset now)
    {
        var age = now.ToUnixTimeMilliseconds() - issuedAt.ToUnixTimeMilliseconds();
        if (age < (long)ages.Minimum.TotalMilliseconds)
        {
            return TokenVerdict.TooYoung;
        }

        return age > (long)ages.Maximum.TotalMilliseconds ? TokenVerdict.TooOld : TokenVerdict.Valid;
    }

    /// <summary>
    /// A token has one spelling: the decoder would let white space, padding and stray low bits of the last character pass, so what it read is
    /// encoded again and compared.
    /// </summary>
    private static bool TryDecode(ReadOnlySpan<byte> text, Span<byte> bytes, out int length)
    {
        length = 0;
        if (text.Length > MaxLength
            || Base64Url.DecodeFromUtf8(text, bytes, out _, out length) != System.Buffers.OperationStatus.Done
            || length < HeadBytes + HMACSHA256.HashSizeInBytes)
        {
            return false;
        }

        Span<byte> again = stackalloc byte[MaxLength];
        var written = Base64Url.EncodeToUtf8(bytes[..length], again);
        return again[..written].SequenceEqual(text);
    }

    private byte[]? FindKey(uint id)
    {
        foreach (var entry in ring)
        {
            if (entry.Id == id)
            {
                return entry.Key;
            }
        }

        return null;
    }

    private static uint KeyId(byte[] key) => BinaryPrimitives.ReadUInt32BigEndian(SHA256.HashData(key));
}
