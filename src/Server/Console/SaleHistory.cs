using FlashSale.Core;
using FlashSale.Core.Wire;
using FlashSale.Storage;

namespace FlashSale.Server.Console;

/// <summary>What the audit log says of one sale.</summary>
public sealed class SaleHistory(ILedger ledger)
{
    private const int AuditPage = 50;

    public static bool IsEdit(AuditDocument entry) => entry.Action is SaleActions.Created or SaleActions.Updated;

    /// <summary>
    /// The entries of the sale back to the newest one that <paramref name="until"/> accepts, which is the last of them; to its creation, when there is none. Newest
    /// first.
    /// </summary>
    public async Task<IReadOnlyList<AuditDocument>> ReadUntilAsync(SaleId sale, Func<AuditDocument, bool> until, CancellationToken cancellation)
    {
        var subject = $"sale/{sale}";
        List<AuditDocument> entries = [];
        long? before = null;
        while (true)
        {
            var page = await ledger.ListAuditOfAsync(subject, before, AuditPage, cancellation);
            foreach (var entry in page)
            {
                entries.Add(entry);
                if (until(entry) || entry.Action == SaleActions.Created)
                {
                    return entries;
                }
            }

            if (page.Count < AuditPage)
            {
                return entries;
            }

            before = long.Parse(page[^1].Id);
        }
    }

    /// <summary>The newest entry of the sale of this kind; null when there is none.</summary>
    public async Task<AuditDocument?> FindAsync(SaleId sale, Func<AuditDocument, bool> isOfKind, CancellationToken cancellation) =>
        (await ReadUntilAsync(sale, isOfKind, cancellation)).LastOrDefault(isOfKind);
}
