using FlashSale.Core.Wire;
using FlashSale.Server.Http;

namespace FlashSale.Server.Console.Pages;

/// <summary>Reconciliation and the audit log.</summary>
public sealed partial class ConsoleTexts
{
    /// <summary>The words that the ledger writes; those that end with a dot stand for all that begin so.</summary>
    public static readonly IReadOnlyList<string> AuditActions =
    [
        "sale.", SaleActions.Created, SaleActions.Updated, SaleActions.Published, SaleActions.WarmedUp, SaleActions.Paused, SaleActions.Resumed, SaleActions.Closed, "stock.adjust",
        "limits.set", "blacklist.", "blacklist.add", "blacklist.remove", "blacklist.import", "assessment.", "assessment.decide", "assessment.retry", "reservation.reject", "risk.erase",
        "order.", "order.cancel", "order.refund", "site.", "site.publish", "site.rollback",
    ];

    // ---- reconciliation ----
    public string AllAgrees => Of("账实相符：账本、流水、订单、优惠券、付款与库存闸口一致。", "Everything agrees: ledger, change log, orders, coupons, payments and gate.");
    public string Agrees => Of("相符", "Agrees");
    public string Disagrees => Of("不符", "Does not agree");
    public string VerdictWord => Of("结论", "Verdict");
    public string TitleWord => Of("名称", "Title");
    public string BookWord => Of("账", "Book");
    public string FigureWord => Of("项目", "Figure");
    public string LedgerWord => Of("账本库存", "Ledger");
    public string GateWord => Of("库存闸口", "Gate");
    public string ChangeLogWord => Of("库存流水", "Change log");
    public string CouponsBook => Of("优惠券", "Coupons");
    public string PaymentsBook => Of("付款", "Payments");
    public string StockInitialWord => Of("初始", "Initial");
    public string StockAdjustmentsWord => Of("调整", "Adjustments");
    public string AvailableWord => Of("可用", "Available");
    public string HeldWord => Of("占用", "Held");
    public string SoldWord => Of("已售", "Sold");
    public string ChangesWord => Of("流水条数", "Changes");
    public string OrdersHeldWord => Of("待支付订单", "Orders held");
    public string PaidOrdersWord => Of("已支付订单", "Orders paid");
    public string CouponsWord => Of("有效优惠券", "Coupons");
    public string PaymentsPaidWord => Of("成功付款", "Payments paid");
    public string GateStockWord => Of("闸口库存", "Gate stock");
    public string GatePendingWord => Of("闸口处理中", "Gate pending");
    public string ReconcileAgain => Of("重新对账", "Reconcile again");

    public string ReconciledAt(DateTimeOffset at) => Of($"对账时间 {Time(at)}（北京时间）", $"As of {Time(at)}, Beijing time");

    public string ViolationsFound(int count) => Of($"发现 {count} 处不符", count == 1 ? "One thing does not agree" : $"{count} things do not agree");

    public string Words(Violation violation) => isZh ? violation.Zh : violation.En;

    // ---- audit log ----
    public string NumberWord => Of("编号", "Number");
    public string ActorWord => Of("操作人", "Who");
    public string RoleWord => Of("角色", "Role");
    public string BeforeWord => Of("之前", "Before");
    public string AfterWord => Of("之后", "After");
    public string TraceWord => Of("追踪 ID", "Trace id");
    public string HashWord => Of("哈希", "Hash");
    public string NotChained => Of("尚未入链", "not in the chain yet");
    public string ChainNote => Of(
        "每条记录的哈希包含前一条的哈希；flashsale verify-audit 可发现任何改动。",
        "The hash of each entry covers the one before it; flashsale verify-audit finds any edit.");
    public string FieldWord => Of("字段", "Field");
    public string AuditSubjectHint => Of("例如 sale/123；以 / 结尾表示全部", "Such as sale/123; sale/ means all of them");

    public string ChainHead(long number) => Of($"链尾为第 {number} 条，请另行保存：", $"The chain ends at {number}; keep it elsewhere:");

    public string FieldsChanged(int count) => Of($"改动 {count} 个字段", count == 1 ? "One field changed" : $"{count} fields changed");

    public string RoleOf(string word) => word == "system" ? Of("系统", "system") : Words<Roles>.ByWord.TryGetValue(word, out var role) ? RoleName(role) : word;

    /// <summary>What the audit log calls an action; one that ends with a dot stands for all that begin so.</summary>
    public string ActionName(string action) => action switch
    {
        "sale." => Of("活动（全部）", "Sales, all"),
        SaleActions.Created => Of("创建活动", "Sale created"),
        SaleActions.Updated => Of("修改活动", "Sale changed"),
        SaleActions.Published => Of("发布活动", "Sale published"),
        SaleActions.WarmedUp => Of("预热活动", "Sale loaded into the gate"),
        SaleActions.Paused => Of("暂停活动", "Sale paused"),
        SaleActions.Resumed => Of("恢复活动", "Sale resumed"),
        SaleActions.Closed => Of("结束活动", "Sale closed"),
        "stock.adjust" => Of("调整库存", "Stock adjusted"),
        "limits.set" => Of("修改限流", "Limits set"),
        "blacklist." => Of("黑名单（全部）", "Blacklist, all"),
        "blacklist.add" => Of("加入黑名单", "Barred"),
        "blacklist.remove" => Of("移出黑名单", "Let in again"),
        "blacklist.import" => Of("导入黑名单", "Blacklist imported"),
        "assessment." => Of("风险评估（全部）", "Assessments, all"),
        "assessment.decide" => Of("人工决定预约", "Reservation decided by a person"),
        "assessment.retry" => Of("重新评估预约", "Reservation assessed again"),
        "reservation.reject" => Of("风控拒绝预约", "Reservation rejected by risk control"),
        "risk.erase" => Of("清除用户数据", "A user's data erased"),
        "order." => Of("订单（全部）", "Orders, all"),
        "order.cancel" => Of("取消订单", "Order cancelled"),
        "order.refund" => Of("订单退款", "Order refunded"),
        "site." => Of("页面（全部）", "Pages, all"),
        "site.publish" => Of("发布页面", "Pages published"),
        "site.rollback" => Of("回滚页面", "Pages rolled back"),
        _ => action,
    };
}
