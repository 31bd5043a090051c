using FlashSale.Core;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

using Xunit;

namespace FlashSale.Tests.Server.Orders;

/// <summary>A ledger that fails again and again is not asked for a while; what it may have written is asked for until it is known.</summary>
public sealed class LedgerBreakerTests : IAsyncLifetime
{
    private const int Stock = 20;
    private WriterRig rig = null!;

    public async ValueTask InitializeAsync() => rig = await WriterRig.StartAsync(Stock);

    public ValueTask DisposeAsync() => rig.DisposeAsync();

    [Fact]
    public async Task PlaceAsync_WhenTheLedgerFailsRepeatedly_RefusesAtOnceAndGivesTheUnitsBackUntilATrialSucceeds()
    {
        await OpenAsync();
        var handed = rig.Faults.Handed.Count;

        for (var i = 0; i < 3 * Stock; i++)
        {
            Assert.Equal(OrderDecision.LedgerUnavailable, (await rig.PlaceAsync($"refused-{i}")).Decision);
        }

        Assert.Equal(handed, rig.Faults.Handed.Count);
        await rig.AssertSettledAsync(Stock);

        // The trial fails, and the next one does not.
        rig.Time.Advance(Limits.BreakerBreak);
        Assert.Equal(OrderDecision.LedgerUnavailable, (await rig.PlaceAsync("trial")).Decision);
        Assert.Equal((handed + 1, BreakerState.Open), (rig.Faults.Handed.Count, rig.Breakers.Orders.Breaker.State));
        rig.Faults.OnPlace = (commit, drafts) => commit(drafts);
        Assert.Equal(OrderDecision.LedgerUnavailable, (await rig.PlaceAsync("too-soon")).Decision);
        rig.Time.Advance(Limits.BreakerBreak);
        Assert.Equal(OrderDecision.Placed, (await rig.PlaceAsync("alice")).Decision);
        Assert.Equal(BreakerState.Closed, rig.Breakers.Orders.Breaker.State);
        await rig.AssertSettledAsync(Stock - 1);
    }

    [Fact]
    public async Task PlaceAsync_WhenTheOutcomeIsUnknownAndTheBreakerOpens_AsksUntilItIsKnown()
    {
        Fail(new LedgerUnavailableException("The server is gone."));
        for (var i = 1; i < Limits.SlowBreakerCalls; i++)
        {
            await rig.PlaceAsync($"early-{i}");
        }

        var failures = 0;
        rig.Faults.OnPlace = async (commit, drafts) =>
        {
            if (failures++ == 0)
            {
                await commit(drafts);
                throw new LedgerOutcomeUnknownException("The connection broke at the commit.");
            }

            Assert.Equal(BreakerState.Open, rig.Breakers.Orders.Breaker.State);
            return failures < 4 ? throw new LedgerUnavailableException("The server is still gone.") : await commit(drafts);
        };

        var (decision, order) = await rig.PlaceAsync("alice");

        Assert.Equal(OrderDecision.Placed, decision);
        Assert.NotNull(order);
        Assert.Equal(4, failures);
        await rig.AssertSettledAsync(Stock - 1);
    }

    [Fact]
    public async Task PlaceAsync_WhenTheLedgerRefuses_NeverOpensTheBreaker()
    {
        for (var i = 0; i < 2 * Stock; i++)
        {
            // Each of the first ones twice: limit reached; then sold out.
            await rig.PlaceAsync($"user-{i / 2}");
            await rig.PlaceAsync($"user-{i / 2}");
        }

        Fail(new LedgerBusyException());
        for (var i = 0; i < 4 * Limits.SlowBreakerCalls; i++)
        {
            Assert.NotEqual(OrderDecision.LedgerUnavailable, (await rig.PlaceAsync($"late-{i}")).Decision);
        }

        Fail(new BatchRejectedException("A row was refused."));
        for (var i = 0; i < 4 * Limits.SlowBreakerCalls; i++)
        {
            Assert.NotEqual(OrderDecision.LedgerUnavailable, (await rig.PlaceAsync($"bad-{i}")).Decision);
        }

        Assert.Equal((BreakerState.Closed, 0), (rig.Breakers.Orders.Breaker.State, rig.Breakers.Orders.Breaker.Rejections));
    }

    private void Fail(Exception exception) => rig.Faults.OnPlace = (_, _) => throw exception;

    private async Task OpenAsync()
    {
        Fail(new LedgerUnavailableException("The disk is full."));
        for (var i = 0; i < Limits.SlowBreakerCalls; i++)
        {
            Assert.Equal(BreakerState.Closed, rig.Breakers.Orders.Breaker.State);
            Assert.Equal(OrderDecision.LedgerUnavailable, (await rig.PlaceAsync($"early-{i}")).Decision);
        }

        Assert.Equal(BreakerState.Open, rig.Breakers.Orders.Breaker.State);
    }
}
