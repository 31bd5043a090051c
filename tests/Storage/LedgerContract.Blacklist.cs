using FlashSale.Core;
using FlashSale.Core.Wire;
using FlashSale.Storage;

using Xunit;

namespace FlashSale.Tests.Storage;

public abstract partial class LedgerContract
{
    private const string Device = "00000000000000ab";
    private const string Range = "203.0.113.0/24";
    private static readonly BlacklistRequest ForGood = new("机器人", "manual", null);

    [Theory]
    [InlineData(BlacklistKind.User, "mallory")]
    [InlineData(BlacklistKind.Device, Device)]
    [InlineData(BlacklistKind.Address, Range)]
    public async Task BlacklistAsync_OfEachKind_IsFoundListedAuditedAndLifted(BlacklistKind kind, string subject)
    {
        var rev = await Ledger.ReadCatalogRevAsync(Stop);
        var until = Time.GetUtcNow().AddHours(1);

        await Ledger.BlacklistAsync(kind, subject, ForGood, Operator, Stop);
        var entry = await Ledger.BlacklistAsync(kind, subject, new BlacklistRequest("bot", "risk", until), Operator, Stop);

        Assert.Equal((kind, subject, "bot", "risk", "olivia", (DateTimeOffset?)until), (entry.Kind, entry.Subject, entry.Reason, entry.Source, entry.Actor, entry.ExpiresAt));
        Assert.Equal(entry, await Ledger.FindBlacklistedAsync(kind, subject, Stop));
        Assert.Equal([entry], await Ledger.ListBlacklistAsync(kind, "", 10, Stop));
        Assert.Empty(await Ledger.ListBlacklistAsync(kind, subject, 10, Stop));
        foreach (var other in Enum.GetValues<BlacklistKind>().Where(other => other != kind))
        {
            Assert.Empty(await Ledger.ListBlacklistAsync(other, "", 10, Stop));
        }

        Assert.Equal(rev + 2, await Ledger.ReadCatalogRevAsync(Stop));
        Assert.True(await Ledger.UnblacklistAsync(kind, subject, Operator with { Reason = "an appeal" }, Stop));
        Assert.False(await Ledger.UnblacklistAsync(kind, subject, Operator, Stop));
        Assert.Null(await Ledger.FindBlacklistedAsync(kind, subject, Stop));
        var audit = await Ledger.ListAuditAsync(null, 4, Stop);
        Assert.Equal(["blacklist.remove", "blacklist.remove", "blacklist.add", "blacklist.add"], audit.Select(line => line.Action));
        Assert.All(audit, line => Assert.EndsWith("/" + subject, line.Subject, StringComparison.Ordinal));
        Assert.Equal("an appeal", audit[1].Reason);
        Assert.Contains("\"risk\"", audit[1].Before, StringComparison.Ordinal);
        Assert.Null(audit[1].After);
    }

    [Fact]
    public async Task BlacklistAsync_WhenAnEntryHasRunOut_ItBarsNobodyAndIsForgotten()
    {
        var soon = Time.GetUtcNow().AddSeconds(2);
        foreach (var (kind, subject) in new[] { (BlacklistKind.User, "mallory"), (BlacklistKind.Device, Device), (BlacklistKind.Address, Range) })
        {
            await Ledger.BlacklistAsync(kind, subject, new BlacklistRequest("bot", "risk", soon), Operator, Stop);
        }

        await Ledger.BlacklistAsync(BlacklistKind.User, "eve", ForGood, Operator, Stop);
        Assert.Equal(0, await Ledger.ForgetBlacklistAsync(10, Stop));
        Time.Advance(TimeSpan.FromSeconds(2));

        Assert.Null(await Ledger.FindBlacklistedAsync(BlacklistKind.Address, Range, Stop));
        Assert.Empty(await Ledger.ListBlacklistAsync(BlacklistKind.Device, "", 10, Stop));
        Assert.Equal(["eve"], (await Ledger.ReadBlacklistAsync(null, Stop)).Changes.Select(change => change.Subject));
        // Risk control counts it as an earlier bar for a while.
        Assert.Equal(0, await Ledger.ForgetBlacklistAsync(10, Stop));
        Time.Advance(Limits.BlacklistKept);
        Assert.Equal(2, await Ledger.ForgetBlacklistAsync(2, Stop));
        Assert.Equal(1, await Ledger.ForgetBlacklistAsync(10, Stop));
        Assert.NotNull(await Ledger.FindBlacklistedAsync(BlacklistKind.User, "eve", Stop));
    }

    [Fact]
    public async Task ReadBlacklistAsync_SinceARevision_HasWhatWasChanged()
    {
        await Ledger.BlacklistAsync(User(1), ForGood, Operator, Stop);
        var whole = await Ledger.ReadBlacklistAsync(null, Stop);
        Assert.True(whole.IsWhole);
        Assert.Equal("user-1", Assert.Single(whole.Changes).Subject);

        var nothing = await Ledger.ReadBlacklistAsync(whole.Rev, Stop);
        Assert.Equal((whole.Rev, false, 0), (nothing.Rev, nothing.IsWhole, nothing.Changes.Count));
        var until = Time.GetUtcNow().AddDays(1);
        await Ledger.BlacklistAsync(BlacklistKind.Address, Range, new BlacklistRequest("bots", "manual", until), Operator, Stop);
        await Ledger.BlacklistAsync(BlacklistKind.Device, Device, ForGood, Operator, Stop);
        await Ledger.UnblacklistAsync(User(1), Operator, Stop);

        var news = await Ledger.ReadBlacklistAsync(whole.Rev, Stop);

        Assert.Equal((whole.Rev + 3, false), (news.Rev, news.IsWhole));
        Assert.Equal([(BlacklistKind.Address, Range), (BlacklistKind.Device, Device), (BlacklistKind.User, "user-1")], news.Changes.Select(change => (change.Kind, change.Subject)));
        Assert.Equal(until, news.Changes[0].Until);
        Assert.True(news.Changes[1].Until > Time.GetUtcNow().AddYears(100));
        Assert.Null(news.Changes[2].Until);
    }

    /// <summary>A reader who took only the rows of the blacklist would miss what else was changed; one who is far behind, what was forgotten.</summary>
    [Fact]
    public async Task ReadBlacklistAsync_WhenMoreWasChangedThanTheBlacklist_HasEverything()
    {
        await Ledger.BlacklistAsync(User(1), ForGood, Operator, Stop);
        var rev = await Ledger.ReadCatalogRevAsync(Stop);
        await PublishAsync((1, 1));
        await Ledger.BlacklistAsync(User(2), ForGood, Operator, Stop);

        var news = await Ledger.ReadBlacklistAsync(rev, Stop);

        Assert.True(news.IsWhole);
        Assert.Equal(["user-1", "user-2"], news.Changes.Select(change => change.Subject));
        Assert.True((await Ledger.ReadBlacklistAsync(news.Rev - Limits.BlacklistFollowed - 1, Stop)).IsWhole);
    }

    [Fact]
    public async Task ReadBlacklistAsync_WhileOthersChangeIt_MissesNothing()
    {
        var start = await Ledger.ReadBlacklistAsync(null, Stop);
        var state = new Dictionary<string, bool>();
        using var done = new CancellationTokenSource();
        var reading = FollowAsync();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async writer =>
        {
            for (var i = 0; i < 12; i++)
            {
                await Ledger.BlacklistAsync(User((writer * 100) + (i % 5)), ForGood, Operator, Stop);
                await Ledger.UnblacklistAsync(User((writer * 100) + ((i + 2) % 5)), Operator, Stop);
            }
        }));
        await done.CancelAsync();

        await reading;

        var expected = (await Ledger.ListBlacklistAsync(BlacklistKind.User, "", 1_000, Stop)).Select(entry => entry.Subject);
        Assert.Equal(expected, state.Where(user => user.Value).Select(user => user.Key).Order(StringComparer.Ordinal));

        async Task FollowAsync()
        {
            var since = start.Rev;
            bool last;
            do
            {
                await Task.Delay(1, Stop);
                last = done.IsCancellationRequested;
                var news = await Ledger.ReadBlacklistAsync(since, Stop);
                Assert.False(news.IsWhole);
                foreach (var change in news.Changes)
                {
                    state[change.Subject] = change.Until is not null;
                }

                since = news.Rev;
            }
            while (!last);
        }
    }

    [Fact]
    public async Task ImportBlacklistAsync_OfManyLines_WritesThemOnceAndAuditsOneChange()
    {
        var lines = Lines(250);
        var since = (await Ledger.ReadBlacklistAsync(null, Stop)).Rev;

        Assert.Equal(new BlacklistImportDocument(250, 0, 0, 0), await Ledger.ImportBlacklistAsync(lines, Operator, Stop));

        Assert.Equal(since + 1, await Ledger.ReadCatalogRevAsync(Stop));
        Assert.True((await Ledger.ReadBlacklistAsync(since, Stop)).IsWhole);
        Assert.Equal(250, (await Ledger.ReadBlacklistAsync(null, Stop)).Changes.Count);
        var audit = Assert.Single(await Ledger.ListAuditAsync(null, 10, Stop));
        Assert.Equal(("blacklist.import", "blacklist"), (audit.Action, audit.Subject));
        Assert.Contains("\"added\":250", audit.After, StringComparison.Ordinal);

        // Again: nothing to do, and nobody need load anything.
        Assert.Equal(new BlacklistImportDocument(0, 0, 250, 0), await Ledger.ImportBlacklistAsync(lines, Operator, Stop));
        Assert.Equal(since + 1, await Ledger.ReadCatalogRevAsync(Stop));

        // One says something else, one has run out.
        lines[3] = lines[3] with { Entry = new BlacklistRequest("again", "risk", Time.GetUtcNow().AddDays(1)) };
        lines[4] = lines[4] with { Entry = new BlacklistRequest("old", "risk", Time.GetUtcNow()) };
        Assert.Equal(new BlacklistImportDocument(0, 1, 248, 1), await Ledger.ImportBlacklistAsync(lines, Operator, Stop));
        Assert.Equal("again", (await Ledger.FindBlacklistedAsync(lines[3].Kind, lines[3].Subject, Stop))!.Reason);
        Assert.Equal("机器人", (await Ledger.FindBlacklistedAsync(lines[4].Kind, lines[4].Subject, Stop))!.Reason);
    }

    [Fact]
    public async Task ImportBlacklistAsync_WhenALineCannotBeWritten_WritesNone()
    {
        var lines = Lines(150);
        lines[140] = lines[140] with { Entry = new BlacklistRequest(null!, "manual", null) };

        await Assert.ThrowsAnyAsync<Exception>(() => Ledger.ImportBlacklistAsync(lines, Operator, Stop));

        Assert.Empty((await Ledger.ReadBlacklistAsync(null, Stop)).Changes);
        Assert.Empty(await Ledger.ListAuditAsync(null, 10, Stop));
    }

    private static BlacklistLine[] Lines(int count) =>
    [
        .. Enumerable.Range(0, count).Select(i => (i % 5) switch
        {
            0 => new BlacklistLine(BlacklistKind.Device, $"{i + 1:x16}", ForGood),
            1 => new BlacklistLine(BlacklistKind.Address, $"10.{i / 256}.{i % 256}.0/24", ForGood),
            _ => new BlacklistLine(BlacklistKind.User, $"user-{i}", ForGood),
        }),
    ];
}

internal static class BarredUsers
{
    /// <summary>Every user who is barred now, up to a thousand.</summary>
    public static async Task<IReadOnlyList<BlacklistDocument>> ListBarredUsersAsync(this ILedger ledger) =>
    [
        .. (await ledger.ListBlacklistAsync(BlacklistKind.User, "", 1_000, CancellationToken.None)).Select(entry =>
            new BlacklistDocument(entry.Subject, entry.Reason, entry.Source, entry.Actor, entry.CreatedAt, entry.ExpiresAt)),
    ];
}
