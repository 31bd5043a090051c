using FlashSale.Core.Orders;
using FlashSale.Core.Reservations;
using FlashSale.Server.Telemetry;

namespace FlashSale.Server.Console.Pages;

/// <summary>The report of a sale.</summary>
public sealed partial class ConsoleTexts
{
    public string ReportTitle(string sale) => Of($"活动报告：{sale}", $"Report: {sale}");
    public string PartWord => Of("部分", "Part");
    public string WhatWord => Of("项目", "What");
    public string VerdictTitle => Of("审计结论", "The auditor's verdict");
    public string VerdictGood => Of("账本、闸口、流水、订单、券码与支付一致，没有违规。", "Ledger, gate, change log, orders, coupons and payments agree. Nothing is violated.");
    public string VerdictBad(int count) => Of($"{count} 处不一致：", count == 1 ? "1 violation:" : $"{count} violations:");
    public string FunnelTitle => Of("漏斗：从访问到核销", "From visit to redemption");
    public string StepWord => Of("步骤", "Step");
    public string OfUnits => Of("占总量", "Of the units");
    public string Visits => Of("登录后打开活动页", "Page of the sale opened, signed in");
    public string ReservationsOf(ReservationStatus status) => status switch
    {
        ReservationStatus.Approved => Of("预约通过", "Reservations approved"),
        ReservationStatus.Rejected => Of("预约被拒", "Reservations rejected"),
        _ => Of("预约待评估", "Reservations waiting"),
    };

    public string TokensGiven => Of("发出下单令牌", "Order tokens given out");
    public string RequestsToOrder => Of("下单请求", "Requests to order");
    public string OrdersPlacedWord => Of("订单", "Orders placed");
    public string PaidInTheEnd => Of("已支付", "Orders paid");
    public string CouponsRedeemed => Of("券码已核销", "Coupons redeemed");
    public string UnitsWord => Of("总量", "Units");
    public string OrdersByState => Of("订单状态", "Orders by state");
    public string RefusalsTitle => Of("拒绝：按层与原因", "Refusals by layer and reason");
    public string BotsTitle => Of("拦下的机器请求", "Bots turned away");
    public string BotsNote => Of(
        "页面本身不会发出的请求：过早、过期或来自其他设备的令牌；无资格者。缺失、伪造或他人的令牌、过于频繁的请求不计入某一活动，列在“所有活动”中。",
        "Requests that no page of ours sends: a token that is too young, too old or of another device; somebody who may not take part. A token that is missing, forged or another's, and requests that are too many, count for no sale: they stand under “All sales”.");
    public string UnnamedTitle => Of("所有活动：在得知活动之前被拒", "All sales: turned away before a sale was known");
    public string ClientsTitle => Of("谁抢到了：按客户端", "Who won, by kind of client");
    public string ClientWord => Of("客户端", "Client");
    public string AskedWord => Of("令牌有效的请求", "Requests with a good token");
    public string ShareWord => Of("占比", "Share");
    public string WonWord => Of("抢到", "Won");
    public string Client(ClientKind kind) => kind switch
    {
        ClientKind.Page => Of("页面（脚本）", "Page with script"),
        ClientKind.Form => Of("页面（无脚本表单）", "Form without script"),
        _ => Of("接口", "API"),
    };

    public string LatencyReport => Of("延迟：从闸口放行到结果确定", "Latency, from the admission by the gate until the outcome was known");
    public string SellThroughTitle => Of("售出进度", "Sell-through over time");
    public string AfterOpening => Of("开抢后", "After the opening");
    public string CountsNote(DateTimeOffset since) => Of(
        $"访问、令牌与下单请求由各实例计数（{Time(since)} 之后有上报的实例）；被强行终止的实例缺少最后不到一秒。订单、券码、库存来自账本。",
        $"Visits, tokens and requests are counted by the instances that reported since {Time(since)}; of one that was killed, its last second is missing. Orders, coupons and units are the ledger's.");

    public string Seconds(TimeSpan time) => Of($"{time.TotalSeconds:0} 秒", $"{time.TotalSeconds:0} s");

    public string Order(OrderStatus status) => status switch
    {
        OrderStatus.Held => Of("待支付", "held"),
        OrderStatus.Paid => Of("已支付", "paid"),
        OrderStatus.Cancelled => Of("已取消", "cancelled"),
        OrderStatus.Expired => Of("已过期", "expired"),
        OrderStatus.RefundDue => Of("待退款", "refund due"),
        OrderStatus.Refunded => Of("已退款", "refunded"),
        _ => status.ToString(),
    };
}
