using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;

using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Core.Tokens;
using FlashSale.Core.Wire;
using FlashSale.Storage;

namespace FlashSale.Server.Edge;

/// <summary>Makes what a gateway asks for four times a second: sales, which of their offers are sold out, the limits (docs/gateway.md).</summary>
internal sealed class EdgeState(EdgeOptions options, SaleCatalog catalog, KnownOrders knownOrders, OriginBlacklist origins, TokenAges ages, TimeProvider time)
{
    /// <summary>A gateway needs to know of no sale for which no token can live.</summary>
    private static readonly TimeSpan EndedStays = Limits.GateKeepsEnded;

    // When a sale was first seen closed before its time: its orders may still be on their way then.
    private readonly ConcurrentDictionary<SaleId, DateTimeOffset> closed = new();

    public byte[] Make()
    {
        var now = time.GetUtcNow();
        var limits = catalog.Limits;
        var document = new EdgeStateDocument(
            now.ToUnixTimeMilliseconds(),
            "",
            new EdgeLimitsDocument(options.LimitsEnabled, limits.Total, limits.Address, limits.User, limits.Sale),
            new EdgeTokensDocument((long)ages.Minimum.TotalMilliseconds, (long)ages.Maximum.TotalMilliseconds),
            [.. catalog.Sales.Where(live => live.Sale.Status != SaleStatus.Draft && now < live.Sale.ClosesAt + EndedStays).Select(live => Describe(live, now))])
        {
            BarredAddresses = origins.HasRanges ? [.. origins.RangesAt(now, Limits.BlacklistRangesTold).Select(range => range.ToHex())] : null,
        };
        var tagged = JsonSerializer.SerializeToUtf8Bytes(document with { EpochMs = 0 }, WireJson.Default.EdgeStateDocument);
        var rev = Convert.ToHexStringLower(SHA256.HashData(tagged).AsSpan(0, 8));
        return JsonSerializer.SerializeToUtf8Bytes(document with { Rev = rev }, WireJson.Default.EdgeStateDocument);
    }

    private EdgeSaleDocument Describe(LiveSale live, DateTimeOffset now)
    {
        var sale = live.Sale;
        var closesAt = sale.ClosesAt;
        if (sale.Status == SaleStatus.Closed)
        {
            var seen = closed.GetOrAdd(sale.Id, now);
            closesAt = seen < closesAt ? seen : closesAt;
        }

        return new EdgeSaleDocument(
            sale.Id.ToString(),
            Key(sale.Id.Value),
            sale.OpensAt.ToUnixTimeMilliseconds(),
            sale.OpensAt,
            closesAt.ToUnixTimeMilliseconds(),
            sale.Status == SaleStatus.Paused,
            [.. live.Offers.Select(Describe)]);
    }

    private EdgeOfferDocument Describe(LiveOffer offer)
    {
        var id = offer.Offer.Id;
        return knownOrders.TryFind(id, out var known)
            ? new EdgeOfferDocument(id.ToString(), Key(id.Value), known.Stock.Available == 0, known.Orders.ToBase64())
            : new EdgeOfferDocument(id.ToString(), Key(id.Value), false, null);
    }

    private static string Key(long value) => value.ToString("x16", CultureInfo.InvariantCulture);
}
