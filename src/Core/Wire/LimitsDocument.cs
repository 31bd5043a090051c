using FlashSale.Core.RateLimits;

namespace FlashSale.Core.Wire;

/// <summary>What an operator may set while the system runs; it holds in every instance within a second. Defaults and ranges stand in <see cref="Limits"/>.</summary>
/// <param name="Total">Permits of all requests to one instance; a page costs more than one (<c>docs/operations.md</c>).</param>
/// <param name="Address">Requests of one address: IPv4, or the /64 of IPv6.</param>
/// <param name="User">Requests of one signed-in user, over all instances where they share a Redis.</param>
/// <param name="Sale">Requests about one sale to one instance that want something: reservations, order tokens, orders.</param>
/// <param name="Shedding">When an instance turns requests away to stay quick.</param>
/// <param name="Rev">Of the last change; absent in what an operator sends.</param>
public sealed record LimitsDocument(RateLimit Total, RateLimit Address, RateLimit User, RateLimit Sale, SheddingDocument Shedding, long? Rev = null)
{
    public static LimitsDocument Default { get; } = new(
        new RateLimit(Limits.TotalPermitsPerSecond, Limits.TotalBurst),
        new RateLimit(Limits.AddressRequestsPerSecond, Limits.AddressBurst),
        new RateLimit(Limits.UserRequestsPerSecond, Limits.UserBurst),
        new RateLimit(Limits.SaleRequestsPerSecond, Limits.SaleBurst),
        new SheddingDocument(),
        0);
}

/// <summary>Requests under way in one instance are kept to a number that adapts to their latency. Of it, each kind of request may use a share; the smallest is shed first.</summary>
/// <param name="TargetLatencyMs">The number falls while a tenth of the requests takes longer than this.</param>
/// <param name="InFlightMin">It never falls below this.</param>
/// <param name="InFlightMax">It never rises above this.</param>
/// <param name="WriterWaitMs">The longest that an order may have to wait for its ledger writer, as foreseen when it comes.</param>
/// <param name="BusyClientsPercent">The share of those who have used half of their address's or user's burst.</param>
/// <param name="PagesPercent">The share of page views.</param>
/// <param name="DocumentsPercent">The share of sale details and other documents.</param>
/// <param name="TokensPercent">The share of order tokens and reservations.</param>
/// <param name="OrdersPercent">The share of new orders. Paying, cancelling and reading one's orders is not in question.</param>
public sealed record SheddingDocument(
    int TargetLatencyMs = Limits.TargetLatencyMs,
    int InFlightMin = Limits.InFlightMin,
    int InFlightMax = Limits.InFlightMax,
    int WriterWaitMs = Limits.WriterWaitMs,
    int BusyClientsPercent = 40,
    int PagesPercent = 50,
    int DocumentsPercent = 65,
    int TokensPercent = 80,
    int OrdersPercent = 100);
