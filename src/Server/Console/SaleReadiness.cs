using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Server.Hosting;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Console;

/// <summary>What a reason not to be ready is about.</summary>
public enum ReadinessMatter
{
    /// <summary>This instance cannot serve.</summary>
    Instance,

    /// <summary>Another one cannot, or has fallen silent.</summary>
    OtherInstance,
    Draft,
    Over,
    WarmUp,

    /// <summary>Gate and ledger differ about an offer.</summary>
    Gate,
    Breaker,

    /// <summary>Connections are so busy that calls will be refused.</summary>
    Pool,
    AssessmentsDead,
    AssessmentsWaiting,
    SalesStale,
    StockStale,

    /// <summary>The continuous reconciliation found that they do not agree.</summary>
    Books,
    PagesHeld,
    PagesBehind,
    Clock,
}

/// <summary>Why a sale is not ready: a sentence in English, and what it is made of.</summary>
public sealed record ReadinessReason(ReadinessMatter Matter, string Text)
{
    /// <summary>Of the offer, the breaker or the pool that it is about.</summary>
    public string? Name { get; init; }

    /// <summary>Machine and process of the instance that says so; null: this one.</summary>
    public string? Where { get; init; }

    public long Count { get; init; }

    public DateTimeOffset? Since { get; init; }

    /// <summary>What a program said, in English.</summary>
    public string? Detail { get; init; }
}

/// <param name="Backlog">Null when every reservation is assessed.</param>
/// <param name="PagesHeld">An operator has rolled the pages back.</param>
public sealed record ReadinessReading(ReadinessDocument Document, IReadOnlyList<ReadinessReason> Reasons, AssessmentBacklog? Backlog, bool PagesHeld);

/// <summary>Whether a sale can open, and what is missing: as this instance sees it, and as the others say of themselves on the <see cref="LiveBoard"/>.</summary>
public sealed class SaleReadiness(
    ILedger ledger,
    IGate gate,
    WarmUp warmUp,
    SaleCatalog catalog,
    Breakers breakers,
    LiveBoard board,
    GateComparison comparison,
    Readiness instance,
    LedgerClock clock,
    Books books,
    SiteStatus site,
    TimeProvider time)
{
    /// <summary>Every instance goes by the ledger's clock (<see cref="LedgerClock"/>); a machine that is this far off is worth a word all the same.</summary>
    private static readonly TimeSpan SkewMax = TimeSpan.FromMilliseconds(500);

    /// <summary>What happens instead while a breaker is not closed.</summary>
    private static readonly Dictionary<string, string> Instead = new(StringComparer.Ordinal)
    {
        ["orders"] = "new orders are refused with ledger-unavailable",
        ["stock"] = "the stock shown is the last known",
        ["sales"] = "the sales are the last known",
        ["risk"] = "nobody is let in whom the gate does not know",
        ["payments"] = "payments are refused, to be tried again",
        ["profile"] = "reservations wait for their assessment",
        ["credit"] = "reservations wait for their assessment",
        ["limit"] = "each instance counts the requests of a user by itself",
        ["gate"] = "orders go to the ledger without it, at a bounded rate",
    };

    public async Task<ReadinessDocument> ReadAsync(Sale sale, CancellationToken cancellation) => (await LookAsync(sale, cancellation)).Document;

    /// <summary>The same with its reasons in pieces, so that they can be said in any language.</summary>
    public async Task<ReadinessReading> LookAsync(Sale sale, CancellationToken cancellation)
    {
        List<ReadinessReason> reasons = [.. instance.Reasons().Select(text => new ReadinessReason(ReadinessMatter.Instance, text))];
        var (warm, compared) = await AskGateAsync(sale, cancellation);
        reasons.AddRange(OfSale(sale, warm));
        reasons.AddRange(compared.Where(offer => !offer.Agrees).Select(offer => OfGate(offer.Stock)));
        await clock.AdjustAsync(ledger, cancellation);
        var states = States();
        reasons.AddRange(states.SelectMany(OfState));
        reasons.AddRange(OfOthers(board.Instances, board.Self));
        var backlog = (await ledger.CountAssessmentsAsync(cancellation)).FirstOrDefault(one => one.SaleId == sale.Id);
        reasons.AddRange(NotAssessed(sale, backlog));
        reasons.AddRange(Stale(sale));
        reasons.AddRange(books.Violations(sale.Id).Select(text => new ReadinessReason(ReadinessMatter.Books, text) { Detail = text }));
        reasons.AddRange(Behind());
        var document = new ReadinessDocument(
            sale.Id.ToString(),
            reasons.Count == 0,
            [.. reasons.Select(reason => reason.Text)],
            warm,
            [.. compared.Select(offer => Document(offer.Stock))],
            states.Select(state => state.SkewMs).MaxBy(Math.Abs),
            LiveBoard.WorstOf(states.SelectMany(state => state.Breakers)))
        {
            Pages = PagesOf(sale),
            Pools = [.. WorstOf(states.SelectMany(state => state.Pools)).Select(pool => new PoolReadiness(pool.Name, pool.Size, pool.Used, pool.Waiting))],
        };
        return new ReadinessReading(document, reasons, backlog, site.History is { Held: true });
    }

    /// <summary>How an instance stands.</summary>
    /// <param name="Where">Null: this one, at this moment; the others as they last said.</param>
    private sealed record State(string? Where, IReadOnlyDictionary<string, string> Breakers, IReadOnlyCollection<string> Rejecting, IReadOnlyList<ConnectionPool> Pools, long SkewMs);

    private List<State> States() =>
    [
        new(
            null,
            breakers.Words(),
            [.. breakers.Read().Where(breaker => breaker.Rejects).Select(breaker => breaker.Name)],
            [.. ledger.Pools, .. gate.Pools],
            (long)clock.Correction.TotalMilliseconds),
        .. board.Living.Where(one => one.Instance != board.Self).Select(one => new State(
            $"{one.Figures.Machine}:{one.Figures.ProcessId}",
            one.Figures.Breakers,
            [.. one.Figures.Breakers.Where(breaker => breaker.Value == "open").Select(breaker => breaker.Key)],
            one.Figures.Pools,
            one.Figures.ClockSkewMs)),
    ];

    private static IEnumerable<ReadinessReason> OfState(State state)
    {
        var at = state.Where is { } where ? $" at {where}" : "";
        foreach (var name in state.Rejecting.Where(Instead.ContainsKey))
        {
            yield return new(ReadinessMatter.Breaker, $"The breaker of the {name} is open{at}: {Instead[name]}.") { Name = name, Where = state.Where };
        }

        foreach (var pool in state.Pools.Where(pool => pool.IsExhausted))
        {
            yield return new(ReadinessMatter.Pool, $"The connections for {pool.Name}{at} are all used ({pool.Size}), and {pool.Waiting} calls wait: soon calls are refused.")
            {
                Name = pool.Name,
                Where = state.Where,
                Count = pool.Waiting,
            };
        }

        if (Math.Abs(state.SkewMs) > SkewMax.TotalMilliseconds)
        {
            yield return new(
                ReadinessMatter.Clock, $"{(state.Where is { } machine ? $"The clock of {machine}" : "This machine's clock")} is off by {-state.SkewMs} ms, which is corrected here; set it right, for the logs.")
            {
                Where = state.Where,
                Count = -state.SkewMs,
            };
        }
    }

    /// <summary>Those that cannot serve, and those that fell silent and that nothing has taken the place of.</summary>
    private static IEnumerable<ReadinessReason> OfOthers(IReadOnlyList<LiveInstanceDocument> instances, string self)
    {
        foreach (var one in instances.Where(one => one.Instance != self && IsAmiss(one, instances)))
        {
            var where = $"{one.Machine}:{one.ProcessId}";
            var problem = one.Gone ? "has not been heard of since its last report" : string.Join(' ', one.NotReady);
            yield return new(ReadinessMatter.OtherInstance, $"The instance {where} {(one.Gone ? problem : $"is not ready: {problem}")}")
            {
                Name = where,
                Where = where,
                Detail = one.Gone ? null : problem,
            };
        }
    }

    /// <summary>One that was ended is none of ours; a new process of the same roles on its machine took the place of one that broke.</summary>
    public static bool IsAmiss(LiveInstanceDocument one, IReadOnlyList<LiveInstanceDocument> instances) =>
        one.Gone
            ? !one.Stopped && !instances.Any(other => !other.Gone && other.Machine == one.Machine && other.Roles == one.Roles && other.StartedAt > one.StartedAt)
            : one.NotReady.Count > 0;

    /// <summary>Of each name the pool that is nearest to its end.</summary>
    private static IEnumerable<ConnectionPool> WorstOf(IEnumerable<ConnectionPool> pools) =>
        pools.GroupBy(pool => pool.Name, StringComparer.Ordinal)
            .Select(same => same.MaxBy(pool => (pool.IsExhausted, pool.Waiting, (double)pool.Used / Math.Max(1, pool.Size)))!);

    private IEnumerable<ReadinessReason> OfSale(Sale sale, WarmUpDocument warm)
    {
        if (sale.Status == SaleStatus.Draft)
        {
            yield return new(ReadinessMatter.Draft, "The sale is a draft.");
        }
        else if (SalePhases.Of(sale, anyAvailable: true, time.GetUtcNow()) == SalePhase.Ended)
        {
            yield return new(ReadinessMatter.Over, "The sale is over.");
        }
        else if (!warm.Warm)
        {
            yield return new(ReadinessMatter.WarmUp, warm.Problem ?? "The sale is not warm.") { Detail = warm.Problem };
        }
    }

    private static ReadinessReason OfGate(in ComparedStock stock) => new(
        ReadinessMatter.Gate,
        stock.Gate is { } gate
            ? $"Offer {stock.OfferId}: the gate has {gate.Stock} units and {gate.Pending} pending, the ledger {stock.Available}."
            : $"Offer {stock.OfferId} is not in the gate.")
    {
        Name = stock.OfferId.ToString(),
    };

    private long? PagesOf(Sale sale) =>
        site.History is { } history
        && history.Versions.FirstOrDefault(version => version.Number == history.Current) is { } current
        && current.Files.Any(file => file.Path == "/sales/" + sale.Slug)
            ? current.Number
            : null;

    private IEnumerable<ReadinessReason> Behind()
    {
        if (site.Behind is { } since && time.GetUtcNow() - since > Limits.SiteBehindMax)
        {
            yield return site.History is { Held: true } held
                ? new(ReadinessMatter.PagesHeld, $"The pages are held at version {held.Current}, which is older than the sales: an operator rolled back, and publishes again when they are right.")
                {
                    Count = held.Current ?? 0,
                }
                : new(ReadinessMatter.PagesBehind, $"The pages are older than the sales since {since:u}: {site.Problem ?? "see the log of the instances with the role storefront."}")
                {
                    Since = since,
                    Detail = site.Problem,
                };
        }
    }

    /// <summary>Whoever is not assessed at the opening is not let in: when tokens are given out, it is time to look.</summary>
    private IEnumerable<ReadinessReason> NotAssessed(Sale sale, AssessmentBacklog? backlog)
    {
        if (backlog is { Dead: > 0 })
        {
            yield return new(ReadinessMatter.AssessmentsDead, $"{backlog.Dead} reservations could not be assessed: see assessments?state=dead, and retry or decide them.")
            {
                Count = backlog.Dead,
            };
        }

        if (backlog is { Waiting: > 0, Since: { } since } && time.GetUtcNow() >= sale.OpensAt - Limits.TokensBeforeOpening)
        {
            yield return new(ReadinessMatter.AssessmentsWaiting, $"{backlog.Waiting} reservations wait for their assessment, the oldest since {since:u}.")
            {
                Count = backlog.Waiting,
                Since = since,
            };
        }
    }

    private IEnumerable<ReadinessReason> Stale(Sale sale)
    {
        var now = time.GetUtcNow();
        if (now - catalog.ConfirmedAt > Limits.StaleAfter)
        {
            yield return new(ReadinessMatter.SalesStale, $"The sales are stale: they were last compared with the ledger at {catalog.ConfirmedAt:u}.") { Since = catalog.ConfirmedAt };
        }

        if (catalog.Find(sale.Id)?.IsStale(now) == true)
        {
            yield return new(ReadinessMatter.StockStale, $"The stock is stale: it was not confirmed by the ledger for more than {Limits.StaleAfter.TotalSeconds:0} s.")
            {
                Count = (long)Limits.StaleAfter.TotalSeconds,
            };
        }
    }

    private async Task<(WarmUpDocument WarmUp, IReadOnlyList<(ComparedStock Stock, bool Agrees)> Compared)> AskGateAsync(Sale sale, CancellationToken cancellation)
    {
        try
        {
            return (await warmUp.DescribeAsync(sale, cancellation), await comparison.CompareAsync(sale, cancellation));
        }
        catch (GateUnavailableException exception)
        {
            return (new WarmUpDocument(sale.Id.ToString(), false, 0, sale.Offers.Count, 0, 0, null, "The gate cannot be asked: " + exception.Message), []);
        }
    }

    private static OfferReadiness Document(in ComparedStock stock) => new(
        stock.OfferId.ToString(), stock.Gate is not null, stock.Available, stock.Gate?.Stock ?? 0, stock.Gate?.Pending ?? 0, stock.Drift);
}
