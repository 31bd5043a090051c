using FlashSale.Core;
using FlashSale.Core.Stock;
using FlashSale.Core.Wire;
using FlashSale.Tools;
using FlashSale.Tools.History;
using FlashSale.Tools.Verify;

using Xunit;

namespace FlashSale.Tests.Tools;

/// <summary>The auditor finds what is wrong, each kind by its own invariant, and nothing where all is right.</summary>
public sealed class AuditTests
{
    private readonly AuditScenario run = new();

    [Fact]
    public void Check_WhenAllIsRight_FindsNothingAndProvesEveryInvariant()
    {
        var report = run.Check();

        Assert.All(report.Findings, finding => Assert.True(finding.State == FindingState.Holds, $"{finding.Id}: {string.Join("; ", finding.Examples)}"));
        Assert.Equal(["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "I11", "I12", "X1", "X2", "X3"], report.Findings.Select(finding => finding.Id));
        Assert.Equal(ExitCodes.Holds, report.ExitCode);
        Assert.Equal(5, report.OrdersAcknowledged);
    }

    [Fact]
    public void Check_WhenAPaidOrderWasRefunded_FindsNothingWrongWithIt()
    {
        run.Refunds("eve");

        Assert.All((string[])["I1", "I2", "I3", "I5", "I6", "I8", "X1", "X2"], id => Assert.Equal(FindingState.Holds, run.Find(id).State));
    }

    [Fact]
    public void Check_WhenNobodySaysWhoRefundedAnOrder_ViolatesI2()
    {
        run.Refunds("eve");
        run.AuditLog.RemoveAt(1);

        Assert.Equal(FindingState.Violated, run.Find("I2").State);
    }

    [Fact]
    public void Check_WhenARefundedOrderKeepsItsCoupon_ViolatesX1()
    {
        run.Refunds("eve");
        run.Coupons[^1] = run.Coupons[^1] with { Status = "issued" };

        Assert.Equal(FindingState.Violated, run.Find("X1").State);
    }

    [Fact]
    public void Check_WhenMoreIsSoldThanThereIs_ViolatesI1()
    {
        run.Buys("gus", 12);

        Violated("I1");
    }

    [Fact]
    public void Check_WhenTheStockRowDoesNotAddUp_ViolatesI1()
    {
        run.Stock = run.Stock with { Sold = 2 };

        Violated("I1");
    }

    [Fact]
    public void Check_WhenTheLedgerBeganWithOtherStock_ViolatesI1()
    {
        var sale = run.Header.Sales[0];
        run.Header = run.Header with { Sales = [sale with { Offers = [sale.Offers[0] with { Stock = 2 }] }] };

        Violated("I1");
    }

    [Fact]
    public void Check_WhenAnAcknowledgedOrderIsMissing_ViolatesI2()
    {
        run.Orders.Remove(AuditScenario.OrderId("ann"));

        Violated("I2");
    }

    [Fact]
    public void Check_WhenAPaidOrderIsNoLongerPaid_ViolatesI2()
    {
        var id = AuditScenario.OrderId("ann");
        run.Orders[id] = run.Orders[id] with { Status = "held" };

        Violated("I2");
    }

    [Fact]
    public void Check_WhenAShownCouponIsAnother_ViolatesI2()
    {
        run.Coupons[0] = run.Coupons[0] with { Code = "another" };

        Violated("I2");
    }

    [Fact]
    public void Check_WhenTheOrderBelongsToAnotherUser_ViolatesI2()
    {
        var id = AuditScenario.OrderId("ann");
        run.Orders[id] = run.Orders[id] with { UserId = "bob" };

        Violated("I2");
    }

    [Fact]
    public void Check_WhenATokenYieldsTwoOrders_ViolatesI3()
    {
        run.Records.Add(AuditScenario.Record(HistoryOps.Order, 12) with { User = "ann", Token = "token-ann", Status = 200, Order = "order-other" });

        Violated("I3");
    }

    [Fact]
    public void Check_WhenTwoTokensYieldOneOrder_ViolatesI3()
    {
        run.Records.Add(AuditScenario.Record(HistoryOps.Order, 12) with { User = "ann", Token = "token-ann-2", Status = 200, Order = "order-ann" });

        Violated("I3");
    }

    [Fact]
    public void Check_WhenARefusedTokenLeftAnOrder_ViolatesI4()
    {
        run.Orders["order-fay"] = run.Orders[AuditScenario.OrderId("bob")] with { Id = "order-fay", UserId = "fay" };

        Violated("I4");
    }

    [Fact]
    public void Check_WhenAnOrderWasThereBeforeAnyAnswerSaidSo_ViolatesI4()
    {
        var at = run.Records.FindIndex(record => record is { Op: HistoryOps.Order, User: "ann" });
        run.Records[at] = run.Records[at] with { Status = 200 };

        Violated("I4");
    }

    [Fact]
    public void Check_WhenAnOrderWasLeftOpenByATimeout_DoesNotViolateI4()
    {
        run.Refused("fay", 13, "timeout", status: 0);
        run.Records[^1] = run.Records[^1] with { Effect = null };
        run.Orders["order-fay"] = run.Orders[AuditScenario.OrderId("bob")] with { Id = "order-fay", UserId = "fay" };

        Assert.Equal(FindingState.Holds, run.Find("I4").State);
    }

    [Fact]
    public void Check_WhenAUserHasTwoLiveOrders_ViolatesI5()
    {
        run.Orders["order-2"] = run.Orders[AuditScenario.OrderId("ann")] with { Id = "order-2" };

        Violated("I5");
    }

    [Fact]
    public void Check_WhenAUserHadTwoLiveOrdersForAWhile_ViolatesI5()
    {
        // Bob holds a unit when the change log gives him another; in the end neither is live.
        run.Orders["order-bob2"] = run.Orders[AuditScenario.OrderId("bob")] with { Id = "order-bob2" };
        run.Changes[3] = run.Changes[3] with { OrderId = "order-bob2" };

        Violated("I5");
    }

    [Theory]
    [InlineData("gap")]
    [InlineData("balance")]
    [InlineData("end")]
    [InlineData("begin")]
    [InlineData("row")]
    public void Check_WhenTheChangeLogDoesNotReplay_ViolatesI6(string what)
    {
        if (what == "gap")
        {
            run.Changes.RemoveAt(4);
        }
        else if (what == "balance")
        {
            run.Changes[4] = run.Changes[4] with { BalanceAfter = 2 };
        }
        else if (what == "end")
        {
            run.Stock = run.Stock with { Available = 1, Sold = 2 };
        }
        else if (what == "begin")
        {
            run.Changes[0] = run.Changes[0] with { Kind = StockChangeKind.Adjust };
        }
        else
        {
            run.Stock = run.Stock with { Bucket = 1 };
        }

        Violated("I6");
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(-1, 1)]
    public void Check_WhenGateAndLedgerDisagree_ViolatesI7(long gateStock, int pending)
    {
        run.GateStock = gateStock;
        run.GatePending = pending;

        Violated("I7");
    }

    [Fact]
    public void Check_WhenTheServersReconciliationComplains_ViolatesI7()
    {
        run.Reconciled.Add("gate below ledger");

        Violated("I7");
    }

    [Theory]
    [InlineData(StockChangeKind.Release, 1L)]
    [InlineData(StockChangeKind.Sell, 0L)]
    [InlineData(StockChangeKind.Hold, -1L)]
    public void Check_WhenAnOrdersUnitMovesOnceMore_ViolatesI8(StockChangeKind kind, long delta)
    {
        run.Change(kind, delta, "bob");

        Violated("I8");
    }

    [Fact]
    public void Check_WhenAnEndedOrderStillHoldsItsUnit_ViolatesI8()
    {
        run.Changes.RemoveAll(change => change is { Kind: StockChangeKind.Release, OrderId: "order-cid" });

        Violated("I8");
    }

    [Fact]
    public void Check_WhenTheLogNamesAnOrderThatIsNotThere_ViolatesI8()
    {
        run.Change(StockChangeKind.Hold, -1, "nobody");

        Violated("I8");
    }

    [Fact]
    public void Check_WhenALatePaymentTookAUnitAgain_HoldsI8()
    {
        var scenario = new AuditScenario();
        scenario.Change(StockChangeKind.Adjust, 1, null);
        scenario.Change(StockChangeKind.Sell, -1, "cid");
        scenario.Orders["order-cid"] = scenario.Orders["order-cid"] with { Status = "paid" };

        Assert.Equal(FindingState.Holds, scenario.Find("I8").State);
    }

    [Fact]
    public void Check_WhenSoldOutIsSaidWithUnitsLeft_ViolatesI9()
    {
        run.Refused("gus", 0.5);

        Violated("I9");
    }

    [Fact]
    public void Check_WhenSoldOutIsSaidLongAfterAUnitCameBack_ViolatesI9()
    {
        // Eve, who bought cid's unit at 10 s, comes only at 15 s.
        run.Orders["order-eve"] = run.Orders["order-eve"] with { CreatedAt = AuditScenario.At(15) };
        run.Refused("gus", 12.5);

        Violated("I9");
    }

    [Fact]
    public void Check_WhenSoldOutIsLessThanTwoSecondsOld_HoldsI9()
    {
        run.Orders["order-eve"] = run.Orders["order-eve"] with { CreatedAt = AuditScenario.At(15) };
        run.Refused("gus", 10.5);

        Assert.Equal(FindingState.Holds, run.Find("I9").State);
    }

    [Fact]
    public void Check_WhenAnErrorIsCalledSoldOut_ViolatesI9()
    {
        run.Refused("gus", 12, status: 503);

        Violated("I9");
    }

    [Fact]
    public void Check_WhenUnitsAreLeftAndShoppersAreSentAway_ViolatesI10()
    {
        run.Stock = run.Stock with { Available = 1, Sold = 2 };

        Violated("I10");
    }

    [Fact]
    public void Check_WhenUnitsAreLeftButNobodyAskedSince_HoldsI10()
    {
        run.Records.RemoveAll(record => record.User == "fay" && record.At > AuditScenario.Opens + 15_000_000);
        run.Stock = run.Stock with { Available = 1, Sold = 2 };

        Assert.Equal(FindingState.Holds, run.Find("I10").State);
    }

    [Theory]
    [InlineData("forged")]
    [InlineData("young")]
    [InlineData("stolen")]
    [InlineData("no-session")]
    public void Check_WhenACallThatHadToBeRefusedSucceeds_ViolatesI11(string why)
    {
        run.Records.Add(AuditScenario.Record(HistoryOps.Order, 2) with { User = "bot", Token = "bad", Status = 201, Order = "order-bot", MustRefuse = why });

        Violated("I11");
    }

    [Fact]
    public void Check_WhenSomebodyBoughtWithoutAReservation_ViolatesI11()
    {
        run.Records.RemoveAll(record => record is { Op: HistoryOps.Reserve, User: "ann" });

        Violated("I11");
    }

    [Theory]
    [InlineData("another-operator", "sale/7")]
    [InlineData(AuditScenario.Operator, "sale/77")]
    public void Check_WhenAChangeIsNotInTheAuditLog_ViolatesI12(string actor, string subject)
    {
        run.AuditLog[0] = run.AuditLog[0] with { Actor = actor, Subject = subject };

        Violated("I12");
    }

    [Fact]
    public void Check_WhenACouponIsIssuedTwice_ViolatesX1()
    {
        run.Coupons.Add(run.Coupons[0] with { OrderId = AuditScenario.OrderId("bob") });

        Violated("X1");
    }

    [Fact]
    public void Check_WhenAPaidOrderHasNoCoupon_ViolatesX1()
    {
        run.Coupons.RemoveAt(1);

        Violated("X1");
    }

    [Fact]
    public void Check_WhenAPaymentHasNoPaidOrder_ViolatesX2()
    {
        run.Payments[0] = run.Payments[0] with { OrderId = AuditScenario.OrderId("bob") };

        Violated("X2");
    }

    [Fact]
    public void Check_WhenAPaymentIsOfAnotherAmount_ViolatesX2()
    {
        run.Payments[0] = run.Payments[0] with { Amount = Money.Cny(1) };

        Violated("X2");
    }

    [Fact]
    public void Check_WhenAnOrderIsOlderThanTheOpening_ViolatesX3()
    {
        run.Orders["order-ann"] = run.Orders["order-ann"] with { CreatedAt = AuditScenario.At(-1) };

        Violated("X3");
    }

    [Fact]
    public void Check_WhenNoOrderWasPlaced_ProvesNothing()
    {
        var report = Audit.Check(
            run.Header,
            [AuditScenario.Record(HistoryOps.Order, 1) with { User = "ann", Token = "t", Status = 409, Code = "sale-not-open", Effect = "none" }],
            EmptyFacts());

        Assert.Equal(ExitCodes.ProvesNothing, report.ExitCode);
        Assert.StartsWith("PROVES NOTHING", report.Verdict);
    }

    [Fact]
    public void Check_WhenTheLedgerLostEverything_IsAViolationAndNotAnEmptyRun()
    {
        var report = Audit.Check(run.Header, run.Records, EmptyFacts());

        Assert.Equal(ExitCodes.Violated, report.ExitCode);
    }

    [Fact]
    public async Task RunAsync_WhenTheHistoryIsEmpty_ProvesNothing()
    {
        var file = Path.GetTempFileName();

        var report = await new Auditor(new Uri("http://127.0.0.1:9"), new byte[32], TimeProvider.System).RunAsync(file);

        Assert.Equal(ExitCodes.ProvesNothing, report.ExitCode);
        File.Delete(file);
    }

    private static AuditFacts EmptyFacts()
    {
        var nothing = new SaleFacts([], null, new ReconciliationDocument(AuditScenario.Sale, AuditScenario.At(30), [], []), Ended: true, TimeSpan.Zero);
        return new AuditFacts(new Dictionary<string, SaleFacts> { [AuditScenario.Sale] = nothing }, []);
    }

    private void Violated(string invariant)
    {
        var report = run.Check();
        Assert.Equal(FindingState.Violated, report.Findings.Single(finding => finding.Id == invariant).State);
        Assert.Equal(ExitCodes.Violated, report.ExitCode);
    }
}
