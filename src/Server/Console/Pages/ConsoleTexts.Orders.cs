using FlashSale.Core.Coupons;
using FlashSale.Core.Orders;
using FlashSale.Core.Wire;

namespace FlashSale.Server.Console.Pages;

/// <summary>Orders at the desk.</summary>
public sealed partial class ConsoleTexts
{
    public string OrderWord => Of("订单", "Order");
    public string PlacedWord => Of("下单时间", "Placed");
    public string PayBeforeWord => Of("付款截止", "Pay before");
    public string AmountWord => Of("金额", "Amount");
    public string CurrencyWord => Of("币种", "Currency");
    public string CouponCodeWord => Of("优惠券码", "Coupon code");
    public string NoSuchCoupon => Of("没有这个优惠券码。", "There is no such coupon.");
    public string NotSuchAValue => Of("格式不正确。", "This is not such a value.");
    public string TimelineWord => Of("经过", "Timeline");
    public string ContactWord => Of("联系方式", "Contact");
    public string NoContact => Of("未填写", "Not given");
    public string PaymentWord => Of("付款", "Payment");
    public string NotPaidYet => Of("尚未发起", "Not started");
    public string CouponOfOrder => Of("优惠券码", "Coupon");
    public string EventWord => Of("事件", "Event");
    public string CancelOrder => Of("取消订单", "Cancel the order");
    public string CancelMeans => Of("库存立即退回，可供他人购买。", "Its unit is available again, for whoever asks next.");
    public string RefundOrder => Of("登记退款", "Note the refund");
    public string RefundMeans => Of(
        "系统不转账：请先退款，再在此登记。已支付订单的优惠券作废，库存退回。",
        "This moves no money: send it back first, then note it here. The coupon of a paid order is revoked, and its unit available again.");
    public string NothingToDo => Of("此订单目前没有可做的操作。", "There is nothing to be done to this order now.");
    public string NotCancellable => Of("订单已不在待支付状态，不能取消；什么都没有改变。", "The order no longer waits for its payment and cannot be cancelled; nothing was changed.");

    public string NotRefundable(RefundOutcome outcome) => outcome switch
    {
        RefundOutcome.Redeemed => Of("优惠券已核销，不能退款；什么都没有改变。", "Its coupon was redeemed, so it cannot be refunded; nothing was changed."),
        RefundOutcome.PaidLate => Of(
            "订单在库存退回之后才付款，不能在此退款；请在系统外处理。什么都没有改变。",
            "It was paid after its unit had gone back once, so it cannot be refunded here; settle it outside of the shop. Nothing was changed."),
        _ => Of("订单没有付款，无需退款；什么都没有改变。", "Nobody has paid for it, so there is nothing to refund; nothing was changed."),
    };

    public string CouponStatusName(CouponStatus status) => status switch
    {
        CouponStatus.Issued => Of("已发放", "issued"),
        CouponStatus.Redeemed => Of("已核销", "redeemed"),
        _ => Of("已作废", "revoked"),
    };

    public string PaymentStatusName(PaymentStatus status) => status switch
    {
        PaymentStatus.Paid => Of("成功", "paid"),
        PaymentStatus.Failed => Of("失败", "failed"),
        _ => Of("处理中", "pending"),
    };

    public string EventName(OrderEventKind kind) => kind switch
    {
        OrderEventKind.TokenIssued => Of("取得令牌", "Order token made"),
        OrderEventKind.Held => Of("下单成功，占用库存", "Placed, a unit is held"),
        OrderEventKind.Extended => Of("延长付款时间", "More time to pay"),
        OrderEventKind.PaymentStarted => Of("发起付款", "Payment started"),
        OrderEventKind.PaymentFailed => Of("付款失败", "Payment failed"),
        OrderEventKind.Paid => Of("付款成功", "Paid"),
        OrderEventKind.RefundDue => Of("付款过迟且已无库存，待退款", "Paid too late and no unit was left: refund due"),
        OrderEventKind.CouponIssued => Of("发放优惠券", "Coupon issued"),
        OrderEventKind.CouponRedeemed => Of("核销优惠券", "Coupon redeemed"),
        OrderEventKind.Cancelled => Of("取消", "Cancelled"),
        OrderEventKind.Expired => Of("超时未付款", "Ran out unpaid"),
        OrderEventKind.Refunded => Of("已退款", "Refunded"),
        _ => Of("退回库存", "Its unit went back"),
    };

    /// <summary>The first group tells coupons apart; the rest is as good as money.</summary>
    public static string Masked(string code) => code[..Math.Min(4, code.Length)] + "-••••-••••";
}
