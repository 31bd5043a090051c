using FlashSale.Core;
using FlashSale.Core.Draws;
using FlashSale.Server.Http;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Orders;

/// <summary>
/// One draw, as one instance runs it: collects requests and writes their entries as they come, has the list fixed when all instances have had their time, and lets its own go:
/// those whose rank is within the stock, then the others, then those who came too late for the draw. Who is let go is admitted like anybody else: the draw orders the queue, and
/// promises nothing that the ledger does not hold.
/// </summary>
internal sealed class SaleDraw(SaleId sale, DrawTimes times, DrawRoom room, ILedger ledger, TimeProvider time, ILogger log)
{
    private readonly Lock state = new();

    // Every request that waits, by the order that it may place: another one with the same token shares its answer.
    private readonly Dictionary<OrderId, Waiter> waiters = [];
    private readonly Dictionary<(OfferId Offer, UserId User), Waiter> entrants = [];
    private readonly HashSet<OrderId> placed = [];
    private List<Waiter> unwritten = [];

    // In the order of arrival.
    private List<Waiter> late = [];
    private bool begun;
    private bool ranked;
    private volatile bool over;

    /// <summary>Nobody waits any more.</summary>
    public bool IsOver => over;

    public ValueTask<OrderAnswer> PlaceAsync(OrderSubmission submission, LiveOffer offer, Placing place)
    {
        if (!over)
        {
            lock (state)
            {
                // A token whose order is there is answered like any other time.
                if (!over && !placed.Contains(submission.Token.OrderId))
                {
                    return WaitAsync(submission, offer, place);
                }
            }
        }

        return place(submission);
    }

    private ValueTask<OrderAnswer> WaitAsync(OrderSubmission submission, LiveOffer offer, Placing place)
    {
        var token = submission.Token;
        if (waiters.TryGetValue(token.OrderId, out var first))
        {
            return JoinAsync(first);
        }

        var now = time.GetUtcNow();
        if (now < times.FixedFrom && LeftOf(submission) < times.FixedFrom - now)
        {
            return new(new OrderAnswer(OrderDecision.DeadlinePassed, Offer: offer));
        }

        if (!room.TryEnter())
        {
            return new(new OrderAnswer(OrderDecision.DrawFull, Offer: offer));
        }

        var waiter = new Waiter(submission, offer, place);
        waiters.Add(token.OrderId, waiter);
        var enters = !ranked && now < times.ClosesAt && entrants.TryAdd((token.OfferId, token.UserId), waiter);
        (enters ? unwritten : late).Add(waiter);
        if (!begun)
        {
            begun = true;
            _ = RunAsync();
        }

        return new(waiter.Task);
    }

    private TimeSpan LeftOf(OrderSubmission submission) => TimeSpan.FromSeconds((submission.Deadline - time.GetTimestamp()) / (double)time.TimestampFrequency);

    /// <summary>The first of equals placed the order, the others repeat it.</summary>
    private static async ValueTask<OrderAnswer> JoinAsync(Waiter first)
    {
        var answer = await first.Task;
        return answer.Decision == OrderDecision.Placed ? answer with { Decision = OrderDecision.Repeated } : answer;
    }

    private async Task RunAsync()
    {
        // Whoever begins it holds the lock.
        await Task.Yield();
        try
        {
            await CollectAsync();
            if (await FixAsync() is { } list)
            {
                await LetGoAsync(list);
                return;
            }

            log.LogError("The draw of sale {Sale} was not fixed in time: who waited for it is told that the ledger is not available, and orders are served as they come", sale);
        }
        catch (Exception exception)
        {
            log.LogError(exception, "The draw of sale {Sale} broke", sale);
        }

        Refuse();
    }

    /// <summary>Writes what has come, again and again, until the list may be fixed.</summary>
    private async Task CollectAsync()
    {
        while (time.GetUtcNow() < times.FixedFrom)
        {
            await Task.Delay(Limits.DrawStep, time);
            while (TakeUnwritten() is { Count: > 0 } batch)
            {
                if (!await TryWriteAsync(batch))
                {
                    lock (state)
                    {
                        unwritten.InsertRange(0, batch);
                    }

                    break;
                }
            }
        }
    }

    private List<Waiter> TakeUnwritten()
    {
        lock (state)
        {
            var batch = unwritten[..Math.Min(unwritten.Count, Limits.DrawBatch)];
            unwritten.RemoveRange(0, batch.Count);
            return batch;
        }
    }

    /// <summary>False: to be tried again, as long as there is time. To write it twice changes nothing.</summary>
    private async Task<bool> TryWriteAsync(List<Waiter> batch)
    {
        try
        {
            return await ledger.EnterDrawAsync(sale, batch.ConvertAll(waiter => waiter.Entrant), CancellationToken.None).WaitAsync(PatienceUntil(times.FixedFrom), time);
        }
        catch (Exception exception) when (IsOfTheLedger(exception))
        {
            return false;
        }
    }

    /// <summary>Null when it was not fixed in time.</summary>
    private async Task<FixedDraw?> FixAsync()
    {
        while (time.GetUtcNow() < times.FixedUntil)
        {
            try
            {
                // A long list takes its time to be read; what is fixed stays so meanwhile.
                if (await ledger.FixDrawAsync(sale, CancellationToken.None).WaitAsync(PatienceUntil(times.FixedUntil), time)
                    && await ledger.ReadDrawAsync(sale, CancellationToken.None).WaitAsync(PatienceUntil(times.EndsAt), time) is { } list)
                {
                    return list;
                }
            }
            catch (Exception exception) when (IsOfTheLedger(exception))
            {
                // Again, until nobody can wait any longer.
            }

            await Task.Delay(Limits.DrawStep, time);
        }

        return null;
    }

    private TimeSpan PatienceUntil(DateTimeOffset moment) => moment - time.GetUtcNow() is var left && left > Limits.DrawStep ? left : Limits.DrawStep;

    private static bool IsOfTheLedger(Exception exception) =>
        exception is LedgerUnavailableException or LedgerBusyException or LedgerOutcomeUnknownException or TimeoutException;

    private async Task LetGoAsync(FixedDraw list)
    {
        var (winners, others) = Rank(list);
        log.LogInformation(
            "Sale {Sale} is drawn: {Entries} entries, {Winners} of this instance within the stock and {Others} not",
            sale, list.Offers.Sum(offer => offer.Entries.Count), winners.Count, others.Count);
        foreach (var waiter in winners)
        {
            await GoAsync(waiter);
        }

        var othersGo = list.FixedAt + Limits.DrawOthersAfter;
        var allWent = false;
        while (!over)
        {
            lock (state)
            {
                others.AddRange(late);
                late = [];
                if (allWent)
                {
                    // Only who came in the last step is left: nobody is overtaken by more than that.
                    End();
                }
            }

            var now = time.GetUtcNow();
            allWent = now >= othersGo;
            // Sold out by the ledger's word: then there is nothing to wait for.
            var going = others.ToLookup(waiter => now >= othersGo || waiter.Offer.SoldOut);
            others = [.. going[false]];
            foreach (var waiter in going[true])
            {
                await GoAsync(waiter);
            }

            if (!over)
            {
                await Task.Delay(Limits.DrawStep, time);
            }
        }
    }

    /// <summary>Those within the stock and those who are not, each in their drawn order; behind them who came in time and is not in the list.</summary>
    private (List<Waiter> Winners, List<Waiter> Others) Rank(FixedDraw list)
    {
        List<(int Rank, Waiter Waiter)> winners = [], others = [];
        lock (state)
        {
            ranked = true;
            var own = entrants.Values.ToDictionary(waiter => waiter.Entrant.Entry);
            foreach (var offer in list.Offers)
            {
                for (var rank = 0; rank < offer.Entries.Count; rank++)
                {
                    if (own.Remove(offer.Entries[rank], out var waiter))
                    {
                        (rank < offer.Stock ? winners : others).Add((rank, waiter));
                    }
                }
            }

            late.InsertRange(0, own.Values);
        }

        return (InOrder(winners), InOrder(others));

        static List<Waiter> InOrder(List<(int Rank, Waiter Waiter)> ranked) => [.. ranked.OrderBy(one => one.Rank).Select(one => one.Waiter)];
    }

    /// <summary>Returns as soon as it is on its way, in its place behind those before it.</summary>
    private async Task GoAsync(Waiter waiter)
    {
        await room.Places.WaitAsync();
        waiter.HasGone = true;
        _ = PlaceAsync(waiter);
    }

    private async Task PlaceAsync(Waiter waiter)
    {
        try
        {
            Answer(waiter, await waiter.PlaceAsync(time));
        }
        catch (Exception exception)
        {
            Leave(waiter, isPlaced: false);
            waiter.TrySetException(exception);
        }
        finally
        {
            room.Places.Release();
        }
    }

    /// <summary>What is kept of it until it is forgotten is that it is over.</summary>
    private void End()
    {
        over = true;
        entrants.Clear();
        placed.Clear();
    }

    private void Refuse()
    {
        List<Waiter> all;
        lock (state)
        {
            // Of one that is on its way nobody knows yet what becomes of it.
            all = [.. waiters.Values.Where(waiter => !waiter.HasGone)];
            End();
        }

        foreach (var waiter in all)
        {
            Answer(waiter, new OrderAnswer(OrderDecision.NotDrawn, Offer: waiter.Offer));
        }
    }

    private void Answer(Waiter waiter, OrderAnswer answer)
    {
        Leave(waiter, isPlaced: answer.Order is not null);
        waiter.TrySetResult(answer);
    }

    private void Leave(Waiter waiter, bool isPlaced)
    {
        lock (state)
        {
            if (isPlaced && !over)
            {
                placed.Add(waiter.Order);
            }

            if (!waiters.Remove(waiter.Order))
            {
                return;
            }
        }

        room.Leave();
    }

    /// <summary>A request that waits for its answer.</summary>
    private sealed class Waiter(OrderSubmission submission, LiveOffer offer, Placing place)
        : TaskCompletionSource<OrderAnswer>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public OrderId Order => submission.Token.OrderId;

        public LiveOffer Offer => offer;

        /// <summary>It was let go, and gets its answer from where it went.</summary>
        public bool HasGone { get; set; }

        public DrawEntrant Entrant { get; } = new(
            submission.Token.OfferId, submission.Token.UserId, DrawEntry.Of(submission.Token.OrderId, submission.Token.OfferId, submission.Token.UserId));

        /// <summary>From now on it has as long as any other order.</summary>
        public ValueTask<OrderAnswer> PlaceAsync(TimeProvider time) => place(submission.Renew(Limits.OrderDeadline, time));
    }
}
