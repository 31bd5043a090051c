namespace FlashSale.Server.Console.Pages;

/// <summary>Limits, and what a change of one means.</summary>
public sealed partial class ConsoleTexts
{
    public string LimitsLead => Of(
        "改动 1 秒内在所有实例和网关生效，并写入审计日志。没有改动的项保持不变。",
        "A change holds in every instance and gateway within a second, and is in the audit log. What is not changed keeps its value.");
    public string LimitsChangedMeanwhile => Of(
        "打开本页后已有人修改过限流，什么都没有保存。当前值与您的改动见下；如仍要修改，请再次保存。",
        "Somebody else has changed the limits since you opened this page; nothing was saved. What your values would change now is below; save again if you still want it.");
    public string WouldChange => Of("保存后将改变", "Saving would change");
    public string NothingChanges => Of("没有任何改动。", "Nothing.");
    public string ShowChanges => Of("查看改动的含义", "Show what it means");
    public string ReasonForSaving => Of("保存时必填，写入审计日志", "Needed to save; it goes into the audit log");
    public string LimitWord => Of("限流项", "Limit");
    public string ValueWord => Of("值", "Value");
    public string MeaningWord => Of("含义", "Meaning");

    public string Revision(long rev) => Of($"版本 {rev}", $"Revision {rev}");

    public string LimitGroup(string group) => group switch
    {
        "total" => Of("单个实例的全部请求", "All requests to one instance"),
        "address" => Of("单个地址", "One address"),
        "user" => Of("单个用户", "One user"),
        "sale" => Of("单个活动", "One sale"),
        _ => Of("过载保护", "Load shedding"),
    };

    public string LimitGroupHint(string group) => group switch
    {
        "total" => Of("每个实例各自计算；一个页面消耗多个许可。", "Each instance counts for itself; a page takes several permits."),
        "address" => Of("一个 IPv4 地址，或 IPv6 的 /64 网段。", "An IPv4 address, or a /64 of IPv6."),
        "user" => Of("已登录的用户；共用 Redis 的实例合并计算。", "A signed-in user, over all instances that share a Redis."),
        "sale" => Of("预约、令牌、下单请求；每个实例各自计算。", "Reservations, order tokens and orders; each instance counts for itself."),
        _ => Of("实例变慢时先拒绝次要请求；付款、取消、查询订单最后才拒绝。", "An instance that slows down turns the less important away first; paying, cancelling and reading orders last."),
    };

    public string LimitLabel(string name) => name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..] switch
    {
        "perSecond" => Of("每秒许可", "Permits a second"),
        "burst" => Of("突发容量", "Burst"),
        "targetLatencyMs" => Of("目标延迟（毫秒）", "Target latency (ms)"),
        "inFlightMin" => Of("并发下限", "Fewest requests under way"),
        "inFlightMax" => Of("并发上限", "Most requests under way"),
        "writerWaitMs" => Of("账本写入等待上限（毫秒）", "Longest wait for the ledger writer (ms)"),
        "busyClientsPercent" => Of("繁忙客户端份额（%）", "Share of busy clients (%)"),
        "pagesPercent" => Of("页面份额（%）", "Share of pages (%)"),
        "documentsPercent" => Of("文档份额（%）", "Share of documents (%)"),
        "tokensPercent" => Of("令牌与预约份额（%）", "Share of order tokens and reservations (%)"),
        _ => Of("下单份额（%）", "Share of new orders (%)"),
    };

    public string LimitHint(string name) => name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..] switch
    {
        "perSecond" => Of($"长期平均每秒放行的数量，1–{Number(Core.Limits.RateMax)}", $"Let through each second in the long run, 1–{Number(Core.Limits.RateMax)}"),
        "burst" => Of($"空闲之后可一次放行的数量，1–{Number(Core.Limits.RateMax)}", $"Let through at once after a pause, 1–{Number(Core.Limits.RateMax)}"),
        "targetLatencyMs" => Of(
            $"十分之一的请求慢于此值时减少并发，{Core.Limits.TargetLatencyMinMs}–{Core.Limits.TargetLatencyMaxMs}",
            $"Fewer are let in while a tenth of the requests takes longer, {Core.Limits.TargetLatencyMinMs}–{Core.Limits.TargetLatencyMaxMs}"),
        "inFlightMin" => Of("并发数不会低于此值，且不高于上限", "The number never falls below this, which is at most the one below"),
        "inFlightMax" => Of($"并发数不会高于此值，最大 {Number(Core.Limits.InFlightMaxMost)}", $"The number never rises above this, {Number(Core.Limits.InFlightMaxMost)} at most"),
        "writerWaitMs" => Of($"预计等待更久的订单直接拒绝，1–{Core.Limits.WriterWaitMaxMs}", $"An order that would wait longer is turned away at once, 1–{Core.Limits.WriterWaitMaxMs}"),
        "busyClientsPercent" => Of("已用掉一半突发容量的客户端可用的并发份额，0–100", "Of the requests under way, for clients that have used half of their burst, 0–100"),
        "pagesPercent" => Of("页面浏览可用的并发份额，不大于文档份额", "Of the requests under way, for page views; at most the share of documents"),
        "documentsPercent" => Of("活动详情等文档可用的并发份额，不大于令牌份额", "Of the requests under way, for sale details and the like; at most the share of tokens"),
        "tokensPercent" => Of("令牌与预约可用的并发份额，不大于下单份额", "Of the requests under way, for order tokens and reservations; at most the share of orders"),
        _ => Of("下单可用的并发份额，0–100；下单最后才被拒绝", "Of the requests under way, for new orders, 0–100; they are shed last"),
    };

    public string LimitName(string name) => LimitGroup(name.Split('.')[0]) + Of("：", ": ") + LimitLabel(name);

    /// <summary>A change in words: figures, how much, and what follows.</summary>
    public string LimitChange(string name, int before, int after)
    {
        var by = before == 0 ? "" : Of("（", " (") + (after > before ? "+" : "−") + Percent(Math.Abs(after - (double)before) / before) + Of("）", ")");
        return $"{LimitName(name)}{Of("：", ": ")}{Number(before)} → {Number(after)}{by}{Of("。", ". ")}{Follows(name, after > before)}";
    }

    private string Follows(string name, bool up) => name switch
    {
        "shedding.targetLatencyMs" or "shedding.writerWaitMs" => up
            ? Of("容忍更慢的回答，更晚开始拒绝请求。", "Slower answers are put up with, and requests are turned away later.")
            : Of("更早拒绝请求，以保持回答迅速。", "Requests are turned away sooner, so that answers stay quick."),
        "shedding.inFlightMin" or "shedding.inFlightMax" => up
            ? Of("实例同时处理更多请求，数据库负担加重。", "An instance works on more requests at once, and the database with it.")
            : Of("实例同时处理更少请求，更早拒绝其余请求。", "An instance works on fewer requests at once, and turns the rest away sooner."),
        _ when name.StartsWith("shedding.", StringComparison.Ordinal) => up
            ? Of("过载时此类请求更晚被拒绝。", "Under load this kind is turned away later.")
            : Of("过载时此类请求更早被拒绝。", "Under load this kind is turned away sooner."),
        _ => up
            ? Of("放行更多请求，实例负担加重。", "More requests are let through, and instances have more to do.")
            : Of("更多请求得到“请稍后再试”。", "More requests are told to come back later."),
    };
}
