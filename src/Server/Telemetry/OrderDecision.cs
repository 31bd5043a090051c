using FlashSale.Core.Tokens;
using FlashSale.Core.Wire;

namespace FlashSale.Server.Telemetry;

/// <summary>How one request to order ended: the layer that decided, the outcome and its reason. Counted once a request.</summary>
public enum OrderDecision
{
    Placed,
    Repeated,

    // edge, outermost first
    NotReady,
    TotalLimit,
    AddressLimit,
    UserLimit,
    Unauthenticated,
    Malformed,
    SaleLimit,
    EdgeSaleNotOpen,
    EdgeSalePaused,
    EdgeSaleEnded,
    EdgeSoldOut,
    Shed,

    // checkout: the true reason of a rejected token, for operators only
    TokenMissing,
    TokenMalformed,
    TokenUnknownKey,
    TokenForged,
    TokenWrongUser,
    TokenWrongDevice,
    TokenTooYoung,
    TokenTooOld,
    TokenForUnknownOffer,

    // draw
    DrawFull,
    NotDrawn,

    // gate
    SaleNotOpen,
    SalePaused,
    SaleEnded,
    NotReserved,
    NotEligible,
    BarredAddress,
    BarredDevice,
    GateLimitReached,
    GateSoldOut,
    GateUnavailable,

    // ledger
    QueueFull,
    QueueTooSlow,
    DeadlinePassed,
    LedgerSoldOut,
    LedgerLimitReached,
    LedgerUnavailable,
    OutcomeUnknown,
    Broken,
}

/// <summary>The labels of a decision, and what the caller is told (null for a success).</summary>
public sealed record DecisionKind(string Layer, string Outcome, string Reason, ProblemCode? Problem)
{
    private static readonly DecisionKind[] All = [.. Enum.GetValues<OrderDecision>().Select(Make)];

    public static DecisionKind Of(OrderDecision decision) => All[(int)decision];

    public static OrderDecision Of(TokenVerdict verdict) =>
        verdict switch
        {
            TokenVerdict.Malformed => OrderDecision.TokenMalformed,
            TokenVerdict.UnknownKey => OrderDecision.TokenUnknownKey,
            TokenVerdict.Forged => OrderDecision.TokenForged,
            TokenVerdict.WrongUser => OrderDecision.TokenWrongUser,
            TokenVerdict.WrongDevice => OrderDecision.TokenWrongDevice,
            TokenVerdict.TooYoung => OrderDecision.TokenTooYoung,
            TokenVerdict.TooOld => OrderDecision.TokenTooOld,
            _ => throw new ArgumentOutOfRangeException(nameof(verdict), verdict, "A valid token is no reason to refuse."),
        };

    private static DecisionKind Make(OrderDecision decision) =>
        decision switch
        {
            OrderDecision.Placed => new("ledger", "admitted", "placed", null),
            OrderDecision.Repeated => new("ledger", "admitted", "repeated", null),
            OrderDecision.TotalLimit => new("edge", "refused", "total_limit", ProblemCode.RateLimited),
            OrderDecision.AddressLimit => new("edge", "refused", "address_limit", ProblemCode.RateLimited),
            OrderDecision.UserLimit => new("edge", "refused", "user_limit", ProblemCode.RateLimited),
            OrderDecision.NotReady => new("edge", "failed", "not_ready", ProblemCode.Overloaded),
            OrderDecision.SaleLimit => new("edge", "refused", "sale_limit", ProblemCode.RateLimited),
            OrderDecision.EdgeSaleNotOpen => new("edge", "refused", "sale_not_open", ProblemCode.SaleNotOpen),
            OrderDecision.EdgeSalePaused => new("edge", "refused", "sale_paused", ProblemCode.SalePaused),
            OrderDecision.EdgeSaleEnded => new("edge", "refused", "sale_ended", ProblemCode.SaleEnded),
            OrderDecision.EdgeSoldOut => new("edge", "refused", "sold_out", ProblemCode.SoldOut),
            OrderDecision.Shed => new("edge", "refused", "shed", ProblemCode.Overloaded),
            OrderDecision.Unauthenticated => new("edge", "refused", "unauthenticated", ProblemCode.Unauthenticated),
            OrderDecision.Malformed => new("edge", "refused", "malformed", ProblemCode.MalformedRequest),
            OrderDecision.TokenMissing => Token("missing"),
            OrderDecision.TokenMalformed => Token("malformed"),
            OrderDecision.TokenUnknownKey => Token("unknown_key"),
            OrderDecision.TokenForged => Token("forged"),
            OrderDecision.TokenWrongUser => Token("wrong_user"),
            OrderDecision.TokenWrongDevice => Token("wrong_device"),
            OrderDecision.TokenTooYoung => Token("too_young"),
            OrderDecision.TokenTooOld => Token("too_old"),
            OrderDecision.TokenForUnknownOffer => Token("unknown_offer"),
            OrderDecision.DrawFull => new("draw", "refused", "full", ProblemCode.Overloaded),
            OrderDecision.NotDrawn => new("draw", "failed", "not_drawn", ProblemCode.LedgerUnavailable),
            OrderDecision.SaleNotOpen => new("gate", "refused", "sale_not_open", ProblemCode.SaleNotOpen),
            OrderDecision.SalePaused => new("gate", "refused", "sale_paused", ProblemCode.SalePaused),
            OrderDecision.SaleEnded => new("gate", "refused", "sale_ended", ProblemCode.SaleEnded),
            OrderDecision.NotReserved => new("gate", "refused", "not_reserved", ProblemCode.NotReserved),
            OrderDecision.NotEligible => new("gate", "refused", "not_eligible", ProblemCode.NotEligible),
            OrderDecision.BarredAddress => new("gate", "refused", "barred_address", ProblemCode.NotEligible),
            OrderDecision.BarredDevice => new("gate", "refused", "barred_device", ProblemCode.NotEligible),
            OrderDecision.GateLimitReached => new("gate", "refused", "limit_reached", ProblemCode.PurchaseLimitReached),
            OrderDecision.GateSoldOut => new("gate", "refused", "sold_out", ProblemCode.SoldOut),
            OrderDecision.GateUnavailable => new("gate", "failed", "unavailable", ProblemCode.Overloaded),
            OrderDecision.QueueFull => new("ledger", "refused", "queue_full", ProblemCode.Overloaded),
            OrderDecision.QueueTooSlow => new("ledger", "refused", "queue_slow", ProblemCode.Overloaded),
            OrderDecision.DeadlinePassed => new("ledger", "refused", "deadline", ProblemCode.Overloaded),
            OrderDecision.LedgerSoldOut => new("ledger", "refused", "sold_out", ProblemCode.SoldOut),
            OrderDecision.LedgerLimitReached => new("ledger", "refused", "limit_reached", ProblemCode.PurchaseLimitReached),
            OrderDecision.LedgerUnavailable => new("ledger", "failed", "unavailable", ProblemCode.LedgerUnavailable),
            OrderDecision.OutcomeUnknown => new("ledger", "failed", "outcome_unknown", ProblemCode.OutcomeUnknown),
            OrderDecision.Broken => new("ledger", "failed", "internal_error", ProblemCode.InternalError),
            _ => throw new ArgumentOutOfRangeException(nameof(decision), decision, "No labels."),
        };

    private static DecisionKind Token(string reason) => new("checkout", "refused", "token_" + reason, ProblemCode.OrderTokenRejected);
}
