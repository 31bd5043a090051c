using System.Buffers.Binary;
using System.Globalization;

namespace FlashSale.Core;

/// <summary>A sale; a positive number, on the wire its decimal digits.</summary>
public readonly record struct SaleId(long Value)
{
    public static bool TryParse(ReadOnlySpan<char> text, out SaleId id)
    {
        var ok = Ids.TryParseNumber(text, out var value);
        id = new SaleId(value);
        return ok;
    }

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>
/// An offer of a sale; a positive number, on the wire in base 62: a state document names each offer, and must stay within 400 bytes.
/// </summary>
public readonly record struct OfferId(long Value)
{
    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    /// <summary>62^10 fits a long.</summary>
    private const int MaxLength = 10;

    /// <summary>One spelling an id: no leading zero.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out OfferId id)
    {
        id = default;
        if (text.Length is 0 or > MaxLength || text[0] == '0')
        {
            return false;
        }

        var value = 0L;
        foreach (var c in text)
        {
            var digit = Digits.IndexOf(c);
            if (digit < 0)
            {
                return false;
            }

            value = value * Digits.Length + digit;
        }

        id = new OfferId(value);
        return true;
    }

    public override string ToString()
    {
        Span<char> text = stackalloc char[MaxLength + 1];
        var at = text.Length;
        for (var rest = Value; rest > 0; rest /= Digits.Length)
        {
            text[--at] = Digits[(int)(rest % Digits.Length)];
        }

        return new string(text[at..]);
    }
}

/// <summary>
/// An order. Made together with its order token, so that the same token is always the same order. A version 7 UUID:
/// ids of one moment stand side by side in the ledger's index.
/// </summary>
public readonly record struct OrderId(Guid Value)
{
    public static OrderId Create(DateTimeOffset now) => new(Guid.CreateVersion7(now));

    /// <summary>The id that follows from what was decided before: the same for the same hash.</summary>
    /// <param name="at">Not before 1970, nor after 10,000 years; the id has it in milliseconds.</param>
    /// <param name="hash">16 bytes, of which 74 bits are used.</param>
    public static OrderId Of(DateTimeOffset at, ReadOnlySpan<byte> hash)
    {
        Span<byte> bytes = stackalloc byte[16];
        hash[..16].CopyTo(bytes);
        BinaryPrimitives.WriteInt64BigEndian(bytes, (at.ToUnixTimeMilliseconds() << 16) | (0x7000 | (BinaryPrimitives.ReadInt64BigEndian(hash) & 0x0FFF)));
        bytes[8] = (byte)(0x80 | (bytes[8] & 0x3F));
        return new OrderId(new Guid(bytes, bigEndian: true));
    }

    /// <summary>When the id was made: with its token, or with the challenge that was solved for it. The first 48 bits are Unix milliseconds (RFC 9562, section 5.7).</summary>
    public DateTimeOffset CreatedAt
    {
        get
        {
            Span<byte> bytes = stackalloc byte[16];
            Value.TryWriteBytes(bytes, bigEndian: true, out _);
            return DateTimeOffset.FromUnixTimeMilliseconds((BinaryPrimitives.ReadInt64BigEndian(bytes) >> 16) & 0xFFFF_FFFF_FFFF);
        }
    }

    public static bool TryParse(ReadOnlySpan<char> text, out OrderId id)
    {
        var ok = Ids.TryParseGuid(text, out var value);
        id = new OrderId(value);
        return ok;
    }

    public override string ToString() => Value.ToString("N");
}

/// <summary>A payment of an order.</summary>
public readonly record struct PaymentId(Guid Value)
{
    public static PaymentId Create(DateTimeOffset now) => new(Guid.CreateVersion7(now));

    public static bool TryParse(ReadOnlySpan<char> text, out PaymentId id)
    {
        var ok = Ids.TryParseGuid(text, out var value);
        id = new PaymentId(value);
        return ok;
    }

    public override string ToString() => Value.ToString("N");
}

/// <summary>A user as the sign-in names them: 1 to 64 of <c>A-Z a-z 0-9 . _ -</c>.</summary>
public readonly record struct UserId
{
    private UserId(string value) => Value = value;

    public string Value { get; }

    public static bool TryParse(string? text, out UserId id)
    {
        id = default;
        if (text is null || !IsValid(text))
        {
            return false;
        }

        id = new UserId(text);
        return true;
    }

    public static UserId Parse(string text) =>
        TryParse(text, out var id) ? id : throw new FormatException("A user id is 1 to 64 of A-Z a-z 0-9 . _ -");

    public static bool IsValid(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > Limits.UserIdLength)
        {
            return false;
        }

        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or '-'))
            {
                return false;
            }
        }

        return true;
    }

    public override string ToString() => Value;
}

internal static class Ids
{
    /// <summary>One spelling an id: no sign, blank or leading zero.</summary>
    public static bool TryParseNumber(ReadOnlySpan<char> text, out long value)
    {
        value = 0;
        return text.Length is > 0 and <= 18
            && text[0] is >= '1' and <= '9'
            && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>32 lower-case hexadecimal digits.</summary>
    public static bool TryParseGuid(ReadOnlySpan<char> text, out Guid value)
    {
        value = default;
        return !text.ContainsAnyInRange('A', 'F') && Guid.TryParseExact(text, "N", out value);
    }
}
