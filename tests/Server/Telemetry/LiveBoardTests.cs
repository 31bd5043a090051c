using System.Text.Json;

using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

using Xunit;

namespace FlashSale.Tests.Server.Telemetry;

public sealed class LiveBoardTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 11, 12, 0, 0, TimeSpan.Zero);
    private static readonly Sale Sale = TestSale.Draft(Start, stock: 10);

    [Fact]
    public void Take_WhenInstancesCount_AddsThemUpAndTellsTheRateOfTheLastSecond()
    {
        var board = new LiveBoard();
        for (var tick = 0; tick <= 10; tick++)
        {
            // Two instances, 20 and 30 orders a second; one reports the state of an instance that has gone.
            var at = Start + TimeSpan.FromMilliseconds(400 * tick);
            board.Take(at, [Report("a", at, placed: 8 * tick), Report("b", at, placed: 12 * tick), .. tick == 0 ? [Report("old", Start - TimeSpan.FromMinutes(1), placed: 1_000)] : Array.Empty<InstanceReport>()], [Reading()]);
        }

        var live = board.Latest(Sale.Id)!;

        Assert.Equal(1_000 + (20 * 10), live.Placed);
        Assert.Equal(50, live.OrdersPerSecond!.Value, 0.5);
        Assert.Equal(50, live.ArrivalsPerSecond!.Value, 0.5);
        Assert.Equal(["a", "b", "old"], live.Instances.Select(instance => instance.Instance).Order());
        Assert.Equal(["old"], live.Instances.Where(instance => instance.Gone).Select(instance => instance.Instance));
        Assert.Equal(2 * 3, live.WriterQueue);
        Assert.Equal("open", live.Breakers["orders"]);
    }

    [Fact]
    public void Take_WhenGateAndLedgerDiffer_ShowsTheDrift()
    {
        var board = new LiveBoard();

        board.Take(Start, [], [Reading(new GateStock(5, 2, 7, 1))]);

        var offer = Assert.Single(board.Latest(Sale.Id)!.Offers);
        Assert.Equal((10, 7, 2, 1), (offer.Total, offer.Available, offer.Held, offer.Sold));
        Assert.Equal(0, offer.Drift);
        board.Take(Start + TimeSpan.FromSeconds(1), [], [Reading(new GateStock(9, 2, 7, 1))]);
        Assert.Equal(4, board.Latest(Sale.Id)!.Offers[0].Drift);
    }

    [Fact]
    public void Moments_OfALongSale_AreOneASecondAndBounded()
    {
        var board = new LiveBoard();
        for (var tick = 0; tick < (Limits.LiveMomentsKept + 10) * 2; tick++)
        {
            board.Take(Start + TimeSpan.FromMilliseconds(500 * tick), [], [Reading()]);
        }

        var moments = board.Moments(Sale.Id);

        Assert.Equal(Limits.LiveMomentsKept, moments.Count);
        Assert.All(moments.Zip(moments.Skip(1)), pair => Assert.Equal(TimeSpan.FromSeconds(1), pair.Second.At - pair.First.At));
    }

    [Fact]
    public void Take_WhenASaleIsNoLongerWatched_ForgetsIt()
    {
        var board = new LiveBoard();
        board.Take(Start, [], [Reading()]);

        board.Take(Start, [], []);

        Assert.Null(board.Latest(Sale.Id));
        Assert.Empty(board.Moments(Sale.Id));
    }

    [Fact]
    public void Take_WhenRequestsAreTurnedAwayBeforeASaleIsKnown_AddsThemToWhatArrivesAndTellsThemApart()
    {
        var board = new LiveBoard();
        for (var tick = 0; tick <= 5; tick++)
        {
            var at = Start + TimeSpan.FromMilliseconds(400 * tick);
            board.Take(at, [Report("a", at, placed: 4 * tick, limited: 400 * tick)], [Reading()]);
        }

        var live = board.Latest(Sale.Id)!;

        var limited = Assert.Single(live.BeforeSale);
        Assert.Equal(("edge", "refused", "address_limit", 2_000), (limited.Layer, limited.Outcome, limited.Reason, limited.Count));
        Assert.Equal(1_000, limited.PerSecond!.Value, 1.0);
        Assert.Equal(1_010, live.ArrivalsPerSecond!.Value, 1.0);
        Assert.Equal("placed", Assert.Single(live.Decisions).Reason);
        Assert.Equal(1_000, board.Moments(Sale.Id)[^1].Refused[LiveMomentDocument.BeforeSale], 1.0);
    }

    [Fact]
    public void Take_OverManyRestarts_AddsUpAsManyInstancesAsAreReadAtTheStart()
    {
        var board = new LiveBoard();
        for (var i = 0; i < Limits.InstanceReportsRead + 50; i++)
        {
            board.Take(Start.AddMinutes(i), [Report($"i{i}", Start.AddMinutes(i), placed: 1)], [Reading()]);
        }

        Assert.Equal(Limits.InstanceReportsRead, board.Latest(Sale.Id)!.Placed);
    }

    [Fact]
    public void Take_WhenAnInstanceSaysThatItEnds_ShowsItAsStoppedAndNoLongerHearsItsBreakers()
    {
        var board = new LiveBoard();
        board.Take(Start, [Report("a", Start, placed: 1), Report("b", Start, placed: 1)], [Reading()]);
        Assert.Equal("open", board.Latest(Sale.Id)!.Breakers["orders"]);

        var at = Start.AddSeconds(1);
        board.Take(at, [Report("a", at, placed: 1), Report("b", at, placed: 1, stopped: true)], [Reading()]);

        var live = board.Latest(Sale.Id)!;
        Assert.Equal("closed", live.Breakers["orders"]);
        Assert.Equal((true, true), (live.Instances.Single(one => one.Instance == "b").Gone, live.Instances.Single(one => one.Instance == "b").Stopped));
        Assert.Equal("a", Assert.Single(board.Living).Instance);
        Assert.Equal(2, live.Placed);
    }

    [Fact]
    public void Quantile_OfWhatWasRecorded_IsRightWithinAnEighth()
    {
        var counts = new LatencyCounts();
        for (var ms = 1; ms <= 1_000; ms++)
        {
            counts.Record(TimeSpan.FromMilliseconds(ms));
        }

        var sums = new long[LatencyCounts.Buckets];
        counts.AddTo(sums);

        foreach (var part in new[] { 0.01, 0.5, 0.9, 0.99, 1 })
        {
            Assert.InRange(LatencyCounts.Quantile(sums, part)!.Value.TotalMilliseconds, part * 1_000, part * 1_000 * 1.13);
        }

        Assert.Null(LatencyCounts.Quantile(new long[LatencyCounts.Buckets], 0.5));
    }

    [Fact]
    public void Record_OfWhatIsOutside_CountsInTheFirstOrTheLast()
    {
        var counts = new LatencyCounts();
        counts.Record(TimeSpan.Zero);
        counts.Record(TimeSpan.FromHours(1));

        var sums = new long[LatencyCounts.Buckets];
        counts.AddTo(sums);

        Assert.Equal(1, sums[0]);
        Assert.Equal(1, sums[^1]);
    }

    private static SaleReading Reading(GateStock? gate = null) =>
        new(Sale, SalePhase.Open, [new OfferReading(Sale.Offers[0], 10, 7, 2, 1, gate)], []);

    private static InstanceReport Report(string instance, DateTimeOffset at, long placed, long limited = 0, bool stopped = false) => new(instance, at, JsonSerializer.Serialize(
        new InstanceFigures
        {
            Machine = "m",
            ProcessId = 1,
            Version = "1",
            Roles = "all",
            StartedAt = Start,
            NotReady = [],
            CpuSeconds = 1,
            MemoryBytes = 1,
            GcPauseSeconds = 0,
            Collections = [0, 0, 0],
            InFlight = 0,
            InFlightLimit = 1,
            WriterQueue = 3,
            Breakers = new Dictionary<string, string> { ["orders"] = instance == "b" ? "open" : "closed" },
            Stopped = stopped,
            Decisions = new Dictionary<string, long> { ["placed"] = placed, ["address_limit"] = limited, ["a_word_of_a_later_build"] = 7 },
            Sales = new Dictionary<string, SaleFigures>
            {
                [Sale.Id.ToString()] = new()
                {
                    Decisions = new Dictionary<string, long> { ["placed"] = placed, ["a_word_of_a_later_build"] = 7 },
                    Steps = new Dictionary<string, long>(),
                    Asked = new Dictionary<string, long>(),
                    Placed = new Dictionary<string, long>(),
                    Latency = new Dictionary<int, long>(),
                },
            },
        },
        FiguresJson.Default.InstanceFigures));
}
