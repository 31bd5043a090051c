using FlashSale.Core.Sales;
using FlashSale.Core.Wire;

namespace FlashSale.Server.Console.Pages;

/// <summary>The definition of a sale: names of its fields, and what they take.</summary>
public sealed partial class ConsoleTexts
{
    public string NewSaleFrom(Sale pattern) => Of($"以“{TitleOf(pattern.Title)}”为模板，时间已顺延。", $"After the pattern of “{TitleOf(pattern.Title)}”, at later times.");
    public string Basics => Of("基本信息", "Basics");
    public string TimesWord => Of("时间（北京时间）", "Times (Beijing time)");
    public string DefencesWord => Of("防刷", "Defences");
    public string OffersWord => Of("优惠券", "Offers");
    public string OfferNumber(int number) => Of($"优惠券 {number}", $"Offer {number}");
    public string SpareOffer => Of("空白优惠券，留空则忽略", "A spare offer; left blank, it does not count");
    public string AddOffer => Of("再加一个优惠券", "Add another offer");
    public string RemoveOfferHint => Of("清空一个优惠券的所有文字即可删除它。", "To remove an offer, clear all of its texts.");
    public string FixedHint => Of("发布后不能更改", "Cannot change once published");
    public string OpenedHint => Of("开抢后不能更改", "Cannot change once the sale has opened");
    public string SaveDraft => Of("保存草稿", "Save the draft");
    public string SaveChanges => Of("保存更改", "Save the changes");
    public string OverCannotChange => Of("活动已结束，定义不能再更改。", "The sale is over; its definition does not change any more.");
    public string ViewOnly => Of("您可以查看，运营角色才能更改。", "You may look at it; changing it needs the role operator.");
    public string MeanwhileTitle => Of("保存前，有人改了这个活动", "Somebody changed the sale before you saved");
    public string MeanwhileText => Of(
        "什么都没有保存。您填写的内容都还在；您没有动过的字段已换成最新值。请核对后再次保存。",
        "Nothing was saved. All that you typed is still here; fields that you left alone show the newest value. Look it over and save again.");
    public string MeanwhileNothing => Of("定义本身没有变化（只是状态或预热）。", "The definition itself is the same (only its state or its warm-up changed).");
    public string MeanwhileUnknown => Of("无法确定变化了什么，请与当前定义核对。", "What changed cannot be told; compare with the definition as it is.");
    public string DidWhat(AuditDocument entry) => Of($"{Time(entry.At)} {entry.Actor}：{ActionName(entry.Action)}", $"{Time(entry.At)} {entry.Actor}: {ActionName(entry.Action)}");
    public string DefinitionField => Of("字段", "Field");
    public string DefinitionBefore => Of("原来", "Before");
    public string DefinitionNow => Of("现在", "Now");
    public string DefinitionValue => Of("内容", "Value");
    public string UseAsTemplate => Of("以此新建", "New from this one");
    public string SaleRules => Of("规则", "Rules");
    public string ChangeAdded => Of("新增", "added");
    public string ChangeRemoved => Of("删除", "removed");
    public string ChangeChanged => Of("已改", "changed");

    /// <summary>What is wrong with a slug that another sale has, in the manner of the rules of the API.</summary>
    public const string SlugTakenError = "must be another than those of the other sales";

    /// <param name="field">A path of the API, without the offer that it belongs to.</param>
    public string FieldName(string field) => field switch
    {
        "slug" => Of("网址名", "Slug"),
        "title.zh" => Of("中文名称", "Chinese title"),
        "title.en" => Of("英文名称", "English title"),
        "opensAt" => Of("开抢时间", "Opens at"),
        "closesAt" => Of("结束时间", "Closes at"),
        "requiresReservation" => Of("需要预约", "Reservation needed"),
        "reservationOpensAt" => Of("预约开始", "Reservations open at"),
        "reservationClosesAt" => Of("预约截止", "Reservations close at"),
        "ordering" => Of("下单方式", "Ordering"),
        "deduction" => Of("扣减库存", "Stock is deducted"),
        "paymentWindowSeconds" => Of("支付时限（秒）", "Time to pay (seconds)"),
        "riskThreshold" => Of("风险阈值", "Risk threshold"),
        "warmUpLeadSeconds" => Of("预热提前（秒）", "Warm-up lead (seconds)"),
        "defences.challenge" => Of("人机验证", "Challenge"),
        "defences.challengeBits" => Of("验证难度（位）", "Challenge difficulty (bits)"),
        "defences.tokensPerUser" => Of("每人 10 分钟内订单令牌", "Order tokens per user in 10 minutes"),
        "defences.accountsPerDevice" => Of("每设备账号数", "Accounts per device"),
        "defences.accountsPerAddress" => Of("每地址账号数", "Accounts per address"),
        "defences.unpaidHolds" => Of("未支付几次后禁止", "Unpaid orders before a bar"),
        "defences.barMinutes" => Of("禁止时长（分钟）", "Length of the bar (minutes)"),
        "defences.drawMs" => Of("抽签窗口（毫秒）", "Draw window (ms)"),
        "sku" => "SKU",
        "faceValue" => Of("面值（元）", "Face value (yuan)"),
        "price" => Of("售价（元）", "Price (yuan)"),
        "currency" => Of("币种", "Currency"),
        "stock" => Of("库存", "Stock"),
        "perUserLimit" => Of("每人限购", "Limit per user"),
        "validFrom" => Of("有效期起", "Valid from"),
        "validUntil" => Of("有效期止", "Valid until"),
        "delta" => Of("增减", "Change"),
        "reference" => Of("凭据编号", "Reference"),
        "expectedAvailable" => Of("当前可售应为", "Available, as expected"),
        "reason" => Reason,
        _ => field,
    };

    /// <summary>What a field takes; null where its name says it.</summary>
    public string? FieldHint(string field) => field switch
    {
        "slug" => Of("小写字母、数字和连字符；是网址 /sales/… 的一部分", "Lower-case letters, digits and hyphens; part of the address /sales/…"),
        "paymentWindowSeconds" => Of("2–86,400", "2 to 86,400"),
        "riskThreshold" => Of("0–100；达到此分数的预约被拒绝", "0 to 100; a reservation whose score reaches it is rejected"),
        "warmUpLeadSeconds" => Of("600–604,800；开抢前多久装入共享闸口", "600 to 604,800; how long before the opening a shared gate is loaded"),
        "defences.challengeBits" => Of("8–24；每多一位，工作量翻倍", "8 to 24; each one more doubles the work"),
        "defences.tokensPerUser" => Of("1–1,000", "1 to 1,000"),
        "defences.accountsPerDevice" => Of("0–1,000；0 表示不限", "0 to 1,000; 0: any number"),
        "defences.accountsPerAddress" => Of("0–100,000；0 表示不限", "0 to 100,000; 0: any number"),
        "defences.unpaidHolds" => Of("0–10；0 表示从不禁止", "0 to 10; 0: never barred"),
        "defences.barMinutes" => Of("1–43,200", "1 to 43,200"),
        "defences.drawMs" => Of("0 表示先到先得；否则 100–1,500，窗口内的请求抽签决定", "0: in the order of arrival; else 100 to 1,500, and what comes within is drawn by lot"),
        "price" => Of("不高于面值，最多两位小数", "Not above the face value; at most two decimals"),
        "faceValue" => Of("最多两位小数", "At most two decimals"),
        "stock" => Of("1–1,000,000", "1 to 1,000,000"),
        "perUserLimit" => Of("1–10；留空为 1", "1 to 10; blank: 1"),
        _ => null,
    };

    /// <summary>A typed value in words.</summary>
    public string FieldValue(string field, string value) => field switch
    {
        "opensAt" or "closesAt" or "reservationOpensAt" or "reservationClosesAt" or "validFrom" or "validUntil" => 
            BeijingTime.TryParse(value, out var at) ? $"{Time(at)}{at:.FFF}" : "–",
        "requiresReservation" => value.Length > 0 ? Yes : No,
        "ordering" or "deduction" or "defences.challenge" => ChoiceName(field, value),
        _ when value.Length == 0 => "–",
        _ => value,
    };

    public string OfferValue(Offer offer, string field, string value) => field switch
    {
        "faceValue" => Money(offer.FaceValue),
        "price" => Money(offer.Price),
        "stock" => Number(offer.Stock),
        _ => FieldValue(field, value),
    };

    public string ChoiceName(string field, string word) => (field, word) switch
    {
        ("ordering", "synchronous") => Of("同步（当场答复）", "Synchronous (answered at once)"),
        ("deduction", "order") => Of("下单时", "With the order"),
        ("defences.challenge", "off") => Of("关闭", "Off"),
        ("defences.challenge", "suspicious") => Of("仅可疑者", "For the suspicious"),
        ("defences.challenge", "always") => Of("所有人", "For everybody"),
        _ => word,
    };
}
