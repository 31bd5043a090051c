using System.Text;
using System.Text.Json;

using FlashSale.Tools;
using FlashSale.Tools.History;
using FlashSale.Tools.Load;

using Xunit;

namespace FlashSale.Tests.Tools;

public sealed class LoadPartsTests
{
    private const int Thousand = 1_000;

    [Fact]
    public void Percentile_WhenValuesAreSmall_IsExact()
    {
        var histogram = new LatencyHistogram();
        for (var micros = 1; micros <= 100; micros++)
        {
            histogram.Record(micros);
        }

        Assert.Equal([50, 90, 99, 100], ((double[])[50, 90, 99, 100]).Select(histogram.Percentile));
        Assert.Equal(100, histogram.Max);
        Assert.Equal(100, histogram.Count);
    }

    [Fact]
    public void Percentile_WhenValuesAreOfAnySize_IsAtMostTwoPercentTooHigh()
    {
        for (long micros = 1; micros < int.MaxValue; micros = (micros * 5 / 4) + 1)
        {
            var histogram = new LatencyHistogram();
            histogram.Record(micros);
            histogram.Record(long.MaxValue);
            Assert.InRange(histogram.Percentile(50), micros, micros * 1.02);
        }
    }

    [Fact]
    public void Percentile_WhenNothingWasRecorded_IsZero() => Assert.Equal(0, new LatencyHistogram().Percentile(99));

    [Fact]
    public void Record_WhenNegativeOrTooLong_StaysInRange()
    {
        var histogram = new LatencyHistogram();
        histogram.Record(-5);
        histogram.Record(long.MaxValue);

        Assert.Equal(0, histogram.Percentile(50));
        Assert.Equal(long.MaxValue, histogram.Max);
    }

    [Fact]
    public void Next_WhenManyArrive_KeepsTheRateFromTheOpeningOn()
    {
        const long Opening = 1_800_000_000_000_000;
        var schedule = new ArrivalSchedule(Opening, rate: 5_000, seed: 42);
        var first = schedule.Next;
        var before = first;
        for (var i = 0; i < 50 * Thousand; i++)
        {
            schedule.Advance();
            Assert.True(schedule.Next >= before);
            before = schedule.Next;
        }

        Assert.Equal(Opening, first);
        Assert.InRange(before - Opening, 9_800_000, 10_200_000);
    }

    [Fact]
    public void Next_WhenTheSeedIsTheSame_IsTheSame()
    {
        Assert.Equal(Times(7), Times(7));
        Assert.NotEqual(Times(7), Times(8));

        static List<long> Times(long seed)
        {
            var schedule = new ArrivalSchedule(0, 100, seed);
            return [.. Enumerable.Range(0, 100).Select(_ =>
            {
                schedule.Advance();
                return schedule.Next;
            })];
        }
    }

    [Fact]
    public void Create_WhenRolesAreGiven_IsASignedJwtWithTheClaimsOfTheContract()
    {
        var key = new byte[32];
        key[0] = 1;
        var parts = new SessionTokens(key).Create("ann", DateTimeOffset.FromUnixTimeSeconds(1_900_000_000), "operator", "auditor").Split('.');

        Assert.Equal("""{"alg":"HS256","typ":"JWT"}""", Text(parts[0]));
        Assert.Equal("""{"iss":"flashsale","aud":"flashsale","sub":"ann","exp":1900000000,"role":["operator","auditor"]}""", Text(parts[1]));
        var signature = System.Security.Cryptography.HMACSHA256.HashData(key, Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"));
        Assert.Equal(signature, System.Buffers.Text.Base64Url.DecodeFromChars(parts[2]));

        static string Text(string part) => Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(part));
    }

    [Fact]
    public void Read_WhenItIsAnOrder_TakesItsCouponAndNotTheIdsInside()
    {
        var answer = new Answer();
        answer.Read("""{"id":"o1","saleId":"7","price":{"amount":1,"currency":"CNY"},"status":"paid","coupon":{"code":"C","id":"x"}}"""u8);

        Assert.Equal(("o1", "paid", "C"), (answer.Id, answer.State, answer.Coupon));
    }

    [Fact]
    public void Read_WhenItIsAProblem_TakesCodeEffectAndTimes()
    {
        var answer = new Answer();
        answer.Read("""{"type":"/problems/sale-not-open","status":409,"code":"sale-not-open","effect":"none","opensAt":"2026-01-01T00:00:00.000Z","retryAfterMs":250}"""u8);

        Assert.Equal(("sale-not-open", "none", 250L, 2026), (answer.Code, answer.Effect, answer.RetryAfterMs, answer.OpensAt?.Year));
        Assert.Null(answer.State);
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>")]
    [InlineData("{\"id\":")]
    [InlineData("[1]")]
    public void Read_WhenItIsNoDocument_LeavesTheAnswerAsItIs(string body)
    {
        var answer = new Answer();
        answer.Read(Encoding.UTF8.GetBytes(body));
        Assert.Null(answer.Id);
    }

    [Fact]
    public void MakeEntries_WhenStockExceedsUsers_GivesEveryOfferMoreDemandThanStock()
    {
        var settings = Settings() with { Sales = 3, Offers = 2, Stock = 50, Users = 150, BotPercent = 10 };
        var users = PlanMaker.MakeUsers(settings, new SessionTokens(settings.AuthKey), DateTimeOffset.UnixEpoch, "run");
        var sales = Enumerable.Range(0, 3).Select(Sale).ToList();
        var entries = PlanMaker.MakeEntries(settings, users, sales);

        Assert.Equal(15, users.Count(user => user.Bot is not null));
        Assert.Equal(entries.Length, entries.DistinctBy(entry => (entry.User, entry.Offer)).Count());
        Assert.All(sales.SelectMany(sale => sale.Offers), offer => Assert.True(offer.Honest.Count >= 75));
        Assert.Equal(
            entries.Select(entry => (entry.User.Name, entry.Offer.Id, entry.Fate)),
            PlanMaker.MakeEntries(settings, users, [.. Enumerable.Range(0, 3).Select(Sale)]).Select(entry => (entry.User.Name, entry.Offer.Id, entry.Fate)));
    }

    [Theory]
    [InlineData("--auth-key", "SECRET")]
    [InlineData("--auth-key=SECRET", "x")]
    [InlineData("--auth-key:SECRET", "x")]
    public void WithoutKey_HoweverItWasGiven_LeavesItOut(params string[] args) =>
        Assert.DoesNotContain("SECRET", LoadCommand.WithoutKey(args));

    [Fact]
    public void Write_WhenARunIsOver_IsOnePageThatLoadsNothing()
    {
        var metrics = new Metrics();
        metrics.Started();
        metrics.Ended("order", 201, null, 1_500);
        metrics.OrderAnswered(0, 201, null);
        metrics.OrderAnswered(0, 409, "sold-out");
        var outcome = new RunOutcome(Settings() with { CommandLine = "flashsale load <b>" }, [Sale(0)], metrics, 0, DateTimeOffset.UnixEpoch)
        {
            Report = new AuditScenario().Check(),
        };

        var page = HtmlReport.Write(outcome);

        Assert.Contains("flashsale load &lt;b&gt;", page);
        Assert.Contains("prefers-color-scheme: dark", page);
        Assert.Equal(3, page.Split("<svg").Length - 1);
        Assert.DoesNotContain("http", page.Replace("/healthz", "", StringComparison.Ordinal));
        Assert.DoesNotContain("<script", page);
        Assert.Equal(0, JsonDocument.Parse(ReportFiles.Describe(outcome).ToJsonString()).RootElement.GetProperty("verdict").GetProperty("exitCode").GetInt32());
    }

    [Fact]
    public async Task DisposeAsync_WhenRecordsWereWritten_TheyCanAllBeRead()
    {
        var file = Path.GetTempFileName();
        var header = new AuditScenario().Header;
        await using (var writer = new HistoryWriter(file, header))
        {
            for (var i = 0; i < 100 * Thousand; i++)
            {
                await writer.WriteAsync(AuditScenario.Record(HistoryOps.Order, i) with { Status = 201, Order = $"o{i}" });
            }
        }

        Assert.Equal(header.StartedAt, HistoryReader.ReadHeader(file)?.StartedAt);
        Assert.Equal(100 * Thousand, HistoryReader.ReadRecords(file).Count());
        File.Delete(file);
    }

    [Fact]
    public async Task ReadRecords_WhenTheLastLineWasCutOff_LeavesItOut()
    {
        var file = Path.GetTempFileName();
        await using (var writer = new HistoryWriter(file, new AuditScenario().Header))
        {
            await writer.WriteAsync(AuditScenario.Record(HistoryOps.Order, 1));
        }

        await File.AppendAllTextAsync(file, """{"op":"ord""");
        Assert.Single(HistoryReader.ReadRecords(file));
        await File.AppendAllTextAsync(file, "\n{}\n");
        Assert.Throws<UsageException>(() => HistoryReader.ReadRecords(file).Count());
        File.Delete(file);
    }

    [Fact]
    public async Task DelayUntil_WhenTheTimerComesEarly_WaitsForTheRest()
    {
        var clock = new RunClock(new EarlyTime());
        var at = clock.Now + 100_000;

        await clock.DelayUntil(at, TestContext.Current.CancellationToken);

        Assert.InRange(clock.Now, at, at + 1_000);
    }

    private static LoadSettings Settings() => new()
    {
        Target = new Uri("http://127.0.0.1:5080"),
        AuthKey = new byte[32],
        Sales = 1,
        Offers = 1,
        Stock = 1,
        Users = 1,
        BotPercent = 0,
        Rate = 1,
        Seed = 1,
        ReportDirectory = "",
        Timeout = TimeSpan.FromSeconds(120),
        PaymentWindow = TimeSpan.FromSeconds(30),
        CancelPercent = 5,
        AbandonPercent = 5,
        Sources = 4,
        Connections = 8,
        CallTimeout = TimeSpan.FromSeconds(10),
        CommandLine = "",
    };

    private static PlannedSale Sale(int index)
    {
        var uri = new Uri("http://127.0.0.1/");
        return new PlannedSale
        {
            Id = $"{index}",
            Slug = $"sale-{index}",
            RequiresReservation = index % 2 == 0,
            Offers = [.. Enumerable.Range(0, 2).Select(offer => new PlannedOffer { Id = $"{index}-{offer}", Title = "", Stock = 50, TokensUri = uri })],
            ReservationsUri = uri,
            ReservationUri = uri,
        };
    }

    /// <summary>Time that goes on only with its timers, each of which fires 8 ms early.</summary>
    private sealed class EarlyTime : TimeProvider
    {
        private long elapsed;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Interlocked.Read(ref elapsed);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var early = TimeSpan.FromMilliseconds(8);
            Interlocked.Add(ref elapsed, (dueTime > early ? dueTime - early : dueTime).Ticks);
            return System.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}
