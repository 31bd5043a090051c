using FlashSale.Core.Wire;

namespace FlashSale.Server.Storefront;

/// <summary>What can be done about each problem, in Chinese; the English text is <see cref="ProblemKind.Help"/>.</summary>
public static class ProblemTexts
{
    public static string HelpZh(ProblemCode code) =>
        code switch
        {
            ProblemCode.MalformedRequest => "请按接口文档发送一个 UTF-8 编码的 JSON 对象，嵌套不超过 16 层。",
            ProblemCode.InvalidFields => "请查看 `errors`，其中列出了每个无效字段及其要求。",
            ProblemCode.Unauthenticated => "请登录；接口调用请携带未过期的 `Authorization: Bearer` 会话令牌。",
            ProblemCode.Forbidden => "请使用具有相应角色的账号，并从本站页面提交表单。",
            ProblemCode.NotFound => "请检查地址和编号。他人的内容不会显示。",
            ProblemCode.MethodNotAllowed => "该地址支持的方法见 `Allow`。",
            ProblemCode.BodyTooLarge => "请减少发送的内容；各接口的上限见接口文档。",
            ProblemCode.UnsupportedMediaType => "请使用 `Content-Type: application/json`。",
            ProblemCode.PreconditionRequired => "请先读取活动，并在 `If-Match` 中带上其 ETag；`*` 表示任意版本。",
            ProblemCode.PreconditionFailed => "请重新读取，再根据最新内容决定。",
            ProblemCode.OrderTokenRejected => "请重新打开下单页获取新的凭证，最早 1 秒后、最迟 10 分钟内提交。",
            ProblemCode.NotReserved => "本场预约已结束，请看看其他活动。",
            ProblemCode.NotEligible => "如有疑问，请联系商城客服。",
            ProblemCode.ChallengeRequired => "请完成 `challenge` 中的验证（计算，或回答其中的问题），并附上 `solution` 再次发送同一请求。",
            ProblemCode.SaleNotOpen => "请在 `opensAt` 时再来；凭证在有效期内继续可用。",
            ProblemCode.SaleEnded => "请看看其他活动。",
            ProblemCode.SalePaused => "活动会继续。请在 `Retry-After` 之后用同一凭证再试。",
            ProblemCode.SoldOut => "未支付的名额可能退回，凭证在有效期内可以再试。",
            ProblemCode.PurchaseLimitReached => "请支付或取消您已有的订单。",
            ProblemCode.RateLimited => "请在 `Retry-After` 之后放慢速度再试；凭证在有效期内继续可用。",
            ProblemCode.Overloaded => "请在 `Retry-After` 之后用同一凭证再试。",
            ProblemCode.OutcomeUnknown => "请原样再发送一次：最多只会执行一次，答复会给出结果。",
            ProblemCode.LedgerUnavailable => "未做任何更改。请在 `Retry-After` 之后用同一凭证再试。",
            ProblemCode.GateUnavailable => "下单不受影响。闸门恢复后会自动重新装载；请在 `Retry-After` 之后再查询。",
            ProblemCode.ReservationsNotOpen => "请查看活动的预约起止时间。",
            ProblemCode.OrderNotCancellable => "只有待支付的订单可以取消。",
            ProblemCode.OrderNotPayable => "订单已支付、已取消或已超时，请查看订单。",
            ProblemCode.OrderNotExtendable => "待支付的订单可在 `payBefore` 之前延长一次支付时间，请查看订单。",
            ProblemCode.OrderNotRefundable => "订单未支付，或所得权益已无法收回；原因见 `detail`。",
            ProblemCode.ContactClosed => "只有待支付或已支付的订单可以填写联系方式，请查看订单。",
            ProblemCode.CouponAlreadyRedeemed => "优惠券只能使用一次。如果不是您本人使用，请联系商城。",
            ProblemCode.CouponNotValid => "请查看优惠券的有效期。",
            ProblemCode.SignatureRejected => "请用支付渠道的密钥对请求体的原始字节签名。",
            ProblemCode.AmountMismatch => "付款未入账。请核对金额、币种与订单是否一致。",
            ProblemCode.SlugTaken => "请换一个短链接。",
            ProblemCode.SaleStateConflict => "请读取活动；`detail` 说明了需要的状态。",
            ProblemCode.StockConflict => "请重新读取库存；`detail` 给出了当前值。",
            ProblemCode.NoEarlierVersion => "当前显示的已是所保留的最早版本，请改为重新发布。",
            ProblemCode.InternalError => "请原样再发送一次；日志中可按 `traceId` 查到原因。",
            _ => throw new ArgumentOutOfRangeException(nameof(code), code, "No text."),
        };

    public static string EffectOf(Effect effect, Language language) =>
        (effect, language == Language.Zh) switch
        {
            (Effect.None, true) => "没有写入任何内容",
            (Effect.None, false) => "nothing was written",
            (Effect.Applied, true) => "此前已完成",
            (Effect.Applied, false) => "it had been done before",
            (_, true) => "尚不确定，再次发送同一请求即可得知",
            _ => "not known; the same request again settles it",
        };
}
