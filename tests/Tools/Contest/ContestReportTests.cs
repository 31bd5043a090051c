using System.Text.Json;

using FlashSale.Tools;
using FlashSale.Tools.Contest;
using FlashSale.Tools.Load;
using FlashSale.Tools.Verify;

using Xunit;

namespace FlashSale.Tests.Tools.Contest;

/// <summary>A result that nobody measured, as the reports tell it.</summary>
public sealed class ContestReportTests
{
    private static readonly AuditReport Good = new([new Finding("I1", "never oversold", 1, "", 0, [])], 1, 1);
    private static readonly AuditReport Bad = new([new Finding("I5", "limits", 1, "", 1, ["two"])], 1, 1);

    private static RoundOutcome PlayedBy(Round round, int people, int bots, AuditReport report)
    {
        var calls = new Metrics();
        calls.Started();
        calls.Ended("token", 403, "not-eligible", 1);
        return new RoundOutcome(round, 100,
        [
            new KindOutcome(Kind.Person, 200, people + 3, people, 3, new Metrics()) { Approved = 199, Rejected = 1, Pending = 0, WithToken = 199 },
            new KindOutcome(Kind.DeviceFarm, 1_800, bots, bots, 0, calls) { Approved = 20, Rejected = 1_700, Pending = 30, WithToken = 12 },
        ])
        {
            Settled = true,
            LastPaid = TimeSpan.FromSeconds(7.25),
            Duration = TimeSpan.FromSeconds(40),
            Report = report,
            HistoryFile = "h",
        };
    }

    private static ContestOutcome Outcome(params RoundOutcome[] rounds)
    {
        var outcome = new ContestOutcome(CrowdTests.Settings(Kind.DeviceFarm), DateTimeOffset.UnixEpoch);
        outcome.Rounds.AddRange(rounds);
        return outcome;
    }

    [Fact]
    public async Task WriteAsync_OfAPlantedResult_TellsIt()
    {
        var directory = Directory.CreateTempSubdirectory("flashsale-contest-").FullName;
        await new ContestReport(directory).WriteAsync(Outcome(PlayedBy(Round.None, 10, 90, Good), PlayedBy(Round.All(25), 96, 4, Good)));

        var rounds = JsonElement.Parse(await File.ReadAllTextAsync(Path.Combine(directory, "result.json"))).GetProperty("rounds");
        var page = await File.ReadAllTextAsync(Path.Combine(directory, "report.html"));
        Directory.Delete(directory, recursive: true);

        Assert.Equal([10, 96], rounds.EnumerateArray().Select(round => round.GetProperty("peopleSharePercent").GetDouble()));
        Assert.Equal(1_000, rounds[1].GetProperty("defences").GetProperty("drawMs").GetInt32());
        Assert.Equal(7.25, rounds[1].GetProperty("lastPaidSeconds").GetDouble());
        var farm = rounds[1].GetProperty("kinds")[1];
        Assert.Equal("device-farm", farm.GetProperty("kind").GetString());
        Assert.Equal(1_700, farm.GetProperty("rejected").GetInt32());
        Assert.Equal(50, farm.GetProperty("notReserved").GetInt32());
        Assert.Equal(1, farm.GetProperty("refusals").GetProperty("not-eligible").GetInt64());
        Assert.All((string[])["96 (96.0 %)", "90 (90.0 %)", "device-farm", "not-eligible", "96 of 100"], text => Assert.Contains(text, page, StringComparison.Ordinal));
    }

    [Fact]
    public void Verdict_OfARound_SaysWhoWon() => Assert.Equal(
        "all: people, 10.0 % of the accounts, got 96.0 % of 100 paid units of 100, the last 7.3 s after the opening; 3 holds expired",
        ContestReport.Verdict(CrowdTests.Settings(), PlayedBy(Round.All(25), 96, 4, Good)));

    [Fact]
    public void ExitCode_OfSeveralRounds_IsTheWorst()
    {
        Assert.Equal(ExitCodes.Holds, Outcome(PlayedBy(Round.None, 1, 1, Good)).ExitCode);
        Assert.Equal(ExitCodes.Violated, Outcome(PlayedBy(Round.None, 1, 1, Bad), PlayedBy(Round.None, 1, 1, Good)).ExitCode);
        Assert.Equal(ExitCodes.Usage, Outcome(PlayedBy(Round.None, 1, 1, new AuditReport([], 0, 0, "away")), PlayedBy(Round.None, 1, 1, Good)).ExitCode);
        Assert.Equal(ExitCodes.ProvesNothing, Outcome().ExitCode);
    }

    [Fact]
    public void Rounds_WhenEachIsAskedFor_LackOneDefenceAtATime()
    {
        var all = Round.All(25);
        var rounds = Round.Of(RoundChoice.Each, 25);

        Assert.Equal([Round.None, all], rounds.Take(2));
        Assert.Equal(7, rounds.Skip(2).Count());
        Assert.All(rounds.Skip(2), round =>
        {
            (object All, object None, object Now)[] defences =
            [
                (all.RiskThreshold, Round.None.RiskThreshold, round.RiskThreshold),
                (all.Defences.Challenge, Round.None.Defences.Challenge, round.Defences.Challenge),
                (all.Defences.DrawMs, Round.None.Defences.DrawMs, round.Defences.DrawMs),
                (all.Defences.AccountsPerDevice, Round.None.Defences.AccountsPerDevice, round.Defences.AccountsPerDevice),
                (all.Defences.AccountsPerAddress, Round.None.Defences.AccountsPerAddress, round.Defences.AccountsPerAddress),
                (all.Defences.TokensPerUser, Round.None.Defences.TokensPerUser, round.Defences.TokensPerUser),
                (all.Defences.UnpaidHolds, Round.None.Defences.UnpaidHolds, round.Defences.UnpaidHolds),
            ];
            Assert.Single(defences, one => !one.Now.Equals(one.All));
            Assert.Single(defences, one => one.Now.Equals(one.None));
        });
        Assert.Equal(rounds.Count, rounds.Select(round => round.Name).Distinct().Count());
    }
}
