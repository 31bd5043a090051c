using System.Collections.Concurrent;

using FlashSale.Core;
using FlashSale.Core.Reservations;

namespace FlashSale.Storage;

/// <summary>
/// Between those who reserve and those who assess in the same process: a new reservation wakes the worker, and whoever waits for its outcome is told at once.
/// What other instances do is seen in the ledger. Nothing is lost with it.
/// </summary>
/// <param name="promptly">Assessments are made in this process, and ask nobody who may be slow: it is worth waiting for one.</param>
public sealed class AssessmentNews(bool promptly, TimeProvider time) : IDisposable
{
    private readonly SemaphoreSlim rung = new(0, 1);
    private readonly ConcurrentDictionary<Guid, Awaited> awaited = new();
    private readonly TimeProvider time = time;
    private int awaiting;

    /// <summary>From here on the outcome of this reservation is caught. To be disposed.</summary>
    public Expectation Expect(Guid reservation)
    {
        if (!promptly)
        {
            return new Expectation(this, reservation, null);
        }

        if (Interlocked.Increment(ref awaiting) > Limits.AssessmentsAwaited)
        {
            Interlocked.Decrement(ref awaiting);
            return new Expectation(this, reservation, null);
        }

        // People press the button more than once: all who wait for a reservation hear of it.
        var shared = awaited.AddOrUpdate(reservation, static _ => new Awaited(1, NewOutcome()), static (_, others) => others with { Waiters = others.Waiters + 1 });
        return new Expectation(this, reservation, shared.Outcome);
    }

    /// <summary>There is something to assess.</summary>
    public void Ring()
    {
        if (rung.CurrentCount == 0)
        {
            try
            {
                rung.Release();
            }
            catch (SemaphoreFullException)
            {
                // Somebody else has rung at this moment.
            }
        }
    }

    /// <summary>Until somebody rings, and no longer than <paramref name="patience"/>.</summary>
    public async Task ListenAsync(TimeSpan patience, CancellationToken cancellation) => await rung.WaitAsync(patience, cancellation);

    /// <summary>Tells whoever waits here.</summary>
    public void Tell(Guid reservation, ReservationStatus status)
    {
        if (awaited.TryGetValue(reservation, out var shared))
        {
            shared.Outcome.TrySetResult(status);
        }
    }

    public void Dispose() => rung.Dispose();

    private void Forget(Guid reservation)
    {
        Interlocked.Decrement(ref awaiting);
        while (awaited.TryGetValue(reservation, out var shared))
        {
            if (shared.Waiters == 1
                ? awaited.TryRemove(KeyValuePair.Create(reservation, shared))
                : awaited.TryUpdate(reservation, shared with { Waiters = shared.Waiters - 1 }, shared))
            {
                return;
            }
        }
    }

    private static TaskCompletionSource<ReservationStatus> NewOutcome() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed record Awaited(int Waiters, TaskCompletionSource<ReservationStatus> Outcome);

    /// <summary>Somebody who waits for the outcome of a reservation.</summary>
    public sealed class Expectation(AssessmentNews news, Guid reservation, TaskCompletionSource<ReservationStatus>? outcome) : IDisposable
    {
        /// <summary>Of a reservation that is there and pending: its status as soon as it is decided, or pending when that takes too long.</summary>
        public async ValueTask<ReservationStatus> OutcomeAsync(CancellationToken cancellation)
        {
            news.Ring();
            if (outcome is null)
            {
                return ReservationStatus.Pending;
            }

            try
            {
                return await outcome.Task.WaitAsync(Limits.AssessmentPatience, news.time, cancellation);
            }
            catch (TimeoutException)
            {
                return ReservationStatus.Pending;
            }
        }

        public void Dispose()
        {
            if (outcome is not null)
            {
                news.Forget(reservation);
            }
        }
    }
}
