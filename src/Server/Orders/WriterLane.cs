using System.Collections.Concurrent;
using System.Diagnostics;
using System.Threading.Channels;

using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Orders;

/// <summary>
/// One queue and one writer. A batch is whatever has arrived when the previous commit returned: alone, an order pays one commit; in a spike the batch grows
/// by itself. No timer.
/// </summary>
internal sealed class WriterLane(
    ILedger ledger, Settlements settlements, SaleMetrics metrics, LedgerWriterOptions options, LedgerPath path, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan RetryUnknownAfter = TimeSpan.FromMilliseconds(100);

    private readonly Channel<WaitingOrder> queue = Channel.CreateBounded<WaitingOrder>(new BoundedChannelOptions(options.QueueMax)
    {
        FullMode = BoundedChannelFullMode.Wait,
    });

    // Every order that waits or is with the ledger. Another request with the same token shares its answer: refused by itself, it would be told that nothing was
    // done while the first one is being written.
    private readonly ConcurrentDictionary<OrderId, WaitingOrder> open = new();

    // What the ledger is working on, for AnswerOverdue.
    private volatile InFlight? inFlight;
    private volatile bool stopped;

    // Of the last batches, in ticks of the time provider; what a batch takes changes slowly against how many wait.
    private long batchTicks;
    private Task settling = Task.CompletedTask;

    public int Waiting => queue.Reader.Count;

    public bool Stopped => stopped;

    /// <summary>How long an order that comes now would wait for its commit: the batches before it, and its own.</summary>
    public TimeSpan ExpectedWait
    {
        get
        {
            // Alone, an order may always try: a slow commit tells nothing of the next one.
            var batches = Waiting / options.BatchMax;
            return batches == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds((batches + 1) * Interlocked.Read(ref batchTicks) / (double)time.TimestampFrequency);
        }
    }

    /// <param name="draft">What to place.</param>
    /// <param name="admitted">The gate took a unit for it.</param>
    /// <param name="deadline">A timestamp: from then on it costs nothing more.</param>
    /// <param name="patience">With a longer <see cref="ExpectedWait"/> it is refused at once.</param>
    /// <param name="trace">Null when it is not traced.</param>
    public Task<WriterAnswer> SubmitAsync(OrderDraft draft, bool admitted, long deadline, Activity? trace, TimeSpan patience)
    {
        var waiting = new WaitingOrder(draft, admitted, time.GetTimestamp(), deadline, trace);
        var first = open.GetOrAdd(draft.Id, waiting);
        if (first != waiting)
        {
            return JoinAsync(first, admitted);
        }

        return ExpectedWait > patience ? RefuseNowAsync(waiting, OrderDecision.QueueTooSlow)
            : queue.Writer.TryWrite(waiting) ? waiting.Task
            : RefuseNowAsync(waiting, OrderDecision.QueueFull);
    }

    /// <summary>The first of equals placed the order, the others repeat it.</summary>
    private async Task<WriterAnswer> JoinAsync(WaitingOrder first, bool admitted)
    {
        var answer = await first.Task;
        if (admitted && answer.Order is null && answer.Decision != OrderDecision.OutcomeUnknown)
        {
            // The first had not taken a unit itself, and gives none back.
            await GiveBackAsync(first.Draft);
        }

        return answer.Decision == OrderDecision.Placed ? answer with { Decision = OrderDecision.Repeated } : answer;
    }

    private async Task<WriterAnswer> RefuseNowAsync(WaitingOrder waiting, OrderDecision decision)
    {
        await RefuseAsync([waiting], decision);
        return await waiting.Task;
    }

    public void Complete() => queue.Writer.TryComplete();

    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            while (await queue.Reader.WaitToReadAsync(CancellationToken.None))
            {
                var (batch, late) = Take();
                await RefuseAsync(late, OrderDecision.DeadlinePassed);
                if (batch.Length > 0)
                {
                    // The whole of it, also while it is written in halves: those whose half comes later wait as long.
                    inFlight = new InFlight(batch, time.GetTimestamp());
                    await CommitAsync(batch, stopping);
                    Note(time.GetTimestamp() - inFlight.Since, batch.Length);
                    inFlight = null;
                }
            }
        }
        finally
        {
            await settling;
            stopped = true;
        }
    }

    /// <summary>
    /// Orders past their deadline get their 503 here, before they cost anything; while the ledger hangs, so do those in the queue. Those that the
    /// ledger has had for too long are told that the outcome is unknown; they stay with the ledger until it is known.
    /// </summary>
    public async Task AnswerOverdueAsync()
    {
        if (inFlight is not { } working || time.GetElapsedTime(working.Since) < Limits.UnknownOutcomeDeadline)
        {
            return;
        }

        foreach (var order in working.Orders)
        {
            order.Answer(OrderDecision.OutcomeUnknown);
        }

        for (var waiting = queue.Reader.Count; waiting > 0 && queue.Reader.TryRead(out var order); waiting--)
        {
            await RefuseAsync([order], OrderDecision.LedgerUnavailable);
        }
    }

    /// <summary>What a full batch would have taken, by the last one that was at least a quarter full; the mean moves by a quarter.</summary>
    private void Note(long ticks, int count)
    {
        if (count >= options.BatchMax / 4)
        {
            Interlocked.Exchange(ref batchTicks, batchTicks == 0 ? ticks : batchTicks + (ticks - batchTicks) / 4);
        }
    }

    /// <summary>What waits, up to a batch, and the orders that came too late for any.</summary>
    private (WaitingOrder[] Batch, IReadOnlyList<WaitingOrder> Late) Take()
    {
        List<WaitingOrder> batch = [], late = [];
        var now = time.GetTimestamp();
        while (batch.Count < options.BatchMax && queue.Reader.TryRead(out var order))
        {
            order.TakenAt = now;
            (now > order.Deadline ? late : batch).Add(order);
        }

        return ([.. batch], late);
    }

    /// <summary>Commits a batch, in halves when one of its rows cannot be written, so that one bad order fails alone.</summary>
    private async Task CommitAsync(ReadOnlyMemory<WaitingOrder> orders, CancellationToken stopping)
    {
        try
        {
            var (placed, wasUnknown) = await PlaceAsync(orders.ToArray(), stopping);
            Answer(orders.Span, placed.Results, wasUnknown);
            // The gate learns of this batch while the ledger has the next one: its shoppers have their answer, and those to come need not wait for the gate.
            await settling;
            settling = SettleAsync(orders, placed);
        }
        catch (BatchRejectedException) when (orders.Length > 1)
        {
            var half = orders.Length / 2;
            await CommitAsync(orders[..half], stopping);
            await CommitAsync(orders[half..], stopping);
        }
        catch (Exception exception)
        {
            await FailAsync(orders, exception);
        }
    }

    /// <summary>While the outcome of a commit is unknown, the same ids are tried again: the ledger finds them, or writes them now.</summary>
    /// <returns>And whether it was unknown: then what was found may be of the first try.</returns>
    private async Task<(PlacementBatch Placed, bool WasUnknown)> PlaceAsync(WaitingOrder[] orders, CancellationToken stopping)
    {
        OrderDraft[] drafts = [.. orders.Select(order => order.Draft)];
        using var trace = Traces.StartBatch(orders, static order => order.Trace);
        var started = time.GetTimestamp();
        var unknown = false;
        try
        {
            while (true)
            {
                try
                {
                    using var commit = Traces.StartWithin(trace, "database commit", kind: ActivityKind.Client);

                    // What is unknown is asked for until it is known, whatever the breaker says.
                    var placed = unknown
                        ? await ledger.PlaceAsync(drafts, CancellationToken.None)
                        : await path.RunAsync(static all => all.ledger.PlaceAsync(all.drafts, CancellationToken.None), (ledger, drafts));
                    metrics.RecordBatch(drafts.Length, time.GetElapsedTime(started));
                    return (placed, unknown);
                }
                catch (Exception exception) when (exception is LedgerOutcomeUnknownException || (unknown && exception is LedgerUnavailableException or LedgerBusyException))
                {
                    if (!unknown)
                    {
                        unknown = true;
                        trace.Fail(exception.Message);
                        settlements.BeginUnknown();
                        log.LogError("The outcome of a commit of {Count} orders is not known; asking again: {Problem}", drafts.Length, exception.Message);
                    }

                    await Task.Delay(RetryUnknownAfter, time, stopping);
                }
            }
        }
        finally
        {
            if (unknown)
            {
                settlements.EndUnknown();
            }
        }
    }

    private void Answer(ReadOnlySpan<WaitingOrder> orders, IReadOnlyDictionary<OrderId, PlacementResult> results, bool wasUnknown)
    {
        var now = time.GetTimestamp();
        foreach (var order in orders)
        {
            var result = results[order.Draft.Id];
            // Found by the second try, it was placed by the first: nobody else has been told of it.
            var outcome = wasUnknown && result.Outcome == PlacementOutcome.AlreadyPlaced ? PlacementOutcome.Placed : result.Outcome;
            Close(order, DecisionOf(outcome), result.Order, now);
            metrics.RecordOrder(order.Draft.SaleId, time.GetElapsedTime(order.ArrivedAt, now));
            if (outcome == PlacementOutcome.Placed)
            {
                metrics.CountOrder(OrderStatus.Held);
            }
        }
    }

    private static OrderDecision DecisionOf(PlacementOutcome outcome) =>
        outcome switch
        {
            PlacementOutcome.Placed => OrderDecision.Placed,
            PlacementOutcome.AlreadyPlaced => OrderDecision.Repeated,
            PlacementOutcome.SoldOut => OrderDecision.LedgerSoldOut,
            PlacementOutcome.LimitReached => OrderDecision.LedgerLimitReached,
            _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "Unknown outcome."),
        };

    private async Task FailAsync(ReadOnlyMemory<WaitingOrder> orders, Exception exception)
    {
        var decision = exception switch
        {
            LedgerUnavailableException => OrderDecision.LedgerUnavailable,
            LedgerBusyException => OrderDecision.QueueFull,
            BatchRejectedException => OrderDecision.Broken,
            // Stopping while an outcome was unknown, or a defect: whether it was written is not known.
            _ => OrderDecision.OutcomeUnknown,
        };
        if (path.Breaker.State == BreakerState.Closed || decision != OrderDecision.LedgerUnavailable)
        {
            // Once it is open, each batch would say the same.
            log.LogError("{Count} orders could not be written: {Problem}", orders.Length, exception.Message);
        }

        await RefuseAsync(orders.ToArray(), decision);
    }

    /// <summary>Tells the gate, by order, what the ledger did. A gate that cannot be told heals with a later settlement.</summary>
    private async Task SettleAsync(ReadOnlyMemory<WaitingOrder> orders, PlacementBatch placed)
    {
        foreach (var stock in placed.Stocks)
        {
            List<SettledOrder> committed = [], refused = [], ended = [];
            foreach (var order in orders.Span)
            {
                if (order.Draft.OfferId == stock.OfferId)
                {
                    var settled = new SettledOrder(order.Draft.Id, order.Draft.UserId);
                    var now = placed.Results[order.Draft.Id].Order;
                    (now is null ? refused : OrderLifeCycle.IsLive(now.Status) ? committed : ended).Add(settled);
                }
            }

            await TellGateAsync(stock.OfferId, stock, committed, refused, ended);
        }
    }

    /// <summary>Answers orders that the ledger did not write, and gives back the units that the gate took for them; never while the outcome is unknown.</summary>
    private async Task RefuseAsync(IReadOnlyList<WaitingOrder> orders, OrderDecision decision)
    {
        foreach (var order in orders)
        {
            Close(order, decision);
            if (order.Admitted && decision != OrderDecision.OutcomeUnknown)
            {
                await GiveBackAsync(order.Draft);
            }
        }
    }

    /// <summary>The ledger has nothing to do with this order any more.</summary>
    private void Close(WaitingOrder order, OrderDecision decision, Order? placed = null, long committedAt = 0)
    {
        order.Answer(decision, placed, committedAt);
        open.TryRemove(KeyValuePair.Create(order.Draft.Id, order));
    }

    private Task GiveBackAsync(OrderDraft draft) => TellGateAsync(draft.OfferId, null, [], [new SettledOrder(draft.Id, draft.UserId)], []);

    /// <summary>A gate that cannot be told must not stop the writer: the next settlement that reaches it says the same.</summary>
    private async Task TellGateAsync(
        OfferId offer, OfferStock? stock, IReadOnlyList<SettledOrder> committed, IReadOnlyList<SettledOrder> refused, IReadOnlyList<SettledOrder> ended)
    {
        try
        {
            await settlements.SettleAsync(offer, stock, committed, refused, ended, CancellationToken.None);
        }
        catch (Exception exception)
        {
            log.LogWarning("The gate could not be told what became of orders of offer {Offer}: {Problem}", offer, exception.Message);
        }
    }

    private sealed record InFlight(WaitingOrder[] Orders, long Since);
}
