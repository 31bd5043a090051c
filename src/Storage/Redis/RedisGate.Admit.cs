using FlashSale.Core;
using FlashSale.Core.Orders;

using Polly.CircuitBreaker;

using StackExchange.Redis;

using AdmissionLane = FlashSale.Storage.Redis.RedisLane<FlashSale.Storage.AdmissionRequest, FlashSale.Core.Orders.AdmissionOutcome>;
using RedisAdmission = FlashSale.Storage.Redis.RedisAsk<FlashSale.Storage.AdmissionRequest, FlashSale.Core.Orders.AdmissionOutcome>;

namespace FlashSale.Storage.Redis;

public sealed partial class RedisGate
{
    /// <summary>What admit.lua says besides the outcomes: noted at home, and a unit is to be taken from another shard.</summary>
    private const AdmissionOutcome TakeElsewhere = (AdmissionOutcome)100;

    public ValueTask<AdmissionOutcome> AdmitAsync(in AdmissionRequest request, CancellationToken cancellation) =>
        offers.TryGetValue(request.OfferId, out var offer) && offer.Sale.Id == request.SaleId
            ? AdmitAsync(offer, request, cancellation)
            : AdmitUnknownAsync(CreateOffer(request.OfferId, new RedisSale(request.SaleId, options)), request, cancellation);

    /// <summary>Another instance may have loaded it. Only an offer that is there is worth remembering.</summary>
    private async ValueTask<AdmissionOutcome> AdmitUnknownAsync(RedisOffer offer, AdmissionRequest request, CancellationToken cancellation)
    {
        var outcome = await AdmitAsync(offer, request, cancellation);
        if (outcome is not (AdmissionOutcome.NotWarm or AdmissionOutcome.Unavailable))
        {
            offers.TryAdd(offer.Id, offer);
        }

        return outcome;
    }

    /// <summary>The breaker counts admissions rather than calls: one that hangs keeps hundreds waiting, and soon opens it.</summary>
    private async ValueTask<AdmissionOutcome> AdmitAsync(RedisOffer offer, AdmissionRequest request, CancellationToken cancellation)
    {
        var home = offer.Sale.HomeOf(request.UserId);
        var outcome = await breakers[home].TryAsync(
            static all => all.lane.AskAsync(all.request, all.cancellation), (lane: offer.LaneOf(home), request, cancellation));
        if (outcome.Exception is BrokenCircuitException)
        {
            return AdmissionOutcome.Unavailable;
        }

        outcome.ThrowIfException();
        return outcome.Result;
    }

    private RedisOffer CreateOffer(OfferId id, RedisSale sale) =>
        new(id, sale, (offer, shard) => new AdmissionLane(batch => AdmitAsync(offer, shard, batch), options.Timeout, time));

    private async Task AdmitAsync(RedisOffer offer, int home, RedisAdmission[] batch)
    {
        byte[] outcomes;
        try
        {
            outcomes = (byte[])(await redis.EvaluateAsync(
                RedisScript.Admit, offer.Admission[home], AdmissionValues(batch, offer.Sale.Shards > 1 && offer.MayBeElsewhere(time)), CancellationToken.None))!;
        }
        catch
        {
            // It may have been done.
            offer.NoteAdmission();
            throw;
        }

        // Standby too: what is pending may be an instance's that is gone.
        if (outcomes.AsSpan().ContainsAny((byte)AdmissionOutcome.Admitted, (byte)AdmissionOutcome.Standby))
        {
            offer.NoteAdmission();
        }

        var spilled = 0;
        for (var i = 0; i < batch.Length; i++)
        {
            if ((AdmissionOutcome)outcomes[i] == TakeElsewhere)
            {
                batch[spilled++] = batch[i];
            }
            else
            {
                batch[i].SetResult((AdmissionOutcome)outcomes[i]);
            }
        }

        if (spilled > 0)
        {
            // The home shard need not wait for the others.
            _ = TakeElsewhereAsync(offer, home, batch[..spilled]);
        }
    }

    private static RedisValue[] AdmissionValues(RedisAdmission[] batch, bool elsewhere)
    {
        var values = new RedisValue[1 + 3 * batch.Length];
        var at = 0;
        values[at++] = elsewhere ? Yes : No;
        var last = long.MinValue;
        foreach (var admission in batch)
        {
            var now = admission.Request.Now.ToUnixTimeMilliseconds();
            values[at++] = BytesOf(admission.Request.OrderId);
            values[at++] = admission.Request.UserId.Value;
            // The time of one that is barred is negative, and no other's.
            values[at++] = admission.Request.IsBarred ? -now : now == last ? RedisValue.EmptyString : now;
            last = admission.Request.IsBarred ? long.MinValue : now;
        }

        return values;
    }

    /// <summary>The first ones get what there is; nothing it throws is lost.</summary>
    private async Task TakeElsewhereAsync(RedisOffer offer, int home, RedisAdmission[] spilled)
    {
        var done = 0;
        void Complete(int count, AdmissionOutcome outcome)
        {
            offer.NoteAdmission();
            for (var until = done + count; done < until; done++)
            {
                spilled[done].SetResult(outcome);
            }
        }

        try
        {
            var first = offer.HadUnits;
            for (var i = 0; i < offer.Sale.Shards && done < spilled.Length; i++)
            {
                var shard = (first + i) % offer.Sale.Shards;
                var taken = shard == home ? 0 : await TakeAsync(offer, shard, spilled.AsMemory(done));
                if (taken > 0)
                {
                    offer.HadUnits = shard;
                    Borrow(shard, spilled.AsSpan(done, taken));
                    Complete(taken, AdmissionOutcome.Admitted);
                }
            }

            if (done < spilled.Length)
            {
                offer.NoteNoneElsewhere(time);
                await UndoAsync(offer, home, spilled[done..]);
                Complete(spilled.Length - done, AdmissionOutcome.Standby);
            }
        }
        catch (Exception exception)
        {
            offer.NoteAdmission();
            foreach (var admission in spilled)
            {
                admission.Fail(exception);
            }
        }
    }

    /// <summary>How many of them got a unit. A shard that is away has none: should it have given some all the same, they grow old there.</summary>
    private async Task<int> TakeAsync(RedisOffer offer, int shard, ReadOnlyMemory<RedisAdmission> batch)
    {
        try
        {
            return (int)await EvaluateAsync(shard, RedisScript.Take, offer.Pending[shard], TakeValues(batch.Span), CancellationToken.None);
        }
        catch (GateUnavailableException)
        {
            return 0;
        }
    }

    private static RedisValue[] TakeValues(ReadOnlySpan<RedisAdmission> batch)
    {
        var values = new RedisValue[2 * batch.Length];
        var at = 0;
        foreach (var admission in batch)
        {
            values[at++] = admission.Request.Now.ToUnixTimeMilliseconds();
            values[at++] = BytesOf(admission.Request.OrderId);
        }

        return values;
    }

    private void Borrow(int shard, ReadOnlySpan<RedisAdmission> batch)
    {
        foreach (var admission in batch)
        {
            if (borrowed.Count < Limits.GateBorrowed)
            {
                borrowed[admission.Request.OrderId] = shard;
            }
        }
    }

    /// <summary>Takes the notes at home back.</summary>
    private async Task UndoAsync(RedisOffer offer, int home, RedisAdmission[] batch)
    {
        var part = new SettlementPart();
        foreach (var admission in batch)
        {
            part.Refused.Add(new SettledOrder(admission.Request.OrderId, admission.Request.UserId));
        }

        await SettleAsync(offer, home, default, null, part, CancellationToken.None);
    }
}
