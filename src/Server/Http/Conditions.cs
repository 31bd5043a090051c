using Microsoft.Extensions.Primitives;

namespace FlashSale.Server.Http;

/// <summary>What a request says of the answer that it takes.</summary>
public static class Conditions
{
    /// <summary>Named without a weight, as every browser does; whoever weighs it gets the plain bytes, which are never wrong.</summary>
    public static bool Takes(StringValues acceptEncoding, string coding)
    {
        foreach (var header in acceptEncoding)
        {
            foreach (var range in header.AsSpan().Split(','))
            {
                if (header.AsSpan()[range].Trim().Equals(coding, StringComparison.OrdinalIgnoreCase))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>RFC 9110, section 13.1.2: weak comparison with any of the list, or <c>*</c>.</summary>
    public static bool Match(StringValues ifNoneMatch, string tag)
    {
        foreach (var header in ifNoneMatch)
        {
            foreach (var range in header.AsSpan().Split(','))
            {
                var candidate = header.AsSpan()[range].Trim();
                if (candidate is "*" || Opaque(candidate).SequenceEqual(Opaque(tag)))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static ReadOnlySpan<char> Opaque(ReadOnlySpan<char> tag) => tag.StartsWith("W/") ? tag[2..] : tag;
}
