using System.Globalization;

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
    public string Path(string path) => path == "/" && Prefix.Length > 0 ? Prefix : Prefix + path;

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
    public string Account => Of("账号", "Account");
    public string SignedInAs(string user) => Of($"已登录：{user}", $"Signed in as {user}");
    public string OtherLanguage => Of("English", "中文");
    public string TimeZone => Of("所有时间均为北京时间（Asia/Shanghai，UTC+8）。", "All times are Beijing time (Asia/Shanghai, UTC+8).");
    public string DemoNote => Of("演示环境：优惠券与支付均为模拟。", "This is a demo: coupons and payments are not real.");
    public string BackToSales => Of("返回活动列表", "Back to the sales");
    public string BackToSale => Of("返回活动", "Back to the sale");
    public string TryAgain => Of("再试一次", "Try again");
    public string SimplePage => Of("基本版（无需脚本）", "Simple page (needs no script)");
    public string Drawing => Of("图为示意，非实车", "A drawing, not the actual car");

    // ---- list ----
    public string ListTitle => Of("限时抢购", "Flash sales");
    public string ListIntro => Of("购车优惠券限时限量，名额按各场规则分配。", "Coupons for new cars, few and for a short time. Each sale says how its places are given.");
    public string OpenNow => Of("正在抢购", "Open now");
    public string UpNext => Of("即将开始", "Up next");
    public string JustEnded => Of("刚刚结束", "Just ended");
    public string NoSales => Of("现在没有活动，请稍后再来。", "There are no sales right now. Please come again later.");
    public string AllSales => Of("全部活动", "All sales");
    public string Slot(DateTimeOffset at) => Of($"{Time(at)} 开抢", $"Opens {Time(at)}");
    public string UpTo(Money value) => Of($"最高抵 {Money(value)}", $"Up to {Money(value)} off");
    public string PriceFrom(Money price) => Of($"券价 {Money(price)} 起", $"Coupon from {Money(price)}");
    public string OpensAt => Of("开抢", "Opens");
    public string ClosesAt => Of("结束", "Ends");
    public string Sold(int percent) => Of($"已抢 {percent}%", $"{percent}% taken");

    /// <summary>The same for the script, which puts the number where <c>{n}</c> stands.</summary>
    public string SoldPattern => Of("已抢 {n}%", "{n}% taken");
    public string Taken => Of("已抢比例", "Share taken");

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
        $"Pay within {Span(window)} after you get one; after that the order ends and its place goes back.");
    public string RuleValid(DateTimeOffset from, DateTimeOffset until) => Of(
        $"优惠券有效期 {Time(from)} 至 {Time(until)}，到授权经销商处核销。",
        $"The coupon is valid from {Time(from)} to {Time(until)}, at authorised dealers.");
    public string RuleHolds => Of("显示“还有机会”时，名额被未支付的订单占用，可能会退回。", "“Still a chance” means that unpaid orders hold the last places, and some may come back.");
    public string ReservedNote(DateTimeOffset opensAt) => Of($"预约成功，请在 {Time(opensAt)} 回来抢购。", $"Your place in the sale is reserved. Come back at {Time(opensAt)}.");
    public string PendingNote => Of("预约已提交，正在审核", "Reservation received, being checked");
    public string ReserveFrom(DateTimeOffset at) => Of($"预约将于 {Time(at)} 开始。", $"Reservations open at {Time(at)}.");
    public string ReserveUntil(DateTimeOffset at) => Of($"预约截止：{Time(at)}", $"Reservations close at {Time(at)}");
    public string Another => Of("还可再抢", "You may take another");

    // ---- what became of a reservation ----
    public string PendingText => Of("结果出来后本页会自动更新，也可以稍后再来查看。", "This page shows the answer when it is there. You may also come back later.");
    public string ReservedOpen => Of("活动已经开始，现在就可以抢购。", "The sale has opened: you can take part now.");
    public string RejectedText => Of("本场预约未通过，其他活动不受影响。", "This reservation was not accepted. Other sales are not affected.");
    public string WhatNext => Of("接下来", "What happens next");
    public string StepComeBack => Of("开抢前回到活动页，保持登录。", "Come back to the page of the sale before it opens, signed in.");
    public string StepCheckout => Of("开抢时按“立即抢购”，再提交订单。", "When it opens, press “Grab it” and submit your order.");
    public string StepPay(TimeSpan window) => Of($"抢到后请在 {Span(window)}内支付，支付后获得券码。", $"If you get one, pay within {Span(window)}; then the coupon is yours.");
    public string ToTheSale => Of("前往活动页", "To the page of the sale");

    // ---- checkout and its result ----
    public string Checkout => Of("确认下单", "Checkout");
    public string ContactTitle => Of("提车联系人", "Who the dealer may call");
    public string ContactLead => Of("可以先下单，抢到后再填写。仅供经销商联系您，不作他用。", "You may also fill this in after you get one. Only for the dealer to reach you.");
    public string ContactLater => Of("提车联系人可在抢到后填写。", "Who the dealer may call can be filled in after you get one.");
    public string ContactName => Of("姓名", "Name");
    public string ContactPhone => Of("手机号", "Phone");
    public string ContactCity => Of("提车城市", "City of the dealer");
    public string ContactNameWrong => Of("请填写 1 至 60 个字的姓名。", "Enter a name of 1 to 60 characters.");
    public string ContactPhoneWrong => Of("请填写 5 至 20 位的电话号码，只用数字、+、- 和空格。", "Enter a phone number of 5 to 20 digits, +, - and blanks.");
    public string ContactCityWrong => Of("请填写 1 至 60 个字的城市名。", "Enter a city of 1 to 60 characters.");
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
    public string MaybeText => Of("名额暂时被未支付的订单占用，若有人放弃会退回，可以再试。", "Unpaid orders hold the last places. You may try again.");
    public string LimitText => Of("没有生成订单，请查看您的订单。", "No order was made. See your orders.");
    /// <summary>On a button that presses itself: the script puts the seconds where <c>{n}</c> stands.</summary>
    public string PausedRetry => Of("活动暂停，{n} 秒后自动再试", "Paused, trying again in {n} s");
    public string NotOpenRetry => Of("还没有开始，{n} 秒后自动再试", "Not open yet, trying again in {n} s");
    public string BusyText => Of("没有生成订单。稍后用同一页面再试，无需重新排队。", "No order was made. Try again from this page in a moment; you lose nothing.");
    public string PausedText => Of("活动由运营人员暂停，恢复后可继续。没有生成订单。", "The sale was paused and will go on. No order was made.");

    /// <param name="again">The page comes again by itself.</param>
    public string BusyPageText(bool again) => again
        ? Of(
            "您没有做错什么。页面会在几秒后自动重试，无需手动刷新。如果您刚刚提交了订单，请到“我的订单”查看。",
            "You did nothing wrong. The page tries again by itself in a few seconds; there is no need to reload. If you have just sent an order, see your orders.")
        : Of(
            "您没有做错什么。请稍等几秒再试。如果您刚刚提交了订单，请到“我的订单”查看。",
            "You did nothing wrong. Try again in a few seconds. If you have just sent an order, see your orders.");

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
    public string NoOrdersText => Of("抢到的优惠券会显示在这里。", "Coupons that you get appear here.");
    public string OlderOrders => Of("更早的订单", "Older orders");
    public string ShowCoupon => Of("查看优惠券", "Show the coupon");
    public string Coupon => Of("优惠券", "Coupon");
    public string CouponCode => Of("券码", "Code");
    public string ValidFrom => Of("生效时间", "Valid from");
    public string ValidUntil => Of("失效时间", "Valid until");
    public string CouponUse => Of("到店时向经销商出示二维码或券码，每张仅可使用一次。请勿转发。", "Show the picture or the code to the dealer; it is good once. Keep it to yourself.");
    public string QrText(string code) => Of($"二维码，供经销商扫描，内容与券码 {code} 相同", $"QR code for the dealer to scan; it says the same as the code {code}");
    public string OtherSales => Of("看看其他活动", "See the other sales");

    // ---- paying, more time, contact ----
    public string TimeWarning => Of("支付时间所剩不多。", "Not much time is left to pay.");
    public string Extend(TimeSpan by) => Of($"延长 {Span(by)}", $"{Span(by)} more");
    public string ExtendNote => Of("需要更多时间？可以延长一次。", "Do you need more time? You may have more once.");
    public string Extended => Of("已延长支付时间。每个订单只能延长一次。", "You have more time now. An order is given more time once.");
    public string NotExtendable => Of("支付时间无法延长，当前状态如下。", "The order is not given more time. Its state is below.");
    public string ContactSaved => Of("联系人已保存。", "Saved.");
    public string ContactWrong => Of("订单不受影响，但联系人未保存，请修改下方标出的内容。", "Your order is safe. Who the dealer may call was not saved: see what is marked below.");
    public string ContactClosed => Of("订单已结束，联系人无法修改。", "The order has ended; this cannot be changed any more.");
    public string ContactFill => Of("填写联系人", "Fill it in");
    public string ContactEdit => Of("修改联系人", "Change it");
    public string ContactSave => Of("保存", "Save");
    public string ContactMissing => Of("填写后经销商才能联系您；不填也可使用优惠券。", "With this the dealer can reach you; the coupon is good without it.");
    public string OrderDetails => Of("订单信息", "About the order");

    // ---- the dealer ----
    public string Dealer => Of("经销商核销", "Redeem a coupon");
    public string DealerShort => Of("核销", "Redeem");
    public string EnterCode => Of("券码", "Code of the coupon");
    public string EnterCodeHint => Of("扫描顾客出示的二维码，或输入 12 位券码，大小写和连字符不限。", "Scan the picture that the customer shows, or enter the 12 characters; case and hyphens do not matter.");
    public string LookUp => Of("查询", "Look it up");
    public string Redeem(Money value) => Of($"核销 {Money(value)}", $"Redeem {Money(value)}");
    public string RedeemNote => Of("核销后立即生效，无法撤销。", "This takes effect at once and cannot be undone.");
    public string RedeemedNow => Of("核销成功", "Redeemed");
    public string RedeemedNowText => Of("优惠券已使用，请为顾客抵扣相应金额。", "The coupon is used. Take its worth off the price.");
    public string RedeemedBefore => Of("此券已核销过", "Redeemed before");
    public string RedeemedBeforeText => Of("请勿再次抵扣。核销时间和账号见下。", "Do not accept it again. When and by whom is below.");
    public string RedeemedAt => Of("核销时间", "Redeemed at");
    public string RedeemedBy => Of("核销账号", "Redeemed by");
    public string CouponGood => Of("可以核销", "Good to redeem");
    public string CouponGoodText => Of("请核对车型和金额，再按下方按钮。", "Check car and worth, then press the button below.");
    public string CouponNotValid => Of("此券目前不可用", "Not valid now");
    public string CouponRevokedText => Of("优惠券已作废，请勿抵扣。", "The coupon was revoked. Do not accept it.");
    public string CouponTooEarlyText => Of("尚未到生效时间，有效期见下。", "It is not valid yet. When it is stands below.");
    public string CouponTooLateText => Of("已过有效期，请勿抵扣。", "It is no longer valid. Do not accept it.");
    public string CouponUnknown => Of("没有这张券", "No such coupon");
    public string CouponUnknownText => Of("请核对券码后再试一次。", "Check the code and try again.");

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
    public string SignInAsAnother => Of("换一个账号登录", "Sign in as somebody else");
    public string Role => Of("身份", "As a");
    public string RoleShopper => Of("顾客", "shopper");
    public string RoleDealer => Of("经销商", "dealer");

    // ---- problems ----
    public string ProblemCode => Of("代码", "Code");
    public string ProblemStatus => Of("HTTP 状态", "HTTP status");
    public string ProblemEffect => Of("影响", "Effect");
    public string TraceId => Of("追踪号", "Trace id");

    public string Label(MainButton button) => MainButtonTable.Row(button) is var row && isZh ? row.Zh : row.En;

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

    /// <summary>Beijing time; the seconds only where there are any.</summary>
    public string Time(DateTimeOffset at)
    {
        var local = at.ToOffset(Shanghai);
        return (isZh ? $"{local.Year}年{local.Month}月{local.Day}日 " : local.ToString("d MMM yyyy, ", CultureInfo.InvariantCulture)) + Clock(at);
    }

    /// <summary>The same without its day.</summary>
    public string Clock(DateTimeOffset at) => at.ToOffset(Shanghai) is var local && local.Second == 0
        ? local.ToString("HH:mm", CultureInfo.InvariantCulture)
        : local.ToString("HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>How long something takes: "15 分钟", "15 min".</summary>
    public string Span(TimeSpan span)
    {
        var whole = TimeSpan.FromSeconds(Math.Max(0, (long)Math.Ceiling(span.TotalSeconds)));
        List<string> parts = [];
        Add(whole.Days, "天", "d");
        Add(whole.Hours, "小时", "h");
        Add(whole.Minutes, "分钟", "min");
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

    private static string DrawSeconds(int drawMs) => (drawMs / 1000m).ToString("0.###", CultureInfo.InvariantCulture);

    private string Of(string zh, string en) => isZh ? zh : en;
}
