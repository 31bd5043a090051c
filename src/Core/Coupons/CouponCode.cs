using System.Security.Cryptography;

namespace FlashSale.Core.Coupons;

/// <summary>
/// The code of a coupon: 12 Crockford base32 characters in groups of four, the last one a check character. The check is a
/// weighted sum in GF(32) with a different weight for every place, so any single wrong character and any two characters swapped
/// are found.
/// </summary>
public static class CouponCode
{
    private const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private const int RandomCharacters = Limits.CouponCodeLength - 1;

    /// <summary>A new code: 55 random bits from the operating system. The ledger's primary key keeps it unique.</summary>
    public static string Create()
    {
        Span<byte> random = stackalloc byte[RandomCharacters];
        RandomNumberGenerator.Fill(random);
        Span<int> values = stackalloc int[Limits.CouponCodeLength];
        for (var i = 0; i < RandomCharacters; i++)
        {
            values[i] = random[i] & 31;
        }

        values[RandomCharacters] = Check(values[..RandomCharacters]);
        return Format(values);
    }

    /// <summary>
    /// Reads what a person typed: case, blanks and hyphens do not matter, <c>I L</c> are 1 and <c>O</c> is 0. False when it is not
    /// 12 characters of the alphabet or the check character does not fit.
    /// </summary>
    public static bool TryNormalize(string? typed, out string code)
    {
        code = "";
        if (typed is null || typed.Length > 2 * Limits.CouponCodeLength)
        {
            return false;
        }

        Span<int> values = stackalloc int[Limits.CouponCodeLength];
        var count = 0;
        foreach (var c in typed)
        {
            if (c is '-' or ' ')
            {
                continue;
            }

            var value = ValueOf(c);
            if (value < 0 || count == Limits.CouponCodeLength)
            {
                return false;
            }

            values[count++] = value;
        }

        if (count != Limits.CouponCodeLength || Check(values[..RandomCharacters]) != values[RandomCharacters])
        {
            return false;
        }

        code = Format(values);
        return true;
    }

    private static int ValueOf(char c)
    {
        var upper = char.ToUpperInvariant(c);
        return upper switch
        {
            'I' or 'L' => 1,
            'O' => 0,
            _ => Alphabet.IndexOf(upper),
        };
    }

    private static int Check(ReadOnlySpan<int> values)
    {
        // Horner's rule: place i weighs 2^(n-i), and 2 generates all 31 powers of GF(32), so no two of 12 places weigh the same.
        var sum = 0;
        foreach (var value in values)
        {
            sum = Double(sum ^ value);
        }

        return sum;
    }

    /// <summary>Times 2 in GF(32) with x^5 + x^2 + 1.</summary>
    private static int Double(int value) => (value & 16) == 0 ? value << 1 : ((value << 1) & 31) ^ 0b00101;

    private static string Format(ReadOnlySpan<int> values)
    {
        Span<char> text = stackalloc char[Limits.CouponCodeLength + 2];
        var at = 0;
        for (var i = 0; i < values.Length; i++)
        {
            if (i is 4 or 8)
            {
                text[at++] = '-';
            }

            text[at++] = Alphabet[values[i]];
        }

        return new string(text);
    }
}
