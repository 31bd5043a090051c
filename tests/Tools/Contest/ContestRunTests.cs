using System.Text.Json;

using FlashSale.Tests.Server;
using FlashSale.Tools;
using FlashSale.Tools.Contest;
using FlashSale.Tools.History;
using FlashSale.Tools.Verify;

using Spectre.Console;

using Xunit;

namespace FlashSale.Tests.Tools.Contest;

/// <summary>Small contests on a real server, both played once for all tests.</summary>
[Collection(PeakCollection.Name)]
public sealed class ContestRunTests(PlayedContests played) : IClassFixture<PlayedContests>
{
    private JsonElement None => played.Fight.Result.GetProperty("rounds")[0];
    private JsonElement All => played.Fight.Result.GetProperty("rounds")[1];

    [Fact]
    public void Contest_WithAndWithoutDefences_PeopleFareClearlyBetterWithThem()
    {
        Assert.True(Share(None) <= 40, played.Fight.Output);
        Assert.True(Share(All) >= 70, played.Fight.Output);
        Assert.All((JsonElement[])[None, All], round => Assert.Equal(0, round.GetProperty("kinds")[0].GetProperty("rejected").GetInt32()));
    }

    [Fact]
    public void Contest_WhenItIsOver_HoldsBeforeTheAuditorOnceMore()
    {
        Assert.True(played.Fight.Code == ExitCodes.Holds, played.Fight.Output);
        Assert.Equal([ExitCodes.Holds, ExitCodes.Holds], played.Fight.Verified);
        Assert.Contains("strict", played.Fight.Result.GetProperty("riskRules").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Contest_WhoWon_IsWhatTheAnswersSaidToo()
    {
        foreach (var round in (JsonElement[])[None, All])
        {
            var paid = Records(played.Fight, round.GetProperty("name").GetString()!).Where(record => record is { State: "paid", Op: HistoryOps.Read }).Select(record => record.User).Distinct().CountBy(KindOf).ToDictionary();

            Assert.All(round.GetProperty("kinds").EnumerateArray(), kind =>
                Assert.Equal(kind.GetProperty("paid").GetInt32(), paid.GetValueOrDefault(kind.GetProperty("kind").GetString()!)));
        }
    }

    [Theory]
    [InlineData("people", 250_000, 900_000)]
    [InlineData("instant", 0, 20_000)]
    [InlineData("device-farm", 0, 20_000)]
    [InlineData("spoof", 0, 20_000)]
    public void Round_OfEachKind_OrdersWhenItSays(string kind, long earliest, long latest) => OrdersBetween(played.Fight, "none", kind, earliest, latest);

    [Theory]
    [InlineData("address-farm", 0, 20_000)]
    [InlineData("mimic", 0, 20_000)]
    [InlineData("hoarders", 0, 20_000)]
    public void Round_WithEveryDefence_OfKindsThatPass_OrdersWhenItSays(string kind, long earliest, long latest) => OrdersBetween(played.Hoard, "all", kind, earliest, latest);

    [Fact]
    public void Round_OfAFarm_SubmitsManyTokens() =>
        Assert.Contains(ByUser(played.Fight, "none", "farm"), calls => calls.Where(record => record.Op == HistoryOps.Order).Select(record => record.Token).Distinct().Count() > Behaviour.FarmTokens / 2);

    [Fact]
    public void Round_OfAReplayer_SubmitsItsTokenAgainAndAgainAndOthers()
    {
        Assert.Contains(ByUser(played.Fight, "none", "replay"), calls =>
            calls.Where(record => record is { Op: HistoryOps.Order, MustRefuse: null }).CountBy(record => record.Token ?? "").Any(token => token.Value >= Behaviour.ReplaysBefore + Behaviour.ReplaysAfter)
            && calls.Exists(record => record.MustRefuse == "stolen"));
    }

    [Fact]
    public void Round_OfAForger_SubmitsWhatNobodySigned()
    {
        var forged = ByUser(played.Fight, "none", "forged").SelectMany(calls => calls).Where(record => record.MustRefuse == "forged").ToList();

        Assert.NotEmpty(forged);
        Assert.All(forged, record => Assert.Equal("order-token-rejected", record.Code));
    }

    [Fact]
    public void Round_WithEveryDefence_StopsAFarmOfAccountsOnOneDevice()
    {
        var farm = All.GetProperty("kinds").EnumerateArray().Single(kind => kind.GetProperty("kind").GetString() == "device-farm");

        Assert.InRange(farm.GetProperty("withToken").GetInt32(), 0, 2);
    }

    [Fact]
    public void Contest_WhenHoardersDoNotPay_EveryUnitIsPaidInTheEnd()
    {
        var round = played.Hoard.Result.GetProperty("rounds")[0];
        var hoarders = round.GetProperty("kinds").EnumerateArray().Single(kind => kind.GetProperty("kind").GetString() == "hoarders");

        Assert.True(played.Hoard.Code == ExitCodes.Holds, played.Hoard.Output);
        Assert.Equal(round.GetProperty("stock").GetInt32(), round.GetProperty("paid").GetInt32());
        Assert.Equal(0, hoarders.GetProperty("paid").GetInt32());
        Assert.True(hoarders.GetProperty("expired").GetInt32() > 0, played.Hoard.Output);
        Assert.True(round.GetProperty("lastPaidSeconds").GetDouble() > PlayedContests.PaymentSeconds);
    }

    private static double Share(JsonElement round) => round.GetProperty("peopleSharePercent").GetDouble();

    /// <summary>Whoever was kept waiting for a token comes later; nobody comes sooner.</summary>
    private static void OrdersBetween(PlayedContest contest, string round, string kind, long earliest, long latest)
    {
        var header = contest.Histories[round].Header;
        var opening = header.Sales[0].OpensAt - header.ClockOffset;
        var first = ByUser(contest, round, kind).Select(calls => calls.First(record => record.Op == HistoryOps.Order).At - opening).ToList();

        Assert.All(first, at => Assert.True(at >= earliest, $"{at} µs after the opening"));
        Assert.Contains(first, at => at <= latest);
    }

    private static string KindOf(string? user) => Kinds.ByWord.Keys.Append("people").First(word => user!.StartsWith($"{word}-{PlayedContests.Seed}-", StringComparison.Ordinal));

    private static IEnumerable<HistoryRecord> Records(PlayedContest contest, string round) =>
        contest.Histories[round].Records.Where(record => !record.Op.StartsWith("admin", StringComparison.Ordinal));

    /// <summary>The calls of each account that ordered, in order.</summary>
    private static List<List<HistoryRecord>> ByUser(PlayedContest contest, string round, string kind)
    {
        var users = Records(contest, round).Where(record => KindOf(record.User) == kind).GroupBy(record => record.User)
            .Select(user => user.OrderBy(record => record.At).ToList())
            .Where(calls => calls.Exists(record => record.Op == HistoryOps.Order))
            .ToList();
        Assert.NotEmpty(users);
        return users;
    }
}

/// <param name="Verified">What <c>flashsale verify</c> said of each round.</param>
public sealed record PlayedContest(int Code, JsonElement Result, IReadOnlyDictionary<string, (HistoryHeader Header, IReadOnlyList<HistoryRecord> Records)> Histories, int[] Verified, string Output);

public sealed class PlayedContests : IAsyncLifetime
{
    public const int PaymentSeconds = 2;
    public const int Seed = 6;

    public PlayedContest Fight { get; private set; } = null!;
    public PlayedContest Hoard { get; private set; } = null!;

    /// <summary>
    /// Side by side: both wait most of the time. A few dozen accounts at one address are no farm that risk control could tell from a carrier, and mimics are told
    /// from people by nothing: they play where it does not matter who wins.
    /// </summary>
    public async ValueTask InitializeAsync()
    {
        var fight = PlayAsync(settings => settings with { Rounds = RoundChoice.Both, BotsPerPerson = 6, Strategies = [.. Kinds.Usual.Where(kind => kind != Kind.AddressFarm)] }, 20);
        var hoard = PlayAsync(settings => settings with { Rounds = RoundChoice.On, BotsPerPerson = 1, Hoarders = 40, Strategies = [Kind.AddressFarm, Kind.Hoarder, Kind.Mimic] }, 15);
        Fight = await fight;
        Hoard = await hoard;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static async Task<PlayedContest> PlayAsync(Func<ContestSettings, ContestSettings> asked, int stock)
    {
        await using var server = await TestServer.StartAsync(
            ("FlashSale__Limits__Enabled", "true"),
            ("FlashSale__Risk__RulesFile", Path.Combine(Repository.Root, "deploy/risk/strict.json")));
        var directory = Directory.CreateTempSubdirectory("flashsale-contest-").FullName;
        var output = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        var settings = asked(new ContestSettings
        {
            Target = server.Address,
            AuthKey = Convert.FromBase64String(server.AuthKey),
            People = 30,
            BotsPerPerson = 0,
            Stock = stock,
            Strategies = [],
            Rounds = RoundChoice.On,
            Seed = Seed,
            ReportDirectory = directory,
            Length = TimeSpan.FromSeconds(5),
            Timeout = TimeSpan.FromSeconds(60),
            PaymentWindow = TimeSpan.FromSeconds(PaymentSeconds),
            // A phone has them in a moment.
            ChallengeBits = 10,
        });
        var code = await new ContestRun(settings, console, TimeProvider.System).RunAsync(CancellationToken.None);
        var result = JsonElement.Parse(await File.ReadAllTextAsync(Path.Combine(directory, "result.json")));
        var histories = result.GetProperty("rounds").EnumerateArray().ToDictionary(
            round => round.GetProperty("name").GetString()!,
            round => round.GetProperty("history").GetString()!);
        List<int> verified = [];
        foreach (var file in histories.Values)
        {
            verified.Add((await new Auditor(server.Address, settings.AuthKey, TimeProvider.System).RunAsync(file)).ExitCode);
        }

        var read = histories.ToDictionary(
            history => history.Key,
            history => (HistoryReader.ReadHeader(history.Value)!, (IReadOnlyList<HistoryRecord>)[.. HistoryReader.ReadRecords(history.Value)]));
        Directory.Delete(directory, recursive: true);
        return new PlayedContest(code, result, read, [.. verified], output.ToString());
    }
}
