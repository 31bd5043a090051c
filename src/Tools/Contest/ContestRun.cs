using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

using FlashSale.Core.Wire;
using FlashSale.Tools.History;
using FlashSale.Tools.Load;
using FlashSale.Tools.Overload;
using FlashSale.Tools.Verify;

using Spectre.Console;

namespace FlashSale.Tools.Contest;

/// <summary>People against bots, one round after the other: each on a sale of its own, with its own accounts and devices.</summary>
internal sealed class ContestRun(ContestSettings settings, IAnsiConsole console, TimeProvider time)
{
    private static readonly TimeSpan SessionLength = TimeSpan.FromHours(3);
    private static readonly TimeSpan TimeToSetUp = TimeSpan.FromSeconds(2);
    private readonly RunClock clock = new(time);
    private readonly SessionTokens sessions = new(settings.AuthKey);
    private readonly Crowd crowd = new(settings);

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var files = new ContestReport(settings.ReportDirectory);
        var startedAt = RunClock.ToTime(clock.Now);
        var outcome = new ContestOutcome(settings, startedAt);
        var address = await LoadRun.ResolveAsync(settings.Target, cancellationToken);
        foreach (var round in Round.Of(settings.Rounds, settings.RiskThreshold))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var played = await PlayAsync(round, address, files.HistoryFile(outcome.Rounds.Count + 1, round.Name), cancellationToken);
            outcome.Rounds.Add(played);
            ContestReport.PrintRound(console, settings, played);
        }

        outcome.RulesVersion = await ReadRulesVersionAsync(cancellationToken);
        outcome.Duration = RunClock.ToTime(clock.Now) - startedAt;
        await files.WriteAsync(outcome);
        ContestReport.Print(console, outcome);
        console.WriteLine($"report: {files.HtmlFile}");
        return outcome.ExitCode;
    }

    private async Task<RoundOutcome> PlayAsync(Round round, IPAddress address, string historyFile, CancellationToken cancellationToken)
    {
        var startedAt = clock.Now;
        var (offset, error) = await LoadRun.MeasureClockAsync(settings.Target, settings.CallTimeout, clock, cancellationToken);
        var now = RunClock.ToTime(startedAt + offset);
        var run = $"{settings.Seed}-{now.ToString("HHmmssfff", CultureInfo.InvariantCulture)}";
        var plan = PlanOf(round);
        var metrics = new Metrics();
        using var shop = new ShopClient(settings.Target, address, [4, .. crowd.Connections], settings.CallTimeout, clock, metrics);
        var chief = new Shopper($"operator-{run}", "Bearer " + sessions.Create($"operator-{run}", now + SessionLength, "operator"), 0, null);
        var setup = new SaleSetup(plan, shop, clock, chief);
        var opensAt = DateTimeOffset.FromUnixTimeSeconds((now + TimeToSetUp + settings.Length).ToUnixTimeSeconds() + 1);
        var sale = (await setup.MakeAsync(now, opensAt))[0];
        var header = new HistoryHeader
        {
            Target = settings.Target.ToString(),
            Seed = settings.Seed,
            StartedAt = startedAt,
            ClockOffset = offset,
            ClockError = error,
            Sales = [PlanMaker.Describe(sale, RunClock.FromTime(opensAt), plan, SaleSetup.Price)],
        };
        var opening = RunClock.FromTime(opensAt) - offset;
        shop.OpensAt = opening;
        var counts = Enum.GetValues<Kind>().ToDictionary(kind => kind, _ => new Metrics());
        var everybody = MakeParticipants(sale, run, now + SessionLength, counts);
        Played played;
        await using (var history = new HistoryWriter(historyFile, header))
        {
            foreach (var record in shop.Early)
            {
                await history.WriteAsync(record, cancellationToken);
            }

            shop.History = history;
            await setup.WarmAsync([sale], opening - (long)settings.Length.TotalMicroseconds, cancellationToken);
            console.WriteLine($"round '{round.Name}': {everybody.Count:N0} accounts for {settings.Stock:N0} units, opens at {opensAt:HH:mm:ss} UTC");
            played = await LetThemAsync(everybody, sale, shop, plan, metrics, opening, cancellationToken);
        }

        var orders = await ReadOrdersAsync(sale.Id, cancellationToken);
        return new RoundOutcome(round, settings.Stock, Tally(everybody, orders, counts))
        {
            Settled = played.Settled,
            LastPaid = played.LastPaid,
            Duration = RunClock.ToTime(clock.Now) - RunClock.ToTime(startedAt),
            Report = await AuditAsync(historyFile),
            HistoryFile = historyFile,
        };
    }

    private readonly record struct Played(bool Settled, TimeSpan? LastPaid);

    private async Task<Played> LetThemAsync(
        List<Participant> everybody, PlannedSale sale, ShopClient shop, LoadSettings plan, Metrics metrics, long opening, CancellationToken cancellationToken)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var showing = new CancellationTokenSource();
        var crew = new Crew();
        var shopping = new Shopping(shop, clock, metrics, plan, stopping.Token);
        var steps = new Steps(shop, shopping, new Solver(settings, clock, stopping.Token), clock, settings.Target, opening, stopping.Token);
        var start = opening - (long)settings.Length.TotalMicroseconds;
        var strategies = new Strategies(steps, shop, clock, everybody, start, opening, stopping.Token);
        var progress = new Load.Progress(console, plan, [sale], metrics, crew, clock, opening).ShowAsync(showing.Token);
        foreach (var one in everybody)
        {
            crew.Start(() => strategies.RunAsync(one));
        }

        var deadline = opening + (long)settings.Timeout.TotalMicroseconds;
        while (crew.Busy > 0 && clock.Now < deadline && !sale.Offers[0].IsSettled && !cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), time, CancellationToken.None);
        }

        await stopping.CancelAsync();
        while (crew.Busy > 0)
        {
            // An answer that nobody recorded would look like a lost order.
            await Task.Delay(TimeSpan.FromMilliseconds(10), time, CancellationToken.None);
        }

        await showing.CancelAsync();
        await progress;
        crew.ThrowIfBroken();
        return new Played(sale.Offers[0].IsSettled, steps.LastPaid);
    }

    private List<Participant> MakeParticipants(PlannedSale sale, string run, DateTimeOffset expires, Dictionary<Kind, Metrics> counts)
    {
        var devices = Enumerable.Range(0, crowd.Devices).Select(_ => new Device()).ToArray();
        return [.. crowd.Members.Select(member =>
        {
            var name = $"{member.Kind.Word()}-{run}-{member.Number}";
            // The first address is the operator's.
            var user = new Shopper(name, "Bearer " + sessions.Create(name, expires), member.Line + 1, null) { Counted = counts[member.Kind] };
            var entry = new Entry { User = user, Sale = sale, Offer = sale.Offers[0], Fate = member.Plan.Fate, ThinkTime = member.Plan.ThinkTime };
            return new Participant(member, entry, devices[member.Device], settings.Seed);
        })];
    }

    private static List<KindOutcome> Tally(List<Participant> everybody, List<ExportLine> orders, Dictionary<Kind, Metrics> counts)
    {
        var ordersOf = orders.ToLookup(order => order.UserId);
        return [.. everybody.GroupBy(one => one.Kind).OrderBy(kind => kind.Key).Select(kind =>
        {
            var all = kind.SelectMany(one => ordersOf[one.Entry.User.Name]).ToList();
            int Having(string? state) => kind.Count(one => one.Reservation == state);
            return new KindOutcome(kind.Key, kind.Count(), all.Count, all.Count(order => order.Status == "paid"), all.Count(order => order.Status == "expired"), counts[kind.Key])
            {
                Approved = Having("approved"),
                Rejected = Having("rejected"),
                Pending = Having("pending"),
                WithToken = kind.Count(one => one.FirstToken is not null),
            };
        })];
    }

    /// <summary>Who won is what the ledger says, not what the generator believes.</summary>
    private async Task<List<ExportLine>> ReadOrdersAsync(string sale, CancellationToken cancellationToken)
    {
        try
        {
            using var http = AsAuditor();
            return await LedgerCheck.ReadAsync(http, $"/api/v1/admin/sales/{sale}/export", cancellationToken).Where(line => line.Type == "order").ToListAsync(cancellationToken);
        }
        catch (Exception problem) when (problem is HttpRequestException or IOException or JsonException)
        {
            throw new UsageException($"{settings.Target} does not export the sale: {problem.Message}", problem);
        }
    }

    /// <returns>Null of a server that does not tell.</returns>
    private async Task<string?> ReadRulesVersionAsync(CancellationToken cancellationToken)
    {
        using var http = AsAuditor();
        using var response = await http.GetAsync(new Uri("/api/v1/admin/risk/rules", UriKind.Relative), cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            return null;
        }

        using var rules = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken));
        return rules.RootElement.TryGetProperty("version", out var version) ? version.GetString() : null;
    }

    private HttpClient AsAuditor()
    {
        var http = new HttpClient { BaseAddress = settings.Target, Timeout = TimeSpan.FromMinutes(5) };
        var session = sessions.Create("flashsale-auditor", time.GetUtcNow().AddMinutes(30), "operator", "auditor");
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", session);
        return http;
    }

    private async Task<AuditReport> AuditAsync(string historyFile)
    {
        try
        {
            return await new Auditor(settings.Target, settings.AuthKey, time).RunAsync(historyFile, CancellationToken.None);
        }
        catch (UsageException problem)
        {
            return new AuditReport([], 0, 0, problem.Message);
        }
    }

    private LoadSettings PlanOf(Round round) => new()
    {
        Target = settings.Target,
        AuthKey = settings.AuthKey,
        Sales = 1,
        Offers = 1,
        Stock = settings.Stock,
        Users = crowd.Members.Count,
        BotPercent = 0,
        Rate = 1,
        Seed = settings.Seed,
        ReportDirectory = settings.ReportDirectory,
        Timeout = settings.Timeout,
        PaymentWindow = settings.PaymentWindow,
        CancelPercent = 0,
        AbandonPercent = 0,
        Sources = 1,
        Connections = 1,
        CallTimeout = settings.CallTimeout,
        CommandLine = settings.CommandLine,
        Defences = round.Defences,
        RiskThreshold = round.RiskThreshold,
    };
}
