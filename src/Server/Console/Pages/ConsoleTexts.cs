using System.Globalization;

using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Server.Http;

namespace FlashSale.Server.Console.Pages;

/// <summary>Every text of the console, both languages side by side, so that none is without the other. What an area of the console says stands in a file of its own.</summary>
public sealed partial class ConsoleTexts(bool isZh)
{
    // The fixed offset of Asia/Shanghai, which has no summer time: the program carries no time zone data.
    public static readonly TimeSpan Shanghai = TimeSpan.FromHours(8);

    public bool IsZh => isZh;

    // ---- every page ----
    public string Brand => Of("闪购控制台", "FlashSale console");
    public string SkipToContent => Of("跳到正文", "Skip to content");
    public string Navigation => Of("主导航", "Main navigation");
    public string OtherLanguage => Of("English", "中文");
    public string TimeZone => Of("所有时间均为北京时间（Asia/Shanghai，UTC+8）。", "All times are Beijing time (Asia/Shanghai, UTC+8).");
    public string DemoNote => Of("演示环境：优惠券与支付均为模拟。", "This is a demo: coupons and payments are not real.");
    public string Sales => Of("活动", "Sales");
    public string Orders => Of("订单", "Orders");
    public string Risk => Of("风控", "Risk");
    public string Blacklist => Of("黑名单", "Blacklist");
    public string LimitsWord => Of("限流", "Limits");
    public string Service => Of("服务", "Service");
    public string Audit => Of("审计", "Audit log");
    public string SignOut => Of("退出", "Sign out");
    public string Reason => Of("原因", "Reason");
    public string Yes => Of("是", "Yes");
    public string No => Of("否", "No");
    public string None => Of("无", "None");
    public string Save => Of("保存", "Save");
    public string Back => Of("返回", "Back");
    public string Search => Of("查询", "Search");
    public string More => Of("更多", "More");
    public string Csv => Of("下载 CSV", "Download CSV");
    public string Table => Of("数据表", "Table");
    public string InvalidFields => Of("有内容需要更正，什么都没有保存。", "Something must be corrected; nothing was saved.");

    /// <summary>What an action that just succeeded did; null for a word that none is called.</summary>
    public string? Done(string? action) => action switch
    {
        "saved" => Of("已保存。", "Saved."),
        "published" => Of("已发布。", "Published."),
        "paused" => Of("已暂停，所有实例 1 秒内生效。", "Paused, in every instance within a second."),
        "resumed" => Of("已恢复，所有实例 1 秒内生效。", "Resumed, in every instance within a second."),
        "closed" => Of("活动已结束。", "The sale is closed."),
        "warmed" => Of("已预热。", "Loaded into the gate."),
        "adjusted" => Of("库存已调整。", "The stock was adjusted."),
        "cancelled" => Of("订单已取消。", "The order was cancelled."),
        "refunded" => Of("订单已退款。", "The order was refunded."),
        "barred" => Of("已加入黑名单。", "Barred."),
        "unbarred" => Of("已移出黑名单。", "No longer barred."),
        "decided" => Of("已决定。", "Decided."),
        "retried" => Of("将重新评估。", "It will be assessed again."),
        _ => null,
    };

    // ---- about one sale ----
    public string LiveTab => Of("实时", "Live");
    public string DefinitionTab => Of("定义", "Definition");
    public string PreviewTab => Of("预览", "Preview");
    public string PublicationTab => Of("发布", "Publication");
    public string ReadinessTab => Of("就绪检查", "Readiness");
    public string StockTab => Of("库存", "Stock");
    public string ReconciliationTab => Of("对账", "Reconciliation");
    public string ReportTab => Of("报告", "Report");

    // ---- sign-in, refusals ----
    public string SignIn => Of("登录", "Sign in");
    public string UserName => Of("用户名", "User name");
    public string UserNameHint => Of("1–64 个字符：字母、数字、. _ -", "1–64 characters: letters, digits, . _ -");
    public string RolesWord => Of("角色", "Roles");
    public string SessionToken => Of("会话令牌", "Session token");
    public string SessionTokenHint => Of("由贵司身份系统签发的 JWT，含 role。", "The JWT with your role that your identity system issued.");
    public string SignInFailed => Of("无法登录：用户名或令牌无效，或令牌没有控制台角色。", "You cannot be signed in: the name or the token is not valid, or the token has no role of the console.");
    public string ForbiddenTitle => Of("没有权限", "Not permitted");
    public string Forbidden(Roles needed) => Of($"此页面需要角色：{RoleNames(needed)}。", $"This page needs the role {RoleNames(needed)}.");
    public string ForeignForm => Of("表单不是从控制台页面提交的，什么都没有改变。", "The form was not sent from a page of the console; nothing was changed.");
    public string MalformedForm => Of("无法读取表单，什么都没有改变。", "The form could not be read; nothing was changed.");
    public string NotFoundTitle => Of("找不到", "Not found");
    public string NotFound => Of("没有这样的页面或记录。", "There is no such page or record.");
    public string UnavailableTitle => Of("暂时不可用", "Not available right now");
    public string Unavailable => Of("账本或库存闸口没有应答。是否已生效请以审计日志为准，然后再试。", "The ledger or the gate did not answer. The audit log tells whether it took effect; then try again.");

    public string RoleName(Roles role) => role switch
    {
        Roles.Viewer => Of("查看", "viewer"),
        Roles.Operator => Of("运营", "operator"),
        Roles.Approver => Of("审批", "approver"),
        Roles.Risk => Of("风控", "risk"),
        Roles.Dealer => Of("经销商", "dealer"),
        Roles.Auditor => Of("审计", "auditor"),
        _ => role.ToString(),
    };

    public string RoleNames(Roles roles) =>
        string.Join(Of("、", ", "), Enum.GetValues<Roles>().Where(role => role != Roles.None && roles.HasFlag(role)).Select(RoleName));

    // ---- words of the domain ----
    public string Phase(SalePhase phase) => phase switch
    {
        SalePhase.Draft => Of("草稿", "Draft"),
        SalePhase.Scheduled => Of("已排期", "Scheduled"),
        SalePhase.Reserving => Of("预约中", "Reserving"),
        SalePhase.Armed => Of("待开抢", "Armed"),
        SalePhase.Open => Of("进行中", "Open"),
        SalePhase.Paused => Of("已暂停", "Paused"),
        SalePhase.SoldOut => Of("已抢光", "Sold out"),
        SalePhase.Ended => Of("已结束", "Ended"),
        _ => phase.ToString(),
    };

    public string TitleOf(LocalizedText text) => isZh ? text.Zh : text.En;

    // ---- numbers and times ----
    public string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    public string Percent(double part) => part.ToString("P1", CultureInfo.InvariantCulture).Replace(" ", "", StringComparison.Ordinal);

    public string Money(Money money)
    {
        var whole = money.Amount % 100 == 0 ? (money.Amount / 100).ToString("N0", CultureInfo.InvariantCulture) : (money.Amount / 100m).ToString("N2", CultureInfo.InvariantCulture);
        return money.Currency == "CNY" ? "¥" + whole : $"{money.Currency} {whole}";
    }

    /// <summary>To the second, in Beijing.</summary>
    public string Time(DateTimeOffset at) => at.ToOffset(Shanghai).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    public string TimeOrNone(DateTimeOffset? at) => at is { } time ? Time(time) : "–";

    private string Of(string zh, string en) => isZh ? zh : en;
}
