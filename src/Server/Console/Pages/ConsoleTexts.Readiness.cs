using FlashSale.Core.Wire;
using FlashSale.Storage;

namespace FlashSale.Server.Console.Pages;

/// <summary>The readiness board.</summary>
public sealed partial class ConsoleTexts
{
    public string SaleReady => Of("一切就绪。", "Everything is ready.");
    public string SaleNotReady => Of("尚未就绪。", "Not ready.");
    public string LookAgain => Of("再看一次", "Look again");
    public string NothingAmiss => Of("没有发现问题。", "Nothing is amiss.");
    public string CheckWord => Of("检查项", "Check");
    public string PagesRow => Of("静态页面", "Static pages");
    public string PagesVersion(long version) => Of($"在已发布的第 {version} 版中", $"In version {version} of the published pages");
    public string PagesOnRequest => Of("未预先生成，访问时生成", "Not made beforehand; made when somebody asks");
    public string WarmUpRow => Of("预热", "Warm-up");
    public string GateRow => Of("闸口与账本一致", "Gate equals ledger");
    public string GateAgrees(int agree, int offers) => Of($"{agree} / {offers} 个优惠券一致", $"{agree} of {offers} offers agree");
    public string NotYet => Of("发布后开始", "Begins with the publication");
    public string ClockRow => Of("时钟", "Clock");
    public string SkewOf(long ms) => Of($"账本与各实例最多相差 {ms} 毫秒", $"The ledger's less an instance's, at most: {ms} ms");
    public string AllClosed(int count) => Of($"{count} 个全部正常", $"All {count} are closed");
    public string Comma => Of("、", ", ");
    public string PoolsRow => Of("连接池", "Connections");

    public string PoolOf(PoolReadiness pool) => Of(
        $"{PoolName(pool.Name)} {pool.Used} / {Number(pool.Size)}" + (pool.Waiting == 0 ? "" : $"（{Number(pool.Waiting)} 个在等）"),
        $"{PoolName(pool.Name)} {pool.Used} of {Number(pool.Size)} in use" + (pool.Waiting == 0 ? "" : $" ({Number(pool.Waiting)} wait)"));

    public string AssessmentsRow => Of("风控评估", "Assessments");
    public string BooksRow => Of("账目", "Books");
    public string BooksAgree => Of("持续对账未发现不符", "The continuous reconciliation found nothing");
    public string FreshRow => Of("数据新鲜度", "Freshness");
    public string Fresh => Of("活动与库存均刚经账本确认", "Sales and stock were confirmed by the ledger just now");
    public string InstanceRow => Of("本实例", "This instance");
    public string InstancesOf(int ready, int all) => Of($"{ready} / {all} 个实例就绪", $"{ready} of {all} instances are ready");

    public string MarkName(ReadinessMark mark) => mark switch
    {
        ReadinessMark.Good => Of("正常", "Good"),
        ReadinessMark.Bad => Of("有问题", "Amiss"),
        _ => Of("未定", "Open"),
    };

    public string WarmOf(WarmUpDocument warm) => Of(
        $"{warm.OffersWarm} / {warm.Offers} 个优惠券，{Number(warm.Reservations)} / {Number(warm.ReservationsInLedger)} 个预约",
        $"{warm.OffersWarm} of {warm.Offers} offers, {Number(warm.Reservations)} of {Number(warm.ReservationsInLedger)} reservations");

    public string BacklogOf(AssessmentBacklog? backlog) => Of(
        $"等待 {Number(backlog?.Waiting ?? 0)} 个，失败 {Number(backlog?.Dead ?? 0)} 个",
        $"{Number(backlog?.Waiting ?? 0)} wait, {Number(backlog?.Dead ?? 0)} failed");

    /// <summary>Why a sale is not ready. What a program said in English stands in its detail.</summary>
    public string ReadinessText(ReadinessReason reason) => reason.Matter switch
    {
        _ when !IsZh && reason.Detail is null => reason.Text,
        ReadinessMatter.Instance => Of("本实例尚不能服务，详见其健康检查。", reason.Text),
        ReadinessMatter.OtherInstance when reason.Detail is null => Of($"实例 {reason.Name} 已失联。", reason.Text),
        ReadinessMatter.OtherInstance => Of($"实例 {reason.Name} 未就绪：", $"The instance {reason.Name} is not ready:"),
        ReadinessMatter.Draft => Of("活动还是草稿。", "The sale is a draft."),
        ReadinessMatter.Over => Of("活动已结束。", "The sale is over."),
        ReadinessMatter.WarmUp => Of("尚未预热完成。", "It is not warm."),
        ReadinessMatter.Gate => Of($"优惠券 {reason.Name} 在闸口与账本中不一致。", reason.Text),
        ReadinessMatter.Breaker => Of($"熔断器“{BreakerName(reason.Name ?? "")}”断开{Place(reason)}：{Instead(reason.Name)}。", reason.Text),
        ReadinessMatter.Pool => Of($"连接池“{PoolName(reason.Name)}”已用满{Place(reason)}，{Number(reason.Count)} 个调用在等待，很快会开始拒绝。", reason.Text),
        ReadinessMatter.AssessmentsDead => Of($"{Number(reason.Count)} 个预约评估失败，请重试或裁定。", reason.Text),
        ReadinessMatter.AssessmentsWaiting => Of($"{Number(reason.Count)} 个预约等待评估，最早的自 {TimeOrNone(reason.Since)} 起。", reason.Text),
        ReadinessMatter.SalesStale => Of($"活动数据过期，上次与账本核对是 {TimeOrNone(reason.Since)}。", reason.Text),
        ReadinessMatter.StockStale => Of($"库存数据超过 {reason.Count} 秒未经账本确认。", reason.Text),
        ReadinessMatter.Books => Of("账目不符：", "The books do not agree:"),
        ReadinessMatter.PagesHeld => Of($"页面停在第 {reason.Count} 版，比活动旧：有人回滚了页面，确认后请重新发布页面。", reason.Text),
        ReadinessMatter.PagesBehind => Of($"自 {TimeOrNone(reason.Since)} 起页面比活动旧。", $"The pages are older than the sales since {TimeOrNone(reason.Since)}."),
        ReadinessMatter.Clock => Of($"{reason.Where ?? "本机"} 时钟偏差 {reason.Count} 毫秒，已在程序内修正；请校准，以免日志时间有误。", reason.Text),
        _ => Of("有问题，详见接口的英文说明。", reason.Text),
    };

    private static string Place(ReadinessReason reason) => reason.Where is { } where ? $"（{where}）" : "";

    private string PoolName(string? pool) => pool switch
    {
        "orders" => Of("订单", "orders"),
        "changes" => Of("变更", "changes"),
        "writes" => Of("写入", "writes"),
        "reads" => Of("读取", "reads"),
        _ => "Redis",
    };

    /// <summary>What happens instead while a breaker is open.</summary>
    private string Instead(string? breaker) => breaker switch
    {
        "orders" => Of("新订单被拒绝", "new orders are refused"),
        "stock" => Of("显示最后已知的库存", "the stock shown is the last known"),
        "sales" => Of("使用最后已知的活动", "the sales are the last known"),
        "risk" => Of("闸口不认识的人一律不放行", "nobody is let in whom the gate does not know"),
        "payments" => Of("支付被拒绝，需稍后再试", "payments are refused, to be tried again"),
        "profile" or "credit" => Of("预约等待评估", "reservations wait for their assessment"),
        "limit" => Of("各实例自行计数", "each instance counts by itself"),
        "gate" => Of("订单绕过闸口、限速进入账本", "orders go to the ledger without it, at a bounded rate"),
        _ => "",
    };
}
