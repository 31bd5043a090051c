using System.Globalization;

using FlashSale.Core.Sales;
using FlashSale.Core.Stock;

namespace FlashSale.Server.Console.Pages;

/// <summary>The stock of a sale.</summary>
public sealed partial class ConsoleTexts
{
    public string DraftStock => Of("活动还是草稿，库存是定义的一部分；发布后才能调整。", "The sale is a draft, whose stock is part of its definition; it is adjusted once it is published.");
    public string GateAway => Of("闸口没有应答，只显示账本的库存。", "The gate does not answer; only the ledger's stock is shown.");
    public string StockEquation => Of("初始 + 调整 = 剩余 + 待支付 + 已售；差异 = 闸口 + 在途 − 剩余", "Initial + adjustments = left + held + sold; drift = gate + pending − left");
    public string InitialWord => Of("初始", "Initial");
    public string AdjustmentsWord => Of("调整", "Adjustments");
    public string AdjustTitle(Offer offer) => Of($"调整库存：{TitleOf(offer.Title)}", $"Adjust the stock: {TitleOf(offer.Title)}");
    public string AdjustText => Of(
        "只有当前可售数与您看到的相同时才会调整，否则什么都不做并告诉您现在是多少。",
        "It is adjusted only when as many units are available as you see; otherwise nothing is done, and you are told how many there are.");

    public string AdjustButton => Of("调整", "Adjust");
    public string DeltaHint => Of("正数增加，负数减少", "Above 0 adds, below 0 takes away");
    public string ExpectedHint => Of("本页显示时的可售数", "As many as there were when this page was shown");
    public string ReferenceHint => Of("例如审批单号", "Such as the number of the approval");
    public string StockConflict(long expected, long available) => Of(
        $"可售数现在是 {Number(available)}，不是 {Number(expected)}，什么都没有调整。请核对后再提交。",
        $"{Number(available)} units are available, not {Number(expected)}; nothing was adjusted. Look it over and send it again.");

    public string StockOutOfRange(long available) => Of(
        $"现在可售 {Number(available)}：调整后不能少于 0，总量不能超过 10,000,000。什么都没有调整。",
        $"{Number(available)} are available now: at least 0 must be left, and at most 10,000,000 in all. Nothing was adjusted.");

    public string ChangeLogTitle(Offer offer) => Of($"最近 50 条流水：{TitleOf(offer.Title)}", $"The last 50 changes: {TitleOf(offer.Title)}");
    public string SeqWord => Of("序号", "No.");
    public string KindWord => Of("类型", "Kind");
    public string BalanceAfter => Of("变动后可售", "Available after it");
    public string PublicationStale => Of("您打开本页后活动有改动，没有发布。下面是最新内容，请核对后再发布。", "The sale was changed after you opened this page, and was not published. Below is how it is now; look it over and publish again.");
    public string DraftTooOld => Of("草稿的结束时间已过，请先修改时间。", "The draft's closing time is past; change its times first.");

    public string ChangeKind(StockChangeKind kind) => kind switch
    {
        StockChangeKind.Initial => Of("初始", "Initial"),
        StockChangeKind.Hold => Of("下单占用", "Held"),
        StockChangeKind.Sell => Of("支付售出", "Sold"),
        StockChangeKind.Release => Of("释放", "Released"),
        StockChangeKind.Adjust => Of("调整", "Adjusted"),
        _ => kind.ToString(),
    };

    /// <summary>For a field: digits only.</summary>
    public string Plain(long value) => value.ToString(CultureInfo.InvariantCulture);

    public string Signed(long value) => value.ToString("+#,0;−#,0;0", CultureInfo.InvariantCulture);
}
