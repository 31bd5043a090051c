using System.Security.Cryptography;

namespace FlashSale.Core.Draws;

/// <summary>What decides a draw: nothing but the seed, which was committed to before anybody could enter, and the entries.</summary>
public static class DrawRules
{
    public const int SeedBytes = 32;

    /// <summary>What is published of a seed before the opening: SHA-256 of it, 64 lower-case hexadecimal digits.</summary>
    public static string Commitment(ReadOnlySpan<byte> seed) => Convert.ToHexStringLower(SHA256.HashData(seed));

    /// <summary>
    /// The entries of one offer in their drawn order: by HMAC-SHA256 of the entry's 32 bytes under the seed, ascending, compared byte by byte. Two of one hash would stand in
    /// the order of the entries themselves; nobody knows such two.
    /// </summary>
    /// <param name="entries">Distinct, in any order.</param>
    public static DrawEntry[] Rank(ReadOnlySpan<byte> seed, IReadOnlyList<DrawEntry> entries)
    {
        var ranked = new (DrawEntry Rank, DrawEntry Entry)[entries.Count];
        Span<byte> bytes = stackalloc byte[DrawEntry.Bytes];
        Span<byte> hash = stackalloc byte[DrawEntry.Bytes];
        for (var i = 0; i < ranked.Length; i++)
        {
            entries[i].Write(bytes);
            HMACSHA256.HashData(seed, bytes, hash);
            ranked[i] = (DrawEntry.Read(hash), entries[i]);
        }

        Array.Sort(ranked, static (a, b) => Compare(a.Rank, b.Rank) is not 0 and var order ? order : Compare(a.Entry, b.Entry));
        return Array.ConvertAll(ranked, static one => one.Entry);
    }

    private static int Compare(DrawEntry a, DrawEntry b) => a.High != b.High ? a.High.CompareTo(b.High) : a.Low.CompareTo(b.Low);
}
