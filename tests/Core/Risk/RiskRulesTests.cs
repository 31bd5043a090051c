using System.Text;

using FlashSale.Core.Reservations;
using FlashSale.Core.Risk;

using Xunit;

namespace FlashSale.Tests.Core.Risk;

public sealed class RiskRulesTests
{
    private const string Good =
        """
        {"version": "1", "banDays": 7, "rules": [
          {"name": "quick", "when": {"pageToReservationMs": {"atLeast": 100, "below": 1000}, "hasDevice": {"is": 0}}, "weight": 25, "reason": "too quick"},
          {"name": "unseen", "when": {"creditRisk": {"absent": true}}, "weight": -5, "reason": "nobody knows"}]} // as operators write it
        """;

    private static (RiskRules? Rules, IReadOnlyList<string> Errors) Parse(string text) => RiskRules.Parse(Encoding.UTF8.GetBytes(text));

    private static RiskInputs Inputs(params (RiskInput Input, int Value)[] values)
    {
        var inputs = new RiskInputs();
        foreach (var (input, value) in values)
        {
            inputs[input] = value;
        }

        return inputs;
    }

    [Fact]
    public void Parse_WhenTheFileIsGood_HasItsRules()
    {
        var (rules, errors) = Parse(Good);

        Assert.Empty(errors);
        Assert.Equal(("1", 7, 2), (rules!.Version, rules.BanDays, rules.Rules.Count));
        Assert.Equal(
            [new RiskCondition(RiskInput.PageToReservationMs, 1000, 100, null, false), new RiskCondition(RiskInput.HasDevice, null, null, 0, false)],
            rules.Rules[0].When);
    }

    [Theory]
    [InlineData("\"version\": \"1\",", "", "version must be a text")]
    [InlineData("\"banDays\": 7", "\"banDays\": 0", "banDays must be a whole number from 1")]
    [InlineData("\"hasDevice\": {", "\"hasFace\": {", "rules[0].when.hasFace is no input")]
    [InlineData("\"weight\": 25", "\"weight\": 101", "rules[0].weight must be a whole number from -100 to 100")]
    [InlineData("\"weight\": 25", "\"wieght\": 25", "rules[0].wieght is not known here|rules[0].weight must be a whole number")]
    [InlineData(", \"reason\": \"too quick\"", "", "rules[0].reason must be a text")]
    [InlineData("\"unseen\"", "\"quick\"", "rules[1].name is 'quick', as another rule's is")]
    [InlineData("{\"is\": 0}", "{\"equals\": 0}", "rules[0].when.hasDevice.equals is not known here")]
    [InlineData("{\"is\": 0}", "{}", "rules[0].when.hasDevice must have below, atLeast or is")]
    [InlineData("{\"is\": 0}", "0", "rules[0].when.hasDevice must be an object")]
    [InlineData("{\"absent\": true}", "{\"absent\": true, \"below\": 3}", "rules[1].when.creditRisk must have below, atLeast or is")]
    [InlineData("{\"creditRisk\": {\"absent\": true}}", "{}", "rules[1].when must ask something")]
    [InlineData("\"below\": 1000", "\"below\": 1.5", "rules[0].when.pageToReservationMs.below must be a whole number")]
    [InlineData("{\"version\"", "{{\"version\"", "is not JSON")]
    public void Parse_WhenSomethingIsWrong_NamesEachPlace(string text, string wrong, string expected)
    {
        Assert.Contains(text, Good);

        var (rules, errors) = Parse(Good.Replace(text, wrong, StringComparison.Ordinal));

        Assert.Null(rules);
        Assert.All(expected.Split('|'), one => Assert.Contains(errors, error => error.StartsWith(one, StringComparison.Ordinal)));
    }

    [Fact]
    public void Parse_WhenManyThingsAreWrong_NamesThemAllAtOnce() =>
        Assert.Equal(
            4,
            Parse("""{"version": "", "banDays": 1, "rules": [{"name": "a", "when": {"x": {"is": 1}}, "weight": 500, "reason": ""}]}""").Errors.Count);

    [Theory]
    [InlineData(99, false)]
    [InlineData(100, true)]
    [InlineData(999, true)]
    [InlineData(1000, false)]
    [InlineData(null, false)]
    public void Applies_ByABoundAboveAndOneBelow_HoldsBetweenThem(int? value, bool applies)
    {
        var inputs = Inputs((RiskInput.HasDevice, 0));
        inputs[RiskInput.PageToReservationMs] = value;

        Assert.Equal(applies, Parse(Good).Rules!.Rules[0].Applies(inputs));
    }

    [Fact]
    public void Applies_WhenAnInputIsNotKnown_HoldsOnlyForAbsent()
    {
        var rules = Parse(Good).Rules!.Rules;

        Assert.False(rules[0].Applies(Inputs((RiskInput.PageToReservationMs, 500))));
        Assert.True(rules[1].Applies(Inputs()));
        Assert.False(rules[1].Applies(Inputs((RiskInput.CreditRisk, 0))));
    }

    [Theory]
    [InlineData("60,50", 100)]
    [InlineData("-60,50", 0)]
    [InlineData("30,-10", 20)]
    public void Assess_ByWeights_StaysWithinZeroAndAHundred(string weights, int score)
    {
        var rules = new RiskRules(
            "1", 1, [.. weights.Split(',').Select((weight, i) => new RiskRule($"r{i}", [new RiskCondition(RiskInput.CreditRisk, null, null, null, true)], int.Parse(weight), "because"))]);

        var result = RiskPolicy.Assess(rules, Inputs());

        Assert.Equal(score, result.Score);
        Assert.Equal(2, result.Signals.Count);
    }

    [Theory]
    [InlineData(59, 60, ReservationStatus.Approved)]
    [InlineData(60, 60, ReservationStatus.Rejected)]
    [InlineData(0, 0, ReservationStatus.Rejected)]
    [InlineData(99, 100, ReservationStatus.Approved)]
    public void Decide_AtTheThreshold_Rejects(int score, int threshold, ReservationStatus status) => Assert.Equal(status, RiskPolicy.Decide(score, threshold));

    // ---- the rules that come with the program ----

    private static RiskRules Default()
    {
        var (rules, errors) = RiskRules.Parse(File.ReadAllBytes(Path.Combine(Repository.Root, "src/Server/risk-rules.json")));
        Assert.Empty(errors);
        return rules!;
    }

    /// <summary>Whoever calls the API as it is described is no bot for that: no device, no page, thousands on one address, at once.</summary>
    [Fact]
    public void Default_ForPlainClientsOfOneAddress_StaysAtThirtyOrLess()
    {
        var inputs = new Evidence(null, null, "127.0.0.1", null, false, false).ToInputs(DateTimeOffset.UnixEpoch);
        inputs.Take(Inputs(
            (RiskInput.AccountsOnNetwork, 1_000), (RiskInput.ReservationsOfNetworkPerMinute, 1_000), (RiskInput.NetworksOfAccount, 1), (RiskInput.TokensAsked, 20),
            (RiskInput.TokensRefused, 3), (RiskInput.RateLimited, 5), (RiskInput.Cancellations, 2), (RiskInput.UnpaidHolds, 1), (RiskInput.EarlierBans, 0),
            (RiskInput.ChallengesFailed, 0)));

        Assert.InRange(RiskPolicy.Assess(Default(), inputs).Score, 0, 30);
    }

    [Theory]
    [InlineData(RiskInput.AccountsOnDevice, 4, 25)]
    [InlineData(RiskInput.AccountsOnDevice, 5, 60)]
    [InlineData(RiskInput.AccountsOnDevice, 20, 100)]
    [InlineData(RiskInput.CreditRisk, 95, 75)]
    [InlineData(RiskInput.CreditRisk, 49, 0)]
    [InlineData(RiskInput.TokensRefused, 50, 60)]
    [InlineData(RiskInput.UnpaidHolds, 5, 60)]
    [InlineData(RiskInput.EarlierBans, 1, 30)]
    public void Default_ForWhatMattersMost_WeighsItHeavily(RiskInput input, int value, int score) =>
        Assert.Equal(score, RiskPolicy.Assess(Default(), Inputs((input, value))).Score);

    [Fact]
    public void Default_ForASeasonedShopperOnTheirOwnTelephone_IsNothing()
    {
        var at = DateTimeOffset.UnixEpoch.AddYears(50);
        var inputs = new Evidence("00ab", at.AddDays(-90), "198.51.100.7", at.AddSeconds(-8), true, true).ToInputs(at);
        inputs.Take(Inputs((RiskInput.AccountsOnDevice, 1), (RiskInput.AccountAgeDays, 400), (RiskInput.PhoneVerified, 1), (RiskInput.PastOrders, 5), (RiskInput.CreditRisk, 10)));

        Assert.Equal(0, RiskPolicy.Assess(Default(), inputs).Score);
    }

    [Fact]
    public void ToInputs_OfEvidence_SaysWhatFollowsFromIt()
    {
        var at = DateTimeOffset.UnixEpoch.AddYears(50);

        var inputs = new Evidence("00ab", at.AddSeconds(-90), "198.51.100.7", at.AddMilliseconds(-1_500), true, false).ToInputs(at);
        var ahead = new Evidence("00ab", at.AddSeconds(3), "", at.AddSeconds(3), false, false).ToInputs(at);

        Assert.Equal(
            new Dictionary<string, int> { ["hasDevice"] = 1, ["hasVisit"] = 1, ["deviceAgeSeconds"] = 90, ["pageToReservationMs"] = 1_500, ["challengeSolved"] = 1 },
            inputs.Named());
        Assert.Equal((0, 0, null), (ahead[RiskInput.DeviceAgeSeconds], ahead[RiskInput.PageToReservationMs], ahead[RiskInput.ChallengeSolved]));
        Assert.Equal(inputs.Named(), RiskInputs.Of(inputs.Named()).Named());
    }

    [Fact]
    public void DryRun_OfReservations_CountsWhatWouldChange()
    {
        var run = new RiskDryRun(Default(), threshold: 60);
        run.Add(UserIdOf(1), Inputs((RiskInput.CreditRisk, 95)), ReservationStatus.Approved);
        run.Add(UserIdOf(2), Inputs((RiskInput.CreditRisk, 95)), ReservationStatus.Rejected);
        run.Add(UserIdOf(3), Inputs((RiskInput.CreditRisk, 5)), ReservationStatus.Rejected);
        run.Add(UserIdOf(4), Inputs((RiskInput.CreditRisk, 5)), ReservationStatus.Approved);

        var report = run.Report(complete: true);

        Assert.Equal((4, 2, 2, 1, 1), (report.Assessed, report.Barred, report.BarredNow, report.NewlyBarred, report.NoLongerBarred));
        Assert.Equal(("user-1", 75), (Assert.Single(report.Examples).UserId, report.Examples[0].Score));
        Assert.Equal(2, report.ByRule.Single(rule => rule.Name == "bad-credit").Hits);
    }

    private static FlashSale.Core.UserId UserIdOf(int number) => FlashSale.Core.UserId.Parse($"user-{number}");
}
