using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text.Json;

using FlashSale.Core;
using FlashSale.Core.Draws;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Storage;

namespace FlashSale.Server.Storefront;

/// <summary>
/// The public documents of draws. Before its time a draw is told from memory, without asking the ledger; once its list is fixed the document never changes, and its bytes are made
/// once.
/// </summary>
public sealed class DrawDocuments(SaleCatalog catalog, ILedger ledger, TimeProvider time) : IDisposable
{
    /// <summary>How often the ledger is asked for a list that is not there.</summary>
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(1);

    private readonly ConditionalWeakTable<LiveSale, PublicDocument> terms = [];
    private readonly ConcurrentDictionary<SaleId, PublicDocument> drawn = new();
    private readonly ConcurrentDictionary<SaleId, long> askedAt = new();
    private readonly SemaphoreSlim asking = new(1);

    /// <summary>Null for a sale that does not draw, or is not there.</summary>
    /// <exception cref="LedgerUnavailableException">The list may be fixed, and cannot be read.</exception>
    public async ValueTask<(PublicDocument Document, bool IsFinal)?> FindAsync(string saleId, CancellationToken cancellation)
    {
        if (!SaleId.TryParse(saleId, out var id) || catalog.Find(id) is not { Sale: { Status: not SaleStatus.Draft, Defences.DrawMs: > 0, DrawCommitment: not null } sale } live)
        {
            return null;
        }

        if (!drawn.TryGetValue(id, out var final) && time.GetUtcNow() >= DrawTimes.Of(sale).FixedFrom)
        {
            final = await AskAsync(sale, cancellation);
        }

        return final is not null ? (final, true) : (terms.GetValue(live, static live => Tagged(Terms(live.Sale))), false);
    }

    public void Dispose() => asking.Dispose();

    private async Task<PublicDocument?> AskAsync(Sale sale, CancellationToken cancellation)
    {
        await asking.WaitAsync(cancellation);
        try
        {
            // Those who waited take what the first one got.
            if (drawn.TryGetValue(sale.Id, out var known) || (askedAt.TryGetValue(sale.Id, out var asked) && time.GetElapsedTime(asked) < AskAgain))
            {
                return known;
            }

            if (askedAt.Count >= Limits.DrawsCached)
            {
                askedAt.Clear();
                drawn.Clear();
            }

            var list = await ledger.ReadDrawAsync(sale.Id, cancellation);
            askedAt[sale.Id] = time.GetTimestamp();
            return list is null ? null : drawn[sale.Id] = Tagged(Terms(sale) with
            {
                Seed = Convert.ToHexStringLower(list.Seed),
                DrawnAt = list.FixedAt,
                Offers = [.. list.Offers.Select(offer => new DrawnOfferDocument(offer.OfferId.ToString(), offer.Stock, [.. offer.Entries.Select(entry => entry.ToString())]))],
            });
        }
        finally
        {
            asking.Release();
        }
    }

    private static DrawDocument Terms(Sale sale) => new(sale.Id.ToString(), sale.Defences.DrawMs, sale.DrawCommitment!, sale.OpensAt);

    private static PublicDocument Tagged(DrawDocument document)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(document, WireJson.Default.DrawDocument);
        return PublicDocument.Of(body, body);
    }
}
