using System.Text;

using FlashSale.Core;
using FlashSale.Core.Sales;

using StackExchange.Redis;

using AdmissionLane = FlashSale.Storage.Redis.RedisLane<FlashSale.Storage.AdmissionRequest, FlashSale.Core.Orders.AdmissionOutcome>;

namespace FlashSale.Storage.Redis;

/// <summary>
/// The keys of a sale: those of a shard have the tag <c>{sale:shard}</c> and so one hash slot. Reservations, blacklist and counts of a user stand once, in the
/// shard that is their home.
/// </summary>
internal sealed class RedisSale
{
    private const ulong FnvOffset = 14695981039346656037;
    private const ulong FnvPrime = 1099511628211;
    private static readonly string[] UserNames = ["sale", "reserved", "rejected", "barred"];
    private static readonly string[] OfferNames = ["offer", "pending", "spilled", "endings"];
    private volatile Sale? definition;

    public RedisSale(SaleId id, RedisGateOptions options)
    {
        Id = id;
        Prefix = options.KeyPrefix;
        Users = [.. Enumerable.Range(0, options.Shards).Select(shard => UserNames.Select(name => Key(shard, name)).ToArray())];
        SaleOnly = [.. Users.Select(keys => keys[..1])];
        Reservations = [.. Users.Select(keys => keys[..3])];
        Barred = [.. Users.Select(keys => new[] { keys[0], keys[3] })];
    }

    public SaleId Id { get; }
    public string Prefix { get; }

    /// <summary>The newest that this instance was told; null when it met the sale in an order only.</summary>
    public Sale? Definition => definition;

    public int Shards => Users.Length;

    /// <summary>By shard: sale, reserved, rejected, barred.</summary>
    public RedisKey[][] Users { get; }
    public RedisKey[][] SaleOnly { get; }
    public RedisKey[][] Reservations { get; }
    public RedisKey[][] Barred { get; }

    public void Define(Sale sale)
    {
        if (definition is not { } old || old.Rev <= sale.Rev)
        {
            definition = sale;
        }
    }

    /// <summary>The same in every process and version: FNV-1a, 64 bits.</summary>
    public static ulong Hash(UserId user, ulong seed = FnvOffset)
    {
        var hash = seed;
        foreach (var c in user.Value)
        {
            hash = unchecked((hash ^ c) * FnvPrime);
        }

        return hash;
    }

    public int HomeOf(UserId user) => ShardOf(user, Users.Length);

    public static int ShardOf(UserId user, int shards)
    {
        var hash = Hash(user);
        return (int)((hash ^ (hash >> 32)) % (ulong)shards);
    }

    public RedisKey Key(int shard, string name) => Encoding.ASCII.GetBytes($"{Prefix}:{{{Id}:{shard}}}:{name}");

    /// <summary>Offer, pending, spilled, endings.</summary>
    public RedisKey[] OfferKeys(int shard, OfferId offer) =>
        [.. OfferNames.Select(name => Key(shard, $"{offer.Value}:{name}"))];

    public RedisKey[] AllKeys(int shard, IEnumerable<OfferId> offers) => [.. Users[shard], .. offers.SelectMany(offer => OfferKeys(shard, offer))];
}

/// <summary>An offer as one instance knows it: its keys, and what was in the shards when it last looked.</summary>
internal sealed class RedisOffer
{
    private readonly Lock remembering = new();
    private readonly (long Epoch, long Seq)[] known;
    private readonly AdmissionLane[] lanes;
    private long admissions;
    private long settledAdmissions;
    private long noneElsewhereUntil;

    /// <param name="createLane">For each shard; called with this offer before all of it is there.</param>
    public RedisOffer(OfferId id, RedisSale sale, Func<RedisOffer, int, AdmissionLane> createLane)
    {
        Id = id;
        Sale = sale;
        known = new (long, long)[sale.Shards];
        var offers = Enumerable.Range(0, sale.Shards).Select(shard => sale.OfferKeys(shard, id)).ToArray();
        Orders = [.. offers.Select((keys, shard) => new[] { sale.Users[shard][0] }.Concat(keys).ToArray())];
        Admission = [.. Orders.Select((keys, shard) => keys[..4].Concat(sale.Users[shard][1..]).ToArray())];
        Pending = [.. Orders.Select(keys => keys[..3])];
        lanes = [.. Enumerable.Range(0, sale.Shards).Select(shard => createLane(this, shard))];
    }

    public OfferId Id { get; }
    public RedisSale Sale { get; }

    /// <summary>By shard: sale, offer, pending, spilled, endings.</summary>
    public RedisKey[][] Orders { get; }

    /// <summary>By shard: sale, offer, pending, spilled, reserved, rejected, barred.</summary>
    public RedisKey[][] Admission { get; }

    /// <summary>By shard: sale, offer, pending.</summary>
    public RedisKey[][] Pending { get; }

    /// <summary>The shard that last had a unit for a user of another one.</summary>
    public int HadUnits { get; set; }

    public AdmissionLane LaneOf(int home) => lanes[home];

    /// <summary>Something may be pending that no settlement has seen to be gone.</summary>
    public bool MayBePending => Interlocked.Read(ref admissions) != Interlocked.Read(ref settledAdmissions);

    public long Admissions => Interlocked.Read(ref admissions);

    /// <summary>To be called when the outcome is there: a settlement that began before may not have seen it.</summary>
    public void NoteAdmission() => Interlocked.Increment(ref admissions);

    /// <param name="until">The value of <see cref="Admissions"/> before the shards were asked.</param>
    public void NoteNonePending(long until) => Interlocked.Exchange(ref settledAdmissions, until);

    public bool MayBeElsewhere(TimeProvider time) => time.GetTimestamp() >= Interlocked.Read(ref noneElsewhereUntil);

    public void NoteNoneElsewhere(TimeProvider time) =>
        Interlocked.Exchange(ref noneElsewhereUntil, time.GetTimestamp() + (long)(Limits.GateNoneElsewhere.TotalSeconds * time.TimestampFrequency));

    public void ForgetNoneElsewhere() => Interlocked.Exchange(ref noneElsewhereUntil, 0);

    /// <summary>Epoch and highest seq that were in the shard for certain: whoever finds less there has found a loss. Epoch 0: nothing is known.</summary>
    public (long Epoch, long Seq) Known(int shard)
    {
        lock (remembering)
        {
            return known[shard];
        }
    }

    public void Remember(int shard, long epoch, long seq)
    {
        lock (remembering)
        {
            var (knownEpoch, knownSeq) = known[shard];
            if (epoch > knownEpoch || (epoch == knownEpoch && seq > knownSeq))
            {
                known[shard] = (epoch, seq);
            }
        }
    }
}
