using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

using FlashSale.Core.Wire;
using FlashSale.Tools.History;
using FlashSale.Tools.Verify;

using Spectre.Console;

namespace FlashSale.Tools.Load;

/// <summary>One run from the making of the sales to the verdict.</summary>
internal sealed class LoadRun(LoadSettings settings, IAnsiConsole console, TimeProvider time)
{
    private static readonly TimeSpan SessionLength = TimeSpan.FromHours(3);
    private const int SecondsToSetUp = 2;
    private const int SecondsToSettleDown = 2;

    private readonly RunClock clock = new(time);
    private readonly Metrics metrics = new();
    private readonly Crew crew = new();
    private readonly SessionTokens sessions = new(settings.AuthKey);

    /// <summary>To be looked at while it runs.</summary>
    public Metrics Metrics => metrics;

    /// <summary>Null until the sales are made; complete when the run has ended.</summary>
    public RunOutcome? Outcome { get; private set; }

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var report = MakeDirectory();
        var startedAt = clock.Now;
        using var shop = new ShopClient(settings, await ResolveAsync(settings.Target, cancellationToken), clock, metrics);
        var (offset, error) = await MeasureClockAsync(settings.Target, settings.CallTimeout, clock, cancellationToken);
        var run = $"{settings.Seed}-{RunClock.ToTime(startedAt).ToString("HHmmssfff", CultureInfo.InvariantCulture)}";
        var expires = RunClock.ToTime(startedAt) + SessionLength;
        var users = PlanMaker.MakeUsers(settings, sessions, expires, run);
        var chief = new Shopper($"operator-{run}", "Bearer " + sessions.Create($"operator-{run}", expires, "operator"), 0, null);

        // The plan needs the offers, the sales need their opening, and the opening depends on how many prepare: so their number is worked out first.
        var setup = new SaleSetup(settings, shop, clock, chief);
        var prepareSeconds = EntriesExpected() / (double)PrepareRate();
        var opensAt = RunClock.ToTime(clock.Now + offset).AddSeconds(SecondsToSetUp + (settings.Sales * 0.2) + (prepareSeconds * 1.15) + SecondsToSettleDown);
        opensAt = DateTimeOffset.FromUnixTimeSeconds(opensAt.ToUnixTimeSeconds() + 1);
        var opening = RunClock.FromTime(opensAt) - offset;
        console.WriteLine($"making {settings.Sales} sales, which open at {opensAt:HH:mm:ss} UTC");
        var sales = await setup.MakeAsync(RunClock.ToTime(clock.Now + offset), opensAt);
        var entries = PlanMaker.MakeEntries(settings, users, sales);
        var header = new HistoryHeader
        {
            Target = settings.Target.ToString(),
            Seed = settings.Seed,
            StartedAt = startedAt,
            ClockOffset = offset,
            ClockError = error,
            Sales = [.. sales.Select(sale => PlanMaker.Describe(sale, RunClock.FromTime(opensAt), settings, SaleSetup.Price))],
        };
        var outcome = new RunOutcome(settings, sales, metrics, startedAt, opensAt) { ClockOffset = offset, ClockError = error, Entries = entries.Length };
        Outcome = outcome;
        shop.OpensAt = opening;
        await using (var history = new HistoryWriter(report.HistoryFile, header))
        {
            foreach (var record in shop.Early)
            {
                await history.WriteAsync(record, cancellationToken);
            }

            shop.History = history;
            outcome.SalesWarm = await setup.WarmAsync(sales, Math.Min(opening - 1_000_000, clock.Now + 5_000_000), cancellationToken);
            await TradeAsync(shop, entries, outcome, opening, cancellationToken);
        }

        console.WriteLine("auditing");
        outcome.Report = await AuditAsync(report.HistoryFile);
        outcome.ServerFacts = await ReadServerFactsAsync();
        await report.WriteAsync(outcome);
        Summary.Print(console, outcome);
        VerifyCommand.Print(console, outcome.Report);
        console.WriteLine($"report: {report.HtmlFile}");
        return outcome.Report.ExitCode;
    }

    /// <summary>What was measured is reported also when the server is gone by now.</summary>
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

    private async Task TradeAsync(ShopClient shop, Entry[] entries, RunOutcome outcome, long opening, CancellationToken cancellationToken)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var showing = new CancellationTokenSource();
        var shopping = new Shopping(shop, clock, metrics, settings, stopping.Token);
        var attacks = new Attacks(shopping, shop, clock, metrics, sessions, stopping.Token);
        var progress = new Progress(console, settings, outcome.Sales, metrics, crew, clock, opening).ShowAsync(showing.Token);
        var deadline = opening + (long)settings.Timeout.TotalMicroseconds;
        await PrepareAsync(entries, shopping, deadline, stopping.Token);
        await SellAsync(entries, shopping, attacks, opening, deadline, stopping.Token);
        outcome.Settled = outcome.Sales.All(sale => sale.Offers.All(offer => offer.IsSettled)) && crew.Busy == 0;
        outcome.TimedOut = clock.Now >= deadline;
        outcome.WentWithout = shopping.Waiting.Count;
        await stopping.CancelAsync();
        while (crew.Busy > 0)
        {
            // Calls that are on their way are waited for: an answer that nobody recorded would look like a lost order.
            await Task.Delay(TimeSpan.FromMilliseconds(10), time, CancellationToken.None);
        }

        outcome.EndedAt = clock.Now;
        await showing.CancelAsync();
        await progress;
        crew.ThrowIfBroken();
    }

    /// <summary>Everybody gets ready at an even pace.</summary>
    private async Task PrepareAsync(Entry[] entries, Shopping shopping, long deadline, CancellationToken stopping)
    {
        var start = clock.Now;
        var rate = PrepareRate();
        for (var next = 0; next < entries.Length && clock.Now < deadline && !stopping.IsCancellationRequested;)
        {
            var due = start + (next * 1_000_000L / rate);
            if (due > clock.Now)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(1), time, CancellationToken.None);
                continue;
            }

            var entry = entries[next++];
            var tokens = Attacks.TokensNeeded(entry.User.Bot);
            crew.Start(() => shopping.PrepareAsync(entry, due, entry.User.Bot is not { } bot || Attacks.Reserves(bot), tokens));
        }
    }

    /// <summary>
    /// First everybody once, at the rate that was asked for; then those who were told "sold out" come back, more slowly, until every unit is
    /// sold and paid.
    /// </summary>
    private async Task SellAsync(Entry[] entries, Shopping shopping, Attacks attacks, long opening, long deadline, CancellationToken stopping)
    {
        var schedule = new ArrivalSchedule(opening, settings.Rate, settings.Seed);
        foreach (var hasty in entries.Where(entry => entry.User.Bot == BotKind.Hasty))
        {
            crew.Start(() => attacks.RunAsync(hasty, BotKind.Hasty, opening));
        }

        entries = [.. entries.Where(entry => entry.User.Bot != BotKind.Hasty)];
        var next = 0;
        while (clock.Now < deadline && !stopping.IsCancellationRequested)
        {
            var now = clock.Now;
            while (schedule.Next <= now && next < entries.Length)
            {
                var entry = entries[next++];
                var at = schedule.Next;
                crew.Start(() => entry.User.Bot is { } bot ? attacks.RunAsync(entry, bot, at) : shopping.BuyAsync(entry, at));
                schedule.Advance();
            }

            if (next == entries.Length)
            {
                schedule.Rate = settings.ReturnRate;
                ComeBack(shopping, schedule, now);
                if (crew.Busy == 0 && shopping.Waiting.IsEmpty)
                {
                    return;
                }
            }

            await Task.Delay(TimeSpan.FromMilliseconds(1), time, CancellationToken.None);
        }
    }

    private void ComeBack(Shopping shopping, ArrivalSchedule schedule, long now)
    {
        while (shopping.Waiting.TryPeek(out var first))
        {
            if (first.Offer.IsSettled)
            {
                shopping.Waiting.TryDequeue(out _);
                metrics.Note("shoppers who went without");
                continue;
            }

            if (first.NotBefore > now)
            {
                schedule.SkipTo(now);
                return;
            }

            if (schedule.Next > now)
            {
                return;
            }

            shopping.Waiting.TryDequeue(out _);
            var at = Math.Max(schedule.Next, first.NotBefore);
            crew.Start(() => shopping.BuyAsync(first, at));
            schedule.Advance();
        }

        schedule.SkipTo(now);
    }

    /// <summary>Preparing takes three minutes at most, well within the life of a token, and is no faster than it has to be.</summary>
    private int PrepareRate() => Math.Max(settings.PrepareRate, EntriesExpected() / 180);

    private int EntriesExpected()
    {
        var honest = settings.Users - (int)((long)settings.Users * settings.BotPercent / 100);
        return (int)Math.Min(int.MaxValue, settings.Users + ((long)honest * (PlanMaker.OffersOfEach(settings, honest) - 1)));
    }

    private ReportFiles MakeDirectory()
    {
        try
        {
            Directory.CreateDirectory(settings.ReportDirectory);
            return new ReportFiles(settings.ReportDirectory);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException($"--report: {problem.Message}", problem);
        }
    }

    internal static async Task<IPAddress> ResolveAsync(Uri target, CancellationToken cancellationToken)
    {
        try
        {
            var addresses = await Dns.GetHostAddressesAsync(target.DnsSafeHost, cancellationToken);
            return addresses.FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork) ?? addresses[0];
        }
        catch (SocketException problem)
        {
            throw new UsageException($"--target: {target.Host}: {problem.Message}", problem);
        }
    }

    /// <returns>The server's clock less ours and how far that may be off, from the quickest of a few calls.</returns>
    internal static async Task<(long Offset, long Error)> MeasureClockAsync(Uri target, TimeSpan patience, RunClock clock, CancellationToken cancellationToken)
    {
        const int Tries = 8;
        const long Millisecond = 1_000;
        var best = (Offset: 0L, Error: long.MaxValue);
        try
        {
            using var http = new HttpClient { Timeout = patience };
            for (var i = 0; i < Tries; i++)
            {
                var sent = clock.Now;
                var body = await http.GetByteArrayAsync(new Uri(target, "/api/v1/time"), cancellationToken);
                var end = clock.Now;
                var answer = JsonSerializer.Deserialize(body, WireJson.Default.TimeDocument) ?? throw new JsonException("null");
                var error = ((end - sent) / 2) + Millisecond;
                if (error < best.Error)
                {
                    best = ((answer.EpochMs * Millisecond) + (Millisecond / 2) - ((sent + end) / 2), error);
                }
            }

            return best;
        }
        catch (Exception problem) when (problem is HttpRequestException or JsonException or OperationCanceledException)
        {
            throw new UsageException($"{target} does not answer as a FlashSale server: {problem.Message}", problem);
        }
    }

    private async Task<string> ReadServerFactsAsync()
    {
        try
        {
            using var http = new HttpClient { Timeout = settings.CallTimeout };
            using var response = await http.GetAsync(new Uri(settings.Target, "/healthz/ready"));
            return $"/healthz/ready {(int)response.StatusCode}, server {response.Headers.Server}, HTTP/{response.Version}";
        }
        catch (Exception problem) when (problem is HttpRequestException or OperationCanceledException)
        {
            return problem.Message;
        }
    }
}
