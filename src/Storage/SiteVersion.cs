using System.Security.Cryptography;

namespace FlashSale.Storage;

/// <summary>A file of a published site.</summary>
/// <param name="Path">As in the address, from its first slash: <c>/sales/x</c>. ASCII, at most <see cref="Core.Limits.SitePathLength"/> characters.</param>
/// <param name="Hash">Of the content, see <see cref="HashOf"/>: the same content is stored once, whatever versions have it.</param>
public sealed record SiteFile(string Path, string Hash)
{
    /// <summary>The first 32 digits of SHA-256 in lower-case hexadecimal.</summary>
    public static string HashOf(ReadOnlySpan<byte> content) => Convert.ToHexStringLower(SHA256.HashData(content))[..32];
}

/// <summary>A site as it was published once: it never changes.</summary>
/// <param name="Number">From 1, one more for each publication.</param>
/// <param name="MadeBy">The user id of an operator, or <c>system</c>.</param>
/// <param name="Fingerprint">Of all that it was made of, in the publisher's words; at most <see cref="Core.Limits.SiteFingerprintLength"/> characters.</param>
/// <param name="Files">By path, byte by byte.</param>
public sealed record SiteVersion(long Number, DateTimeOffset MadeAt, string MadeBy, string Fingerprint, IReadOnlyList<SiteFile> Files);

/// <summary>What is published, and what it can be rolled back to; from one instant.</summary>
/// <param name="Current">The number of the version that is shown; null before the first publication.</param>
/// <param name="Held">An operator has rolled back: nothing is published until one publishes again.</param>
/// <param name="Rev">Raised by every change.</param>
/// <param name="Versions">The newest <see cref="Core.Limits.SiteVersionsKept"/>, newest first; the current one is always among them.</param>
public sealed record SiteHistory(long? Current, bool Held, long Rev, IReadOnlyList<SiteVersion> Versions);
