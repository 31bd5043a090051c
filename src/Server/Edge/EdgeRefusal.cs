using FlashSale.Core.Wire;
using FlashSale.Server.Telemetry;

namespace FlashSale.Server.Edge;

/// <summary>Why the edge turned a request away: by layer, outermost first.</summary>
public enum EdgeReason
{
    /// <summary>Where its body ends is not certain.</summary>
    Framing,

    /// <summary>This instance has just started, and has not loaded the sales.</summary>
    NotReady,
    TotalLimit,
    AddressLimit,
    UserLimit,

    /// <summary>A reservation or an order token asked for from an address, or by a device, that is on the blacklist.</summary>
    BarredAddress,
    BarredDevice,

    /// <summary>A request to order without a session.</summary>
    Unauthenticated,

    /// <summary>A request to order whose body or token is no good; <see cref="OrderDecision"/> says which.</summary>
    OrderRejected,
    SaleLimit,
    SaleNotOpen,
    SalePaused,
    SaleEnded,
    SoldOut,

    /// <summary>Too many requests are under way.</summary>
    Shed,
}

/// <param name="Reason">For the count of all requests.</param>
/// <param name="Problem">What the caller is told.</param>
/// <param name="Decision">For the count of requests to order.</param>
/// <param name="RetryAfter">When it is known that to come back earlier is of no use.</param>
internal sealed record EdgeRefusal(EdgeReason Reason, ProblemCode Problem, OrderDecision Decision, TimeSpan? RetryAfter = null)
{
    public static EdgeRefusal Framing { get; } = new(EdgeReason.Framing, ProblemCode.MalformedRequest, OrderDecision.Malformed);
    public static EdgeRefusal NotReady { get; } = new(EdgeReason.NotReady, ProblemCode.Overloaded, OrderDecision.NotReady);
    public static EdgeRefusal TotalLimit { get; } = new(EdgeReason.TotalLimit, ProblemCode.RateLimited, OrderDecision.TotalLimit);
    public static EdgeRefusal AddressLimit { get; } = new(EdgeReason.AddressLimit, ProblemCode.RateLimited, OrderDecision.AddressLimit);
    public static EdgeRefusal UserLimit { get; } = new(EdgeReason.UserLimit, ProblemCode.RateLimited, OrderDecision.UserLimit);
    public static EdgeRefusal SaleLimit { get; } = new(EdgeReason.SaleLimit, ProblemCode.RateLimited, OrderDecision.SaleLimit);
    public static EdgeRefusal Unauthenticated { get; } = new(EdgeReason.Unauthenticated, ProblemCode.Unauthenticated, OrderDecision.Unauthenticated);
    public static EdgeRefusal SaleNotOpen { get; } = new(EdgeReason.SaleNotOpen, ProblemCode.SaleNotOpen, OrderDecision.EdgeSaleNotOpen);
    public static EdgeRefusal SalePaused { get; } = new(EdgeReason.SalePaused, ProblemCode.SalePaused, OrderDecision.EdgeSalePaused);
    public static EdgeRefusal SaleEnded { get; } = new(EdgeReason.SaleEnded, ProblemCode.SaleEnded, OrderDecision.EdgeSaleEnded);
    public static EdgeRefusal SoldOut { get; } = new(EdgeReason.SoldOut, ProblemCode.SoldOut, OrderDecision.EdgeSoldOut);
    public static EdgeRefusal BarredAddress { get; } = new(EdgeReason.BarredAddress, ProblemCode.NotEligible, OrderDecision.BarredAddress);
    public static EdgeRefusal BarredDevice { get; } = new(EdgeReason.BarredDevice, ProblemCode.NotEligible, OrderDecision.BarredDevice);
    public static EdgeRefusal Shed { get; } = new(EdgeReason.Shed, ProblemCode.Overloaded, OrderDecision.Shed);

    /// <summary>A caller who has to wait for longer than anybody is asked to by default is told so.</summary>
    public EdgeRefusal For(TimeSpan wait) => wait <= TimeSpan.FromSeconds(1) ? this : this with { RetryAfter = wait };
}
