using System.Globalization;

using FlashSale.Core.Reservations;
using FlashSale.Core.Wire;
using FlashSale.Storage;

namespace FlashSale.Server.Console.Pages;

/// <summary>Risk control and the blacklist.</summary>
public sealed partial class ConsoleTexts
{
    /// <summary>The signals of the rules that come with the product (risk-rules.json); rules of a shop's own speak for themselves.</summary>
    private static readonly Dictionary<string, string> SignalsZh = new(StringComparer.Ordinal)
    {
        ["no-device"] = "没有设备标识",
        ["no-visit"] = "没有打开过活动页面",
        ["too-quick"] = "打开页面后半秒内预约",
        ["quick"] = "打开页面后 1.2 秒内预约",
        ["work-done"] = "完成了计算验证",
        ["shared-device"] = "多个账号使用同一设备预约",
        ["crowded-device"] = "许多账号使用同一设备预约",
        ["device-farm"] = "数十个账号使用同一设备预约",
        ["crowded-network"] = "许多账号来自同一地址",
        ["busy-network"] = "同一地址每分钟预约很多",
        ["new-device-busy-network"] = "新设备，且所在地址预约密集",
        ["moving-account"] = "账号一周内使用过许多地址",
        ["refused-tokens"] = "有令牌被拒绝",
        ["many-refused-tokens"] = "许多令牌被拒绝",
        ["many-tokens"] = "请求了数百个令牌",
        ["failed-challenges"] = "验证多次失败",
        ["rate-limited"] = "请求因过于频繁被拒绝",
        ["cancels"] = "取消过许多订单",
        ["unpaid"] = "有订单未付款",
        ["never-pays"] = "许多订单未付款",
        ["barred-before"] = "账号在或曾在黑名单中",
        ["new-account"] = "新账号",
        ["no-phone"] = "手机号未验证",
        ["customer"] = "老客户",
        ["profile-unpaid"] = "在其他渠道有订单未付款",
        ["profile-banned"] = "账号在其他渠道被封禁",
        ["weak-credit"] = "信用偏弱",
        ["poor-credit"] = "信用较差",
        ["bad-credit"] = "信用很差",
    };

    public string Colon => Of("：", ": ");
    public string ReservationCountWord => Of("预约数", "Reservations");
    public string ReservationsApproved => Of("已通过", "Approved");
    public string ReservationsRejected => Of("已拒绝", "Rejected");
    public string ReservationsPending => Of("待评估", "Pending");
    public string ThresholdWord => Of("阈值", "Threshold");
    public string ThresholdHint => Of("0–100；达到或超过即拒绝", "0–100; at or above it is rejected");
    public string TryThreshold => Of("换一个阈值会拒绝多少人？", "How many would this threshold bar?");
    public string TryIt => Of("试算", "Try it");
    public string NewlyBarredExamples => Of("将新被拒绝的用户（部分）", "Some who would newly be barred");
    public string ScoreWord => Of("风险分", "Score");
    public string SignalsWord => Of("依据", "Signals");
    public string ReservedAtWord => Of("预约时间", "Reserved");
    public string Decide => Of("处理", "Decide");
    public string Approve => Of("通过", "Approve");
    public string Reject => Of("拒绝", "Reject");
    public string TryAgain => Of("重新评估", "Assess again");
    public string BarUntil => Of("封禁到", "Bar until");
    public string BarUntilHint => Of("北京时间；仅“封禁”使用", "Beijing time; for “Bar the user” only");
    public string Bar => Of("封禁用户", "Bar the user");
    public string NoSalesWithReservations => Of("没有需要预约的活动。", "No sale asks for reservations.");
    public string HistogramCaption => Of("各风险分的预约数（按当前规则）", "Reservations by score, by the rules in force");
    public string WouldBeBarred => Of("将被拒绝", "would be barred");

    public string Signal(string name, string reason) => isZh && SignalsZh.TryGetValue(name, out var zh) ? zh : reason;

    public string Weight(int weight) => weight.ToString("+0;−0;0", CultureInfo.InvariantCulture);

    public string RiskBacklog(long waiting, long dead) => Of($"等待 {Number(waiting)}，失败 {Number(dead)}", $"{Number(waiting)} waiting, {Number(dead)} failed");

    public string RiskFilterName(RiskFilter filter) => filter switch
    {
        RiskFilter.Waiting => Of("等待评估", "Waiting"),
        RiskFilter.Dead => Of("评估失败", "Failed for good"),
        RiskFilter.Rejected => Of("已拒绝", "Rejected"),
        RiskFilter.Done => Of("已评估", "Assessed"),
        _ => AllWord,
    };

    public string ReservationStatusName(ReservationStatus status) => status switch
    {
        ReservationStatus.Approved => Of("已通过", "Approved"),
        ReservationStatus.Rejected => Of("已拒绝", "Rejected"),
        _ => Of("待评估", "Pending"),
    };

    public string AssessmentStateName(AssessmentState state, int attempts) => state switch
    {
        AssessmentState.Dead => Of($"评估 {attempts} 次均失败", $"failed {attempts} times"),
        _ => attempts == 0 ? Of("等待评估", "waits") : Of($"等待评估，已失败 {attempts} 次", $"waits, failed {attempts} times"),
    };

    public string DecidedAt(DateTimeOffset at) => Of($"决定于 {Time(at)}", $"decided {Time(at)}");

    public string DryRunResult(RiskDryRunDocument run) => Of(
        $"已评估 {Number(run.Assessed)} 个预约：阈值 {run.Threshold} 将拒绝 {Number(run.Barred)} 个（目前拒绝 {Number(run.BarredNow)} 个）；新拒绝 {Number(run.NewlyBarred)} 个，不再拒绝 {Number(run.NoLongerBarred)} 个。什么都没有改变。",
        $"Of {Number(run.Assessed)} assessed reservations a threshold of {run.Threshold} would bar {Number(run.Barred)} ({Number(run.BarredNow)} are barred now): {Number(run.NewlyBarred)} newly, and {Number(run.NoLongerBarred)} no longer. Nothing was changed.");

    public string DryRunCut(int most) => Of($"只计算了最近的 {Number(most)} 个预约。", $"Only the newest {Number(most)} reservations were looked at.");

    /// <summary>As a field of the type datetime-local has it, in Beijing.</summary>
    public string LocalTime(DateTimeOffset at) => at.ToOffset(Shanghai).ToString("yyyy-MM-dd'T'HH:mm", CultureInfo.InvariantCulture);

    // ---- blacklist ----
    public string BlacklistLead => Of(
        "名单内的用户、设备和地址不能参与任何活动；改动 1 秒内在所有实例生效。",
        "Whoever is listed here takes part in no sale; a change holds in every instance within a second.");
    public string SubjectWord => Of("对象", "Subject");
    public string KindColumn => Of("类型", "Kind");
    public string SourceWord => Of("来源", "Source");
    public string SourceHint => Of("谁要求的，例如 manual、工单号；最多 64 个字符", "Who asks for it, such as manual or a ticket; at most 64 characters");
    public string ExpiresWord => Of("到期", "Ends");
    public string ExpiresHint => Of("北京时间；留空表示长期有效", "Beijing time; empty: never");
    public string ForGood => Of("长期", "Never");
    public string AddedByWord => Of("添加人", "Added by");
    public string AddEntry => Of("加入黑名单", "Bar");
    public string RemoveEntry => Of("移出黑名单", "Let in again");
    public string FindEntry => Of("查找", "Find");
    public string ImportEntries => Of("批量导入", "Import");
    public string ImportLines => Of("条目", "Entries");
    public string ImportFile => Of("或选择文件", "Or a file");
    public string ImportHint => Of(
        "每行一条：类型,对象,原因,来源,到期（与下载的 CSV 相同），或一个 JSON 对象。全部导入或全部不导入；最多 10,000 行。",
        "One entry a line: kind,subject,reason,source,ends (as in the CSV), or one JSON object. All of them or none; at most 10,000 lines.");
    public string NoEntries => Of("名单为空。", "Nobody is listed.");
    public string NotListed => Of("不在黑名单中。", "Not in the blacklist.");
    public string NotListedAnyMore => Of("已不在黑名单中，什么都没有改变。", "It is not in the blacklist any more; nothing was changed.");

    public string KindName(BlacklistKind kind) => kind switch
    {
        BlacklistKind.User => Of("用户", "Users"),
        BlacklistKind.Device => Of("设备", "Devices"),
        _ => Of("地址", "Addresses"),
    };

    public string KindHint(BlacklistKind kind) => kind switch
    {
        BlacklistKind.User => Of("用户 ID", "A user id"),
        BlacklistKind.Device => Of("16 位小写十六进制数字", "16 lower-case hexadecimal digits"),
        _ => Of("地址或网段，例如 203.0.113.0/24", "An address, or a range such as 203.0.113.0/24"),
    };

    public string Imported(int added, int changed, int unchanged, int expired) => Of(
        $"导入完成：新增 {Number(added)}，更改 {Number(changed)}，未变 {Number(unchanged)}，已过期而跳过 {Number(expired)}。",
        $"Imported: {Number(added)} added, {Number(changed)} changed, {Number(unchanged)} as they were, {Number(expired)} skipped since they have run out.");

    /// <summary>What is wrong with a line of an import.</summary>
    /// <param name="line">As the API names it: <c>line 3</c>.</param>
    public string ImportError(string line, string why)
    {
        var number = line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..];
        foreach (var (field, word) in new[] { ("kind", Of("类型", "kind")), ("subject", SubjectWord), ("reason", Reason), ("source", SourceWord), ("expiresAt", ExpiresWord) })
        {
            if (why.StartsWith(field + " ", StringComparison.Ordinal))
            {
                return Of($"第 {number} 行，{word}：", $"Line {number}, {word}: ") + string.Join(" ", why[(field.Length + 1)..].Split("; ").Select(FieldError));
            }
        }

        return Of($"第 {number} 行：", $"Line {number}: ") + FieldError(why);
    }
}
