namespace FlashSale.Core.Wire;

/// <summary>What everybody knows of a sale's draw from its publication on.</summary>
/// <param name="WindowMs">Requests to order of so many milliseconds after the opening are drawn by lot.</param>
/// <param name="Commitment">SHA-256 of the seed, 64 lower-case hexadecimal digits; it never changes.</param>
public sealed record DrawTermsDocument(int WindowMs, string Commitment);

/// <summary>The draw of a sale (docs/draw.md).</summary>
/// <param name="Seed">64 lower-case hexadecimal digits; absent, like the two below, until the list of entries is fixed.</param>
/// <param name="DrawnAt">When the list was fixed, by the ledger's clock.</param>
/// <param name="Offers">Those of the sale, in its order.</param>
public sealed record DrawDocument(
    string SaleId,
    int WindowMs,
    string Commitment,
    DateTimeOffset OpensAt,
    string? Seed = null,
    DateTimeOffset? DrawnAt = null,
    IReadOnlyList<DrawnOfferDocument>? Offers = null);

/// <param name="Stock">Units that were for sale when the list was fixed: the first so many entries go first.</param>
/// <param name="Entries">64 lower-case hexadecimal digits each, in the drawn order.</param>
public sealed record DrawnOfferDocument(string OfferId, long Stock, IReadOnlyList<string> Entries);
