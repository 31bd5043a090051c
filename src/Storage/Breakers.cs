namespace FlashSale.Storage;

/// <summary>Every breaker of this instance by its name, each with what is done instead while it is open (docs/decisions/0013).</summary>
public sealed class Breakers(IGate gate, TimeProvider time, IUserLimit? userLimit = null)
{
    /// <summary>A batch of new orders: refused with 503, and the gate gets its units back.</summary>
    public LedgerPath Orders { get; } = new(Breaker.ForFew("orders", time), time);

    /// <summary>The stock of running sales: the last known is shown, marked stale.</summary>
    public LedgerPath Stock { get; } = new(Breaker.ForFew("stock", time), time);

    /// <summary>The sales: the last known.</summary>
    public LedgerPath Sales { get; } = new(Breaker.ForFew("sales", time), time);

    /// <summary>Blacklist and reservation of a user whom the gate does not know: nobody is let in.</summary>
    public LedgerPath Risk { get; } = new(Breaker.ForMany("risk", time), time);

    /// <summary>Starting and booking payments: 503, to be tried again.</summary>
    public LedgerPath Payments { get; } = new(Breaker.ForFew("payments", time), time);

    /// <summary>What a provider knows of an account: reservations wait.</summary>
    public ProviderPath Profile { get; } = new(Breaker.ForFew("profile", time));

    /// <summary>What a provider says of a person's credit: reservations wait.</summary>
    public ProviderPath Credit { get; } = new(Breaker.ForFew("credit", time));

    /// <summary>
    /// As they stand: those of the ledger's paths and of the providers; <c>gate</c> and <c>limit</c> (of a user) as the worst of their shards, and where there are several, each as
    /// <c>gate.0</c> and so on. What is in this process cannot be away, and is always closed.
    /// </summary>
    public IEnumerable<BreakerReading> Read()
    {
        foreach (var path in (LedgerPath[])[Orders, Stock, Sales, Risk, Payments])
        {
            yield return BreakerReading.Of(path.Breaker);
        }

        yield return BreakerReading.Of(Profile.Breaker);
        yield return BreakerReading.Of(Credit.Breaker);
        foreach (var shard in Shards("gate", gate.Breakers).Concat(Shards("limit", userLimit?.Breakers ?? [])))
        {
            yield return shard;
        }
    }

    private static IEnumerable<BreakerReading> Shards(string name, IReadOnlyList<Breaker> breakers)
    {
        BreakerReading[] shards = [.. breakers.Select(BreakerReading.Of)];
        var all = new BreakerReading(
            name, shards.Select(shard => shard.State).DefaultIfEmpty().Max(), shards.Any(shard => shard.Rejects), shards.Sum(shard => shard.Rejections));
        return shards.Length > 1 ? shards.Prepend(all) : [all];
    }

    /// <summary>The state of each in the words of the API: <c>closed</c>, <c>open</c> or <c>half_open</c>.</summary>
    public IReadOnlyDictionary<string, string> Words() => Read().ToDictionary(
        breaker => breaker.Name,
        breaker => breaker.State switch
        {
            BreakerState.Closed => "closed",
            BreakerState.HalfOpen => "half_open",
            _ => "open",
        });
}

/// <summary>A breaker, or several as one, at a moment.</summary>
public readonly record struct BreakerReading(string Name, BreakerState State, bool Rejects, long Rejections)
{
    public static BreakerReading Of(Breaker breaker) => new(breaker.Name, breaker.State, breaker.Rejects, breaker.Rejections);
}
