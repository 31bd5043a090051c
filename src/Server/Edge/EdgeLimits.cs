using FlashSale.Core.RateLimits;
using FlashSale.Core.Wire;

using Microsoft.Extensions.Primitives;

namespace FlashSale.Server.Edge;

/// <summary>The limits that hold now, worked out once for all requests until an operator changes them.</summary>
internal sealed class EdgeLimits
{
    private readonly int?[] shares;
    private readonly Dictionary<EdgeReason, (StringValues Policy, StringValues Limit)> headers;

    public EdgeLimits(LimitsDocument document, long frequency)
    {
        Document = document;
        Address = TokenBucket.Of(document.Address, frequency);
        Sale = TokenBucket.Of(document.Sale, frequency);
        var shedding = document.Shedding;
        shares = [shedding.PagesPercent, shedding.DocumentsPercent, shedding.TokensPercent, shedding.OrdersPercent, null];
        headers = new()
        {
            [EdgeReason.TotalLimit] = Headers("total", document.Total),
            [EdgeReason.AddressLimit] = Headers("address", document.Address),
            [EdgeReason.UserLimit] = Headers("user", document.User),
            [EdgeReason.SaleLimit] = Headers("sale", document.Sale),
        };
    }

    public LimitsDocument Document { get; }

    public TokenBucket Address { get; }

    public TokenBucket Sale { get; }

    /// <summary>What of the requests under way this kind may fill up; null is all and more.</summary>
    public int? ShareOf(RequestKind kind, bool busyClient) =>
        shares[(int)kind] is { } share && busyClient ? Math.Min(share, Document.Shedding.BusyClientsPercent) : shares[(int)kind];

    /// <summary><c>RateLimit-Policy</c> and <c>RateLimit</c> (draft-ietf-httpapi-ratelimit-headers-10) of a refused request.</summary>
    public bool TryGetHeaders(EdgeReason reason, out (StringValues Policy, StringValues Limit) found) => headers.TryGetValue(reason, out found);

    private static (StringValues Policy, StringValues Limit) Headers(string name, RateLimit limit) =>
        ($"\"{name}\";q={limit.Burst};w={limit.WindowSeconds}", $"\"{name}\";r=0;t=1");
}
