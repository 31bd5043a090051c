using System.Globalization;

using FlashSale.Core.Sales;
using FlashSale.Server.Hosting;

namespace FlashSale.Server.Console.Pages;

/// <summary>The life of a sale: plan, preview, publication, what is done with it.</summary>
public sealed partial class ConsoleTexts
{
    // ---- plan ----
    public string NewSale => Of("新建活动", "New sale");
    public string NoSales => Of("还没有活动。", "There are no sales yet.");
    public string SaleWord => Of("活动", "Sale");
    public string PhaseWord => Of("阶段", "Phase");
    public string ReservationsFrom => Of("预约开始", "Reservations from");
    public string OpensAtWord => Of("开抢", "Opens");
    public string ClosesAtWord => Of("结束", "Closes");
    public string RemainingOfStock => Of("剩余 / 总量", "Left / stock");
    public string AllSales => Of("显示所有已结束的活动", "Show all sales that are over");
    public string UseAsTemplateOf(Sale sale) => Of($"{UseAsTemplate}：{TitleOf(sale.Title)}", $"{UseAsTemplate}: {TitleOf(sale.Title)}");
    public string TimelineTitle => Of("近日安排（北京时间）", "These days (Beijing time)");
    public string TimelineEmpty => Of("昨天到未来七天没有活动。", "There are no sales from yesterday to seven days ahead.");
    public string TimelineKey => Of("浅色：预约；深色：开抢到结束；竖线：现在。同时进行的活动上下排列。", "Light: reservations; dark: from opening to closing; upright line: now. Sales at the same time stand below each other.");
    public string Day(DateTimeOffset at) => at.ToOffset(Shanghai).ToString("MM-dd", CultureInfo.InvariantCulture);
    public string BarLabel(SaleLine line) => Of(
        $"{TitleOf(line.Sale.Title)}，{Phase(line.Phase)}，{Time(line.Sale.OpensAt)} 到 {Time(line.Sale.ClosesAt)}",
        $"{TitleOf(line.Sale.Title)}, {Phase(line.Phase)}, {Time(line.Sale.OpensAt)} to {Time(line.Sale.ClosesAt)}");

    public string TooManyAtOnce(Crowding crowding) => Of(
        $"{Time(crowding.At)} 起有 {crowding.Sales} 个活动同时进行，超过建议的 {SaleTimeline.AtOnceMax} 个。请错开时间。",
        $"From {Time(crowding.At)}, {crowding.Sales} sales run at once, more than the {SaleTimeline.AtOnceMax} that are advised. Move some of them.");

    // ---- preview ----
    public string PreviewIntro => Of(
        "商店页面在所选时刻的样子，由商店自己生成；草稿按已发布显示。框内的按钮不会执行任何操作。",
        "The page of the shop as it is at the moment chosen, made by the shop itself; a draft is shown as if published. Nothing inside the frame does anything.");

    public string Moments => Of("关键时刻", "Moments that matter");
    public string PreviewAt => Of("时刻（北京时间）", "Moment (Beijing time)");
    public string PreviewStateWord => Of("情形", "Situation");
    public string PreviewAs => Of("谁在看", "Seen by");
    public string PreviewLanguage => Of("语言", "Language");
    public string PreviewWidth => Of("宽度", "Width");
    public string Phone => Of("手机宽度", "Phone width");
    public string Desktop => Of("桌面宽度", "Desktop width");
    public string Show => Of("查看", "Show");

    public string MomentName(string word) => word switch
    {
        "reserve" => Of("预约开始", "Reservations open"),
        "reserved" => Of("预约截止", "Reservations close"),
        "tokens" => Of("开抢前 10 分钟", "10 min before"),
        "soon" => Of("开抢前 60 秒", "60 s before"),
        "open" => Of("开抢", "Open"),
        "sold_out" => Of("抢光", "Sold out"),
        "paused" => Of("暂停", "Paused"),
        "ended" => Of("结束", "Ended"),
        _ => word,
    };

    public string PreviewStateName(PreviewState state) => state switch
    {
        PreviewState.SoldOut => Of("已抢光", "Sold out"),
        PreviewState.Paused => Of("已暂停", "Paused"),
        _ => Of("正常，库存充足", "As planned, all units left"),
    };

    public string PreviewShopperName(PreviewShopper shopper) => shopper switch
    {
        PreviewShopper.Reserved => Of("已预约的用户", "Somebody with a reservation"),
        PreviewShopper.Stranger => Of("未登录的访客", "A stranger"),
        _ => Of("已登录的用户", "Somebody signed in"),
    };

    // ---- publication ----
    public string PublishButton => Of("发布", "Publish");
    public string PublishText => Of(
        "发布后所有人都能看到；网址名、优惠券、价格和限购不能再改。",
        "Then everybody sees it; slug, offers, prices and limits do not change any more.");

    public string LastEdit(string actor, DateTimeOffset at) => Of($"最后由 {actor} 于 {Time(at)} 修改。", $"Last edited by {actor} at {Time(at)}.");
    public string FourEyesOn => Of("需要由另一位具有审批角色的人发布。", "A second person with the role approver publishes.");
    public string FourEyesOff => Of("不需要第二个人发布（FlashSale__Console__FourEyes 未启用）。", "No second person is needed (FlashSale__Console__FourEyes is off).");
    public string MayPublishNow => Of("您可以发布。", "You may publish it.");
    public string ReadOnlyPublication => Of("您的角色不能发布。", "Your role does not publish.");
    public string ComparedWithFirst(DateTimeOffset at) => Of($"与新建时（{Time(at)}）相比：", $"Compared with how it was created ({Time(at)}):");
    public string ComparedWithPublished(string actor, DateTimeOffset at) => Of($"与 {actor} 于 {Time(at)} 发布时相比：", $"Compared with what {actor} published at {Time(at)}:");
    public string NothingChanged => Of("没有变化。", "Nothing has changed.");
    public string ChangedCount(int count) => Of($"{count} 处变化。", count == 1 ? "1 change." : $"{count} changes.");
    public string WholeDefinition => Of("全部内容", "All of it");
    public string ChangesTitle => Of("变化", "What changed");
    public string NoBaseline => Of("审计日志里没有可比较的状态。", "The audit log has no state to compare with.");

    public string PublicationBarText(PublicationBar bar) => bar switch
    {
        PublicationBar.NeedsApprover => Of("发布需要审批角色，您没有。", "Publication needs the role approver, which you do not have."),
        PublicationBar.NeedsAnotherPerson => Of("您修改过此活动，须由未修改过的人发布。", "You have edited it; somebody who has not must publish it."),
        _ => MayPublishNow,
    };

    // ---- what is done with a sale ----
    public string RunTitle => Of("操作", "What can be done");
    public string ReasonOptional => Of("原因（可不填）", "Reason (optional)");
    public string ChangedMeanwhile => Of("有人同时改了这个活动，什么都没有做，请再试。", "Somebody changed the sale at the same time; nothing was done, try again.");
    public string SlugDiffers(string slug) => Of($"与网址名 {slug} 不符，什么都没有做。", $"It is not the slug {slug}; nothing was done.");
    public string TypeTheSlug(string slug) => Of($"请输入网址名 {slug} 确认", $"Type the slug {slug} to confirm");
    public string ActionOn(string path, Sale sale) => Of($"{ActionButton(path)}：{TitleOf(sale.Title)}", $"{ActionButton(path)}: {TitleOf(sale.Title)}");

    public string NotLoaded => Of("尚未全部装入库存闸口，就绪检查会说明缺少什么。", "Not everything is in the gate yet: readiness says what is missing.");

    public string NotInThisState(Sale sale, DateTimeOffset now) => Of(
        $"活动现在是“{StatusName(sale, now)}”，不能这样做。",
        $"The sale is “{StatusName(sale, now)}” now; this cannot be done.");

    public string ActionButton(string path) => path switch
    {
        "pause" => Of("暂停", "Pause"),
        "resumption" => Of("恢复", "Resume"),
        "closure" => Of("永久结束", "Close for good"),
        "warm-up" => Of("立即装入闸口", "Load into the gate now"),
        _ => path,
    };

    public string ActionText(string path) => path switch
    {
        "pause" => Of("1 秒内所有实例停止下单；支付继续。可以恢复。", "Within a second nobody orders any more, in no instance; payments go on. It can be resumed."),
        "resumption" => Of("从暂停处继续。", "Goes on where it stood."),
        "closure" => Of("提前结束，不能恢复；待支付的订单仍可支付。", "Ends it before its time, and cannot be undone; orders that wait for payment can still be paid."),
        "warm-up" => Of("把库存和预约装入闸口，可以重复。", "Loads stock and reservations into the gate; it can be repeated."),
        _ => "",
    };

    private string StatusName(Sale sale, DateTimeOffset now) => Phase(SalePhases.Of(sale, anyAvailable: true, now));
}
