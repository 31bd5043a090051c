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
    ILedger ledger, Settlements settlements, SaleMetrics metrics, LedgerWriterOptions options, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan RetryUnknownAfter = TimeSpan.FromMilliseconds(100);

    private readonly Channel<WaitingOrder> queue = Channel.CreateBounded<WaitingOrder>(new BoundedChannelOptions(options.QueueMax)
    {
        FullMode = BoundedChannelFullMode.Wait,
    });

    // What the ledger is working on, for AnswerOverdue.
    private volatile InFlight? inFlight;
    private volatile bool stopped;

    public int Waiting => queue.Reader.Count;

    public bool Stopped => stopped;

    public Task<WriterAnswer> SubmitAsync(OrderDraft draft, bool admitted)
    {
        var waiting = new WaitingOrder(draft, admitted, time.GetTimestamp());
        return queue.Writer.TryWrite(waiting) ? waiting.Task : RefuseFullAsync(waiting);
    }

    private async Task<WriterAnswer> RefuseFullAsync(WaitingOrder waiting)
    {
        await RefuseAsync([waiting], OrderDecision.QueueFull);
        return await waiting.Task;
    }

    public void Complete() => queue.Writer.TryComplete();

    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            var batch = new Dictionary<OrderId, WaitingOrder>(options.BatchMax);
            while (await queue.Reader.WaitToReadAsync(CancellationToken.None))
            {
                var late = Take(batch);
                await RefuseAsync(late, OrderDecision.DeadlinePassed);

                if (batch.Count > 0)
                {
                    await CommitAsync(batch.Values.ToArray(), stopping);
                    batch.Clear();
                }
            }
        }
        finally
        {
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

    /// <summary>Fills the batch; gives back the orders that came too late for any.</summary>
    private IReadOnlyList<WaitingOrder> Take(Dictionary<OrderId, WaitingOrder> batch)
    {
        List<WaitingOrder>? late = null;
        while (batch.Count < options.BatchMax && queue.Reader.TryRead(out var order))
        {
            if (time.GetElapsedTime(order.ArrivedAt) > Limits.OrderDeadline)
            {
                (late ??= []).Add(order);
            }
            else if (batch.TryGetValue(order.Draft.Id, out var first))
            {
                order.Duplicate = first.Duplicate;
                first.Duplicate = order;
            }
            else
            {
                batch.Add(order.Draft.Id, order);
            }
        }

        return late is null ? [] : late;
    }

    /// <summary>Commits a batch, in halves when one of its rows cannot be written, so that one bad order fails alone.</summary>
    private async Task CommitAsync(ReadOnlyMemory<WaitingOrder> orders, CancellationToken stopping)
    {
        try
        {
            var placed = await PlaceAsync(orders.ToArray(), stopping);
            Answer(orders.Span, placed.Results);
            await SettleAsync(orders, placed);
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
    private async Task<PlacementBatch> PlaceAsync(WaitingOrder[] orders, CancellationToken stopping)
    {
        OrderDraft[] drafts = [.. orders.Select(order => order.Draft)];
        var started = time.GetTimestamp();
        inFlight = new InFlight(orders, started);
        var unknown = false;
        try
        {
            while (true)
            {
                try
                {
                    var placed = await ledger.PlaceAsync(drafts, CancellationToken.None);
                    metrics.RecordBatch(drafts.Length, time.GetElapsedTime(started).TotalSeconds);
                    return placed;
                }
                catch (Exception exception) when (exception is LedgerOutcomeUnknownException || (unknown && exception is LedgerUnavailableException or LedgerBusyException))
                {
                    if (!unknown)
                    {
                        unknown = true;
                        settlements.BeginUnknown();
                        log.LogError("The outcome of a commit of {Count} orders is not known; asking again: {Problem}", drafts.Length, exception.Message);
                    }

                    await Task.Delay(RetryUnknownAfter, time, stopping);
                }
            }
        }
        finally
        {
            inFlight = null;
            if (unknown)
            {
                settlements.EndUnknown();
            }
        }
    }

    private void Answer(ReadOnlySpan<WaitingOrder> orders, IReadOnlyDictionary<OrderId, PlacementResult> results)
    {
        foreach (var order in orders)
        {
            var result = results[order.Draft.Id];
            order.Answer(DecisionOf(result.Outcome), result.Order);
            metrics.RecordOrder(time.GetElapsedTime(order.ArrivedAt).TotalSeconds);
            if (result.Outcome == PlacementOutcome.Placed)
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
        log.LogError("{Count} orders could not be written: {Problem}", orders.Length, exception.Message);
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

            await settlements.SettleAsync(stock.OfferId, stock, committed, refused, ended, CancellationToken.None);
        }
    }

    /// <summary>
    /// Answers orders that the ledger did not write, and gives back the units that the gate took for them; never while the outcome is unknown, and never for a
    /// duplicate, whose unit is that of the first.
    /// </summary>
    private async Task RefuseAsync(IReadOnlyList<WaitingOrder> orders, OrderDecision decision)
    {
        foreach (var order in orders)
        {
            order.Answer(decision);
            if (order.Admitted && decision != OrderDecision.OutcomeUnknown)
            {
                var refused = new SettledOrder(order.Draft.Id, order.Draft.UserId);
                await settlements.SettleAsync(order.Draft.OfferId, null, [], [refused], [], CancellationToken.None);
            }
        }
    }

    private sealed record InFlight(WaitingOrder[] Orders, long Since);
}
