using System.Collections.Frozen;
using System.Text.Json.Serialization;

namespace FlashSale.Core.Wire;

/// <summary>What a refused request left behind (invariant I4).</summary>
[JsonConverter(typeof(WordEnumConverter<Effect>))]
public enum Effect
{
    /// <summary>Nothing was written.</summary>
    None,

    /// <summary>It had been done before.</summary>
    Applied,

    /// <summary>It may have been done; the same request again settles it.</summary>
    Unknown,
}

/// <summary>Every answer of the API that is not a success.</summary>
public enum ProblemCode
{
    MalformedRequest,
    InvalidFields,
    Unauthenticated,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    BodyTooLarge,
    UnsupportedMediaType,
    PreconditionRequired,
    PreconditionFailed,
    OrderTokenRejected,
    NotReserved,
    NotEligible,
    ChallengeRequired,
    SaleNotOpen,
    SaleEnded,
    SalePaused,
    SoldOut,
    PurchaseLimitReached,
    RateLimited,
    Overloaded,
    OutcomeUnknown,
    LedgerUnavailable,
    GateUnavailable,
    ReservationsNotOpen,
    OrderNotCancellable,
    OrderNotPayable,
    OrderNotExtendable,
    OrderNotRefundable,
    ContactClosed,
    CouponAlreadyRedeemed,
    CouponNotValid,
    SignatureRejected,
    AmountMismatch,
    SlugTaken,
    SaleStateConflict,
    StockConflict,
    NoEarlierVersion,
    InternalError,
}

/// <summary>One code of a problem document, its HTTP status, its effect, and the words of its page <c>/problems/{code}</c>.</summary>
/// <param name="Help">What the caller can do about it.</param>
public sealed record ProblemKind(ProblemCode Id, string Code, int Status, Effect Effect, string Title, string TitleZh, string Help)
{
    /// <summary>The <c>type</c> of the document.</summary>
    public string Type => "/problems/" + Code;
}

/// <summary>The closed list of problems (RFC 9457).</summary>
public static class Problems
{
    public static IReadOnlyList<ProblemKind> All { get; } =
    [
        new(ProblemCode.MalformedRequest, "malformed-request", 400, Effect.None, "The request cannot be read", "请求无法识别", "Send one JSON object in UTF-8, no deeper than 16 levels, as the API describes it."),
        new(ProblemCode.InvalidFields, "invalid-fields", 422, Effect.None, "Some fields are not valid", "部分字段无效", "See `errors`: it names every invalid field and what it must be."),
        new(ProblemCode.Unauthenticated, "unauthenticated", 401, Effect.None, "Sign in first", "请先登录", "Send `Authorization: Bearer` with a session token that has not expired."),
        new(ProblemCode.Forbidden, "forbidden", 403, Effect.None, "Your role does not allow this", "没有权限", "Sign in with an account that has the role which this call asks for."),
        new(ProblemCode.NotFound, "not-found", 404, Effect.None, "There is nothing here", "未找到", "Check the address and the id. What belongs to somebody else is not shown."),
        new(ProblemCode.MethodNotAllowed, "method-not-allowed", 405, Effect.None, "This method is not allowed here", "不支持该方法", "See `Allow` for the methods of this address."),
        new(ProblemCode.BodyTooLarge, "body-too-large", 413, Effect.None, "The request is too large", "请求过大", "Send less; the API page names the limit of each call."),
        new(ProblemCode.UnsupportedMediaType, "unsupported-media-type", 415, Effect.None, "This media type is not understood", "不支持的内容类型", "Send `Content-Type: application/json`."),
        new(ProblemCode.PreconditionRequired, "precondition-required", 428, Effect.None, "If-Match is missing", "缺少 If-Match", "Read the sale, and send its ETag in `If-Match`; `*` accepts any version."),
        new(ProblemCode.PreconditionFailed, "precondition-failed", 412, Effect.None, "Somebody changed it before you", "内容已被他人修改", "Read it again, and decide on what it says now."),
        new(ProblemCode.OrderTokenRejected, "order-token-rejected", 403, Effect.None, "The order token was not accepted", "下单凭证无效", "Open the checkout again for a new token, and submit it one second later at the earliest, ten minutes at the latest."),
        new(ProblemCode.NotReserved, "not-reserved", 403, Effect.None, "This sale needs a reservation", "本场需预约", "Reservations for this sale are over; see the other sales."),
        new(ProblemCode.NotEligible, "not-eligible", 403, Effect.None, "You cannot take part in this sale", "暂不符合参与条件", "Ask the shop if you think that this is a mistake."),
        new(ProblemCode.ChallengeRequired, "challenge-required", 403, Effect.None, "Solve the challenge first", "请先完成验证", "Solve what `challenge` asks, by work or by answering its question, and send the same request again with `solution`."),
        new(ProblemCode.SaleNotOpen, "sale-not-open", 409, Effect.None, "The sale is not open yet", "活动尚未开始", "Come again at `opensAt`. The same token stays good while it lives."),
        new(ProblemCode.SaleEnded, "sale-ended", 410, Effect.None, "The sale is over", "活动已结束", "See the other sales."),
        new(ProblemCode.SalePaused, "sale-paused", 503, Effect.None, "The sale is paused", "活动暂停，请稍候", "It will go on. Try again after `Retry-After`, with the same token."),
        new(ProblemCode.SoldOut, "sold-out", 409, Effect.None, "Sold out", "已抢光", "Units of unpaid orders may come back: the same token may be tried again while it lives."),
        new(ProblemCode.PurchaseLimitReached, "purchase-limit-reached", 409, Effect.None, "You have as many as one person may have", "已达限购数量", "Pay or cancel the order that you have."),
        new(ProblemCode.RateLimited, "rate-limited", 429, Effect.None, "Too many requests", "请求过于频繁", "Wait for `Retry-After`, then go on more slowly. The same token stays good while it lives."),
        new(ProblemCode.Overloaded, "overloaded", 503, Effect.None, "Too many people at this moment", "当前人数过多", "Try again after `Retry-After`, with the same token."),
        new(ProblemCode.OutcomeUnknown, "outcome-unknown", 503, Effect.Unknown, "The outcome is not known yet", "正在确认结果", "Send the same request again: it is done at most once, and the answer tells."),
        new(ProblemCode.LedgerUnavailable, "ledger-unavailable", 503, Effect.None, "The shop cannot take orders right now", "系统暂时无法处理", "Nothing was done. Try again after `Retry-After`, with the same token."),
        new(ProblemCode.GateUnavailable, "gate-unavailable", 503, Effect.Unknown, "The gate cannot be reached", "准入闸门无法访问", "Orders go on without it. The gate is loaded again by itself once it answers; ask again after `Retry-After`."),
        new(ProblemCode.ReservationsNotOpen, "reservations-not-open", 409, Effect.None, "Reservations are not open", "不在预约时间内", "See `reservationOpensAt` and `reservationClosesAt` of the sale."),
        new(ProblemCode.OrderNotCancellable, "order-not-cancellable", 409, Effect.None, "This order cannot be cancelled", "订单不可取消", "Only an order that waits for its payment can be cancelled."),
        new(ProblemCode.OrderNotPayable, "order-not-payable", 409, Effect.None, "This order cannot be paid", "订单不可支付", "It is paid, cancelled or expired; read the order."),
        new(ProblemCode.OrderNotExtendable, "order-not-extendable", 409, Effect.None, "The time to pay cannot be extended", "支付时间不可延长", "It can be extended once, before `payBefore`, while the order waits for its payment; read the order."),
        new(ProblemCode.OrderNotRefundable, "order-not-refundable", 409, Effect.None, "This order cannot be refunded", "订单不可退款", "See `detail`: it is not paid, or what it yielded cannot be taken back; read the order."),
        new(ProblemCode.ContactClosed, "contact-closed", 409, Effect.None, "This order takes no contact", "该订单不能再填写联系方式", "Only an order that waits for its payment or is paid takes one; read the order."),
        new(ProblemCode.CouponAlreadyRedeemed, "coupon-already-redeemed", 409, Effect.Applied, "This coupon was redeemed before", "优惠券已核销", "A coupon is good once. Ask the shop if it was not you."),
        new(ProblemCode.CouponNotValid, "coupon-not-valid", 409, Effect.None, "This coupon is not valid now", "优惠券不在有效期内", "See `validFrom` and `validUntil` of the coupon."),
        new(ProblemCode.SignatureRejected, "signature-rejected", 401, Effect.None, "The signature is not right", "签名无效", "Sign the exact bytes of the body with the secret of the payment provider."),
        new(ProblemCode.AmountMismatch, "amount-mismatch", 422, Effect.None, "The amount is not that of the order", "金额不符", "The payment was not booked. Compare amount and currency with the order."),
        new(ProblemCode.SlugTaken, "slug-taken", 409, Effect.None, "Another sale has this slug", "该短链接已被使用", "Choose another slug."),
        new(ProblemCode.SaleStateConflict, "sale-state-conflict", 409, Effect.None, "The sale is not in a state for this", "活动当前状态不允许该操作", "Read the sale; `detail` says which state is needed."),
        new(ProblemCode.StockConflict, "stock-conflict", 409, Effect.None, "The stock is not what you expected", "库存与预期不符", "Read the stock again; `detail` says what it is now."),
        new(ProblemCode.NoEarlierVersion, "no-earlier-version", 409, Effect.None, "There is no earlier version", "没有更早的版本", "The version that is shown is the oldest one that is kept. Publish again instead."),
        new(ProblemCode.InternalError, "internal-error", 500, Effect.Unknown, "Something broke on our side", "系统内部错误", "Send the same request again. The log has the `traceId`."),
    ];

    private static readonly ProblemKind[] ByCode = [.. All.OrderBy(kind => kind.Id)];
    private static readonly FrozenDictionary<string, ProblemKind> ByName = All.ToFrozenDictionary(kind => kind.Code);

    public static ProblemKind Of(ProblemCode code) => ByCode[(int)code];

    public static ProblemKind? Find(string code) => ByName.GetValueOrDefault(code);
}
