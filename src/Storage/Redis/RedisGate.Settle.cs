using FlashSale.Core;

using StackExchange.Redis;

namespace FlashSale.Storage.Redis;

public sealed partial class RedisGate
{
    public async ValueTask<bool> SettleAsync(Settlement settlement, CancellationToken cancellation)
    {
        if (!offers.TryGetValue(settlement.OfferId, out var offer))
        {
            return false;
        }

        var before = offer.Admissions;
        var parts = Divide(settlement, offer);

        // Without stock only those shards hear of it that it says something about; a settlement that names no orders is for all.
        var named = settlement.Stock is null && parts.Any(part => !part.IsEmpty);
        var calls = Enumerable.Range(0, parts.Length)
            .Where(shard => !named || !parts[shard].IsEmpty)
            .Select(shard => SettleAsync(offer, shard, settlement.Stock, settlement.Now, parts[shard], cancellation));
        var (settled, pending) = (true, 0L);
        foreach (var (ok, stillPending) in await Task.WhenAll(calls))
        {
            settled &= ok;
            pending += stillPending;
        }

        offer.ForgetNoneElsewhere();
        if (pending > 0)
        {
            // Another instance's, which may be gone.
            if (before == offer.Admissions)
            {
                offer.NoteAdmission();
            }
        }
        else if (settled && !named)
        {
            offer.NoteNonePending(before);
        }

        return settled;
    }

    private SettlementPart[] Divide(Settlement settlement, RedisOffer offer)
    {
        var parts = new SettlementPart[offer.Sale.Shards];
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = new SettlementPart();
        }

        void Add(IReadOnlyList<SettledOrder> orders, Func<SettlementPart, List<SettledOrder>> list)
        {
            foreach (var order in orders)
            {
                list(parts[offer.Sale.HomeOf(order.UserId)]).Add(order);
                if (!borrowed.IsEmpty && borrowed.TryRemove(order.OrderId, out var shard))
                {
                    parts[shard].GivenBack.Add(order.OrderId);
                }
            }
        }

        Add(settlement.Committed, static part => part.Committed);
        Add(settlement.Refused, static part => part.Refused);
        Add(settlement.Ended, static part => part.Ended);
        return parts;
    }

    private async Task<(bool Settled, long Pending)> SettleAsync(
        RedisOffer offer, int shard, OfferStock? stock, DateTimeOffset? now, SettlementPart part, CancellationToken cancellation)
    {
        var (settled, pending) = (true, 0L);
        foreach (var piece in part.Pieces())
        {
            var (epoch, seq) = offer.Known(shard);
            var reply = (RedisResult[])(await EvaluateAsync(
                shard,
                RedisScript.Settle,
                offer.Orders[shard],
                [
                    epoch == 0 ? RedisValue.EmptyString : epoch,
                    seq,
                    stock is { } known ? known.Row.Seq : RedisValue.EmptyString,
                    ShareOf(stock?.Row.Available ?? 0, shard),
                    stock?.Row.Available ?? 0,
                    now is { } at ? at.ToUnixTimeMilliseconds() : RedisValue.EmptyString,
                    (long)Limits.GatePendingMax.TotalMilliseconds,
                    (long)Limits.GateKeepsEnded.TotalMilliseconds,
                    piece.Committed.Count,
                    piece.Refused.Count,
                    piece.Ended.Count,
                    .. piece.Values(),
                ],
                cancellation))!;
            if ((int)reply[0] == 1)
            {
                offer.Remember(shard, (long)reply[1], (long)reply[2]);
            }
            else
            {
                settled = false;
            }

            pending = (long)reply[3];
        }

        return (settled, pending);
    }

    /// <summary>The same in every instance: the first shards have one more when it does not divide.</summary>
    private long ShareOf(long available, int shard) => available / options.Shards + (shard < available % options.Shards ? 1 : 0);

    /// <summary>What a settlement says to one shard.</summary>
    private sealed class SettlementPart
    {
        public List<SettledOrder> Committed { get; private init; } = [];
        public List<SettledOrder> Refused { get; private init; } = [];
        public List<SettledOrder> Ended { get; private init; } = [];

        /// <summary>Their unit was taken here for a user of another shard.</summary>
        public List<OrderId> GivenBack { get; private init; } = [];

        public bool IsEmpty => Count == 0;

        private int Count => Committed.Count + Refused.Count + Ended.Count + GivenBack.Count;

        /// <summary>At most <see cref="Limits.GatePiece"/> orders a call, at least one call.</summary>
        public IEnumerable<SettlementPart> Pieces()
        {
            if (Count <= Limits.GatePiece)
            {
                yield return this;
                yield break;
            }

            foreach (var piece in Committed.Chunk(Limits.GatePiece))
            {
                yield return new SettlementPart { Committed = [.. piece] };
            }

            foreach (var piece in Refused.Chunk(Limits.GatePiece))
            {
                yield return new SettlementPart { Refused = [.. piece] };
            }

            foreach (var piece in Ended.Chunk(Limits.GatePiece))
            {
                yield return new SettlementPart { Ended = [.. piece] };
            }

            foreach (var piece in GivenBack.Chunk(Limits.GatePiece))
            {
                yield return new SettlementPart { GivenBack = [.. piece] };
            }
        }

        public IEnumerable<RedisValue> Values()
        {
            foreach (var order in Committed.Concat(Refused).Concat(Ended))
            {
                yield return BytesOf(order.OrderId);
                yield return order.UserId.Value;
            }

            foreach (var order in GivenBack)
            {
                yield return BytesOf(order);
            }
        }
    }
}
