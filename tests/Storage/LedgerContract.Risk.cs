using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Reservations;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Storage;

using Xunit;

namespace FlashSale.Tests.Storage;

/// <summary>Assessments, conduct and bars. None of it depends on how a batch of orders is written: one pattern of each database is enough.</summary>
public abstract class RiskLedgerContract : LedgerTests
{
    private static readonly TimeSpan Visibility = TimeSpan.FromSeconds(10);

    private async Task<Reservation> ReserveAsync(Sale sale, int user, string? device = null, string network = "")
    {
        var asked = new Reservation(Guid.CreateVersion7(Time.GetUtcNow()), sale.Id, User(user), ReservationStatus.Pending);
        var evidence = new Evidence(device, device is null ? null : Time.GetUtcNow().AddHours(-1), network, null, false, false);
        return (await Ledger.ReserveAsync(asked, evidence, Stop)).Reservation;
    }

    private Task<IReadOnlyList<ClaimedAssessment>> ClaimAsync(int count = 100) => Ledger.ClaimAssessmentsAsync(count, Visibility, Stop);

    private static AssessmentDecision Decision(ClaimedAssessment claim, bool rejected = false)
    {
        var inputs = new RiskInputs { [RiskInput.CreditRisk] = rejected ? 95 : 5 };
        RiskSignal[] signals = rejected ? [new RiskSignal("bad-credit", 75, "Bad credit")] : [];
        return new AssessmentDecision(
            claim, inputs, new RiskAssessment(rejected ? 75 : 0, signals), rejected ? ReservationStatus.Rejected : ReservationStatus.Approved, "v1", BanDays: 30);
    }

    private async Task<StoredAssessment> AssessmentAsync(Sale sale, int user) =>
        Assert.Single(await Ledger.ListAssessmentsAsync(sale.Id, null, null, 1_000, Stop), one => one.UserId == User(user));

    [Fact]
    public async Task ReserveAsync_WhenPending_HasOneAssessmentHoweverOftenItIsAsked()
    {
        var sale = await PublishAsync((5, 1));

        await AtOnceAsync(20, i => ReserveAsync(sale, i % 2));
        await Ledger.ReserveAsync(new Reservation(Guid.CreateVersion7(), sale.Id, User(9), ReservationStatus.Approved), Evidence.Unknown, Stop);

        var all = await Ledger.ListAssessmentsAsync(sale.Id, null, null, 100, Stop);
        Assert.Equal([User(0), User(1)], all.Select(one => one.UserId).Order(Comparer<UserId>.Create((a, b) => string.CompareOrdinal(a.Value, b.Value))));
        foreach (var one in all)
        {
            Assert.Equal(one.ReservationId, (await Ledger.FindReservationAsync(sale.Id, one.UserId, Stop))!.Id);
            Assert.Equal((AssessmentState.Waiting, ReservationStatus.Pending, 0), (one.State, one.Status, one.Attempts));
        }
    }

    [Fact]
    public async Task ClaimAssessmentsAsync_ByManyAtOnce_GivesEachToOneUntilItsTimeIsOver()
    {
        var sale = await PublishAsync((5, 1));
        for (var i = 0; i < 40; i++)
        {
            await ReserveAsync(sale, i, "00ab", "198.51.100.7");
        }

        var claims = (await AtOnceAsync(8, _ => ClaimAsync(7))).SelectMany(some => some).ToList();
        claims.AddRange(await ClaimAsync());

        Assert.Equal(40, claims.Count);
        Assert.Equal(40, claims.Select(claim => claim.ReservationId).Distinct().Count());
        Assert.All(claims, claim => Assert.Equal(("00ab", "198.51.100.7"), (claim.Evidence.Device, claim.Evidence.Network)));
        Assert.Empty(await ClaimAsync());
        Time.Advance(Visibility);
        Assert.Equal(40, (await ClaimAsync()).Count);
    }

    [Fact]
    public async Task DecideAssessmentsAsync_WhenRejected_BarsAndAuditsInTheSameTransaction()
    {
        var sale = await PublishAsync((5, 1));
        await ReserveAsync(sale, 1);
        await ReserveAsync(sale, 2);
        var rev = await Ledger.ReadCatalogRevAsync(Stop);
        var claims = await ClaimAsync();

        var decided = await Ledger.DecideAssessmentsAsync([.. claims.Select(claim => Decision(claim, rejected: claim.UserId == User(2)))], Stop);

        var until = Time.GetUtcNow().AddDays(30);
        Assert.Equal((DateTimeOffset?[])[null, until], decided.OrderBy(one => one.UserId.Value, StringComparer.Ordinal).Select(one => one.BarredUntil));
        Assert.Equal(ReservationStatus.Approved, (await Ledger.FindReservationAsync(sale.Id, User(1), Stop))!.Status);
        Assert.Equal(ReservationStatus.Rejected, (await Ledger.FindReservationAsync(sale.Id, User(2), Stop))!.Status);
        Assert.Equal(new BlacklistDocument("user-2", "Bad credit", "risk", "system", Time.GetUtcNow(), until), Assert.Single(await Ledger.ListBarredUsersAsync()));
        Assert.Equal(rev + 1, await Ledger.ReadCatalogRevAsync(Stop));
        var audit = (await Ledger.ListAuditAsync(null, 1, Stop))[0];
        Assert.Equal(("reservation.reject", "user/user-2", "system"), (audit.Action, audit.Subject, audit.Actor));
        Assert.Contains("Bad credit", audit.Reason);
        var stored = await AssessmentAsync(sale, 2);
        Assert.Equal((AssessmentState.Done, 75, "v1", Time.GetUtcNow()), (stored.State, stored.Score, stored.RulesVersion, stored.DecidedAt));
        Assert.Equal(95, stored.Inputs![RiskInput.CreditRisk]);
        Assert.Equal("bad-credit", Assert.Single(stored.Signals).Name);
        Assert.Empty(await Ledger.CountAssessmentsAsync(Stop));
    }

    /// <summary>An instance that was frozen with what it had found, and wakes up when others have decided.</summary>
    [Fact]
    public async Task DecideAssessmentsAsync_BySomebodyWhoWakesUpTooLate_ChangesNothing()
    {
        var sale = await PublishAsync((5, 1));
        await ReserveAsync(sale, 1);
        var frozen = Assert.Single(await ClaimAsync());
        Time.Advance(Visibility);
        var other = Assert.Single(await ClaimAsync());
        Assert.Single(await Ledger.DecideAssessmentsAsync([Decision(other)], Stop));

        Assert.Empty(await Ledger.DecideAssessmentsAsync([Decision(frozen, rejected: true)], Stop));
        await Ledger.DelayAssessmentsAsync([new AssessmentDelay(frozen, 12, TimeSpan.Zero, Dead: true, "late")], Stop);

        Assert.Equal(ReservationStatus.Approved, (await Ledger.FindReservationAsync(sale.Id, User(1), Stop))!.Status);
        Assert.Equal(AssessmentState.Done, (await AssessmentAsync(sale, 1)).State);
        Assert.Empty(await Ledger.ListBarredUsersAsync());
    }

    [Fact]
    public async Task DecideAssessmentsAsync_ByManyAtOnce_DecidesEachOnce()
    {
        var sale = await PublishAsync((5, 1));
        for (var i = 0; i < 30; i++)
        {
            await ReserveAsync(sale, i);
        }

        // Everybody believes that all are theirs.
        var claims = await ClaimAsync();
        var decided = await AtOnceAsync(6, i => Ledger.DecideAssessmentsAsync([.. claims.Select(claim => Decision(claim, rejected: true)).Skip(i).Concat(claims.Take(i).Select(claim => Decision(claim, true)))], Stop));

        Assert.Equal(30, decided.Sum(mine => mine.Count));
        Assert.Equal(30, (await Ledger.ListAuditAsync(null, 200, Stop)).Count(entry => entry.Action == "reservation.reject"));
        Assert.Equal(30, (await Ledger.ListBarredUsersAsync()).Count);
    }

    [Fact]
    public async Task DecideAssessmentsAsync_WhenSomebodyIsBarredForLonger_LeavesThatAsItIs()
    {
        var sale = await PublishAsync((5, 1));
        await ReserveAsync(sale, 1);
        var entry = await Ledger.BlacklistAsync(User(1), new BlacklistRequest("for good", "manual", null), Operator, Stop);

        var decided = await Ledger.DecideAssessmentsAsync([Decision(Assert.Single(await ClaimAsync()), rejected: true)], Stop);

        Assert.Null(Assert.Single(decided).BarredUntil);
        Assert.Equal(entry, await Ledger.FindBlacklistedAsync(User(1), Stop));
        Assert.Equal("reservation.reject", (await Ledger.ListAuditAsync(null, 1, Stop))[0].Action);
    }

    [Fact]
    public async Task DelayAssessmentsAsync_UntilItIsDead_WaitsForSomebodyToRetryIt()
    {
        var sale = await PublishAsync((5, 1));
        await ReserveAsync(sale, 1);
        var claim = Assert.Single(await ClaimAsync());

        await Ledger.DelayAssessmentsAsync([new AssessmentDelay(claim, 1, TimeSpan.FromSeconds(1), Dead: false, "no answer")], Stop);
        Assert.Empty(await ClaimAsync());
        Assert.Equal(new AssessmentBacklog(sale.Id, 1, claim.CreatedAt, 0), Assert.Single(await Ledger.CountAssessmentsAsync(Stop)));
        Time.Advance(TimeSpan.FromSeconds(1));
        var again = Assert.Single(await ClaimAsync());
        Assert.Equal(1, again.Attempts);
        await Ledger.DelayAssessmentsAsync([new AssessmentDelay(again, 2, TimeSpan.Zero, Dead: true, "never an answer")], Stop);

        Time.Advance(TimeSpan.FromDays(1));
        Assert.Empty(await ClaimAsync());
        Assert.Equal(new AssessmentBacklog(sale.Id, 0, null, 1), Assert.Single(await Ledger.CountAssessmentsAsync(Stop)));
        Assert.Equal("never an answer", Assert.Single(await Ledger.ListAssessmentsAsync(sale.Id, AssessmentState.Dead, null, 10, Stop)).Problem);
        var retried = await Ledger.RetryAssessmentAsync(claim.ReservationId, Operator, Stop);
        Assert.Equal((AssessmentState.Waiting, 0), (retried!.State, retried.Attempts));
        Assert.Equal("assessment.retry", (await Ledger.ListAuditAsync(null, 1, Stop))[0].Action);
        Assert.Single(await ClaimAsync());
        Assert.Null(await Ledger.RetryAssessmentAsync(Guid.NewGuid(), Operator, Stop));
    }

    [Fact]
    public async Task OverrideAssessmentAsync_AgainstTheRules_SetsTheReservationAndLiftsTheirBan()
    {
        var sale = await PublishAsync((5, 1));
        await ReserveAsync(sale, 1);
        await ReserveAsync(sale, 2);
        var claims = await ClaimAsync();
        await Ledger.DecideAssessmentsAsync([.. claims.Where(claim => claim.UserId == User(1)).Select(claim => Decision(claim, rejected: true))], Stop);

        var approved = (await Ledger.OverrideAssessmentAsync((await AssessmentAsync(sale, 1)).ReservationId, true, Operator, Stop))!.Value;
        var rejected = (await Ledger.OverrideAssessmentAsync((await AssessmentAsync(sale, 2)).ReservationId, false, Operator, Stop))!.Value;

        Assert.True(approved.Unbarred);
        Assert.Equal((ReservationStatus.Approved, AssessmentState.Done, 75), (approved.Assessment.Status, approved.Assessment.State, approved.Assessment.Score));
        Assert.Equal((ReservationStatus.Rejected, AssessmentState.Done, null), (rejected.Assessment.Status, rejected.Assessment.State, rejected.Assessment.Score));
        Assert.Null(await Ledger.FindBlacklistedAsync(User(1), Stop));
        // The worker that had the second one finds it decided.
        Assert.Empty(await Ledger.DecideAssessmentsAsync([.. claims.Where(claim => claim.UserId == User(2)).Select(claim => Decision(claim))], Stop));
        var audit = (await Ledger.ListAuditAsync(null, 2, Stop))[1];
        Assert.Equal(("assessment.decide", "user/user-1", "olivia", "as agreed"), (audit.Action, audit.Subject, audit.Actor, audit.Reason));
        Assert.Contains("rejected", audit.Before);
        Assert.Contains("approved", audit.After);
        Assert.Null(await Ledger.OverrideAssessmentAsync(Guid.NewGuid(), true, Operator, Stop));
    }

    [Fact]
    public async Task OverrideAssessmentAsync_OfAnOperatorsBan_LeavesIt()
    {
        var sale = await PublishAsync((5, 1));
        await ReserveAsync(sale, 1);
        var entry = await Ledger.BlacklistAsync(User(1), new BlacklistRequest("known", "manual", null), Operator, Stop);

        var decided = await Ledger.OverrideAssessmentAsync((await AssessmentAsync(sale, 1)).ReservationId, true, Operator, Stop);

        Assert.False(decided!.Value.Unbarred);
        Assert.Equal(entry, await Ledger.FindBlacklistedAsync(User(1), Stop));
    }

    [Fact]
    public async Task ReadRiskInputsAsync_OfAReservation_CountsWhatWasThereByThen()
    {
        var (sale, before) = (await PublishAsync((5, 1)), await PublishAsync((5, 1)));
        await ReserveAsync(before, 3, "00ab", "203.0.113.9");
        Time.Advance(TimeSpan.FromHours(1));
        for (var i = 0; i < 4; i++)
        {
            await ReserveAsync(sale, i, "00ab", i == 0 ? "203.0.113.1" : "198.51.100.7");
            Time.Advance(TimeSpan.FromSeconds(40));
        }

        await Ledger.AddConductAsync([new ConductCount(User(3), "token_refused", 7), new ConductCount(User(3), "cancelled", 1), new ConductCount(User(2), "token_refused", 9)], Stop);
        await Ledger.AddConductAsync([new ConductCount(User(3), "token_refused", 4)], Stop);
        var claims = await ClaimAsync();
        var claim = claims.Single(claim => claim.UserId == User(3) && claim.SaleId == sale.Id);

        var inputs = Assert.Single(await Ledger.ReadRiskInputsAsync([claim], Stop));

        Assert.Equal(
            (4, 3, 2, 2),
            (inputs[RiskInput.AccountsOnDevice], inputs[RiskInput.AccountsOnNetwork], inputs[RiskInput.ReservationsOfNetworkPerMinute], inputs[RiskInput.NetworksOfAccount]));
        Assert.Equal((11, 1, 0), (inputs[RiskInput.TokensRefused], inputs[RiskInput.Cancellations], inputs[RiskInput.TokensAsked]));
        Assert.Equal((1, 3_600, 0, 0), (inputs[RiskInput.HasDevice], inputs[RiskInput.DeviceAgeSeconds], inputs[RiskInput.UnpaidHolds], inputs[RiskInput.EarlierBans]));
        Assert.Null(inputs[RiskInput.CreditRisk]);
        var first = Assert.Single(await Ledger.ReadRiskInputsAsync([claims.Single(one => one.UserId == User(0))], Stop));
        Assert.Equal((1, 1), (first[RiskInput.AccountsOnDevice], first[RiskInput.AccountsOnNetwork]));
    }

    [Fact]
    public async Task ReadRiskInputsAsync_OfSomebodyWithAPast_CountsIt()
    {
        var sale = await PublishAsync((9, 3));
        for (var i = 0; i < 2; i++)
        {
            await PlaceAsync(Order(sale, User(1)));
        }

        Time.Advance(WindowAndSpread);
        await Ledger.ExpireAsync(10, Stop);
        await Ledger.BlacklistAsync(User(1), new BlacklistRequest("once", "manual", Time.GetUtcNow().AddSeconds(1)), Operator, Stop);
        Time.Advance(TimeSpan.FromDays(2));
        await ReserveAsync(sale, 1);

        var inputs = Assert.Single(await Ledger.ReadRiskInputsAsync(await ClaimAsync(), Stop));

        Assert.Equal((2, 1, 0), (inputs[RiskInput.UnpaidHolds], inputs[RiskInput.EarlierBans], inputs[RiskInput.HasDevice]));
        Assert.Null(inputs[RiskInput.AccountsOnDevice]);
        Assert.Null(inputs[RiskInput.AccountsOnNetwork]);
    }

    [Fact]
    public async Task AddConductAsync_ByManyAtOnce_LosesNothing()
    {
        var sale = await PublishAsync((1, 1));

        await AtOnceAsync(8, async _ =>
        {
            await Ledger.AddConductAsync([.. Enumerable.Range(0, 10).Select(user => new ConductCount(User(user), "token_asked", 2))], Stop);
            return 0;
        });
        await ReserveAsync(sale, 3);

        Assert.Equal(16, Assert.Single(await Ledger.ReadRiskInputsAsync(await ClaimAsync(), Stop))[RiskInput.TokensAsked]);
    }

    [Fact]
    public async Task ForgetAsync_WhenTheTimeIsOver_ErasesEvidenceAndConductAndKeepsTheDecision()
    {
        var (old, young) = (await PublishAsync((5, 1)), await Ledger.CreateSaleAsync(Draft("young", (1, 1)) with { ClosesAt = Time.GetUtcNow().AddDays(20) }, Operator, Stop));
        await ReserveAsync(old, 1, "00ab", "198.51.100.7");
        await ReserveAsync(young!, 1, "00ab", "198.51.100.7");
        await Ledger.DecideAssessmentsAsync([.. (await ClaimAsync()).Select(claim => Decision(claim, rejected: true))], Stop);
        await Ledger.AddConductAsync([new ConductCount(User(1), "token_asked", 1)], Stop);
        Assert.False(await Ledger.ForgetAsync(Stop));

        Time.Advance(TimeSpan.FromDays(32));

        Assert.True(await Ledger.ForgetAsync(Stop));
        Assert.False(await Ledger.ForgetAsync(Stop));
        var erased = await AssessmentAsync(old, 1);
        Assert.Null(erased.Inputs);
        Assert.Equal((75, 1), (erased.Score, erased.Signals.Count));
        Assert.NotNull((await AssessmentAsync(young!, 1)).Inputs);
        Assert.Equal(new ErasedEvidence(1, 0, 0), await Ledger.EraseUserAsync(User(1), Operator, Stop));
    }

    [Fact]
    public async Task EraseUserAsync_OnRequest_ErasesTheirsOnlyAndIsAudited()
    {
        var sale = await PublishAsync((5, 1));
        await ReserveAsync(sale, 1, "00ab", "198.51.100.7");
        await ReserveAsync(sale, 2, "00ab", "198.51.100.7");
        await Ledger.AddConductAsync([new ConductCount(User(1), "token_asked", 3), new ConductCount(User(2), "token_asked", 3)], Stop);

        Assert.Equal(new ErasedEvidence(1, 1, 0), await Ledger.EraseUserAsync(User(1), Operator, Stop));
        Assert.Equal(new ErasedEvidence(0, 0, 0), await Ledger.EraseUserAsync(User(1), Operator, Stop));

        Assert.Equal(("risk.erase", "user/user-1"), ((await Ledger.ListAuditAsync(null, 1, Stop))[0].Action, (await Ledger.ListAuditAsync(null, 1, Stop))[0].Subject));
        var claims = await ClaimAsync();
        Assert.Equal(Evidence.Unknown, claims.Single(claim => claim.UserId == User(1)).Evidence);
        var second = Assert.Single(await Ledger.ReadRiskInputsAsync([claims.Single(claim => claim.UserId == User(2))], Stop));
        Assert.Equal((1, 3), (second[RiskInput.AccountsOnDevice], second[RiskInput.TokensAsked]));
        // It was assessed after all, and nothing of what was erased comes back with that.
        await Ledger.DecideAssessmentsAsync([.. claims.Select(claim => Decision(claim))], Stop);
        Assert.Null((await AssessmentAsync(sale, 1)).Inputs);
        Assert.NotNull((await AssessmentAsync(sale, 2)).Inputs);
    }

    // ---- orders that were not paid ----

    [Fact]
    public async Task ExpireAsync_WhenManyEndTogether_SpreadsThemAndNeverComesTooEarlyOrTooLate()
    {
        const int Orders = 200;
        var sale = await PublishAsync((Orders, 1));
        for (var i = 0; i < Orders; i++)
        {
            await PlaceAsync(Order(sale, User(i)));
        }

        Time.Advance(Window - TimeSpan.FromMilliseconds(1));
        Assert.Empty(await Ledger.ExpireAsync(Orders, Stop));
        List<int> ended = [];
        Time.Advance(TimeSpan.FromMilliseconds(1));
        for (var second = 0; second <= 8; second++, Time.Advance(TimeSpan.FromSeconds(1)))
        {
            ended.Add((await Ledger.ExpireAsync(Orders, Stop)).Count);
        }

        Assert.Equal(Orders, ended.Sum());
        Assert.InRange(ended[0], 0, 5);
        Assert.All(ended.Skip(1), count => Assert.InRange(count, 10, 40));
        await AuditAsync(sale);
    }

    [Fact]
    public async Task ExpireAsync_WhenTheWindowIsShort_EndsWithinAQuarterOfIt()
    {
        var created = await Ledger.CreateSaleAsync(Draft("short", (50, 1)) with { PaymentWindow = TimeSpan.FromSeconds(2) }, Operator, Stop);
        var sale = (await Ledger.UpdateSaleAsync(created! with { Status = SaleStatus.Published }, 1, "sale.publish", Operator, Stop))!;
        for (var i = 0; i < 50; i++)
        {
            await PlaceAsync(Order(sale, User(i)));
        }

        Time.Advance(TimeSpan.FromSeconds(2));
        var first = (await Ledger.ExpireAsync(100, Stop)).Count;
        Time.Advance(TimeSpan.FromSeconds(0.5));

        Assert.InRange(first, 0, 5);
        Assert.Equal(50 - first, (await Ledger.ExpireAsync(100, Stop)).Count);
    }

    [Fact]
    public async Task ReadFirstPayBeforeAsync_OfHeldOrders_IsTheEarliestUntilThatOneEnds()
    {
        var sale = await PublishAsync((5, 1));
        Assert.Null(await Ledger.ReadFirstPayBeforeAsync(Stop));

        var (paid, payment) = await BuyAsync(sale, User(1));
        Time.Advance(TimeSpan.FromSeconds(5));
        var (second, _) = await BuyAsync(sale, User(2));
        Assert.Equal((await Ledger.FindOrderAsync(paid.Id, Stop))!.PayBefore, await Ledger.ReadFirstPayBeforeAsync(Stop));
        await PayAsync(payment, paid);
        Assert.Equal((await Ledger.FindOrderAsync(second.Id, Stop))!.PayBefore, await Ledger.ReadFirstPayBeforeAsync(Stop));
        await Ledger.CancelAsync(second.Id, User(2), Stop);

        Assert.Null(await Ledger.ReadFirstPayBeforeAsync(Stop));
    }

    [Fact]
    public async Task CompletePaymentAsync_WithinTheSpread_PaysAsBefore()
    {
        var sale = await PublishAsync((5, 1));
        var (order, payment) = await BuyAsync(sale, User(1));
        Time.Advance(Window + TimeSpan.FromMilliseconds(1));

        Assert.Empty(await Ledger.ExpireAsync(10, Stop));
        Assert.Equal(PaymentOutcome.Paid, (await PayAsync(payment, order)).Outcome);
    }

    [Fact]
    public async Task ExpireAsync_WhenAUserLetsTooManyGo_BarsThemOnce()
    {
        var created = await Ledger.CreateSaleAsync(Draft("holds", (20, 5)) with { Defences = new SaleDefences { UnpaidHolds = 3, BarMinutes = 60 } }, Operator, Stop);
        var sale = (await Ledger.UpdateSaleAsync(created! with { Status = SaleStatus.Published }, 1, "sale.publish", Operator, Stop))!;
        await PlaceAsync(Order(sale, User(1)));
        await PlaceAsync(Order(sale, User(1)));
        await PlaceAsync(Order(sale, User(2)));
        Time.Advance(WindowAndSpread);
        Assert.All(await Ledger.ExpireAsync(10, Stop), move => Assert.Null(move.BarredUntil));
        Assert.Empty(await Ledger.ListBarredUsersAsync());
        var rev = await Ledger.ReadCatalogRevAsync(Stop);
        await PlaceAsync(Order(sale, User(1)));
        await PlaceAsync(Order(sale, User(1)));
        Time.Advance(WindowAndSpread);

        var moves = await Ledger.ExpireAsync(10, Stop);

        var until = Time.GetUtcNow().AddHours(1);
        Assert.Equal([until, until], moves.Select(move => move.BarredUntil));
        var entry = Assert.Single(await Ledger.ListBarredUsersAsync());
        Assert.Equal(("user-1", "unpaid-holds", until), (entry.UserId, entry.Source, entry.ExpiresAt));
        Assert.Equal(rev + 1, await Ledger.ReadCatalogRevAsync(Stop));
        Assert.Equal([new BlacklistChange(BlacklistKind.User, "user-1", until)], (await Ledger.ReadBlacklistAsync(rev, Stop)).Changes);
        Assert.Single(await Ledger.ListAuditAsync(null, 100, Stop), one => one.Action == "blacklist.add");
        await AuditAsync(sale);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(3, 25)]
    public async Task ExpireAsync_WhenHoldsAreFreeOrLongAgo_BarsNobody(int unpaidHolds, int hoursBetween)
    {
        var created = await Ledger.CreateSaleAsync(
            Draft("free", (20, 5)) with { ClosesAt = Time.GetUtcNow().AddDays(9), Defences = new SaleDefences { UnpaidHolds = unpaidHolds } }, Operator, Stop);
        var sale = (await Ledger.UpdateSaleAsync(created! with { Status = SaleStatus.Published }, 1, "sale.publish", Operator, Stop))!;
        for (var i = 0; i < 4; i++)
        {
            await PlaceAsync(Order(sale, User(1)));
            Time.Advance(WindowAndSpread);
            Assert.Single(await Ledger.ExpireAsync(10, Stop));
            Time.Advance(TimeSpan.FromHours(i % 2 == 1 ? hoursBetween : 0));
        }

        Assert.Empty(await Ledger.ListBarredUsersAsync());
    }
}
