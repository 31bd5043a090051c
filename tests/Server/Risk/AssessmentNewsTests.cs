using FlashSale.Core;
using FlashSale.Core.Reservations;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

using Xunit;

namespace FlashSale.Tests.Server.Risk;

public sealed class AssessmentNewsTests
{
    [Fact]
    public async Task Tell_WhenSeveralWaitForOneReservation_TellsThemAll()
    {
        using var news = new AssessmentNews(promptly: true, TimeProvider.System);
        var id = Guid.NewGuid();
        using var first = news.Expect(id);
        using var second = news.Expect(id);
        using var other = news.Expect(Guid.NewGuid());

        var waiting = Task.WhenAll(first.OutcomeAsync(default).AsTask(), second.OutcomeAsync(default).AsTask(), other.OutcomeAsync(default).AsTask());
        news.Tell(id, ReservationStatus.Rejected);

        Assert.Equal([ReservationStatus.Rejected, ReservationStatus.Rejected, ReservationStatus.Pending], await waiting);
    }

    [Fact]
    public async Task Expect_BeforeItIsTold_CatchesWhatComesBeforeAnybodyWaits()
    {
        using var news = new AssessmentNews(promptly: true, TimeProvider.System);
        var id = Guid.NewGuid();
        using var expected = news.Expect(id);

        news.Tell(id, ReservationStatus.Approved);

        Assert.Equal(ReservationStatus.Approved, await expected.OutcomeAsync(default));
    }

    [Fact]
    public async Task OutcomeAsync_WhereProvidersAreAsked_DoesNotWait()
    {
        using var news = new AssessmentNews(promptly: false, TimeProvider.System);
        using var expected = news.Expect(Guid.NewGuid());

        var outcome = expected.OutcomeAsync(default).AsTask();

        Assert.True(outcome.IsCompleted);
        Assert.Equal(ReservationStatus.Pending, await outcome);
        await news.ListenAsync(Timeout.InfiniteTimeSpan, default);
    }

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
