namespace FlashSale.Core.Wire;

/// <summary>The published site (docs/operations.md, Published pages).</summary>
/// <param name="Current">The version that is shown; null before the first publication.</param>
/// <param name="Held">An operator has rolled back: nothing is published until one publishes again.</param>
/// <param name="Versions">Those that are kept, newest first.</param>
/// <param name="Instance">How the instance stands that answers.</param>
public sealed record SiteDocument(
    long? Current,
    bool Held,
    IReadOnlyList<SiteVersionDocument> Versions,
    SiteInstanceDocument Instance);

/// <param name="MadeBy">The user id of an operator, or <c>system</c>.</param>
/// <param name="Fingerprint">Of build and sales, <c>build:sales</c>: what has the same was made of the same.</param>
/// <param name="Pages">Without the files that they refer to.</param>
public sealed record SiteVersionDocument(long Number, DateTimeOffset MadeAt, string MadeBy, string Fingerprint, int Pages);

/// <param name="Shown">The version that it serves; 0 for none.</param>
/// <param name="OnDisk">The version that <c>data/site/current</c> leads to; 0 for none.</param>
/// <param name="Problems">Why the pages could not be made or written here; empty when they were.</param>
public sealed record SiteInstanceDocument(long Shown, long OnDisk, IReadOnlyList<string> Problems);
