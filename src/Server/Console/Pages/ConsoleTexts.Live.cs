using System.Globalization;

using FlashSale.Core.Wire;

namespace FlashSale.Server.Console.Pages;

/// <summary>The live board and the service.</summary>
public sealed partial class ConsoleTexts
{
    public string NotWatched => Of("预约或开抢前 30 分钟起，到最后一笔支付期限后 30 分钟止，显示实时数据。", "Live figures are shown from 30 minutes before the reservations, or the opening, until 30 minutes after the last time to pay.");
    public string AsOf(DateTimeOffset at) => Of($"数据时间 {Time(at)}", $"As of {Time(at)}");
    public string Late => Of("数据停止更新，正在重新连接…", "The figures have stopped; connecting again…");
    public string Remaining => Of("剩余（账本）", "Left (ledger)");
    public string Held => Of("待支付", "Held");
    public string Sold => Of("已售", "Sold");
    public string GateStock => Of("库存闸口", "Gate");
    public string Pending => Of("在途", "Pending");
    public string Drift => Of("差异", "Drift");
    public string OrdersPerSecond => Of("订单 / 秒", "Orders/s");
    public string PaidPerSecond => Of("支付 / 秒", "Paid/s");
    public string P50 => Of("P50 延迟（毫秒）", "p50 (ms)");
    public string P99 => Of("P99 延迟（毫秒）", "p99 (ms)");
    public string Arrivals => Of("到达 / 秒", "Arriving/s");
    public string Admitted => Of("放行 / 秒", "Admitted/s");
    public string WriterQueue => Of("账本写入队列", "Writer queue");
    public string Placed => Of("已下订单", "Orders placed");
    public string Total => Of("总量", "Total");
    public string OfferWord => Of("优惠券", "Offer");
    public string ActionWord => Of("操作", "Action");
    public string UnitsTitle => Of("库存", "Units");
    public string DecisionsTitle => Of("下单请求：到达、放行、拒绝", "Requests to order: arrived, admitted, refused");
    public string LatencyTitle => Of("下单延迟", "Latency of orders");
    public string RatesTitle => Of("下单与支付", "Orders and payments");
    public string Layer => Of("层", "Layer");
    public string OutcomeWord => Of("结果", "Outcome");
    public string ReasonWord => Of("原因", "Reason");
    public string Count => Of("次数", "Count");
    public string PerSecondWord => Of("每秒", "Per second");
    public string InstancesTitle => Of("实例", "Instances");
    public string Instance => Of("实例", "Instance");
    public string Version => Of("版本", "Version");
    public string Cpu => Of("CPU（单核 %）", "CPU (% of a core)");
    public string Memory => Of("内存（MB）", "Memory (MB)");
    public string Gc => Of("GC 停顿 % / 回收次数", "GC pause % / collections");
    public string InFlight => Of("在途请求 / 上限", "In flight / limit");
    public string State => Of("状态", "State");
    public string Gone => Of("已失联", "Gone");
    public string Stopped => Of("已停止", "Stopped");
    public string Ready => Of("就绪", "Ready");
    public string NotReady => Of("未就绪", "Not ready");
    public string BreakersTitle => Of("熔断器", "Breakers");
    public string EventsTitle => Of("事件", "Events");
    public string At => Of("时间", "Time");
    public string Actor => Of("操作人", "Who");
    public string NoEvents => Of("没有记录。", "Nothing yet.");
    public string NoDecisions => Of("还没有下单请求。", "No requests to order yet.");
    public string LastMinute => Of("最近一分钟", "The last minute");
    public string ServiceIntro => Of("所有实例最近一次上报的状态，最多一秒前。", "What every instance last said of itself, at most a second ago.");

    public string RefusedBy(string layer) => Of($"拒绝 / 秒：{LayerName(layer)}", $"Refused/s: {LayerName(layer)}");

    public string LayerName(string layer) => layer switch
    {
        LiveMomentDocument.BeforeSale => Of("得知活动之前（所有活动）", "before a sale was known (all sales)"),
        "edge" => Of("边缘", "edge"),
        "checkout" => Of("结算", "checkout"),
        "draw" => Of("抽签", "draw"),
        "gate" => Of("闸口", "gate"),
        "ledger" => Of("账本", "ledger"),
        _ => layer,
    };

    public string Outcome(string outcome) => outcome switch
    {
        "admitted" => Of("放行", "admitted"),
        "refused" => Of("拒绝", "refused"),
        "failed" => Of("失败", "failed"),
        _ => outcome,
    };

    public string DecisionReason(string reason) => reason switch
    {
        "placed" => Of("下单成功", "placed"),
        "repeated" => Of("重复请求，同一订单", "repeated, the same order"),
        "not_ready" => Of("实例未就绪", "instance not ready"),
        "total_limit" => Of("总限流", "limit in total"),
        "address_limit" => Of("地址限流", "limit of the address"),
        "user_limit" => Of("用户限流", "limit of the user"),
        "sale_limit" => Of("活动限流", "limit of the sale"),
        "unauthenticated" => Of("未登录", "not signed in"),
        "malformed" => Of("格式错误", "malformed"),
        "sale_not_open" => Of("未开抢", "not open"),
        "sale_paused" => Of("已暂停", "paused"),
        "sale_ended" => Of("已结束", "ended"),
        "sold_out" => Of("已抢光", "sold out"),
        "shed" => Of("过载保护", "shed"),
        "token_missing" => Of("无令牌", "no token"),
        "token_malformed" => Of("令牌格式错误", "token malformed"),
        "token_unknown_key" => Of("令牌密钥未知", "token of an unknown key"),
        "token_forged" => Of("令牌伪造", "token forged"),
        "token_wrong_user" => Of("他人的令牌", "another user's token"),
        "token_wrong_device" => Of("其他设备的令牌", "another device's token"),
        "token_too_young" => Of("令牌太新", "token too young"),
        "token_too_old" => Of("令牌过期", "token too old"),
        "token_unknown_offer" => Of("令牌的优惠券不存在", "token of no known offer"),
        "full" => Of("抽签已满", "draw full"),
        "not_drawn" => Of("抽签失败", "not drawn"),
        "not_reserved" => Of("未预约", "not reserved"),
        "not_eligible" => Of("风控未通过", "not eligible"),
        "barred_address" => Of("黑名单地址", "barred address"),
        "barred_device" => Of("黑名单设备", "barred device"),
        "limit_reached" => Of("超过限购", "limit per person"),
        "unavailable" => Of("依赖不可用", "dependency unavailable"),
        "queue_full" => Of("队列已满", "queue full"),
        "queue_slow" => Of("队列过慢", "queue too slow"),
        "deadline" => Of("超过时限", "past its deadline"),
        "outcome_unknown" => Of("结果未知", "outcome unknown"),
        "internal_error" => Of("内部错误", "internal error"),
        _ => reason,
    };

    /// <summary>What a breaker guards; of a shard with its number.</summary>
    public string BreakerName(string name) => name.Split('.', 2) is [var whole, var shard] ? $"{BreakerName(whole)} {shard}" : name switch
    {
        "orders" => Of("下单", "orders"),
        "stock" => Of("库存", "stock"),
        "sales" => Of("活动", "sales"),
        "risk" => Of("风控", "risk"),
        "payments" => Of("支付", "payments"),
        "profile" => Of("用户画像", "profile"),
        "credit" => Of("信用", "credit"),
        "gate" => Of("闸口", "gate"),
        "limit" => Of("用户限流", "limit of a user"),
        _ => name,
    };

    /// <summary>The roles of an instance, which it says with commas between.</summary>
    public string InstanceRoles(string roles) => string.Join(Comma, roles.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(role => role switch
    {
        "all" => Of("全部角色", "all roles"),
        "storefront" => Of("店面", "storefront"),
        "orders" => Of("订单", "orders"),
        "risk" => Of("风控", "risk"),
        "console" => Of("控制台", "console"),
        "jobs" => Of("后台任务", "jobs"),
        "risksandbox" => Of("模拟风控", "risk sandbox"),
        _ => role,
    }));

    public string BreakerState(string state) => state switch
    {
        "closed" => Of("正常", "closed"),
        "half_open" => Of("试探", "half open"),
        "open" => Of("断开", "open"),
        _ => state,
    };

    public string Rate(double? perSecond) => perSecond is { } rate ? rate.ToString("0.#", CultureInfo.InvariantCulture) : "–";

    public string Milliseconds(double? ms) => ms is { } value ? value.ToString("0.##", CultureInfo.InvariantCulture) : "–";

    public string NumberOrNone(long? value) => value is { } number ? Number(number) : "–";

    public string Megabytes(long bytes) => (bytes / (1024 * 1024)).ToString("N0", CultureInfo.InvariantCulture);
}
