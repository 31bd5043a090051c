using FlashSale.Core;
using FlashSale.Core.Challenges;
using FlashSale.Core.Orders;
using FlashSale.Core.Sales;

namespace FlashSale.Server.Storefront;

/// <summary>A language of the shop: its tag, where its pages stand, and its words.</summary>
public sealed record Language(string Tag, string Prefix, Texts Texts)
{
    public static Language Zh { get; } = new("zh-CN", "", new Texts(isZh: true));

    public static Language En { get; } = new("en", "/en", new Texts(isZh: false));

    public static IReadOnlyList<Language> All { get; } = [Zh, En];

    public Language Other => this == Zh ? En : Zh;

    /// <summary>The address of a page in this language.</summary>
    /// <param name="path">From the root of the shop, such as <c>/orders</c>.</param>
    public string Path(string path) => Prefix + path;

    public string Of(LocalizedText text) => this == Zh ? text.Zh : text.En;
}

/// <summary>Every text of the pages, both languages side by side, so that none is without the other.</summary>
public sealed class Texts(bool isZh)
{
    // The fixed offset of Asia/Shanghai, which has no summer time: the program carries no time zone data.
    private static readonly TimeSpan Shanghai = TimeSpan.FromHours(8);

    // ---- every page ----
    public string Brand => Of("闪购车券", "FlashSale");
    public string SkipToContent => Of("跳到正文", "Skip to content");
    public string Navigation => Of("主导航", "Main navigation");
    public string Sales => Of("活动", "Sales");
    public string MyOrders => Of("我的订单", "My orders");
    public string SignIn => Of("登录", "Sign in");
    public string SignOut => Of("退出", "Sign out");
    public string SignedInAs(string user) => Of($"已登录：{user}", $"Signed in as {user}");
    public string OtherLanguage => Of("English", "中文");
    public string TimeZone => Of("所有时间均为北京时间（Asia/Shanghai，UTC+8）。", "All times are Beijing time (Asia/Shanghai, UTC+8).");
    public string DemoNote => Of("演示环境：优惠券与支付均为模拟。", "This is a demo: coupons and payments are not real.");
    public string BackToSales => Of("返回活动列表", "Back to the sales");
    public string BackToSale => Of("返回活动", "Back to the sale");
    public string TryAgain => Of("再试一次", "Try again");

    // ---- list ----
    public string ListTitle => Of("限时抢购", "Flash sales");
    public string ListIntro => Of("购车优惠券限时限量，名额按各场规则分配。", "Coupons for new cars, few and for a short time. Each sale says how its places are given.");
    public string OpenNow => Of("正在抢购", "Open now");
    public string UpNext => Of("即将开始", "Up next");
    public string JustEnded => Of("刚刚结束", "Just ended");
    public string NoSales => Of("现在没有活动，请稍后再来。", "There are no sales right now. Please come again later.");
    public string Slot(DateTimeOffset at) => Of($"{Clock(at)} 开抢", $"Opens at {Clock(at)}");
    public string UpTo(Money value) => Of($"最高抵 {Money(value)}", $"Up to {Money(value)} off");
    public string PriceFrom(Money price) => Of($"券价 {Money(price)} 起", $"Coupon from {Money(price)}");
    public string OpensAt => Of("开抢", "Opens");
    public string ClosesAt => Of("结束", "Ends");
    public string Sold(int percent) => Of($"已抢 {percent}%", $"{percent}% taken");

    // ---- sale ----
    public string FaceValue => Of("抵用金额", "Worth");
    public string Price => Of("券价", "Price of the coupon");
    public string Units(int stock) => Of($"共 {stock} 张", stock == 1 ? "1 coupon" : $"{stock} coupons");
    public string PerUser(int limit) => Of($"每人限购 {limit} 张", $"At most {limit} for each person");
    public string Offers => Of("优惠券", "Coupons");
    public string OpensIn => Of("距开抢", "Opens in");
    public string ClosesIn => Of("距结束", "Ends in");
    public string Rules => Of("活动规则", "Rules");
    public string PlacesByRules => Of("名额如何分配，见每场活动的规则。没有预留名额。", "The rules of each sale say how its places are given. None are kept back.");
    public string HowPlacesAreGiven(int drawMs) => drawMs == 0
        ? Of(
            "名额按下单请求到达服务器的先后顺序分配，不抽签，也没有预留。",
            "Places are given in the order in which orders arrive at the server. There is no draw, and none are kept back.")
        : Of(
            $"开抢后 {DrawSeconds(drawMs)} 秒内到达的下单请求由抽签决定先后，之后按到达顺序分配，没有预留。",
            $"Orders that arrive within {DrawSeconds(drawMs)} s of the opening are put in order by a draw; later ones follow in order of arrival. None are kept back.");
    public string RuleReserve(DateTimeOffset from, DateTimeOffset until) => Of(
        $"本场需预约，预约时间 {Time(from)} 至 {Time(until)}。",
        $"This sale needs a reservation, from {Time(from)} to {Time(until)}.");
    public string RuleNoReserve => Of("本场无需预约，登录即可参与。", "No reservation is needed; sign in to take part.");
    public string RulePay(TimeSpan window) => Of(
        $"抢到后请在 {Span(window)}内支付，逾期订单自动取消，名额退回。",
        $"Pay within {Span(window)} after you got one; after that the order ends and its place goes back.");
    public string RuleValid(DateTimeOffset from, DateTimeOffset until) => Of(
        $"优惠券有效期 {Time(from)} 至 {Time(until)}，到授权经销商处核销。",
        $"The coupon is valid from {Time(from)} to {Time(until)}, at authorised dealers.");
    public string RuleHolds => Of("显示“还有机会”时，名额被未支付的订单占用，可能会退回。", "“Still a chance” means that unpaid orders hold the last places, and some may come back.");
    public string ReservedNote(DateTimeOffset opensAt) => Of($"预约成功，请在 {Time(opensAt)} 回来抢购。", $"Your place in the sale is reserved. Come back at {Time(opensAt)}.");
    public string PendingNote => Of("预约已提交，正在审核", "Reservation received, being checked");
    public string ReserveFrom(DateTimeOffset at) => Of($"预约将于 {Time(at)} 开始。", $"Reservations open at {Time(at)}.");
    public string ReserveUntil(DateTimeOffset at) => Of($"预约截止：{Time(at)}", $"Reservations close at {Time(at)}");
    public string Another => Of("还可再抢", "You may take another");

    // ---- checkout and its result ----
    public string Checkout => Of("确认下单", "Checkout");
    public string CheckoutNote(int drawMs) => drawMs == 0
        ? Of("点击按钮即提交订单。名额以提交到达的先后为准。", "The button submits your order. Places are given in order of arrival.")
        : Of("点击按钮即提交订单。名额分配方式见活动规则。", "The button submits your order. The rules of the sale say how places are given.");
    public string PressAgain => Of("还差一点点，请再点一次。", "That was a moment too early. Please press again.");
    public string OpenCheckoutAgain => Of("重新打开下单页", "Open the checkout again");
    public string CheckoutExpired => Of("下单页已过期", "This checkout has run out");
    public string CheckoutExpiredText => Of("没有生成订单。请重新打开下单页再提交。", "No order was made. Open the checkout again and submit from there.");
    public string NothingWritten => Of("没有生成订单。", "No order was made.");
    public string Confirming => Of("正在确认结果", "Confirming the outcome");
    public string ConfirmingText => Of(
        "提交是否成功暂时未知。再试一次是安全的：同一页面最多只会生成一个订单。",
        "It is not known yet whether your order was made. To try again is safe: this page makes one order at most.");
    public string SoldOutText => Of("来晚了一步，名额已全部抢完。没有生成订单。", "All places are taken. No order was made.");
    public string MaybeText => Of("名额暂时被未支付的订单占用，若有人放弃会退回，可以再试。", "Unpaid orders hold the last places. Some may come back: you may try again.");
    public string LimitText => Of("已达限购数量，请查看您的订单。", "You have as many as one person may have. See your orders.");
    public string BusyText => Of("没有生成订单。稍后用同一页面再试，无需重新排队。", "No order was made. Try again from this page in a moment; you lose nothing.");
    public string PausedText => Of("活动由运营人员暂停，恢复后可继续。没有生成订单。", "The sale was paused and will go on. No order was made.");

    public string TooManyText => Of("打开下单页的次数过多，请稍后再试。没有生成订单。", "The checkout was opened too often. Try again a little later. No order was made.");

    // ---- challenges ----
    public string ChallengeTitle => Of("请先完成验证", "One check before you go on");
    public string ChallengeLead => Of("验证通过后进入下单页。", "The checkout follows.");
    public string ChallengeHint => Of(
        $"请用数字回答，例如 12。本页打开 {Limits.AnswerMinimumAge.TotalSeconds:0} 秒后可提交。",
        $"Answer in digits, such as 12, from {Limits.AnswerMinimumAge.TotalSeconds:0} seconds after the page was opened.");
    public string ChallengeWorking => Of("正在自动验证，请稍候…", "Checking by itself, one moment…");
    public string ChallengeDone => Of("验证完成。", "The check is done.");
    public string GoOn => Of("继续", "Continue");
    public string ChallengeFailed(ChallengeVerdict verdict) =>
        verdict switch
        {
            ChallengeVerdict.TooSoon => Of("提交得太快了，请稍等几秒再提交一次。", "That was very quick. Please wait a few seconds and send it again."),
            ChallengeVerdict.Expired => Of("验证已过期，请回答新的问题。", "The check ran out. Here is a new one."),
            _ => Of("回答不正确，请回答新的问题。", "That was not the answer. Here is a new question."),
        };

    // ---- orders ----
    public string Order => Of("订单", "Order");
    public string OrderNumber => Of("订单号", "Order number");
    public string PlacedAt => Of("下单时间", "Placed");
    public string Status => Of("状态", "Status");
    public string PayBefore => Of("支付截止", "Pay before");
    public string TimeLeft => Of("剩余支付时间", "Time left to pay");
    public string Won => Of("抢到了！", "You got it!");
    public string Cancel => Of("取消订单", "Cancel the order");
    public string CancelNote => Of("取消后名额立即退回，无法恢复。", "The place goes back at once; this cannot be undone.");
    public string NotCancellable => Of("订单已无法取消，当前状态如下。", "The order can no longer be cancelled. Its state is below.");
    public string NotPayable => Of("订单已无法支付，当前状态如下。", "The order can no longer be paid. Its state is below.");
    public string NoPayments => Of("尚未配置支付方式。", "No way to pay is set up.");
    public string PaymentFailed => Of("上次支付失败，截止前可再次支付。", "The last payment failed. You may pay again until the time is up.");
    public string NoOrders => Of("还没有订单。", "You have no orders yet.");
    public string OlderOrders => Of("更早的订单", "Older orders");
    public string ShowCoupon => Of("查看优惠券", "Show the coupon");
    public string Coupon => Of("优惠券", "Coupon");
    public string CouponCode => Of("券码", "Code");
    public string ValidFrom => Of("生效时间", "Valid from");
    public string ValidUntil => Of("失效时间", "Valid until");
    public string CouponUse => Of("到店时向经销商出示券码，每张仅可使用一次。请勿转发。", "Show the code to the dealer; it is good once. Keep it to yourself.");

    // ---- sandbox ----
    public string Sandbox => Of("模拟支付", "Sandbox payment");
    public string SandboxNote => Of("这里不会扣款。选择支付的结果：", "No money moves here. Choose how the payment ends:");
    public string SandboxPay => Of("支付成功", "Payment succeeds");
    public string SandboxFail => Of("支付失败", "Payment fails");
    public string AlreadyPaid => Of("这笔支付已完成。", "This payment is complete.");
    public string BackToOrder => Of("返回订单", "Back to the order");
    public string Amount => Of("金额", "Amount");

    // ---- sign-in ----
    public string UserName => Of("用户名", "User name");
    public string UserNameHint => Of($"演示：任意填写，1 至 {Limits.UserIdLength} 个字母、数字或 . _ -", $"Demo: any name, 1 to {Limits.UserIdLength} letters, digits or . _ -");
    public string UserNameInvalid => Of("用户名无效：只能使用字母、数字和 . _ -", "This name will not do: use letters, digits and . _ - only");
    public string SignInElsewhere => Of("请从商城登录后再打开本页。", "Please sign in at the shop, then come back to this page.");

    // ---- problems ----
    public string ProblemCode => Of("代码", "Code");
    public string ProblemStatus => Of("HTTP 状态", "HTTP status");
    public string ProblemEffect => Of("影响", "Effect");
    public string TraceId => Of("追踪号", "Trace id");

    public string Label(MainButton button) =>
        button switch
        {
            MainButton.Loading => Of("加载中", "Loading"),
            MainButton.SignIn => Of("登录后参与", "Sign in to join"),
            MainButton.Reserve => Of("立即预约", "Reserve"),
            MainButton.Reserved => Of("已预约", "Reserved"),
            MainButton.ReservationClosed => Of("未预约，无法参与", "Reservations closed"),
            MainButton.NotEligible => Of("暂不符合参与条件", "Not eligible"),
            MainButton.Soon => Of("即将开抢", "Starting soon"),
            MainButton.Grab => Of("立即抢购", "Grab it"),
            MainButton.Submitting => Of("提交中…", "Sending"),
            MainButton.Queued => Of("排队中，请勿离开", "In line"),
            MainButton.Won => Of("抢到了，去支付", "You got it – pay now"),
            MainButton.Already => Of("已抢到，查看订单", "View your order"),
            MainButton.Maybe => Of("还有机会", "Still a chance"),
            MainButton.SoldOut => Of("已抢光", "Sold out"),
            MainButton.Paused => Of("活动暂停，请稍候", "Paused"),
            MainButton.Ended => Of("已结束", "Ended"),
            MainButton.Busy => Of("人太多了，{n} 秒后自动重试", "Busy, retrying in {n} s"),
            MainButton.Offline => Of("网络已断开", "You are offline"),
            _ => throw new ArgumentOutOfRangeException(nameof(button), button, "No label."),
        };

    public string Phase(SalePhase phase) =>
        phase switch
        {
            SalePhase.Scheduled => Of("未开始", "Scheduled"),
            SalePhase.Reserving => Of("预约中", "Reserving"),
            SalePhase.Armed => Of("即将开抢", "Starting soon"),
            SalePhase.Open => Of("抢购中", "Open"),
            SalePhase.Paused => Of("暂停", "Paused"),
            SalePhase.SoldOut => Of("已抢光", "Sold out"),
            _ => Of("已结束", "Ended"),
        };

    public string StatusOf(OrderStatus status) =>
        status switch
        {
            OrderStatus.Held => Of("待支付", "Waiting for payment"),
            OrderStatus.Paid => Of("已支付", "Paid"),
            OrderStatus.Cancelled => Of("已取消", "Cancelled"),
            OrderStatus.Expired => Of("超时未支付，已关闭", "Ended: not paid in time"),
            OrderStatus.RefundDue => Of("待退款", "Refund due"),
            _ => Of("已退款", "Refunded"),
        };

    public string StatusText(OrderStatus status) =>
        status switch
        {
            OrderStatus.Held => Of("请在截止时间前支付，逾期名额退回。", "Pay before the time is up, or the place goes back."),
            OrderStatus.Paid => Of("优惠券已发放。", "Your coupon is ready."),
            OrderStatus.Cancelled => Of("名额已退回。", "The place went back."),
            OrderStatus.Expired => Of("名额已退回。若您刚刚付款，系统会再次确认名额，或安排退款。", "The place went back. If you have just paid, a place is sought again, or you get your money back."),
            OrderStatus.RefundDue => Of("付款到达时名额已满，款项将退回。", "Your payment came after the places were gone. The money goes back to you."),
            _ => Of("款项已退回。", "The money went back to you."),
        };

    /// <summary>¥30,000 and CNY 30,000; the fen only where there are any.</summary>
    public string Money(Money money)
    {
        var number = money.Amount % 100 == 0 ? $"{money.Amount / 100:N0}" : $"{money.Amount / 100:N0}.{money.Amount % 100:00}";
        return isZh && money.Currency == "CNY" ? "¥" + number : $"{money.Currency} {number}";
    }

    /// <summary>Beijing time, to the second.</summary>
    public string Time(DateTimeOffset at) => at.ToOffset(Shanghai).ToString("yyyy-MM-dd HH:mm:ss");

    public string Span(TimeSpan span)
    {
        var whole = TimeSpan.FromSeconds(Math.Max(0, (long)Math.Ceiling(span.TotalSeconds)));
        List<string> parts = [];
        Add(whole.Days, "天", "d");
        Add(whole.Hours, "小时", "h");
        Add(whole.Minutes, "分", "min");
        if (whole.Seconds > 0 || parts.Count == 0)
        {
            parts.Add(Of($"{whole.Seconds} 秒", $"{whole.Seconds} s"));
        }

        return string.Join(' ', parts);

        void Add(int value, string zh, string en)
        {
            if (value > 0)
            {
                parts.Add(Of($"{value} {zh}", $"{value} {en}"));
            }
        }
    }

    private static string DrawSeconds(int drawMs) => (drawMs / 1000m).ToString("0.###", System.Globalization.CultureInfo.InvariantCulture);

    private static string Clock(DateTimeOffset at) => at.ToOffset(Shanghai).ToString("HH:mm");

    private string Of(string zh, string en) => isZh ? zh : en;
}
