using FlashSale.Core;
using FlashSale.Core.Wire;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

using Xunit;

namespace FlashSale.Tests.Server.Orders;

/// <summary>The gate of many instances is gone: the ledger decides alone, and nothing that it must hold is any looser.</summary>
public sealed class GateLostTests : IAsyncLifetime
{
    private const int Stock = 20;
    private WriterRig rig = null!;

    public async ValueTask InitializeAsync() => rig = await WriterRig.StartAsync(Stock, sharedGate: true);

    public ValueTask DisposeAsync() => rig.DisposeAsync();

    [Fact]
    public async Task PlaceAsync_WhileTheGateIsAway_SellsWhatThereIsAndNothingElse()
    {
        rig.GateFaults.IsAway = true;

        var placed = await Task.WhenAll(Enumerable.Range(0, 3 * Stock).Select(i => rig.PlaceAsync($"user-{i}")));

        Assert.Equal(Stock, placed.Count(answer => answer.Decision == OrderDecision.Placed));
        Assert.All(placed, answer => Assert.True(answer.Decision is OrderDecision.Placed or OrderDecision.LedgerSoldOut, answer.Decision.ToString()));
        Assert.Equal(0, await rig.ReadAvailableAsync());
    }

    [Fact]
    public async Task PlaceAsync_WhileTheGateIsAway_HoldsTheLimitAndRepeatsAnOrder()
    {
        rig.GateFaults.IsAway = true;
        var token = rig.Token("alice");

        var first = await rig.PlaceAsync("alice", token);
        var again = await rig.PlaceAsync("alice", token);
        var second = await rig.PlaceAsync("alice");

        Assert.Equal(OrderDecision.Placed, first.Decision);
        Assert.Equal((OrderDecision.Repeated, first.Order!.Id), (again.Decision, again.Order!.Id));
        Assert.Equal(OrderDecision.LedgerLimitReached, second.Decision);
    }

    [Fact]
    public async Task PlaceAsync_WhileTheGateIsAway_StillKnowsWhoIsBarred()
    {
        rig.GateFaults.IsAway = true;
        await rig.Ledger.BlacklistAsync(UserId.Parse("mallory"), new BlacklistRequest("bot", "test", null), Actor.System("test"), default);

        Assert.Equal(OrderDecision.NotEligible, (await rig.PlaceAsync("mallory")).Decision);
        Assert.Equal(OrderDecision.Placed, (await rig.PlaceAsync("alice")).Decision);
    }

    [Fact]
    public async Task PlaceAsync_WhileTheGateIsAwayAndTheSaleIsOver_RepeatsAnOrderAndRefusesANewOne()
    {
        var token = rig.Token("alice");
        var placed = await rig.PlaceAsync("alice", token);
        rig.GateFaults.IsAway = true;
        var late = rig.Token("bob");
        rig.Time.Advance(TimeSpan.FromHours(8));

        // The tokens are too old by then, so this is asked below the token check.
        Assert.Equal(OrderDecision.TokenTooOld, (await rig.PlaceAsync("bob", late)).Decision);
        Assert.Equal(OrderDecision.SaleEnded, (await rig.PlaceAsync("bob")).Decision);
        Assert.NotNull(placed.Order);
    }

    [Fact]
    public async Task PlaceAsync_WhenMoreComeThanMayGoWithoutTheGate_RefusesTheRestAndCallsNothingSoldOut()
    {
        rig.GateFaults.IsAway = true;
        var since = TimeProvider.System.GetTimestamp();

        var answers = await Task.WhenAll(Enumerable.Range(0, 2 * Limits.DirectOrdersPerSecond).Select(i => rig.PlaceAsync($"user-{i}")));

        Assert.Equal(Stock, answers.Count(answer => answer.Decision == OrderDecision.Placed));
        // A burst of half a second, and what the rate allows for as long as it took: on a machine that was slow, more.
        var most = Limits.DirectOrdersPerSecond * (0.55 + TimeProvider.System.GetElapsedTime(since).TotalSeconds);
        Assert.InRange(answers.Count(answer => answer.Decision != OrderDecision.GateUnavailable), Stock, most);
        Assert.Equal(ProblemCode.Overloaded, DecisionKind.Of(OrderDecision.GateUnavailable).Problem);
    }

    [Fact]
    public async Task PlaceAsync_WhenSomebodyWroteZeroIntoTheGate_BelievesTheLedger()
    {
        await rig.TellGateAsync(available: 0);

        Assert.Equal(OrderDecision.Placed, await DecideByGateAsync("alice"));
        Assert.Equal(Stock - 1, await rig.ReadAvailableAsync());
    }

    [Fact]
    public async Task RepairAsync_AfterTheGateMissedWhatHappened_TellsItFromTheLedger()
    {
        var (_, order) = await rig.PlaceAsync("alice");
        rig.GateFaults.IsAway = true;
        await rig.CancelAsync(order!);
        await rig.PlaceAsync("bob");
        rig.GateFaults.IsAway = false;

        // It takes alice's order for a live one, and knows nothing of bob's.
        Assert.Equal(OrderDecision.GateLimitReached, await DecideByGateAsync("alice"));
        await rig.RepairAsync();

        Assert.Equal(OrderDecision.GateLimitReached, await DecideByGateAsync("bob"));
        Assert.Equal(OrderDecision.Placed, await DecideByGateAsync("alice"));
        await rig.AssertSettledAsync(Stock - 2);
    }

    [Fact]
    public async Task PlaceAsync_WhenTheGateIsWell_SomeGoWithoutItAllTheSame()
    {
        const int Many = 20 * Limits.DirectOrderShare;
        await Task.WhenAll(Enumerable.Range(0, Many).Select(i => rig.PlaceAsync($"user-{i}")));

        Assert.InRange(Many - rig.GateFaults.Asked, 1, Many / 10);
    }

    [Fact]
    public async Task PlaceAsync_WhenTheGateSaysSoldOut_BelievesItOnlyWhileTheLedgerConfirmsIt()
    {
        foreach (var i in Enumerable.Range(0, Stock))
        {
            Assert.Equal(OrderDecision.Placed, (await rig.PlaceAsync($"user-{i}")).Decision);
        }

        await rig.SettleAsync();
        await rig.ConfirmStockAsync();
        rig.Time.Advance(Limits.StaleAfter);
        Assert.Equal(OrderDecision.GateSoldOut, await DecideByGateAsync("early"));

        // Nobody has heard of the ledger for longer: it decides by itself, and when it does not answer nothing is called sold out.
        rig.Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(OrderDecision.LedgerSoldOut, await DecideByGateAsync("late"));
        rig.Faults.OnPlace = (_, _) => throw new LedgerUnavailableException("The disk is gone.");
        Assert.Equal(OrderDecision.LedgerUnavailable, await DecideByGateAsync("later"));

        await rig.ConfirmStockAsync();
        Assert.Equal(OrderDecision.GateSoldOut, await DecideByGateAsync("at-last"));
    }

    private async Task<OrderDecision> DecideByGateAsync(string user) => (await rig.PlaceAsync(user, rig.Token(user, byGate: true))).Decision;
}
