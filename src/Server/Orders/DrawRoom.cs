using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

using FlashSale.Core;
using FlashSale.Core.Draws;
using FlashSale.Core.Orders;
using FlashSale.Core.Sales;
using FlashSale.Server.Http;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Orders;

/// <summary>How a request to order ended. The order is there for <c>Placed</c> and <c>Repeated</c>.</summary>
/// <param name="Offer">Null when there is no such offer.</param>
public readonly record struct OrderAnswer(OrderDecision Decision, Order? Order = null, LiveOffer? Offer = null)
{
    /// <summary>Of one that a ledger writer answered; else default.</summary>
    public OrderTimes Times { get; init; }
}

/// <summary>When an order came from one stage to the next: timestamps of the time provider.</summary>
/// <param name="AskedAt">The gate was asked.</param>
/// <param name="AdmittedAt">It let the order in, which then waited for a writer.</param>
/// <param name="TakenAt">A batch took it.</param>
/// <param name="CommittedAt">That was durable; 0 when it never was.</param>
public readonly record struct OrderTimes(long AskedAt, long AdmittedAt, long TakenAt, long CommittedAt);

/// <summary>What becomes of a request to order that need not wait: admission, then the ledger writer.</summary>
public delegate ValueTask<OrderAnswer> Placing(OrderSubmission submission);

/// <summary>
/// Where requests to order wait for the draws of their sales (<see cref="SalePhases.DrawIsOpen"/>; docs/draw.md). In memory only: what waits has written nothing but its entry.
/// </summary>
public sealed class DrawRoom : IDisposable
{
    private readonly ILedger ledger;
    private readonly TimeProvider time;
    private readonly ILogger<DrawRoom> log;
    private readonly int capacity;

    // A draw that is over stays until a later one begins: it tells those who come then that they need not wait.
    private readonly ConcurrentDictionary<(SaleId Sale, DrawTimes Times), SaleDraw> draws = new();
    private int waiting;

    /// <param name="capacity">Requests that wait, at most.</param>
    public DrawRoom(ILedger ledger, TimeProvider time, SaleMetrics metrics, ILogger<DrawRoom> log, int capacity = Limits.DrawEntries)
    {
        this.ledger = ledger;
        this.time = time;
        this.log = log;
        this.capacity = capacity;
        metrics.Observe("flashsale.draw.waiting", "Requests to order that wait for a draw", () => [new Measurement<long>(Waiting)]);
    }

    /// <summary>Requests that wait in this instance.</summary>
    public int Waiting => Volatile.Read(ref waiting);

    /// <summary>The answer comes when the draw has let it go and it was placed or refused, with a fresh <see cref="Limits.OrderDeadline"/>; at once when there is nothing to wait for.</summary>
    public ValueTask<OrderAnswer> PlaceAsync(OrderSubmission submission, LiveOffer offer, Placing place)
    {
        var key = (offer.Sale.Sale.Id, DrawTimes.Of(offer.Sale.Sale));
        if (!draws.TryGetValue(key, out var draw))
        {
            Forget();
            draw = draws.GetOrAdd(key, static (key, room) => new SaleDraw(key.Sale, key.Times, room, room.ledger, room.time, room.log), this);
        }

        return draw.PlaceAsync(submission, offer, place);
    }

    /// <summary>For orders of draws that are under way.</summary>
    internal SemaphoreSlim Places { get; } = new(Limits.DrawAtOnce);

    public void Dispose() => Places.Dispose();

    /// <summary>One more waits; false when there is no room.</summary>
    internal bool TryEnter()
    {
        if (Interlocked.Increment(ref waiting) <= capacity)
        {
            return true;
        }

        Interlocked.Decrement(ref waiting);
        return false;
    }

    internal void Leave() => Interlocked.Decrement(ref waiting);

    private void Forget()
    {
        foreach (var (key, draw) in draws)
        {
            if (draw.IsOver && time.GetUtcNow() >= key.Times.EndsAt)
            {
                draws.TryRemove(key, out _);
            }
        }
    }
}
