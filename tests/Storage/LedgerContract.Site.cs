using System.Text;

using FlashSale.Core;
using FlashSale.Storage;

using Xunit;

namespace FlashSale.Tests.Storage;

public abstract partial class LedgerContract
{
    private static readonly Actor Publisher = Actor.System("the sales have changed");

    private static Dictionary<string, byte[]> Site(params (string Path, string Content)[] files) =>
        files.ToDictionary(file => file.Path, file => Encoding.UTF8.GetBytes(file.Content));

    private Task<SiteVersion?> PublishSiteAsync(string content, bool release = false) =>
        Ledger.PublishSiteAsync("of " + content, Site(("/", content), ("/assets/site.js", "script")), release, release ? Operator : Publisher, Stop);

    private async Task<string> ShownAsync()
    {
        var site = await Ledger.ReadSiteAsync(Stop);
        var page = site.Versions.Single(version => version.Number == site.Current).Files.Single(file => file.Path == "/");
        return Encoding.UTF8.GetString((await Ledger.ReadSiteFilesAsync([page.Hash], Stop))[page.Hash]);
    }

    [Fact]
    public async Task ReadSiteAsync_BeforeTheFirstPublication_HasNothing()
    {
        var site = await Ledger.ReadSiteAsync(Stop);

        Assert.Equal((null, false, await Ledger.ReadSiteRevAsync(Stop)), (site.Current, site.Held, site.Rev));
        Assert.Empty(site.Versions);
        Assert.Empty(await Ledger.ReadSiteFilesAsync([SiteFile.HashOf([1])], Stop));
        Assert.Null(await Ledger.RollBackSiteAsync(Operator, Stop));
        Assert.Equal(site.Rev, await Ledger.ReadSiteRevAsync(Stop));
        Assert.Empty(await Ledger.ListAuditAsync(null, 10, Stop));
    }

    [Fact]
    public async Task PublishSiteAsync_WithFilesOfAnyBytes_GivesThemBackAlsoAfterARestart()
    {
        var large = new byte[300 * 1024];
        new Random(6).NextBytes(large);
        var files = new Dictionary<string, byte[]>
        {
            ["/"] = "端午"u8.ToArray(),
            ["/en"] = large,
            ["/sales/a/checkout/1"] = large,
            ["/assets/empty"] = [],
            ["/assets/full"] = new byte[Limits.SiteFileBytes],
        };
        var rev = await Ledger.ReadSiteRevAsync(Stop);

        var version = await Ledger.PublishSiteAsync("build 1, sales 2", files, release: false, Publisher, Stop);
        await ReopenAsync();

        var site = await Ledger.ReadSiteAsync(Stop);
        Assert.Equal((1, false, rev + 1), (site.Current, site.Held, site.Rev));
        Assert.Equal(rev + 1, await Ledger.ReadSiteRevAsync(Stop));
        var stored = Assert.Single(site.Versions);
        Assert.Equivalent(version, stored, strict: true);
        Assert.Equal((1, "system", "build 1, sales 2", Time.GetUtcNow()), (stored.Number, stored.MadeBy, stored.Fingerprint, stored.MadeAt));
        Assert.Equal(files.Keys.Order(StringComparer.Ordinal), stored.Files.Select(file => file.Path));
        var contents = await Ledger.ReadSiteFilesAsync([.. stored.Files.Select(file => file.Hash)], Stop);
        Assert.Equal(4, contents.Count);
        Assert.All(stored.Files, file =>
        {
            Assert.Equal(files[file.Path], contents[file.Hash]);
            Assert.Equal(SiteFile.HashOf(files[file.Path]), file.Hash);
        });
        // No operator did it.
        Assert.Empty(await Ledger.ListAuditAsync(null, 10, Stop));
    }

    [Fact]
    public async Task PublishSiteAsync_WithTheFingerprintThatIsShown_WritesNothing()
    {
        await PublishSiteAsync("a");
        var rev = await Ledger.ReadSiteRevAsync(Stop);

        Assert.Null(await PublishSiteAsync("a"));
        Assert.Null(await PublishSiteAsync("a", release: true));

        Assert.Equal(rev, await Ledger.ReadSiteRevAsync(Stop));
        Assert.Single((await Ledger.ReadSiteAsync(Stop)).Versions);
        Assert.Empty(await Ledger.ListAuditAsync(null, 10, Stop));
        // An older version's is no reason: what it showed is shown again.
        await PublishSiteAsync("b");
        Assert.Equal(3, (await PublishSiteAsync("a"))!.Number);
        Assert.Equal(rev + 2, await Ledger.ReadSiteRevAsync(Stop));
    }

    [Fact]
    public async Task RollBackSiteAsync_HoldsTheVersionBefore_UntilAnOperatorReleases()
    {
        foreach (var content in new[] { "a", "b", "c" })
        {
            await PublishSiteAsync(content);
        }

        var rev = await Ledger.ReadSiteRevAsync(Stop);
        var back = await Ledger.RollBackSiteAsync(Operator with { Reason = "a wrong price" }, Stop);

        Assert.Equal((2, "of b", "b"), (back!.Number, back.Fingerprint, await ShownAsync()));
        Assert.Equal(2, back.Files.Count);
        var site = await Ledger.ReadSiteAsync(Stop);
        Assert.Equal((2, true, rev + 1), (site.Current, site.Held, site.Rev));
        Assert.Null(await PublishSiteAsync("d"));
        Assert.Null(await PublishSiteAsync("c"));
        Assert.Equal(rev + 1, await Ledger.ReadSiteRevAsync(Stop));

        Assert.Equal(1, (await Ledger.RollBackSiteAsync(Operator, Stop))!.Number);
        Assert.Null(await Ledger.RollBackSiteAsync(Operator, Stop));
        Assert.Equal(("a", rev + 2), (await ShownAsync(), await Ledger.ReadSiteRevAsync(Stop)));

        // What was the newest all the time is published anew.
        Assert.Equal(4, (await PublishSiteAsync("c", release: true))!.Number);
        site = await Ledger.ReadSiteAsync(Stop);
        Assert.Equal((4, false, rev + 3), (site.Current, site.Held, site.Rev));
        Assert.Equal("olivia", site.Versions[0].MadeBy);
        Assert.Equal(5, (await PublishSiteAsync("d"))!.Number);
        var audit = await Ledger.ListAuditAsync(null, 10, Stop);
        Assert.Equal(["site.publish", "site.rollback", "site.rollback"], audit.Select(line => line.Action));
        Assert.Equal(
            ("olivia", "site", "a wrong price", """{"version":3,"fingerprint":"of c"}""", """{"version":2,"fingerprint":"of b"}"""),
            (audit[2].Actor, audit[2].Subject, audit[2].Reason, audit[2].Before, audit[2].After));
        Assert.Equal(("""{"version":1,"fingerprint":"of a"}""", """{"version":4,"fingerprint":"of c"}"""), (audit[0].Before, audit[0].After));
    }

    [Fact]
    public async Task PublishSiteAsync_BeyondTheKeptVersions_DeletesTheOldestWithWhatOnlyTheyHad()
    {
        var versions = new List<SiteVersion>();
        for (var i = 0; i < Limits.SiteVersionsKept + 2; i++)
        {
            versions.Add((await PublishSiteAsync($"page {i}"))!);
        }

        var site = await Ledger.ReadSiteAsync(Stop);

        Assert.Equal([7, 6, 5, 4, 3], site.Versions.Select(version => version.Number));
        Assert.All(site.Versions, version => Assert.Equal(2, version.Files.Count));
        var hashes = versions.SelectMany(version => version.Files).Select(file => file.Hash).ToHashSet();
        Assert.Equal(hashes.Except(versions.Take(2).Select(version => version.Files[0].Hash)).Order(), (await Ledger.ReadSiteFilesAsync(hashes, Stop)).Keys.Order());
        // As far back as it goes, and no farther.
        for (var i = 1; i < Limits.SiteVersionsKept; i++)
        {
            Assert.Equal(7 - i, (await Ledger.RollBackSiteAsync(Operator, Stop))!.Number);
        }

        Assert.Null(await Ledger.RollBackSiteAsync(Operator, Stop));
        Assert.Equal("page 2", await ShownAsync());
    }

    [Fact]
    public async Task PublishSiteAsync_ByManyAtOnce_MakesEachVersionOnce()
    {
        const int rounds = 4;
        var made = await AtOnceAsync(8, number => Task.WhenAll(Enumerable.Range(0, rounds).Select(i => PublishSiteAsync($"{number / 2}-{i}"))));

        var site = await Ledger.ReadSiteAsync(Stop);
        var numbers = made.SelectMany(versions => versions).OfType<SiteVersion>().Select(version => version.Number).Order().ToList();
        Assert.Equal(Enumerable.Range(1, numbers.Count).Select(number => (long)number), numbers);
        Assert.InRange(numbers.Count, 4 * rounds, 8 * rounds);
        Assert.Equal((numbers[^1], numbers[^1]), (site.Current, site.Versions[0].Number));
        Assert.Equal(site.Versions[0].Fingerprint, "of " + await ShownAsync());
    }

    [Fact]
    public async Task PublishSiteAsync_OfTheSameByTwoAtOnce_OneWritesNothing()
    {
        for (var i = 1; i <= 10; i++)
        {
            var made = await AtOnceAsync(2, _ => PublishSiteAsync($"page {i}"));

            Assert.Equal(i, Assert.Single(made.OfType<SiteVersion>()).Number);
        }
    }

    /// <summary>A reader sees a version with all of its files or not at all.</summary>
    [Fact]
    public async Task ReadSiteAsync_WhilePublishing_SeesWholeVersions()
    {
        await PublishSiteAsync("page 0");
        var publishing = PublishAllAsync();
        do
        {
            var site = await Ledger.ReadSiteAsync(Stop);
            Assert.Equal(site.Current, site.Versions[0].Number);
            Assert.Equal(Math.Min(site.Current!.Value, Limits.SiteVersionsKept), site.Versions.Count);
            Assert.All(site.Versions, version => Assert.Equal(2, version.Files.Count));
            // Published next to nothing ago: it is kept for four more publications.
            var contents = await Ledger.ReadSiteFilesAsync([.. site.Versions[0].Files.Select(file => file.Hash)], Stop);
            Assert.True(contents.Count == 2 || (await Ledger.ReadSiteAsync(Stop)).Current >= site.Current + Limits.SiteVersionsKept);
        }
        while (!publishing.IsCompleted);
        await publishing;
        Assert.Equal("page 30", await ShownAsync());

        async Task PublishAllAsync()
        {
            for (var i = 1; i <= 30; i++)
            {
                await PublishSiteAsync($"page {i}");
            }
        }
    }

    [Fact]
    public async Task PublishSiteAsync_BeyondTheBounds_IsRefusedAndNothingWritten()
    {
        Dictionary<string, byte[]>[] sites =
        [
            new() { ["/"] = new byte[Limits.SiteFileBytes + 1] },
            new() { ["page"] = [] },
            new() { ["/端午"] = [] },
            new() { ["/" + new string('a', Limits.SitePathLength)] = [] },
            Enumerable.Range(0, Limits.SiteFiles + 1).ToDictionary(i => $"/{i}", _ => Array.Empty<byte>()),
            Enumerable.Range(0, (Limits.SiteBytes / Limits.SiteFileBytes) + 1).ToDictionary(i => $"/{i}", _ => new byte[Limits.SiteFileBytes]),
        ];

        foreach (var site in sites)
        {
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Ledger.PublishSiteAsync("x", site, release: true, Operator, Stop));
        }

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => Ledger.PublishSiteAsync(new string('x', Limits.SiteFingerprintLength + 1), Site(), release: true, Operator, Stop));
        Assert.Null((await Ledger.ReadSiteAsync(Stop)).Current);
        Assert.NotNull(await Ledger.PublishSiteAsync("x", new Dictionary<string, byte[]> { ["/" + new string('a', Limits.SitePathLength - 1)] = [] }, false, Publisher, Stop));
    }
}
