using FlashSale.Core;
using FlashSale.Storage;

namespace FlashSale.Server.Edge;

/// <summary>The sale that an address speaks of.</summary>
internal static class SaleOfPath
{
    /// <summary>Null when it speaks of none, or of one that is not known.</summary>
    public static LiveSale? Find(PathString path, SaleCatalog catalog)
    {
        var text = path.Value.AsSpan();
        return After(text, "/offers/") is { Length: > 0 } offer
            ? OfferId.TryParse(offer, out var offerId) && catalog.TryFind(offerId, out var found) ? found.Sale : null
            : After(text, "/sales/") is not { Length: > 0 } sale ? null
            : SaleId.TryParse(sale, out var saleId) ? catalog.Find(saleId)
            : catalog.Find(sale.ToString());
    }

    /// <summary>The segment behind a name; empty when there is none.</summary>
    private static ReadOnlySpan<char> After(ReadOnlySpan<char> path, string name)
    {
        var at = path.IndexOf(name, StringComparison.OrdinalIgnoreCase);
        if (at < 0)
        {
            return [];
        }

        var rest = path[(at + name.Length)..];
        var end = rest.IndexOf('/');
        return end < 0 ? rest : rest[..end];
    }
}
