using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Storage;

using Microsoft.Extensions.Primitives;

namespace FlashSale.Server.Storefront;

/// <summary>The bytes of a public document, plain and compressed, and its weak entity tag, as they are sent to everybody.</summary>
public sealed record PublicDocument(byte[] Body, byte[] Gzip, StringValues ETag)
{
    /// <param name="body">What is sent.</param>
    /// <param name="tagged">What the tag stands for: two documents with the same are as good as one another.</param>
    public static PublicDocument Of(byte[] body, ReadOnlySpan<byte> tagged)
    {
        using var gzip = new MemoryStream();
        using (var stream = new GZipStream(gzip, CompressionLevel.Fastest, leaveOpen: true))
        {
            stream.Write(body);
        }

        return new PublicDocument(body, gzip.ToArray(), "W/\"" + Convert.ToHexStringLower(SHA256.HashData(tagged).AsSpan(0, 8)) + "\"");
    }
}

/// <summary>
/// The public documents of sales. Each is made when somebody asks, at most once in <see cref="Lifetime"/>, and sent to all who ask within that time: a hundred
/// thousand waiting shoppers cost ten small serializations a second.
/// </summary>
public sealed class SaleDocuments(SaleCatalog catalog, TimeProvider time)
{
    /// <summary>How old a document may be when it is sent.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMilliseconds(100);

    /// <summary>How long an ended sale stays in the list.</summary>
    public static readonly TimeSpan EndedStaysListed = TimeSpan.FromHours(1);

    private readonly Slot list = new();

    // Weak, by the snapshot of the sale: a change of the sale is a new snapshot, so that it is seen at once, and what is replaced goes away by itself.
    private readonly ConditionalWeakTable<LiveSale, Slots> slots = [];

    /// <summary>Every sale that is published, and not over for longer than <see cref="EndedStaysListed"/>.</summary>
    public static IEnumerable<LiveSale> Listed(SaleCatalog catalog, DateTimeOffset now) =>
        catalog.Sales.Where(live => live.Sale.Status != SaleStatus.Draft && now < live.Sale.ClosesAt + EndedStaysListed);

    public PublicDocument List() => Fresh(list, catalog, static (catalog, now) =>
        Tagged(new Page<SaleDocument>([.. Listed(catalog, now).Select(live => live.Describe(now))], null), WireJson.Default.PageSaleDocument));

    /// <summary>Null when there is no such sale, or it is a draft.</summary>
    public PublicDocument? Sale(string saleId) => Find(saleId) is not { } live
        ? null
        : Fresh(slots.GetOrCreateValue(live).Sale, live, static (live, now) => Tagged(live.Describe(now), WireJson.Default.SaleDocument));

    /// <summary>Null when there is no such sale, or it is a draft.</summary>
    public PublicDocument? State(string saleId) => Find(saleId) is not { } live
        ? null
        : Fresh(slots.GetOrCreateValue(live).State, live, SaleState.Make);

    private static PublicDocument Tagged<T>(T document, JsonTypeInfo<T> type)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(document, type);
        return PublicDocument.Of(body, body);
    }

    private LiveSale? Find(string saleId) =>
        SaleId.TryParse(saleId, out var id) && catalog.Find(id) is { Sale.Status: not SaleStatus.Draft } live ? live : null;

    private PublicDocument Fresh<T>(Slot slot, T subject, Func<T, DateTimeOffset, PublicDocument> make)
    {
        if (slot.Made is { } made && time.GetElapsedTime(made.At) < Lifetime)
        {
            return made.Document;
        }

        lock (slot)
        {
            // Those who waited for the lock take what the first one made.
            if (slot.Made is { } fresh && time.GetElapsedTime(fresh.At) < Lifetime)
            {
                return fresh.Document;
            }

            var at = time.GetTimestamp();
            var document = make(subject, time.GetUtcNow());
            slot.Made = new Made(at, document);
            return document;
        }
    }

    private sealed class Slots
    {
        public Slot Sale { get; } = new();

        public Slot State { get; } = new();
    }

    private sealed class Slot
    {
        private volatile Made? made;

        public Made? Made
        {
            get => made;
            set => made = value;
        }
    }

    private sealed record Made(long At, PublicDocument Document);
}
