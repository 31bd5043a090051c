using System.Globalization;
using System.Net;
using System.Net.Sockets;

using FlashSale.Tools.Load;

using Spectre.Console;

namespace FlashSale.Tools.Overload;

/// <summary>
/// Finds the peak of a server, then offers it several times as much while a few people pay, cancel, read their order, look at pages and ask for tokens; and
/// sees how long it takes to be itself again. All in one run on one sale, so that the figures can be compared.
/// </summary>
internal sealed class OverloadRun(OverloadSettings settings, IAnsiConsole console, TimeProvider time) : IDisposable
{
    /// <summary>Of the peak: what a server that is not overloaded carries.</summary>
    public const double Calm = 0.8;
    private const int ProbeConnections = 512;
    private const int TokenConnections = 64;

    /// <summary>Where the addresses of the probes begin: nobody else comes from there.</summary>
    private const int ProbeSources = 8_192;

    /// <summary>Tokens for the peak that is not known yet; a run that uses them up is over.</summary>
    private const int PeakOrdersMost = 40_000;
    private static readonly TimeSpan SessionLength = TimeSpan.FromHours(3);
    private static readonly TimeSpan TokenAge = TimeSpan.FromMilliseconds(1_100);

    private readonly RunClock clock = new(time);
    private readonly Ledgered ledgered = new();
    private readonly SessionTokens sessions = new(settings.AuthKey);
    private readonly long patience = (long)settings.CallTimeout.TotalMicroseconds;
    private People people = null!;
    private Pump pump = null!;
    private Pool orderers = null!;
    private Pool others = null!;
    private PlannedSale sale = null!;
    private int tokensMade;
    private int offersUsed;
    private long inDoubt;

    /// <summary>Offers that one spike needs: a million tokens at most are kept at once, and each user may have ten.</summary>
    private int OffersEach => 1 + (int)(settings.Length.TotalSeconds / 40);

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var files = new OverloadReport(settings.ReportDirectory);
        var outcome = await MeasureAsync(cancellationToken);
        await files.WriteAsync(outcome);
        OverloadReport.Print(console, outcome);
        console.WriteLine($"report: {files.HtmlFile}");
        return outcome.Report.ExitCode;
    }

    /// <exception cref="UsageException">The target does not answer as the API says.</exception>
    public async Task<OverloadOutcome> MeasureAsync(CancellationToken cancellationToken)
    {
        var startedAt = RunClock.ToTime(clock.Now);
        var outcome = new OverloadOutcome(settings, startedAt);
        var address = await LoadRun.ResolveAsync(settings.Target, cancellationToken);
        await MakeSaleAsync(address, cancellationToken);
        pump = new Pump(settings.Target, new IPEndPoint(address, settings.Target.Port), settings.CallTimeout, clock);
        var manySources = address.AddressFamily == AddressFamily.InterNetwork && IPAddress.IsLoopback(address);
        orderers = pump.AddPool(settings.Connections, i => manySources ? ShopClient.SourceAddress(i % settings.Sources) : null);
        others = pump.AddPool(ProbeConnections, i => manySources ? ShopClient.SourceAddress(ProbeSources + i) : null);
        await MeasurePeakAsync(outcome, cancellationToken);
        await MeasureCalmAsync(outcome, cancellationToken);
        foreach (var factor in settings.Factors)
        {
            outcome.Spikes.Add(await SpikeAsync(factor, outcome, cancellationToken));
        }

        (outcome.PeakAtTheEnd, _) = await RunPeakAsync(PeakOrders(outcome.Peak), cancellationToken);
        console.WriteLine("auditing");
        outcome.Report = await new LedgerCheck(settings.Target, sessions, time).RunAsync(sale.Id, ledgered, inDoubt, cancellationToken);
        outcome.Duration = RunClock.ToTime(clock.Now) - startedAt;
        return outcome;
    }

    public void Dispose() => pump?.Dispose();

    private async Task MakeSaleAsync(IPAddress address, CancellationToken cancellationToken)
    {
        var (offset, _) = await LoadRun.MeasureClockAsync(settings.Target, settings.CallTimeout, clock, cancellationToken);
        var now = RunClock.ToTime(clock.Now + offset);
        var run = $"{settings.Seed}-{now.ToString("HHmmssfff", CultureInfo.InvariantCulture)}";
        people = new People(settings.Users, run, sessions, now + SessionLength);
        var chief = new Shopper($"operator-{run}", "Bearer " + sessions.Create($"operator-{run}", now + SessionLength, "operator"), 0, null);
        var plan = new LoadSettings
        {
            Target = settings.Target,
            AuthKey = settings.AuthKey,
            Sales = 1,
            Offers = Math.Min(Core.Limits.OffersPerSale, 5 + (settings.Factors.Count * OffersEach)),
            Stock = Core.Limits.StockMax,
            Users = settings.Users,
            BotPercent = 0,
            Rate = 1,
            Seed = settings.Seed,
            ReportDirectory = settings.ReportDirectory,
            Timeout = SessionLength,
            PaymentWindow = SessionLength,
            CancelPercent = 0,
            AbandonPercent = 0,
            Sources = 1,
            Connections = 4,
            CallTimeout = settings.CallTimeout,
            CommandLine = settings.CommandLine,
            PerUserLimit = Core.Limits.PerUserLimitMax,
            WithReservations = false,
        };
        using var shop = new ShopClient(plan, address, clock, new Metrics());
        var setup = new SaleSetup(plan, shop, clock, chief);
        var opensAt = now.AddSeconds(3);
        sale = (await setup.MakeAsync(now, opensAt))[0];
        await setup.WarmAsync([sale], clock.Now + 5_000_000, cancellationToken);
        await clock.DelayUntil(RunClock.FromTime(opensAt) - offset + 300_000, cancellationToken);
    }

    private async Task MeasurePeakAsync(OverloadOutcome outcome, CancellationToken cancellationToken)
    {
        var (warm, _) = await RunPeakAsync(settings.WarmUpOrders, cancellationToken);
        (outcome.Peak, outcome.PeakP99) = await RunPeakAsync(PeakOrders(warm), cancellationToken);
        if (outcome.Peak < 1)
        {
            throw new UsageException($"{settings.Target} placed no order in a closed loop.");
        }

        console.WriteLine($"peak: {outcome.Peak:N0} orders/s with {settings.PeakConnections} connections, p99 {outcome.PeakP99:N1} ms");
    }

    private int PeakOrders(double perSecond) =>
        (int)Math.Min(Math.Max(perSecond * 1.5, 1_000), PeakOrdersMost) * (int)Math.Ceiling(settings.MeasureLength.TotalSeconds);

    /// <summary>Until the tokens are used up, or the time is over.</summary>
    private async Task<(double PerSecond, double P99)> RunPeakAsync(int orders, CancellationToken cancellationToken)
    {
        var demand = await PrepareAsync(orders, 1, cancellationToken);
        var start = clock.Now;
        var tally = new Tally(new Timeline(start));
        Lane[] lanes = [new Lane(demand, orderers, tally, width: Math.Min(settings.PeakConnections, settings.Connections))];
        pump.Run(lanes, start + (long)settings.MeasureLength.TotalMicroseconds, cancellationToken);
        var took = (clock.Now - start) / 1_000_000.0;
        var placed = tally.Succeeded;
        pump.Drain(lanes, cancellationToken);
        inDoubt += demand.InDoubt;
        return (placed / took, tally.Admitted.Percentile(99) / 1000.0);
    }

    private async Task MeasureCalmAsync(OverloadOutcome outcome, CancellationToken cancellationToken)
    {
        var rate = outcome.Peak * Calm;
        var demand = await PrepareAsync((int)(rate * settings.MeasureLength.TotalSeconds * 1.1) + settings.Connections, 1, cancellationToken);
        var start = clock.Now;
        var tally = new Tally(new Timeline(start));
        Lane[] lanes = [new Lane(demand, orderers, tally, rate)];
        pump.Run(lanes, start + (long)settings.MeasureLength.TotalMicroseconds, cancellationToken);
        outcome.CalmRate = tally.Succeeded / settings.MeasureLength.TotalSeconds;
        pump.Drain(lanes, cancellationToken);
        inDoubt += demand.InDoubt;
        (outcome.CalmP50, outcome.CalmP99) = (tally.Admitted.Percentile(50) / 1000.0, tally.Admitted.Percentile(99) / 1000.0);
        console.WriteLine($"at {Calm:P0} of it: {outcome.CalmRate:N0} orders/s, p50 {outcome.CalmP50:N1} ms, p99 {outcome.CalmP99:N1} ms");
    }

    private async Task<SpikeOutcome> SpikeAsync(double factor, OverloadOutcome outcome, CancellationToken cancellationToken)
    {
        var calm = outcome.Peak * Calm;
        var needed = (outcome.Peak * 1.25 * settings.Length.TotalSeconds) + (calm * 1.1 * settings.RecoveryLength.TotalSeconds) + (4 * settings.Connections);
        var probes = new Probes(pump, people, sale, settings.Length);
        var bought = await BuyAsync(probes.OrdersNeeded, cancellationToken);
        var demand = await PrepareAsync((int)Math.Min(needed, OffersEach * (double)Core.Limits.StockMax), OffersEach, cancellationToken);
        var start = clock.Now;
        var end = start + (long)settings.Length.TotalMicroseconds;
        var until = end + (long)settings.RecoveryLength.TotalMicroseconds;
        var timeline = new Timeline(start);
        var spike = new Lane(demand, orderers, new Tally(timeline), outcome.Peak * factor);
        var after = new Lane(demand, orderers, new Tally(timeline), calm);
        var (lanes, outcomes) = probes.Make(others, bought, start);
        pump.Run([spike, .. lanes], end, cancellationToken);
        pump.Run([after], until, cancellationToken);
        pump.Drain([spike, after, .. lanes], cancellationToken);
        inDoubt += demand.InDoubt;
        var result = new SpikeOutcome
        {
            Factor = factor,
            Seconds = settings.Length.TotalSeconds,
            Orders = spike.Tally,
            Probes = outcomes,
            Timeline = timeline,
            During = timeline.Between(start, end),
            RecoveredAfter = RecoveredAfter(timeline, end, until, calm, outcome.CalmP99),
        };
        OverloadReport.PrintLine(console, result);
        return result;
    }

    /// <summary>Two windows in a row with 95 % of what is offered, and no slower than twice the p99 of a calm time.</summary>
    internal static double? RecoveredAfter(Timeline timeline, long end, long until, double offered, double calmP99)
    {
        const double Whole = 0.95;
        var windows = timeline.Between(end, until);
        var slowest = Math.Max(2 * calmP99, 20);
        for (var i = 0; i + 1 < windows.Count; i++)
        {
            if (IsWell(windows[i]) && IsWell(windows[i + 1]))
            {
                return i / (double)Timeline.PerSecond;
            }
        }

        return null;

        bool IsWell(Timeline.Window window) =>
            window.Admitted >= offered / Timeline.PerSecond * Whole && window.Latency.Percentile(99) / 1000.0 <= slowest;
    }

    /// <summary>Orders for those who pay, cancel and read.</summary>
    private async Task<List<(int User, string Order)>> BuyAsync(int count, CancellationToken cancellationToken)
    {
        List<(int User, string Order)> bought = [];
        var demand = await PrepareAsync(count, 1, cancellationToken, bought, offer: 0);
        var start = clock.Now;
        Lane[] lanes = [new Lane(demand, orderers, new Tally(new Timeline(start)), width: 32)];
        pump.Run(lanes, start + patience, cancellationToken);
        pump.Drain(lanes, cancellationToken);
        inDoubt += demand.InDoubt;
        return bought;
    }

    /// <summary>Tokens that are old enough.</summary>
    /// <param name="offer">Which one; null for those that come next, so that no user is at the limit of an offer.</param>
    private async Task<OrderDemand> PrepareAsync(
        int count, int offers, CancellationToken cancellationToken, List<(int User, string Order)>? kept = null, int? offer = null)
    {
        var first = offer ?? Math.Min(1 + offersUsed, sale.Offers.Count - offers);
        offersUsed += offer is null ? offers : 0;
        count = Math.Min(count, Math.Min(Core.Limits.StockMax, people.Count * Core.Limits.PerUserLimitMax) * offers);
        var tokens = new TokenStore(count);
        var demand = new TokenDemand(settings.Target, [.. sale.Offers.Skip(first).Take(offers).Select(one => one.Id)], people, tokensMade, count, tokens);
        tokensMade = (tokensMade + count) % people.Count;
        Lane[] lanes = [new Lane(demand, orderers, new Tally(new Timeline(clock.Now)), width: TokenConnections)];
        pump.Run(lanes, clock.Now + (long)TimeSpan.FromMinutes(5).TotalMicroseconds, cancellationToken);
        pump.Drain(lanes, cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        if (tokens.Count < count)
        {
            throw new UsageException($"{settings.Target} gave {tokens.Count:N0} of {count:N0} order tokens: {demand.Problem}.");
        }

        await Task.Delay(TokenAge, time, cancellationToken);
        return new OrderDemand(settings.Target, people, tokens, settings.Naive, ledgered) { Kept = kept };
    }
}
