using FlashSale.Core;
using FlashSale.Server.Telemetry;

using Xunit;

namespace FlashSale.Tests.Server.Telemetry;

public sealed class ConductLogTests
{
    [Fact]
    public async Task Note_FromManyAtOnceWhileItIsTaken_LosesNothing()
    {
        var log = new ConductLog();
        var user = UserId.Parse("anna");
        var taken = 0;
        var noting = Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(
            () =>
            {
                for (var i = 0; i < 50_000; i++)
                {
                    log.Note(user, ConductKind.TokenAsked);
                }
            },
            default, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        while (!noting.IsCompleted)
        {
            taken += log.Take(10).Sum(one => one.Count);
        }

        await noting;
        Assert.Equal(200_000, taken + log.Take(10).Sum(one => one.Count));
    }

    [Fact]
    public void Note_BeyondItsBound_CountsOnlyWhomItKnows()
    {
        var log = new ConductLog();
        for (var i = 0; i < Limits.ConductTracked + 100; i++)
        {
            log.Note(UserId.Parse($"u{i}"), ConductKind.TokenAsked);
        }

        log.Note(UserId.Parse("u0"), ConductKind.TokenAsked);
        var taken = log.Take(int.MaxValue);
        Assert.Equal(Limits.ConductTracked, taken.Count);
        Assert.Equal(2, taken.Single(one => one.User == UserId.Parse("u0")).Count);
        log.PutBack(UserId.Parse("u0"), ConductKind.TokenAsked, 2);
        log.Note(UserId.Parse("u0"), ConductKind.TokenAsked);
        Assert.Equal(3, Assert.Single(log.Take(10)).Count);
    }
}
