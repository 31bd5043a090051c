using System.Text;

using FlashSale.Core;
using FlashSale.Server.Http;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Storefront.Publishing;

/// <summary>A version as it is served: its files, and the assets of the versions before it, for pages that browsers still have.</summary>
/// <param name="Kept">The numbers of all versions that may be shown again.</param>
/// <param name="Headers">What a static host is to send with the files; null for a version that says nothing of it.</param>
public sealed record ShownSite(long Number, IReadOnlyList<long> Kept, IReadOnlyDictionary<string, StoredAnswer> Files, byte[]? Headers);

/// <summary>
/// The published site in the memory of this instance, as the ledger has it: every instance shows the same, and one that has just started, or is of another build, has the files of pages that it has never
/// made. The ledger's word counts, whatever is on this machine's disk.
/// </summary>
public sealed class PublishedSite : IDisposable
{
    private readonly SiteFiles own;
    private readonly StoredAnswers answers;
    private readonly ILedger ledger;
    private readonly SiteStatus status;
    private readonly TimeProvider time;
    private readonly SemaphoreSlim turn = new(1);
    private volatile ShownSite? shown;
    private Dictionary<(string Path, string Hash, string Policy), StoredAnswer> made = [];
    private Dictionary<string, StoredAnswer>? ownFiles;
    private long askedAt = long.MinValue;

    public PublishedSite(SiteFiles own, StoredAnswers answers, ILedger ledger, SiteStatus status, TimeProvider time)
    {
        (this.own, this.answers, this.ledger, this.status, this.time) = (own, answers, ledger, status, time);
        answers.Replace(OwnFiles());
    }

    /// <summary>Null before the first publication.</summary>
    public ShownSite? Shown => shown;

    /// <summary>Takes over what the ledger has, when that has changed.</summary>
    public Task FollowAsync(CancellationToken cancellation) => FollowAsync(long.MaxValue, cancellation);

    /// <summary>
    /// For a file that is not here: another instance may have sent a page that refers to it, a moment before this one follows. Those who ask together ask the ledger
    /// once, and it is not asked more often than ten times a second, whatever names are tried.
    /// </summary>
    public async Task CatchUpAsync(CancellationToken cancellation)
    {
        var arrived = time.GetTimestamp();
        if (Interlocked.Read(ref askedAt) is not long.MinValue and var asked && time.GetElapsedTime(asked, arrived) is var since && since < Limits.SiteCatchUpInterval)
        {
            await Task.Delay(Limits.SiteCatchUpInterval - since, time, cancellation);
        }

        await FollowAsync(arrived, cancellation);
    }

    public void Dispose() => turn.Dispose();

    /// <param name="unlessAfter">Nothing is asked when somebody else has asked after this moment.</param>
    private async Task FollowAsync(long unlessAfter, CancellationToken cancellation)
    {
        await turn.WaitAsync(cancellation);
        try
        {
            if (Interlocked.Read(ref askedAt) > unlessAfter)
            {
                return;
            }

            Interlocked.Exchange(ref askedAt, time.GetTimestamp());
            if (status.History is { } known && known.Rev == await ledger.ReadSiteRevAsync(cancellation))
            {
                return;
            }

            var history = await ledger.ReadSiteAsync(cancellation);
            if (await TakeOverAsync(history, cancellation))
            {
                status.History = history;
            }
        }
        finally
        {
            turn.Release();
        }
    }


    /// <returns>False when what it needs has been deleted meanwhile: there is a newer history.</returns>
    private async Task<bool> TakeOverAsync(SiteHistory history, CancellationToken cancellation)
    {
        var current = history.Versions.FirstOrDefault(version => version.Number == history.Current);
        if (current is null)
        {
            return history.Current is null;
        }

        // Newest last: where versions have the same address, the newest has it.
        SiteFile[] wanted = [.. history.Versions.Reverse().SelectMany(version => version.Files.Where(file => SitePaths.IsAsset(file.Path))), .. current.Files];
        if (await ReadAsync(wanted, current, cancellation) is not var (contents, policy))
        {
            return false;
        }

        Dictionary<(string, string, string), StoredAnswer> next = [];
        Dictionary<string, StoredAnswer> files = new(StringComparer.Ordinal);
        foreach (var file in wanted.Where(file => file.Path != SitePaths.Headers))
        {
            var key = (file.Path, file.Hash, SitePaths.IsPage(file.Path) ? policy : "");
            next[key] = files[file.Path] = made.GetValueOrDefault(key) ?? Make(file.Path, contents[file.Hash], key.Item3);
        }

        made = next;
        shown = new ShownSite(current.Number, [.. history.Versions.Select(version => version.Number)], files, HeadersOf(current, contents));
        Show(files);
        status.Shown = current.Number;
        return true;
    }

    /// <summary>The contents that are not here yet, and the policy that the pages of the version were made for. Null when one is not there any more.</summary>
    private async Task<(IReadOnlyDictionary<string, byte[]> Contents, string Policy)?> ReadAsync(SiteFile[] wanted, SiteVersion current, CancellationToken cancellation)
    {
        var here = made.Keys.Select(key => (key.Path, key.Hash)).ToHashSet();
        HashSet<string> missing = [.. wanted.Where(file => file.Path == SitePaths.Headers || !here.Contains((file.Path, file.Hash))).Select(file => file.Hash)];
        Dictionary<string, byte[]> contents = new(StringComparer.Ordinal);
        foreach (var (key, answer) in made)
        {
            contents[key.Hash] = answer.Content;
        }

        foreach (var (hash, content) in await ledger.ReadSiteFilesAsync(missing, cancellation))
        {
            contents[hash] = content;
        }

        return wanted.All(file => contents.ContainsKey(file.Hash))
            ? (contents, HeadersOf(current, contents) is { } headers && SitePaths.PolicyIn(Encoding.UTF8.GetString(headers)) is { } policy ? policy : own.ContentSecurityPolicy.ToString())
            : null;
    }

    private static byte[]? HeadersOf(SiteVersion version, IReadOnlyDictionary<string, byte[]> contents) =>
        version.Files.FirstOrDefault(file => file.Path == SitePaths.Headers) is { } headers ? contents[headers.Hash] : null;

    /// <summary>Together with the files of this build, which pages that are made here refer to.</summary>
    private void Show(Dictionary<string, StoredAnswer> files)
    {
        Dictionary<string, StoredAnswer> all = new(OwnFiles(), StringComparer.Ordinal);
        foreach (var (path, answer) in files)
        {
            all[path] = answer;
            if (path == Language.En.Prefix)
            {
                // The list as somebody may write it; the other one cannot be written otherwise.
                all[path + "/"] = answer;
            }
        }

        answers.Replace(all);
    }

    private Dictionary<string, StoredAnswer> OwnFiles() =>
        ownFiles ??= own.Assets.Append(new(SitePaths.Icon, own.Icon))
            .ToDictionary(file => file.Address, file => Make(file.Address, file.Content, ""), StringComparer.Ordinal);

    private static StoredAnswer Make(string path, byte[] content, string policy) =>
        new(content, SitePaths.ContentTypeOf(path), SitePaths.CachingOf(path), policy.Length > 0 ? policy : null);
}
