using FlashSale.Core.Wire;
using FlashSale.Server.Edge;

using Xunit;

namespace FlashSale.Tests.Server.Edge;

public sealed class InFlightLimitTests
{
    private static readonly SheddingDocument Thresholds = new(TargetLatencyMs: 100, InFlightMin: 10, InFlightMax: 2_000);
    private readonly InFlightLimit limit = new();

    [Fact]
    public void TryEnter_UpToTheShareOfTheLimit_AndNotOneMore()
    {
        Assert.Equal(InFlightLimit.Initial / 2, Enter(percent: 50, tries: 2 * InFlightLimit.Initial));
        Assert.False(limit.TryEnter(50));
        Assert.Equal(InFlightLimit.Initial / 2, Enter(percent: 100, tries: 2 * InFlightLimit.Initial));
        Assert.Equal(InFlightLimit.Initial, limit.InFlight);

        // What is essential always enters, and takes up room.
        Assert.True(limit.TryEnter(null));
        limit.Leave(null);
        limit.Leave(null);
        Assert.True(limit.TryEnter(100));
        Assert.False(limit.TryEnter(100));
    }

    [Fact]
    public void Adapt_WhileATenthTakesTooLong_FallsToTheMinimum()
    {
        for (var i = 0; i < 60; i++)
        {
            Run(count: 100, slow: 11);
            limit.Adapt(Thresholds, TimeSpan.Zero);
        }

        Assert.Equal(Thresholds.InFlightMin, limit.Limit);
        Assert.True(limit.Latency > TimeSpan.FromMilliseconds(100));
    }

    [Fact]
    public void Adapt_WhileLessThanATenthTakesTooLong_DoesNotFall()
    {
        for (var i = 0; i < 60; i++)
        {
            Run(count: 100, slow: 9);
            limit.Adapt(Thresholds, TimeSpan.Zero);
        }

        Assert.Equal(InFlightLimit.Initial, limit.Limit);
    }

    [Fact]
    public void Adapt_WhenItIsThreadsThatAreLate_DoesNotFall()
    {
        // 150 ms and a little, of which three times 25 are not the requests' own.
        for (var i = 0; i < 60; i++)
        {
            Run(count: 100, slow: 100);
            limit.Adapt(Thresholds, TimeSpan.FromMilliseconds(25));
        }

        Assert.Equal(InFlightLimit.Initial, limit.Limit);
        Run(count: 100, slow: 100);
        limit.Adapt(Thresholds, TimeSpan.FromMilliseconds(10));
        Assert.True(limit.Limit < InFlightLimit.Initial);
    }

    [Fact]
    public void Adapt_WhenItIsUsedAndAnswersAreQuick_RisesToTheMaximum()
    {
        for (var i = 0; i < 60; i++)
        {
            Run(count: limit.Limit, slow: 0);
            limit.Adapt(Thresholds, TimeSpan.Zero);
        }

        Assert.Equal(Thresholds.InFlightMax, limit.Limit);
    }

    [Fact]
    public void Adapt_WhenNobodyNeedsMore_StaysWhereItIs()
    {
        for (var i = 0; i < 60; i++)
        {
            Run(count: InFlightLimit.Initial / 2, slow: 0);
            limit.Adapt(Thresholds, TimeSpan.Zero);
        }

        Assert.Equal(InFlightLimit.Initial, limit.Limit);
    }

    [Fact]
    public void Adapt_AfterASpike_IsBackWithinFiveSeconds()
    {
        for (var i = 0; i < 60; i++)
        {
            Run(count: 100, slow: 100);
            limit.Adapt(Thresholds, TimeSpan.Zero);
        }

        Assert.Equal(Thresholds.InFlightMin, limit.Limit);
        for (var i = 0; i < 50; i++)
        {
            Run(count: limit.Limit, slow: 0);
            limit.Adapt(Thresholds, TimeSpan.Zero);
        }

        Assert.True(limit.Limit >= InFlightLimit.Initial, $"{limit.Limit} after 5 s");
    }

    [Fact]
    public void Adapt_WhenAnOperatorSetsOtherBounds_KeepsToThemAtOnce()
    {
        limit.Adapt(Thresholds with { InFlightMax = 100 }, TimeSpan.Zero);
        Assert.Equal(100, limit.Limit);
        limit.Adapt(Thresholds with { InFlightMin = 500 }, TimeSpan.Zero);
        Assert.Equal(500, limit.Limit);
    }

    private int Enter(int percent, int tries) => Enumerable.Range(0, tries).Count(_ => limit.TryEnter(percent));

    private void Run(int count, int slow)
    {
        var entered = Enter(percent: 100, count);
        for (var i = 0; i < entered; i++)
        {
            limit.Leave(TimeSpan.FromMilliseconds(i < slow ? 150 : 10));
        }
    }
}
